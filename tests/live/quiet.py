"""Live tests hold on a machine at rest. What was measured beside another load says nothing about the tool."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import pytest

from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.measuring.measure import measure

P = ParamSpec("P")

TRIES = 6
_TRIES_OF_A_TEST = 4
# Above this share of the cores for others, a stall of a few milliseconds is in most cycles.
BUSY = 0.15


class Disturbed(Exception):
    """Raised by what is to hold where it saw another load itself: then this try shows nothing."""


def hold_on_a_quiet_try(holds: Callable[[Explanation], str], *model: object, budget: float, **request: object) -> None:
    """Measure up to six times until `holds` gives an empty text; a systematic error fails every try.

    The first try has half of `budget` [s], which is enough on most machines. Skips where another load was there in every
    try: then nothing was shown, neither way.
    """
    complaints = []
    for number in range(TRIES):
        told = explain(measure(*model, budget=budget if number else budget / 2, **request))  # type: ignore[arg-type]
        try:
            complaint = holds(told)
        except Disturbed:
            continue
        if not complaint:
            return
        if (told.cycle.samples.load.other_busy or 0.0) < BUSY:
            complaints.append(complaint)
    if not complaints:
        pytest.skip("other processes used the cores in every try; live tests need a machine at rest")
    pytest.fail("; ".join(complaints))


def on_a_quiet_try(test: Callable[P, None]) -> Callable[P, None]:
    """A test that holds if it does in one of four tries: a moment of another load spoils one, a systematic error all."""

    @wraps(test)
    def tried(*args: P.args, **kwargs: P.kwargs) -> None:
        for left in reversed(range(_TRIES_OF_A_TEST)):
            try:
                return test(*args, **kwargs)
            except Exception:
                if not left:
                    raise
        return None

    return tried
