"""Figures with their intervals, as they stand in JSON documents: the ends are null where there are too few samples."""

from __future__ import annotations

from cyclescope.core.statistics import Estimate, Ratio
from cyclescope.report import format as fmt


def estimate_figures(value: Estimate) -> dict[str, float | None]:
    """A time in nanoseconds."""
    low_ns, high_ns = fmt.ends(value)
    return {"median_ns": value.value_ns, "low_ns": low_ns, "high_ns": high_ns, "n": value.n}


def ratio_figures(value: Ratio) -> dict[str, float | None]:
    """A ratio, which has no unit."""
    low, high = fmt.ends(value)
    return {"value": value.value, "low": low, "high": high, "n": value.n}
