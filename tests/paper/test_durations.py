"""Times as people write them, on every command that has a budget."""

from __future__ import annotations

import pytest

from cyclescope.cli.commands import COMMANDS
from cyclescope.cli.duration import duration, seconds
from cyclescope.cli.parser import command as command_named
from cyclescope.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "wanted"), [("90s", 90), ("5m", 300), ("1.5h", 5400), ("7", 7), (" 2 m ", 120), (10.0, 10)]
)
def test_a_time_is_read(text: str | float, wanted: float) -> None:
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "5x", "-3s", "s", "1e3", "nan", "5m3s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--limit"):
        duration("--limit", text)


def test_every_budget_is_one_and_its_default_too() -> None:
    with_budget = []
    for name in COMMANDS:
        command = command_named(name)
        if not any(option.name == "budget" for option in command.params):
            continue
        with_budget.append(name)
        arguments = ["x"] * sum(option.param_type_name == "argument" and option.nargs == 1 for option in command.params)
        assert command.make_context(name, [*arguments, "--budget", "2m"]).params["budget"] == 120
        usual = command.make_context(name, arguments).params["budget"]
        assert usual is None or usual >= 10
    assert {"measure", "compare", "optimize", "verify", "tokens", "demo"} <= set(with_budget)
