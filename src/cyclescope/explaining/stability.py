"""Reasons to doubt a measurement, each found in its facts."""

from __future__ import annotations

import numpy as np

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.samples import Load
from cyclescope.core.statistics import Estimate
from cyclescope.core.units import FloatArray
from cyclescope.explaining.closure import NATIVE
from cyclescope.explaining.explanation import Closure, MeasurementWarning, WarningCode

# Thresholds, all as shares. The interval and the rest are the bounds that the project holds itself to; the others are
# where the effect on the median exceeds that interval in our own A/A runs on two shared cores.
_WIDE_INTERVAL = 0.03
_DRIFT = 0.05
_OTHER_LOAD = 0.10
_REST = 0.03


def find_warnings(cycle: Cycle, wall: Estimate, closure: Closure) -> tuple[MeasurementWarning, ...]:
    """Every doubt that the facts of `cycle` raise, the gravest first. Of these a predicted or an imported cycle can only have
    operations whose FLOPs are unknown.
    """
    if cycle.source is not Source.MEASURED and cycle.graph.unpriced:
        return (MeasurementWarning(WarningCode.UNPRICED, len(cycle.graph.unpriced)),)
    if cycle.source is not Source.MEASURED:
        return ()
    samples = cycle.samples
    warnings: list[MeasurementWarning] = []
    if cycle.partial:
        warnings.append(MeasurementWarning(WarningCode.PARTIAL, len(samples.uninstrumented)))
    if not len(samples.instrumented):
        warnings.append(MeasurementWarning(WarningCode.NO_INSTRUMENTED_RUN))
    elif samples.instrumentation is None:
        warnings.append(MeasurementWarning(WarningCode.NO_CALIBRATION))
    account = closure.wall.value_ns
    if len(samples.instrumented) and account > 0 and abs(closure.rest_ns) > _REST * account:
        warnings.append(MeasurementWarning(WarningCode.OPEN_ACCOUNT, closure.rest_ns / account))
    native = sum(row.share_of_wall for row in closure.rows if row.name == NATIVE)
    if native:
        warnings.append(MeasurementWarning(WarningCode.NATIVE, native))
    if cycle.graph.unpriced:
        warnings.append(MeasurementWarning(WarningCode.UNPRICED, len(cycle.graph.unpriced)))
    warnings += load_warnings(samples.load)
    if not samples.set_up.steady:
        warnings.append(MeasurementWarning(WarningCode.NOT_STEADY, samples.set_up.warmup_cycles))
    if not wall.has_interval:
        warnings.append(MeasurementWarning(WarningCode.NO_INTERVAL, wall.n))
    elif wall.half_width > _WIDE_INTERVAL:
        warnings.append(MeasurementWarning(WarningCode.FEW_REPEATS, wall.half_width))
    drift = relative_drift(samples.uninstrumented.wall_ns.astype(np.float64))
    if abs(drift) > _DRIFT:
        warnings.append(MeasurementWarning(WarningCode.DRIFT, drift))
    return tuple(warnings)


def load_warnings(load: Load) -> tuple[MeasurementWarning, ...]:
    """Warnings about other load on the machine during the measurement, the gravest first."""
    warnings: list[MeasurementWarning] = []
    if load.swapped:
        warnings.append(MeasurementWarning(WarningCode.SWAPPED))
    if load.throttled_ns:
        warnings.append(MeasurementWarning(WarningCode.THROTTLED, load.throttled_ns))
    if load.other_busy is not None and load.other_busy > _OTHER_LOAD:
        warnings.append(MeasurementWarning(WarningCode.OTHER_LOAD, load.other_busy))
    return tuple(warnings)


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
