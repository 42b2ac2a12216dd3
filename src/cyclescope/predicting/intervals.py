"""Intervals from what was kept out: conformal prediction, which promises its coverage without a model of the errors.

A score is |ln(true ÷ predicted)| ÷ spread of a row (or a whole cycle) that was kept out. The interval of a new one is
predicted · exp(± q · spread · widening), q the conformal quantile of the scores. What was not seen widens it.

Sources: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World (2005), split conformal and Mondrian by class;
Lei et al., JASA 2018, scores normalized by a spread; Dunn, Wasserman and Ramdas, JASA 2023, and Lee, Barber and Willett, 2023, groups that are exchangeable as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.core.student import student_t
from cyclescope.core.units import AnyArray, FloatArray
from cyclescope.predicting.regression.kept_out import KeptOut

LEVEL = 0.9
LEAST_OF_CLASS = 50  # below, the quantile of a class alone is less certain than that of all is wrong
_MOST_SLOPE = 10.0


@dataclass(frozen=True, eq=False)
class Conformal:
    """Sorted scores of all that was kept out, and of each class that has enough of its own.

    `slope` says how much wider an interval must be for each standard deviation that a row lies outside of what was seen.
    """

    scores: FloatArray
    classes: tuple[str, ...] = ()
    of_class: tuple[FloatArray, ...] = ()
    slope: float = 1.0

    def __post_init__(self) -> None:
        for scores in (self.scores, *self.of_class):
            if scores.ndim != 1 or not np.isfinite(scores).all() or (np.diff(scores) < 0).any() or (scores < 0).any():
                raise ValueError("the scores of an interval must be sorted numbers of at least 0")
        if len(self.classes) != len(self.of_class) or not 0 <= self.slope < math.inf:
            raise ValueError("the classes of an interval differ in number")

    def quantile(self, of: str = "", level: float = LEVEL) -> float:
        """The score that holds `level` of what is like class `of`; of all where the class has too few."""
        if of in self.classes:
            return conformal_quantile(self.of_class[self.classes.index(of)], level)
        return conformal_quantile(self.scores, level)

    def half_widths(
        self, spread: FloatArray, outside: FloatArray, classes: Sequence[str] | None = None, level: float = LEVEL
    ) -> FloatArray:
        """Half the width of the interval of ln(true ÷ predicted) of each row, [n], around 0."""
        if classes is None:
            quantile: FloatArray | float = self.quantile(level=level)
        else:
            known = {of: self.quantile(of, level) for of in set(classes)}
            quantile = np.array([known[of] for of in classes], dtype=np.float64)
        return quantile * spread * self.widening(outside)

    def widening(self, outside: FloatArray) -> FloatArray:
        """By what factor an interval is wider so far `outside` of what was seen, [n], at least 1."""
        return 1.0 + self.slope * outside


def conformal(found: KeptOut, classes: Sequence[str] | None = None, least: int = LEAST_OF_CLASS) -> Conformal:
    """The intervals that `found` justifies. `classes` [n] get their own quantile where at least `least` rows are of one."""
    scores = np.abs(found.errors) / found.spread
    slope = slope_outside(scores, found.outside)
    scores = scores / (1.0 + slope * found.outside)
    names: list[str] = []
    own: list[FloatArray] = []
    if classes is not None:
        kinds = np.asarray(classes)
        for name in dict.fromkeys(classes):
            of = np.sort(scores[kinds == name])
            if len(of) >= least:
                names.append(name)
                own.append(of)
    return Conformal(np.sort(scores), tuple(names), tuple(own), slope)


def slope_outside(scores: FloatArray, outside: FloatArray, least: int = 20, level: float = LEVEL) -> float:
    """The slope that brings the quantile of those outside to that of those inside, between 0 and 10; 1 where either are too few."""
    beyond = outside > 0
    if min(int(beyond.sum()), int((~beyond).sum())) < least:
        return 1.0
    inside = conformal_quantile(scores[~beyond], level)
    if not 0 < inside < math.inf:
        return 1.0
    # The least slope for which score ÷ (1 + slope · outside) is at most `inside` for the wanted share of those outside.
    needed = np.sort(np.maximum(scores[beyond] / inside - 1.0, 0.0) / outside[beyond])
    return min(conformal_quantile(needed, level), _MOST_SLOPE)


def conformal_quantile(scores: FloatArray, level: float = LEVEL) -> float:
    """The ⌈(n + 1) · level⌉-th smallest of `scores` [n]: a new one of the same kind is at most that with probability `level`.

    Where n is too small for that (below 9 for 90 %) it is that of a normal distribution around 0 of unknown width, by
    Student's t, and at least the largest score; of no score at all it is infinite.
    """
    n = len(scores)
    rank = math.ceil((n + 1) * level - 1e-9)
    if rank <= n:
        return float(np.partition(scores, rank - 1)[rank - 1])
    if n == 0:
        return math.inf
    width = math.sqrt(float(np.square(scores).mean()))
    return max(float(scores.max()), student_t((1 + level) / 2, n) * width)


def group_quantile(scores: FloatArray, groups: AnyArray, level: float = LEVEL) -> float:
    """The quantile of `scores` [n] where only whole `groups` [n] are alike: rows of a new group are at most that.

    Each group has the same weight, 1 ÷ (groups + 1), spread over its rows; the new one's share counts as infinite. With
    too few groups it is the quantile, by `conformal_quantile`, of each group's own quantile.
    """
    _, number = np.unique(groups, return_inverse=True)
    counts = np.bincount(number)
    order = np.argsort(scores)
    mass = np.cumsum(1.0 / (counts[number[order]] * (len(counts) + 1)))
    at = int(np.searchsorted(mass, level - 1e-12))
    if at < len(scores):
        return float(scores[order[at]])
    return conformal_quantile(np.array([np.quantile(scores[number == g], level) for g in range(len(counts))]), level)


def error_quantiles(errors: tuple[float, ...], levels: FloatArray) -> FloatArray:
    """Quantiles of the error of a new case of the same kind, at `levels`, from `errors` of n cases that were kept out.

    A new one is at most the r-th smallest with probability r ÷ (n + 1), whatever the distribution: conformal prediction.
    Beyond the extremes nothing is known but the spread: there it is Student's t, and never less than the extreme.
    """
    n = len(errors)
    ordered = np.sort(np.asarray(errors, dtype=np.float64))
    inner = np.interp(levels, np.arange(1, n + 1) / (n + 1), ordered)
    centre, spread = float(ordered.mean()), float(ordered.std(ddof=1)) * (1 + 1 / n) ** 0.5
    tails = centre + spread * np.asarray([student_t(float(level), n - 1) for level in levels])
    beyond_low, beyond_high = levels < 1 / (n + 1), levels > n / (n + 1)
    inner[beyond_low] = np.minimum(tails[beyond_low], ordered[0])
    inner[beyond_high] = np.maximum(tails[beyond_high], ordered[-1])
    return inner
