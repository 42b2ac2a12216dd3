"""Reasons to doubt a measurement, each found in its facts."""

from __future__ import annotations

import numpy as np

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.samples import Load
from cyclescope.core.statistics import Estimate
from cyclescope.core.units import FloatArray
from cyclescope.explaining.explanation import Closure, Doubt, DoubtCode

# Thresholds, all as shares. The interval and the rest are the bounds that the project holds itself to; the others are
# where the effect on the median exceeds that interval in our own A/A runs on two shared cores.
_WIDE_INTERVAL = 0.03
_DRIFT = 0.05
_OTHER_LOAD = 0.10
_REST = 0.03


def find_doubts(cycle: Cycle, wall: Estimate, closure: Closure) -> tuple[Doubt, ...]:
    """Every doubt that the facts of `cycle` raise, the gravest first. A predicted cycle has none of these."""
    if cycle.source is not Source.MEASURED:
        return ()
    samples = cycle.samples
    doubts: list[Doubt] = []
    if cycle.partial:
        doubts.append(Doubt(DoubtCode.PARTIAL, len(samples.plain)))
    if not len(samples.light):
        doubts.append(Doubt(DoubtCode.NO_LIGHT_PASS))
    elif samples.instrumentation is None:
        doubts.append(Doubt(DoubtCode.NO_CALIBRATION))
    if len(samples.light) and wall.value_ns > 0 and abs(closure.rest_ns) > _REST * wall.value_ns:
        doubts.append(Doubt(DoubtCode.OPEN_ACCOUNT, closure.rest_ns / wall.value_ns))
    doubts += doubts_of_load(samples.load)
    if not samples.set_up.steady:
        doubts.append(Doubt(DoubtCode.NOT_STEADY, samples.set_up.warmup_cycles))
    if not wall.has_interval:
        doubts.append(Doubt(DoubtCode.NO_INTERVAL, wall.n))
    elif wall.half_width > _WIDE_INTERVAL:
        doubts.append(Doubt(DoubtCode.FEW_REPEATS, wall.half_width))
    drift = relative_drift(samples.plain.wall_ns.astype(np.float64))
    if abs(drift) > _DRIFT:
        doubts.append(Doubt(DoubtCode.DRIFT, drift))
    return tuple(doubts)


def doubts_of_load(load: Load) -> tuple[Doubt, ...]:
    """The doubts that what else the machine did meanwhile raises, the gravest first."""
    doubts: list[Doubt] = []
    if load.swapped:
        doubts.append(Doubt(DoubtCode.SWAPPED))
    if load.throttled_ns:
        doubts.append(Doubt(DoubtCode.THROTTLED, load.throttled_ns))
    if load.other_busy is not None and load.other_busy > _OTHER_LOAD:
        doubts.append(Doubt(DoubtCode.OTHER_LOAD, load.other_busy))
    return tuple(doubts)


def relative_drift(walls: FloatArray) -> float:
    """Change of the median from the first third of the samples to the last, as a share of the first: last ÷ first − 1.

    So 1 is twice as long, −0.5 half as long, and nothing gets shorter by more than 1.
    0 with fewer than nine samples, or where the change is within the noise of the thirds (their quartiles overlap by
    more than half).
    """
    third = len(walls) // 3
    if third < 3:
        return 0.0
    first, last = walls[:third], walls[-third:]
    change = float(np.median(last) - np.median(first))
    noise = float(np.subtract(*np.percentile(first, [75, 25])) + np.subtract(*np.percentile(last, [75, 25]))) / 2
    if abs(change) <= noise:
        return 0.0
    before = float(np.median(first))
    return change / before if before > 0 else 0.0
