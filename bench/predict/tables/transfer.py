"""From what others measured and a few rows of its own to all rows of a device that was not seen.

Three ways for each view of the rows: a Gaussian process on its own rows alone; one on its own and some of the others', with a
column that tells them apart; and one that has what boosting on all of the others' says as one more column. The error on each
own row, left out (in closed form), weighs them: nothing else of the device is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import FloatArray, IntArray
from cyclescope.predicting.intervals import conformal_quantile
from cyclescope.predicting.regression.fitting import BoostingSettings, ProcessSettings, boosting, one_thread, process
from cyclescope.predicting.regression.regression import Regression

_LENT = 250  # rows of others that join: the fit grows with the third power
_MOST_SOURCE = 9000
_LEAST_ERROR = 1e-6  # rows without noise can be met exactly
_SHARPNESS = 4  # weights ∝ error to the power −4: what errs twice as much counts a sixteenth


@dataclass(frozen=True, eq=False)
class Source:
    """Rows of another device: features [rows, columns], as those of the target, and ln(true ÷ analytic)."""

    x: FloatArray
    y: FloatArray


@dataclass(frozen=True, eq=False)
class Predicted:
    """ln(true ÷ analytic) of all rows with its 90 % interval, and the weight of each way."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    weights: dict[str, float]


@dataclass(frozen=True, eq=False)
class _Way:
    name: str
    mean: FloatArray
    spread: FloatArray
    left_out: FloatArray


def transfer(
    views: Sequence[FloatArray], y: FloatArray, own: IntArray, sources: Sequence[Sequence[Source]], seed: int
) -> Predicted:
    """Of rows whose features are views[v] [rows, columns] and whose y only at `own` is looked at; sources[v] are the others'."""
    ways = [way for x, others in zip(views, sources, strict=True) for way in _ways(x, y[own], own, others, seed)]
    weight = np.array([max(np.abs(way.left_out).mean(), _LEAST_ERROR) ** -_SHARPNESS for way in ways])
    weight /= weight.sum()
    mean = sum(w * way.mean for w, way in zip(weight, ways, strict=True))
    spread = sum(w * way.spread for w, way in zip(weight, ways, strict=True))
    errors = sum(w * way.left_out for w, way in zip(weight, ways, strict=True))
    half = conformal_quantile(np.abs(errors) / spread[own]) * spread
    return Predicted(mean, mean - half, mean + half, {way.name: float(w) for w, way in zip(weight, ways, strict=True)})


def _ways(x: FloatArray, y: FloatArray, own: IntArray, others: Sequence[Source], seed: int) -> list[_Way]:
    found = [_fit("own", x, y, own, Source(x[:0], y[:0]))]
    if not others:
        return found
    rng = np.random.default_rng(seed)
    lent = [rng.permutation(len(source.y))[: _LENT // len(others)] for source in others]
    joined = Source(
        np.vstack([s.x[rows] for s, rows in zip(others, lent, strict=True)]),
        np.concatenate([s.y[rows] for s, rows in zip(others, lent, strict=True)]),
    )
    found.append(_fit("with others", x, y, own, joined))
    says = np.column_stack([_boosted(source, seed).evaluate(x).mean for source in others])
    found.append(_fit("on what others say", np.column_stack([x, says]), y, own, Source(np.empty((0, 0)), y[:0])))
    return found


def _fit(name: str, x: FloatArray, y: FloatArray, own: IntArray, lent: Source) -> _Way:
    rows = x[own]
    if len(lent.y):
        rows = np.vstack([np.column_stack([rows, np.ones(len(own))]), np.column_stack([lent.x, np.zeros(len(lent.y))])])
        x = np.column_stack([x, np.ones(len(x))])
    targets = np.concatenate([y, lent.y])
    varies = np.ptp(rows, axis=0) > 0
    names = [str(i) for i in range(int(varies.sum()))]
    fit = process(names, (), ProcessSettings(most=len(rows)))
    regression = fit(rows[:, varies], targets, np.ones(len(rows)))
    estimate = regression.evaluate(x[:, varies])
    assert regression.process is not None
    return _Way(name, estimate.mean, estimate.spread, regression.process.left_out()[0][: len(own)])


def _boosted(source: Source, seed: int) -> Regression:
    rows = np.random.default_rng(seed).permutation(len(source.y))[:_MOST_SOURCE]
    settings = BoostingSettings(trees=150, rate=0.1, leaves=31, least_rows=10, folds=0, seed=seed)
    names = [str(i) for i in range(source.x.shape[1])]
    return boosting(names, (), settings)(source.x[rows], source.y[rows], np.ones(len(rows)))


def plain_boosting(shapes: FloatArray, ln_seconds: FloatArray, own: IntArray) -> FloatArray:
    """ln(seconds) of all rows by boosting on the logarithms of the sizes alone, default settings: what the bench stands against."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    with one_thread():
        model = HistGradientBoostingRegressor(random_state=0).fit(shapes[own], ln_seconds[own])
        found: FloatArray = model.predict(shapes)
    return found
