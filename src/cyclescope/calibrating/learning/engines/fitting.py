"""Fitting the timing models of an engine, and their errors on families that were kept out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.calibrating.learning.engines.observing import SeenCycle
from cyclescope.core.units import FloatArray
from cyclescope.predicting.fused.cycle_law import CALL_NS, KERNEL_NS, CycleLaw, Sum, scaled
from cyclescope.predicting.fused.kernels import PARTS
from cyclescope.predicting.fused.models import FusedAnalytic, base_times
from cyclescope.predicting.fused.segments import COLUMNS, Segment, columns_of
from cyclescope.predicting.gnn.network import Network
from cyclescope.predicting.gnn.training import Example, TrainingSettings, train
from cyclescope.predicting.regression.fitting import robust_spread
from cyclescope.predicting.regression.smoothing import Lengths, SmoothingSettings, smoothing

_ROUNDS = 30  # of weights that let no outlier decide
_SWEEPS = 400  # over the factors; each is a minimum given the others
_HUBER = 0.15  # relative error from which on it counts in proportion
# Factors that the sum is drawn to where the data do not tell: the roofline, and a few microseconds of the engine.
_PRIOR = {"product": 1.0, "attention": 1.0, "rows": 1.0, "pointwise": 1.0, "movement": 1.0, "kernels": 1.0}
_PULL = 0.02  # how hard, in relative errors squared over all segments


@dataclass(frozen=True, eq=False)
class Rows:
    """The segments of cycles: parts in ns [segments, PARTS + 1], the roofline of their kernels and their true times
    [segments], features of the whole [segments, COLUMNS].
    """

    parts: FloatArray
    bound_ns: FloatArray
    true_ns: FloatArray
    values: FloatArray

    @staticmethod
    def of(seen: Sequence[SeenCycle]) -> Rows:
        all_segments = [(segment, ns) for one in seen for segment, ns in zip(one.segments, one.segment_ns, strict=True)]
        return Rows(
            np.asarray([_parts(segment) for segment, _ in all_segments]),
            np.asarray([segment.kernels.bound_ns[segment.of].sum() for segment, _ in all_segments]),
            np.asarray([ns for _, ns in all_segments]),
            np.asarray([columns_of(segment) for segment, _ in all_segments]),
        )


_ROBUST, _OUTLYING = 2, 2.5  # rounds of weights, and standard deviations from which on a segment counts less


def _parts(segment: Segment) -> FloatArray:
    return np.append(scaled(segment.kernels)[segment.of].sum(axis=0), segment.calls * CALL_NS)


def fit_sum(rows: Rows) -> Sum:
    """The factors of parts, none below 0, with the least relative errors (Huber, by weights that are found in rounds)."""
    prior = np.asarray([*(_PRIOR.get(name, 0.0) for name in PARTS), 1.0])
    return Sum(_least(rows.parts / rows.true_ns[:, None], np.ones(len(rows.true_ns)), prior))


def fit_roofline(rows: Rows) -> FusedAnalytic:
    """The roofline of kernels with the times of a kernel and a call that leave the least relative errors."""
    columns = rows.parts[:, [PARTS.index("kernels"), -1]] / rows.true_ns[:, None]
    kernel, call = _least(columns, 1.0 - rows.bound_ns / rows.true_ns, np.ones(2)).tolist()
    return FusedAnalytic(kernel * KERNEL_NS, call * CALL_NS)


def _least(a: FloatArray, aim: FloatArray, prior: FloatArray) -> FloatArray:
    """Factors of the columns of `a` [rows, columns], none below 0, whose sum is nearest to `aim` [rows], drawn to `prior`."""
    pull = _PULL * np.square(a).sum(axis=0) + 1e-12
    weights = np.ones(len(a))
    factors: FloatArray = prior.copy()
    for _ in range(_ROUNDS):
        weighted = a * weights[:, None]
        gram, wanted = weighted.T @ a + np.diag(pull), weighted.T @ aim + pull * prior
        for _ in range(_SWEEPS // _ROUNDS + 1):
            for j in range(len(factors)):
                factors[j] = max(0.0, factors[j] + (wanted[j] - gram[j] @ factors) / gram[j, j])
        off = np.abs(aim - a @ factors)
        weights = np.minimum(1.0, _HUBER / np.maximum(off, 1e-9))
    return factors


def fit_law(rows: Rows, lengths: Lengths | None = None) -> CycleLaw:
    """The law of whole cycles: the sum, and a Gaussian process on what it leaves out."""
    parts = fit_sum(rows)
    left = np.log(rows.true_ns / (rows.parts @ parts.factors))
    fit = smoothing(COLUMNS, _BASE, SmoothingSettings(lengths=lengths, ridge=0.3))
    weights = np.ones(len(left))
    regression = fit(rows.values, left, weights)
    for _ in range(_ROBUST):  # a machine that is busy for a while makes some workloads several times as long
        off = np.abs(left - regression.base.evaluate(rows.values))
        weights = np.minimum(1.0, _OUTLYING * robust_spread(off) / np.maximum(off, 1e-9)) ** 2
        regression = fit(rows.values, left, weights)
    return CycleLaw(parts, regression)


_BASE = ("time", "m", "n", "k", "attention")


def lengths_of(law: CycleLaw) -> Lengths | None:
    process = law.regression.process
    return Lengths(process.length, process.noise / process.amplitude) if process is not None else None


@dataclass(frozen=True, eq=False)
class Bases:
    """What networks start from."""

    roofline: FusedAnalytic
    law: CycleLaw

    def fit(self, name: str, seen: Sequence[SeenCycle], settings: TrainingSettings) -> Network:
        """The network called `name`, trained on `seen`."""
        return train([self.example(name, one) for one in seen], settings)

    def example(self, name: str, one: SeenCycle) -> Example:
        each_ns, call_ns, _ = base_times(name, self.roofline, self.law, one.kernels)
        number = np.minimum(one.kernels.step, len(one.segments) - 1)
        beside = np.asarray([call_ns[0], call_ns[1:].sum()])[: len(one.segments)]
        return Example(one.kernels, each_ns, number, beside, one.segment_ns)

    def by_roofline(self, one: SeenCycle) -> float:
        each_ns, call_ns = self.roofline.times(one.kernels)
        return float(each_ns.sum() + call_ns.sum())

    def by_law(self, one: SeenCycle) -> float:
        each_ns, call_ns, _ = self.law.times(one.kernels)
        return float(each_ns.sum() + call_ns.sum())

    def by_network(self, name: str, network: Network, one: SeenCycle) -> float:
        each_ns, call_ns, _ = base_times(name, self.roofline, self.law, one.kernels)
        return float((each_ns * network.factors(one.kernels, each_ns)).sum() + call_ns.sum())
