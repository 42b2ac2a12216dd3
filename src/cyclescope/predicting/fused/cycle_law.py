"""The law of whole cycles: a sum of parts that are limited by different things, times what the whole makes of it.

Each part of the analytic time has a factor of its own, none below 0, and each call of the engine and each kernel a time.
What the sum leaves out, ln(true ÷ sum), is a regression on features of the whole: caches and threads know no operations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cyclescope.core.units import FloatArray
from cyclescope.predicting.fused.kernels import PARTS, Kernels
from cyclescope.predicting.fused.segments import Segment, columns_of, segments
from cyclescope.predicting.regression.regression import Regression

KERNEL_NS, CALL_NS = 1_000.0, 10_000.0  # what the factors of kernels and of calls count in


@dataclass(frozen=True, eq=False)
class Sum:
    """The `factors` [PARTS + 1] of the parts of an analytic time; the last is that of a call of the engine."""

    factors: FloatArray

    def __post_init__(self) -> None:
        if self.factors.shape != (len(PARTS) + 1,) or not np.isfinite(self.factors).all() or (self.factors < 0).any():
            raise ValueError("the factors of parts are no numbers of at least 0")

    def kernel_ns(self, found: Kernels) -> FloatArray:
        """The time of each kernel [kernels]."""
        return scaled(found) @ self.factors[:-1]

    @property
    def call_ns(self) -> float:
        return float(self.factors[-1]) * CALL_NS

    @property
    def of_kernel_ns(self) -> float:
        """What a kernel takes at least."""
        return float(self.factors[PARTS.index("kernels")]) * KERNEL_NS

    def total_ns(self, segment: Segment) -> float:
        return float(self.kernel_ns(segment.kernels)[segment.of].sum()) + segment.calls * self.call_ns


def scaled(found: Kernels) -> FloatArray:
    """The parts of each kernel [kernels, PARTS] in nanoseconds, kernels in units of `KERNEL_NS`."""
    parts = found.parts.copy()
    parts[:, PARTS.index("kernels")] *= KERNEL_NS
    return parts


@dataclass(frozen=True, eq=False)
class CycleLaw:
    """`sum`, and the `regression` of what it leaves out on `segments.COLUMNS`."""

    sum: Sum
    regression: Regression

    def left(self, segment: Segment) -> tuple[float, float, float]:
        """ln(true ÷ sum) of `segment`, its standard deviation, and how far outside of what was seen it lies."""
        row = columns_of(segment)[None]
        domain = self.regression.domain
        said = self.regression.evaluate(np.clip(row, domain.low, domain.high))
        return float(said.mean[0]), float(said.spread[0]), float(domain.distance(row)[0])

    def times(self, found: Kernels) -> tuple[FloatArray, FloatArray, float]:
        """Time of each kernel [kernels], of each call [steps], and how far outside the cycle lies, the farthest segment."""
        kernel_ns, call_ns = self.sum.kernel_ns(found), np.full(found.steps, self.sum.call_ns)
        outside = 0.0
        for number, segment in enumerate(segments(found)):
            left, _, far = self.left(segment)
            factor = float(np.exp(np.clip(left, -3.0, 3.0)))
            kernel_ns[segment.of] *= factor
            call_ns[slice(0, 1) if number == 0 else slice(1, None)] *= factor
            outside = max(outside, far)
        return kernel_ns, call_ns, outside


def without_regression(law: CycleLaw) -> CycleLaw:
    """The sum alone."""
    base = law.regression.base
    nothing = replace(law.regression, base=replace(base, intercept=0.0, weights=0 * base.weights), process=None)
    return replace(law, regression=nothing)
