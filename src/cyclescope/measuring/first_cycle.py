"""The first cycle of a session, which ends in time: nobody knows yet how long one is."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.backends.base import BreakableSession, BrokenOff, SparingSession, UninstrumentedRun
from cyclescope.core.errors import UsageError
from cyclescope.core.message import m
from cyclescope.core.units import NS_PER_S, Nanoseconds

# Beyond this share of the budget a call is broken off, unless it is over in so many seconds, which no budget saves.
_MOST, _LEAST_NS = 1.1, 5 * NS_PER_S
_ENOUGH = 1.25  # times what the calls take, for a budget in which they fit with what follows


def first_cycle(
    session: SparingSession,
    limit_ns: Nanoseconds,
    budget_ns: Nanoseconds,
    before: Sequence[UninstrumentedRun] = (),
    to_come: int = 0,
) -> UninstrumentedRun:
    """The first cycle of `session`, of which a text ends after `limit_ns`. A call that would exceed the budget is broken off;
    first cycles of other sessions were run `before` it within the same budget, and so many are `to_come`.

    Raises `UsageError` with the budget that is enough.
    """
    if not isinstance(session, BreakableSession):
        return session.rehearse(limit_ns)
    spent_ns = sum(run.wall_ns for run in before)
    most_ns = max(int(_MOST * budget_ns), _LEAST_NS) - spent_ns
    try:
        with session.breaking_off(max(0, most_ns)):
            return session.rehearse(limit_ns)
    except BrokenOff as broken:
        whole_ns = broken.whole_ns
        needed_ns = _ENOUGH * (spent_ns + whole_ns * (1 + to_come))
        raise UsageError(
            m(
                "The budget must be at least {least} s for this model (got {given} s).",
                least=in_seconds(needed_ns),
                given=in_seconds(budget_ns),
            ),
            m("One call takes about {seconds} s, and was broken off.", seconds=in_seconds(whole_ns)),
            m("Give a larger --budget, or less input."),
        ) from None


def in_seconds(ns: float) -> str:
    """Seconds with two digits, for a sentence about a budget."""
    return format(float(format(ns / NS_PER_S, ".2g")), "g")
