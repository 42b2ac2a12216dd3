"""From times of a piece of work to what the machine reaches at best, with an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cyclescope.core.ceilings import Figure
from cyclescope.core.statistics import CONFIDENCE, median_ratio
from cyclescope.core.units import NS_PER_S, AnyArray

# Where most machines are undisturbed: what a tenth of the slices reach is no stroke of luck.
_UNDISTURBED = 0.1


def undisturbed_ns(samples_ns: Sequence[float], source: str) -> Figure:
    """The fastest of `samples_ns`: each is the mean of a slice of real work, so that this pace was truly held.

    The interval is that of the first decile of the samples, by order statistics: the number of samples below a quantile
    q is binomial(n, q), whatever their distribution (David and Nagaraja, Order Statistics, 3rd ed., section 7.1). Its
    lower end is the fastest sample itself; how much faster the machine could be is unknown.
    """
    ordered = np.sort(np.asarray(samples_ns, dtype=np.float64))
    n = len(ordered)
    if not n:
        raise ValueError("an estimate needs at least one sample")
    above, cumulative = 0, (1 - _UNDISTURBED) ** n
    while above < n - 1 and cumulative < 1 - (1 - CONFIDENCE) / 2:
        above += 1
        cumulative += math.comb(n, above) * _UNDISTURBED**above * (1 - _UNDISTURBED) ** (n - above)
    fastest = float(ordered[0])
    return Figure(fastest, fastest, float(ordered[above]), n, source)


def rate(samples_ns: Sequence[float], work: float, source: str) -> Figure:
    """`work` a second, where one repetition of it took `samples_ns`."""
    time = undisturbed_ns(samples_ns, source)
    per = work * NS_PER_S
    return Figure(per / time.value, per / time.high, per / time.low, time.n, source)


def noise_floor(a_ns: AnyArray, b_ns: AnyArray, source: str) -> Figure:
    """The half width of the interval of the ratio of medians of the same work, A and B.

    `low` and `high` are how far the two ends of that interval are from 1. Where it does not even hold 1, the nearer end
    is the least that must be called noise.
    """
    ratio = median_ratio(a_ns, b_ns)
    near, far = sorted((abs(1 - ratio.low), abs(ratio.high - 1)))
    value = (ratio.high - ratio.low) / 2
    if not ratio.low <= 1 <= ratio.high:
        value = max(value, near)
    return Figure(value, min(near, value), max(far, value), ratio.n, source)
