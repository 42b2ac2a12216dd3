"""Reasons to trust a measurement less, each with its remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from cyclescope.core.message import m, plural
from cyclescope.explaining.explanation import MeasurementWarning, WarningCode
from cyclescope.report import format as fmt
from cyclescope.report.naming.advice import Advice, filled

_MORE_TIME = m("Give it more time, such as --budget 30s.")
WARNINGS: Mapping[WarningCode, Advice] = MappingProxyType(
    {
        WarningCode.PARTIAL: Advice(
            plural("Interrupted after {n} cycle.", "Interrupted after {n} cycles.", 2), m("Let it run to its end.")
        ),
        WarningCode.NO_INTERVAL: Advice(
            plural(
                "{n} repeat is too few for an interval of the median.",
                "{n} repeats are too few for an interval of the median.",
                2,
            ),
            _MORE_TIME,
        ),
        WarningCode.FEW_REPEATS: Advice(
            m("The interval of the median is wide (half of it is {share} of the median)."), _MORE_TIME
        ),
        WarningCode.NOT_STEADY: Advice(
            plural(
                "No steady state after a warm-up of {n} cycle.", "No steady state after a warm-up of {n} cycles.", 2
            ),
            m("Give it more time, or find out what else is running."),
        ),
        WarningCode.DRIFT: Advice(
            m("The cycle changed by {share} from the first third of the repeats to the last."),
            m("Measure again on an idle machine; a hot processor slows down."),
        ),
        WarningCode.OTHER_LOAD: Advice(
            m("Other processes used {share} of the cores."),
            m("Stop them, leave them a core (--threads), or rely on the least time."),
        ),
        WarningCode.THROTTLED: Advice(
            m("A limit on this container stopped the process for {time}."),
            m("Raise the container's CPU limit, or use fewer threads."),
        ),
        WarningCode.SWAPPED: Advice(m("The machine swapped."), m("Free memory, or use a smaller batch or model.")),
        WarningCode.OPEN_ACCOUNT: Advice(
            m("{share} of the wall time is not accounted for."),
            m("Measure again on an idle machine. If it stays, report it with the saved run."),
        ),
        WarningCode.NATIVE: Advice(
            m("{share} of the wall time is native code between operations that could not be traced."),
            m("It belongs to another library or an extension and is no overhead of Python. Profile that code itself."),
        ),
        WarningCode.UNPRICED: Advice(
            plural("FLOPs unknown for {n} operation.", "FLOPs unknown for {n} operations.", 2),
            m("Take arithmetic, FLOP/s and MFU for lower bounds. The times are not affected."),
        ),
        WarningCode.NO_CALIBRATION: Advice(
            m("The cost of the timestamps is unknown and not subtracted."),
            m("Use the shares with care; the wall time is not affected."),
        ),
        WarningCode.NO_INSTRUMENTED_RUN: Advice(
            m("There is no instrumented run, so the wall time is all there is."), m("Let it run to its end.")
        ),
    }
)
_COUNTS = (WarningCode.PARTIAL, WarningCode.NO_INTERVAL, WarningCode.NOT_STEADY, WarningCode.UNPRICED)
_OVER_ATTRIBUTED = m("The instrumented cycles add up to {share} more than the wall time of the uninstrumented ones.")
_FASTER = m("Give it more time: it was still warming up, or another program stopped while it ran.")


def warning(found: MeasurementWarning) -> Advice:
    """The words of one warning, with its number."""
    if found.code is WarningCode.OPEN_ACCOUNT and found.value < 0:
        return Advice(filled(_OVER_ATTRIBUTED, share=fmt.share(-found.value)), WARNINGS[found.code].remedy)
    count = int(found.value) if found.code in _COUNTS else 0
    advice = WARNINGS[found.code].filled(share=fmt.share(found.value), time=fmt.time(found.value), n=fmt.count(count))
    text = replace(advice.text, count=count)
    return Advice(text, _FASTER if found.code is WarningCode.DRIFT and found.value < 0 else advice.remedy)
