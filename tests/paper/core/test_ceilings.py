"""Ceilings between and beyond what was measured: every figure known in advance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.core.ceilings import BandwidthCeiling, Ceilings, Figure, Origin, ProductCeiling


def figure(value: float) -> Figure:
    return Figure(value, value * 0.9, value * 1.1, 5, "probe")


def product(rows: int, threads: int, value: float, dtype: str = "float32") -> ProductCeiling:
    return ProductCeiling(dtype, rows, threads, figure(value))


def level(name: str, capacity: int, threads: int, value: float) -> BandwidthCeiling:
    return BandwidthCeiling(name, capacity, threads, figure(value))


def ceilings(products: tuple[ProductCeiling, ...] = (), bandwidths: tuple[BandwidthCeiling, ...] = ()) -> Ceilings:
    return Ceilings(Origin.MEASURED, "paper", "paper", "2026-01-01T00:00:00+00:00", products, bandwidths)


PRODUCTS = ceilings((product(64, 1, 1600e9), product(1, 1, 100e9), product(4, 1, 400e9), product(1, 2, 150e9)))
LEVELS = ceilings(
    bandwidths=(
        level("memory", 0, 1, 10e9),
        level("L2", 1000, 1, 50e9),
        level("L1", 100, 1, 100e9),
        level("L3", 9000, 1, 20e9),
        level("memory", 0, 4, 30e9),
        level("L1", 100, 4, 400e9),
    )
)


def test_a_measured_point_is_given_as_it_is() -> None:
    assert PRODUCTS.flops_per_s("float32", 4, 1) == figure(400e9)


def test_between_two_points_it_is_a_straight_line_on_the_log_log_plot() -> None:
    found = PRODUCTS.flops_per_s("float32", 16, 1)  # the middle of 4 and 64 in logarithms
    assert found is not None
    assert found.value == pytest.approx(800e9)
    assert (found.low, found.high) == (pytest.approx(720e9), pytest.approx(880e9))
    assert str(found.origin) == "probe; between 4 and 64 rows"


def test_outside_the_points_the_nearest_counts() -> None:
    few = ceilings((product(4, 1, 400e9), product(16, 1, 800e9)))
    assert few.flops_per_s("float32", 1, 1) == figure(400e9)
    assert few.flops_per_s("float32", 5000, 1) == figure(800e9)


def test_more_rows_never_have_less_than_fewer_rows_reach() -> None:
    dented = ceilings((product(1, 1, 100e9), product(4, 1, 900e9), product(16, 1, 300e9), product(64, 1, 1000e9)))
    assert dented.flops_per_s("float32", 16, 1) == figure(900e9)
    between = dented.flops_per_s("float32", 8, 1)
    assert between is not None
    assert between.value == pytest.approx(900e9)


def test_threads_that_were_not_measured_are_scaled_from_the_nearest_lower_ones_and_this_is_said() -> None:
    found = PRODUCTS.flops_per_s("float32", 1, 8)
    assert found is not None
    assert found.value == pytest.approx(4 * 150e9)
    assert str(found.origin) == "probe; 2 threads scaled to 8"
    fewer = ceilings((product(1, 4, 400e9),)).flops_per_s("float32", 1, 1)
    assert fewer is not None
    assert fewer.value == pytest.approx(100e9)


def test_more_threads_never_have_less_than_fewer_reach() -> None:
    disturbed = ceilings(
        (product(1, 1, 100e9), product(1, 2, 80e9)),
        (level("L1", 9, 1, 100e9), level("L1", 9, 2, 5e9), level("memory", 0, 1, 120e9), level("memory", 0, 2, 7e9)),
    )
    assert disturbed.flops_per_s("float32", 1, 2) == figure(100e9)
    assert [found.bytes_per_s for found in disturbed.levels(2)] == [figure(120e9), figure(120e9)]


def test_the_whole_device_answers_for_any_number_of_threads() -> None:
    device = ceilings((product(1, 0, 1e15),), (level("memory", 0, 0, 3e12), level("L2", 50, 0, 5e12)))
    assert device.flops_per_s("float32", 7, 13) == figure(1e15)
    found = device.bandwidth(51, 13)
    assert found is not None
    assert found.level == "memory"  # 50 bytes of the device and not of each of 13 threads


def test_the_whole_machine_is_that_of_the_most_threads() -> None:
    assert PRODUCTS.peak("float32", 0) == figure(1600e9)
    found = LEVELS.levels(0)
    assert [(level.level, level.threads, level.bytes_per_s.value) for level in found[::3]] == [
        ("L1", 4, 400e9),
        ("memory", 4, 30e9),
    ]


@pytest.mark.parametrize("dtype", ["int64", "int8", "bool", "float8_e4m3fn", ""])
def test_a_type_that_nothing_is_known_of_has_no_ceiling(dtype: str) -> None:
    assert PRODUCTS.flops_per_s(dtype, 1, 1) is None
    assert PRODUCTS.peak(dtype, 1) is None


def test_the_peak_is_the_best_over_the_rows() -> None:
    dented = ceilings((product(1, 1, 100e9), product(64, 1, 900e9), product(1024, 1, 700e9)))
    assert dented.peak("float32", 1) == figure(900e9)


def test_two_measurements_of_one_shape_count_as_the_better() -> None:
    twice = ceilings((product(4, 1, 300e9), product(4, 1, 200e9), product(16, 1, 250e9)))
    assert twice.flops_per_s("float32", 4, 1) == figure(300e9)


def test_levels_come_smallest_first() -> None:
    assert [found.level for found in LEVELS.levels(1)] == ["L1", "L2", "L3", "memory"]


@pytest.mark.parametrize(
    ("footprint", "threads", "expected"),
    [
        (0, 1, "L1"),
        (100, 1, "L1"),
        (101, 1, "L2"),
        (101, 4, "L1"),
        (1001, 1, "L3"),
        (9000, 1, "L3"),
        (9001, 1, "memory"),
    ],
)
def test_the_smallest_level_that_holds_the_footprint_counts(footprint: int, threads: int, expected: str) -> None:
    found = LEVELS.bandwidth(footprint, threads)
    assert found is not None
    assert found.level == expected


def test_where_every_known_level_is_too_small_the_largest_counts() -> None:
    found = ceilings(bandwidths=(level("L1", 100, 1, 1e11), level("L2", 500, 1, 5e10))).bandwidth(10_000, 1)
    assert found is not None
    assert found.level == "L2"
    assert ceilings().bandwidth(1, 1) is None


def test_bandwidth_of_other_threads_stays_a_ceiling() -> None:
    by_level = {found.level: found.bytes_per_s.value for found in LEVELS.levels(8)}
    assert by_level["L1"] == pytest.approx(800e9)
    assert by_level["memory"] == pytest.approx(60e9)
    only_four = ceilings(bandwidths=(level("memory", 0, 4, 30e9), level("L1", 100, 4, 400e9)))
    by_level = {found.level: found.bytes_per_s.value for found in only_four.levels(1)}
    assert by_level["L1"] == pytest.approx(100e9)
    assert by_level["memory"] == 30e9  # one thread may saturate what all share


@given(
    st.dictionaries(st.integers(1, 4096), st.floats(1e6, 1e15), min_size=1),
    st.integers(1, 5000),
    st.integers(1, 5000),
    st.integers(1, 64),
)
def test_the_curve_never_falls_and_stays_inside_what_was_measured(
    points: dict[int, float], a: int, b: int, threads: int
) -> None:
    known = ceilings(tuple(product(rows, 0, value) for rows, value in points.items()))
    few, many = (known.flops_per_s("float32", rows, threads) for rows in sorted((a, b)))
    peak = known.peak("float32", threads)
    assert few is not None
    assert many is not None
    assert peak is not None
    assert few.value <= many.value * (1 + 1e-9)
    assert min(points.values()) * (1 - 1e-9) <= few.value
    assert many.value <= peak.value * (1 + 1e-9)
    assert peak.value == max(points.values())
