"""Quantiles of Student's t, to twelve digits and more."""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist

import numpy as np

_NODES = 128  # of Gauss and Legendre's quadrature: exact to rounding for as few degrees as are integrated
_LARGE = 400  # from so many degrees on the series is as exact


@cache
def student_t(probability: float, degrees: int) -> float:
    """The quantile of Student's t for `probability`, between 0 and 1, with at least 1 of `degrees` of freedom.

    Its distribution function is ½ + Γ((ν+1)/2) ÷ (√π Γ(ν/2)) · ∫ cosᵛ⁻¹ θ dθ from 0 to arctan(t/√ν) (Abramowitz and Stegun,
    26.7.3 and 26.7.4), which is inverted by halving; for many degrees it is the series 26.7.5 around the normal quantile.
    """
    if probability < 0.5:
        return -student_t(1.0 - probability, degrees)
    if degrees >= _LARGE:
        return _series(NormalDist().inv_cdf(probability), float(degrees))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    scale = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(math.pi)
    low, high = 0.0, math.pi / 2
    for _ in range(80):
        angle = (low + high) / 2
        mass = angle / 2 * float(weights @ np.cos(angle / 2 * (nodes + 1)) ** (degrees - 1))
        low, high = (angle, high) if scale * mass < probability - 0.5 else (low, angle)
    return math.tan((low + high) / 2) * math.sqrt(degrees)


def _series(z: float, v: float) -> float:
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4)
    )
