"""Quantiles of Student's t against tables, closed forms and themselves."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import NormalDist

import pytest

from cyclescope.core.student import student_t


# Tables: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2
@pytest.mark.parametrize(
    ("probability", "degrees", "table"),
    [
        (0.975, 1, 12.7062), (0.975, 4, 2.7764), (0.95, 2, 2.9200), (0.95, 8, 1.8595), (0.975, 30, 2.0423),
        (0.995, 5, 4.0321), (0.995, 9, 3.2498), (0.995, 19, 2.8609), (0.995, 30, 2.7500), (0.9, 100, 1.2901),
    ],
)  # fmt: skip
def test_quantiles_are_those_of_the_tables(probability: float, degrees: int, table: float) -> None:
    assert student_t(probability, degrees) == pytest.approx(table, abs=6e-5)


@pytest.mark.parametrize("probability", [0.5, 0.6, 0.9, 0.99, 0.9999])
def test_one_and_two_degrees_have_closed_forms(probability: float) -> None:
    one = math.tan(math.pi * (probability - 0.5))
    two = (2 * probability - 1) / math.sqrt(2 * probability * (1 - probability))
    assert student_t(probability, 1) == pytest.approx(one, rel=1e-11, abs=1e-12)
    assert student_t(probability, 2) == pytest.approx(two, rel=1e-11, abs=1e-12)


def test_the_integral_and_the_series_meet_and_end_at_the_normal_distribution() -> None:
    for probability in (0.05, 0.7, 0.975, 0.999):
        assert student_t(probability, 399) == pytest.approx(student_t(probability, 401), rel=1e-4)
        assert student_t(probability, 10**7) == pytest.approx(NormalDist().inv_cdf(probability), rel=1e-5)
    between = [student_t(0.975, degrees) for degrees in range(395, 406)]
    steps = [a - b for a, b in pairwise(between)]
    assert all(step > 0 for step in steps)
    assert max(steps) < 1.1 * min(steps)


def test_the_lower_half_mirrors_the_upper() -> None:
    assert student_t(0.1, 7) == -student_t(0.9, 7)
