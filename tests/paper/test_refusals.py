"""What the parser refuses is told in plain words, with what may have been meant."""

from __future__ import annotations

import pytest

from cyclescope.cli.main import run
from cyclescope.cli.refusals import plainly


@pytest.mark.parametrize(
    ("arguments", "code", "meant"),
    [
        (["show", "run.cycle", "--as", "pdf"], 2, ""),
        (["show", "run.cycle", "--as", "Markdwn"], 2, "Did you mean 'markdown'?"),
        (["measure", "gpt2", "--weights", "randm"], 2, "Did you mean 'random'?"),
        (["compare", "a", "b", "--attention", "spda", "--fail-if-slower", "5%"], 64, "Did you mean 'sdpa'?"),
    ],
)
def test_a_value_that_is_none_of_a_few_is_refused_in_plain_words(
    arguments: list[str], code: int, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    told = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert ended.value.code == code
    assert "is not one of" in told
    assert "Value error" not in told
    assert ("Did you mean" in told, meant in told) == (bool(meant), True)


@pytest.mark.parametrize("message", ["No such option: --foo", "'it's' is no number.", ""])
def test_any_other_message_stays_as_it_is(message: str) -> None:
    assert plainly(message) == message


@pytest.mark.parametrize("command", ["measure", "compare"])
def test_a_budget_of_nothing_is_told_as_it_was_given(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run([command, *["gpt2"] * (2 if command == "compare" else 1), "--budget", "0"])
    assert "The budget must be above 0 s" in capsys.readouterr().err
