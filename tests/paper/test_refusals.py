"""What the parser refuses is reported in plain words, with what may have been meant."""

from __future__ import annotations

import pytest

from cyclescope.cli.main import run


@pytest.mark.parametrize(
    ("arguments", "code", "fact", "meant"),
    [
        (["show", "run.cycle", "--as", "pdf"], 2, "--as must be one of", ""),
        (["show", "run.cycle", "--as", "Markdwn"], 2, "--as must be one of", "Did you mean markdown?"),
        (["measure", "gpt2", "--weights", "randm"], 2, "--weights must be one of", "Did you mean random?"),
        (["compare", "a", "b", "--attention", "spda", "--fail-if-slower", "5%"], 64, "must be one of", "mean sdpa?"),
        (["measure", "gpt2", "--tokns", "4"], 2, "There is no option --tokns.", "Did you mean --tokens?"),
        (["mesure", "gpt2"], 2, "There is no command mesure.", "Did you mean measure?"),
        (["quite-another"], 2, "There is no command quite-another.", ""),
        (["measure"], 2, "The argument MODEL is missing.", ""),
        (["apply", "a.toml"], 2, "The option --out is missing.", ""),
        (["measure", "gpt2", "more"], 2, "There is no argument for more.", ""),
        (["measure", "gpt2", "--tokens"], 2, "--tokens needs a value.", ""),
        (["measure", "gpt2", "--json=3"], 2, "--json takes no value.", ""),
        (["measure", "gpt2", "--tokens", "four"], 2, "--tokens must be a whole number (got four).", ""),
        (["optimize", "gpt2", "--max-drift", "low"], 2, "--max-drift must be a number (got low).", ""),
        (["compare", "a", "--fail-if-slower", "5%"], 64, "The argument B is missing.", ""),
        (["--nothing"], 2, "There is no option --nothing.", ""),
    ],
)
def test_what_the_parser_refuses_is_an_error_like_any_other(
    arguments: list[str], code: int, fact: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    shown = capsys.readouterr()
    assert (ended.value.code, shown.out) == (code, "")
    assert shown.err.startswith("Error: ")
    assert fact in shown.err.splitlines()[0]
    assert "Value error" not in shown.err
    assert ("Did you mean" in shown.err, meant in shown.err) == (bool(meant), True)
    assert "For help: " in shown.err.splitlines()[-1]


def test_a_drift_beyond_one_is_refused_with_what_it_is_and_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["optimize", "gpt2", "--max-drift", "3"])
    shown = capsys.readouterr()
    assert (ended.value.code, shown.out) == (2, "")
    assert shown.err.splitlines()[0] == "Error: --max-drift must be between 0 and 1 (got 3)."
    assert "Give a share such as 0.01; 0 allows none." in shown.err


@pytest.mark.parametrize("command", ["measure", "compare"])
def test_a_budget_of_nothing_is_told_as_it_was_given(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run([command, *["gpt2"] * (2 if command == "compare" else 1), "--budget", "0"])
    assert "The budget must be above 0 s" in capsys.readouterr().err
