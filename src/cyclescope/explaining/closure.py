"""Does the account close? The parts of the instrumented runs against the wall time of the uninstrumented runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.graph.op import OpKind
from cyclescope.core.statistics import Estimate, Ratio, median_estimate, median_ratio, scenario_estimate
from cyclescope.explaining.attribution import Attribution
from cyclescope.explaining.covered import covered_wall_ns
from cyclescope.explaining.explanation import AccountRow, Closure

OPERATIONS, PYTHON, TEXT, UNEXPLAINED = "operations", "python", "text", "unexplained"
NATIVE = "native"  # code that was not traced


def close(cycle: Cycle, attribution: Attribution) -> Closure:
    """The account of `cycle`: rows in the order of the stages, operations before Python, then the unexplained rest.

    Where only the first tokens of a generation were instrumented, it is the account of those. A prediction has none: its
    parts make its whole, and nothing could be left unexplained.
    """
    uninstrumented = covered_wall_ns(cycle)
    wall = median_estimate(uninstrumented) if len(uninstrumented) else Estimate(0.0, 0.0, 0.0, 0)
    attributed = attribution.total_ns
    nothing = Ratio(0.0, 0.0, 0.0, 0)
    if cycle.source is Source.PREDICTED:
        wall = scenario_estimate(uninstrumented) if len(uninstrumented) else wall
        return Closure(wall, attributed, 0.0, nothing, nothing, 0.0, ())
    if not len(uninstrumented) or not len(attribution.runs_ns) or wall.value_ns <= 0:
        return Closure(wall, attributed, wall.value_ns - attributed, nothing, nothing, 0.0, ())
    if cycle.source is Source.IMPORTED:
        wall = replace(
            wall, value_ns=attributed, low_ns=min(wall.low_ns, attributed), high_ns=max(wall.high_ns, attributed)
        )
    slots = attribution.graph.slots
    stage, sorts = slots.stage.in_order, (TEXT, OPERATIONS, NATIVE, PYTHON)
    sort = np.full(len(slots), sorts.index(PYTHON), dtype=np.int64)
    sort[slots.of_op] = np.where(attribution.graph.of_kind(OpKind.TEXT), sorts.index(TEXT), sorts.index(OPERATIONS))
    sort[attribution.native] = sorts.index(NATIVE)
    cell = stage.numbers * len(sorts) + sort
    times = np.bincount(cell, attribution.slot_ns).tolist()
    rest = wall.value_ns - attributed
    account = [
        AccountRow(sorts[k % len(sorts)], stage.names[k // len(sorts)], times[k], times[k] / wall.value_ns)
        for k in np.unique(cell).tolist()
    ]
    account.append(AccountRow(UNEXPLAINED, "", rest, rest / wall.value_ns))
    ratio = median_ratio(attribution.runs_ns.sum(axis=1), uninstrumented)
    value = attributed / wall.value_ns
    return Closure(
        wall=wall,
        attributed_ns=attributed,
        rest_ns=rest,
        ratio=Ratio(value, min(ratio.low, value), max(ratio.high, value), ratio.n),
        instrumentation_ratio=median_ratio(cycle.samples.instrumented.wall_ns, uninstrumented),
        instrumentation_ns=float(np.sum(attribution.stamp_cost_ns)),
        rows=tuple(account),
        tokens=cycle.samples.instrumented_tokens,
    )
