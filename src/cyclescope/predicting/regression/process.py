"""A Gaussian process around zero, evaluated in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import FloatArray

_BLOCK = 2048
_SQRT5 = 5.0**0.5


@dataclass(frozen=True, eq=False)
class Process:
    """Kernel `amplitude` · Matérn 5/2 with a length for each column, and independent noise.

    points [n, columns] are divided by `length` [columns] already; `coefficients` [n] are K⁻¹ y and `whitening` [n, n] is
    L⁻¹ of K = L Lᵀ, noise included (Rasmussen and Williams, Gaussian Processes for Machine Learning, algorithm 2.1).
    `amplitude` and `noise` are variances.
    """

    length: FloatArray
    points: FloatArray
    coefficients: FloatArray
    whitening: FloatArray
    amplitude: float
    noise: float

    def __post_init__(self) -> None:
        n, columns = self.points.shape if self.points.ndim == 2 else (-1, -1)
        if self.length.shape != (columns,) or self.coefficients.shape != (n,) or self.whitening.shape != (n, n):
            raise ValueError("the points of a Gaussian process differ in number")
        arrays = (self.length, self.points, self.coefficients, self.whitening)
        if not all(np.isfinite(array).all() for array in arrays) or (self.length <= 0).any():
            raise ValueError("a point of a Gaussian process is no number")
        if not (0 <= self.amplitude < np.inf and 0 <= self.noise < np.inf):
            raise ValueError("the variance of a Gaussian process is impossible")

    def evaluate(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and variance (noise included) for each of `rows` [n, columns]."""
        mean, variance = np.empty(len(rows)), np.empty(len(rows))
        for start in range(0, len(rows), _BLOCK):
            part = slice(start, start + _BLOCK)
            kernel = self.amplitude * matern52(self.points, rows[part] / self.length)
            mean[part] = self.coefficients @ kernel
            white = self.whitening @ kernel
            variance[part] = self.amplitude - np.einsum("ij,ij->j", white, white)
        return mean, np.maximum(variance, 0.0) + self.noise

    def left_out(self) -> tuple[FloatArray, FloatArray]:
        """Error and variance at each point [n] had it been left out (the same book, equations 5.10 to 5.12)."""
        precision: FloatArray = np.einsum("ij,ij->j", self.whitening, self.whitening)
        return self.coefficients / precision, 1.0 / precision


def matern52(a: FloatArray, b: FloatArray) -> FloatArray:
    """The Matérn kernel of ν = 5/2 between `a` [n, columns] and `b` [m, columns], [n, m] (the same book, equation 4.17)."""
    squared = np.einsum("ij,ij->i", a, a)[:, None] + np.einsum("ij,ij->i", b, b) - 2.0 * (a @ b.T)
    scaled = _SQRT5 * np.sqrt(np.maximum(squared, 0.0))
    kernel: FloatArray = (1.0 + scaled + scaled * scaled / 3.0) * np.exp(-scaled)
    return kernel
