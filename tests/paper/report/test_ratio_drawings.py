"""The geometry of ratios: intervals on a line, bars of changes, and plans as points of time and drift."""

from __future__ import annotations

import pytest

from cyclescope.core.statistics import Ratio
from cyclescope.report.drawings.front import TriedPoint, front_shape
from cyclescope.report.drawings.interval import change_shape, interval_shape, ratio_shape


def per_cent(place: str) -> float:
    return float(place.removesuffix("%"))


def test_an_interval_stands_where_its_numbers_say() -> None:
    shape = interval_shape(Ratio(1.1, 1.08, 1.12, 12), threshold=0.02, others=[1.05])
    low, high, value, one = map(per_cent, (shape.low, shape.high, shape.value, shape.one))

    assert low < value < high
    assert per_cent(shape.length) == pytest.approx(high - low, abs=0.01)
    assert (value - one) / (high - one) == pytest.approx(0.1 / 0.12, abs=0.001)
    assert per_cent(shape.band) + per_cent(shape.band_length) == pytest.approx(
        one + 0.02 * (value - one) / 0.1, abs=0.01
    )
    assert shape.ticks[0].label == "×0.950"
    assert interval_shape(Ratio(2.0, 1.9, 2.1, 12)).band_length == ""


@pytest.mark.parametrize(
    ("delta", "x", "width", "more"), [(5.0, 50.0, 25.0, True), (-10.0, 0.0, 50.0, False), (0.0, 50.0, 0.0, False)]
)
def test_a_change_grows_from_the_middle(delta: float, x: float, width: float, more: bool) -> None:
    shape = change_shape(delta, 10.0)
    assert (per_cent(shape.x), per_cent(shape.width), shape.more) == (x, width, more)


@pytest.mark.parametrize(
    ("ratio", "less_is_good", "verdict"),
    [
        (Ratio(0.5, 0.4, 0.6, 9), True, "good"),
        (Ratio(1.5, 1.4, 1.6, 9), True, "bad"),
        (Ratio(1.5, 1.4, 1.6, 9), False, "good"),
        (Ratio(1.0, 0.9, 1.1, 9), True, "even"),
    ],
)
def test_a_ratio_is_good_bad_or_even(ratio: Ratio, less_is_good: bool, verdict: str) -> None:
    shape = ratio_shape(ratio, 2.0, less_is_good=less_is_good)
    assert shape.verdict == verdict
    assert per_cent(shape.one) == 50.0
    assert per_cent(shape.width) == 50 * ratio.value
    assert per_cent(ratio_shape(Ratio(9.0, 8.0, 10.0, 9), 2.0).width) == 100.0


def test_plans_stand_by_time_and_drift() -> None:
    near = TriedPoint(0.5, 1e-4, 100, "near", on_front=True, best=True)
    far = TriedPoint(0.25, 1e-2, 400, "far", on_front=True, best=False)
    same = TriedPoint(1.0, 0.0, 0, "same", on_front=False, best=False)
    shape = front_shape([near, far, same])
    places = {point.label: point for point in shape.points}

    assert [point.kind for point in shape.points] == ["other", "front", "best"]
    assert per_cent(places["far"].x) < per_cent(places["near"].x) < per_cent(places["same"].x) == per_cent(shape.one)
    assert float(places["far"].y) < float(places["near"].y) < float(places["same"].y)
    assert float(places["far"].radius) == pytest.approx(2 * float(places["near"].radius), abs=0.1)
    assert front_shape([same]).drifts == ()
