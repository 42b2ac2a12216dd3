"""Does the account close? The parts of the stamped runs against the wall of the runs that nobody looked into."""

from __future__ import annotations

import numpy as np

from cyclescope.core.cycle import Cycle
from cyclescope.core.op import OpKind
from cyclescope.core.statistics import Estimate, Ratio, median_estimate, median_ratio
from cyclescope.explaining.attribution import Attribution
from cyclescope.explaining.explanation import AccountRow, Closure

OPERATIONS, PYTHON, TEXT, UNEXPLAINED = "operations", "python", "text", "unexplained"


def close(cycle: Cycle, attribution: Attribution) -> Closure:
    """The account of `cycle`: rows in the order of the stages, operations before Python, then the unexplained rest."""
    plain = cycle.samples.plain.wall_ns
    wall = median_estimate(plain) if len(plain) else Estimate(0.0, 0.0, 0.0, 0)
    attributed = attribution.total_ns
    nothing = Ratio(0.0, 0.0, 0.0, 0)
    if not len(plain) or not len(attribution.runs_ns) or wall.value_ns <= 0:
        return Closure(wall, attributed, wall.value_ns - attributed, nothing, nothing, 0.0, ())
    slots = attribution.graph.slots
    rows: dict[tuple[str, str], float] = {}
    for s, stage in enumerate(slots.stage):
        op = int(slots.op[s])
        what = PYTHON if op < 0 else TEXT if attribution.graph.kinds[op] is OpKind.TEXT else OPERATIONS
        rows[stage, what] = rows.get((stage, what), 0.0) + float(attribution.slot_ns[s])
    stages = list(dict.fromkeys(slots.stage))
    order = [(stage, what) for stage in stages for what in (TEXT, OPERATIONS, PYTHON) if (stage, what) in rows]
    rest = wall.value_ns - attributed
    account = [AccountRow(what, stage, rows[stage, what], rows[stage, what] / wall.value_ns) for stage, what in order]
    account.append(AccountRow(UNEXPLAINED, "", rest, rest / wall.value_ns))
    ratio = median_ratio(attribution.runs_ns.sum(axis=1), plain)
    value = attributed / wall.value_ns
    return Closure(
        wall=wall,
        attributed_ns=attributed,
        rest_ns=rest,
        ratio=Ratio(value, min(ratio.low, value), max(ratio.high, value), ratio.n),
        instrumentation_ratio=median_ratio(cycle.samples.light.wall_ns, plain),
        instrumentation_ns=float(np.sum(attribution.stamp_cost_ns)),
        rows=tuple(account),
    )
