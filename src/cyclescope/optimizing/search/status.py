"""What a search says of itself while it runs: the plan that is tried, and the fastest so far."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.backends.engines import title_of
from cyclescope.core.message import Text, listed, m
from cyclescope.core.plan import Plan
from cyclescope.optimizing.optimization import Outcome, Row


def steps_of(plan: Plan, strategies: Sequence[str]) -> Text:
    """The engine of `plan`, and the strategies that led to it."""
    steps = [name for name in strategies if name != "engine"]
    if not steps:
        return title_of(plan.engine)
    return m("{engine} with {steps}", engine=title_of(plan.engine), steps=listed(steps))


def best_of(rows: Sequence[Row]) -> Text | None:
    """The fastest of `rows` that keeps to the limit, with its speedup; None while none is faster than the baseline."""
    faster = [row for row in rows[1:] if row.outcome is Outcome.TRIED and row.speed_up > 1]
    if not faster:
        return None
    best = max(faster, key=lambda row: row.speed_up)
    return m(
        "{plan}, {speedup} times as fast", plan=steps_of(best.plan, best.strategies), speedup=f"{best.speed_up:.2g}"
    )
