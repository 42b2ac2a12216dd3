"""Numbers as text."""

from __future__ import annotations

import locale
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.core.statistics import Estimate, Ratio
from cyclescope.report import format as fmt


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ns"),
        (-0.0, "0 ns"),
        (0.4, "0.400 ns"),
        (7, "7.00 ns"),
        (999.4, "999 ns"),
        (999.6, "1.00 µs"),
        (12_345, "12.3 µs"),
        (999_999, "1.00 ms"),
        (61_234_567, "61.2 ms"),
        (59e9, "59.0 s"),
        (1234e9, "1,230 s"),
        (1e30, "1.00e+21 s"),
        (-1_500, "-1.50 µs"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "∞ ns"),
        (-math.inf, "-∞ ns"),
    ],
)
def test_times(ns: float | None, text: str) -> None:
    assert fmt.time(ns) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1, "1 B"), (512, "512 B"), (1000, "1.00 kB"), (1024, "1.02 kB"), (2**40, "1.10 TB"), (None, "–")],
)
def test_bytes_are_powers_of_ten(count: int | None, text: str) -> None:
    assert fmt.data(count) == text


def test_work_and_rates() -> None:
    assert fmt.flops(22_500_000_000) == "22.5 GFLOP"
    assert fmt.flops(3) == "3 FLOP"
    assert fmt.flop_rate(31.2e9) == "31.2 GFLOP/s"
    assert fmt.bandwidth(1e12) == "1.00 TB/s"
    assert fmt.quantity(22_713_216) == "22.7 M"
    assert fmt.count(1_234_567) == "1,234,567"
    assert fmt.count(None) == "–"


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (0, "0 %"),
        (-0.0, "0 %"),
        (1, "100 %"),
        (0.99997, "100.0 %"),
        (0.4631, "46.3 %"),
        (0.0096, "1.0 %"),
        (0.0031, "0.31 %"),
        (0.00001, "<0.01 %"),
        (-0.00001, "≈0 %"),
        (-0.004, "-0.40 %"),
        (12.0, "1,200 %"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "∞ %"),
    ],
)
def test_shares(part: float | None, text: str) -> None:
    assert fmt.share(part) == text


def test_ratios_and_factors() -> None:
    assert fmt.ratio(Ratio(0.998, 0.99512, 1.01, 9)) == "0.998 [0.995 – 1.010]"
    assert fmt.ratio(Ratio(math.inf, 0.0, math.inf, 9)) == "∞ [0.000 – ∞]"
    assert fmt.times(1.25) == "×1.25"
    assert fmt.times(None) == "–"


def test_an_even_interval_is_plus_minus_and_a_lopsided_one_has_two_ends() -> None:
    assert fmt.estimate(Estimate(1e6, 0.98e6, 1.02e6, 9)) == "1.00 ms ±2.0 %"
    assert fmt.plus_minus(Estimate(1e6, 0.99e6, 1.5e6, 9)) == "[0.990 – 1.50 ms]"
    assert fmt.plus_minus(Estimate(1e6, 1e6, 1e6, 9)) == "±0 %"


def test_too_few_samples_have_no_interval() -> None:
    assert fmt.plus_minus(Estimate(1e6, 0.9e6, 1.1e6, 5)) == "–"
    assert fmt.estimate(Estimate(1e6, 0.9e6, 1.1e6, 5)) == "1.00 ms"
    assert fmt.ratio(Ratio(0.998, 0.9, 1.1, 5)) == "0.998"


def test_shapes() -> None:
    assert fmt.shape((1, 16, 768)) == "1×16×768"
    assert fmt.shape(()) == "scalar"


_VALUE = re.compile(r"(?P<number>-?[\d,]+(?:\.\d+)?(?:e[+-]\d+)?) ?(?P<unit>.*)")
_FACTORS = {"ns": 1.0, "µs": 1e3, "ms": 1e6, "s": 1e9}


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e24, max_value=1e24))
def test_a_time_reads_back_within_its_three_digits(ns: float) -> None:
    text = fmt.time(ns)
    found = _VALUE.fullmatch(text)
    assert found, text
    read = float(found["number"].replace(",", "")) * _FACTORS[found["unit"]]
    assert read == pytest.approx(ns, rel=0.0051, abs=0)


@given(st.floats() | st.none() | st.integers(-(10**30), 10**30))
def test_no_number_is_ever_minus_zero_nor_raises(value: float | None) -> None:
    for write in (
        fmt.time,
        fmt.data,
        fmt.flops,
        fmt.flop_rate,
        fmt.bandwidth,
        fmt.quantity,
        fmt.significant,
        fmt.share,
    ):
        text = write(value)
        number = _VALUE.fullmatch(text)
        if number and number["number"].startswith("-"):
            assert float(number["number"].replace(",", "")) != 0, text
        assert "nan" not in text
        assert "inf" not in text


@given(st.floats(0, 1e15), st.floats(0, 1e15))
def test_longer_times_never_read_shorter(one: float, other: float) -> None:
    def read(ns: float) -> float:
        found = _VALUE.fullmatch(fmt.time(ns))
        assert found
        return float(found["number"].replace(",", "")) * _FACTORS[found["unit"]]

    shorter, longer = sorted((one, other))
    assert read(shorter) <= read(longer) * (1 + 1e-12)


def test_the_locale_changes_nothing() -> None:
    before = locale.setlocale(locale.LC_ALL)
    try:
        for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C"):
            try:
                locale.setlocale(locale.LC_ALL, name)
            except locale.Error:
                continue
            assert fmt.time(1234e9) == "1,230 s"
            assert fmt.time(12_345) == "12.3 µs"
    finally:
        locale.setlocale(locale.LC_ALL, before)


@pytest.mark.parametrize(
    ("value", "low", "high", "told"),
    [
        (-134e6, -187e6, -21.1e6, ("-130 ms", "[-190 – -20 ms]")),
        (360e3, 360e3, 360e3, ("360 µs", "[360 – 360 µs]")),
        (1.234e6, 1.2e6, 1.27e6, ("1.23 ms", "[1.20 – 1.27 ms]")),
        (1.234e6, 0.8e6, 1.9e6, ("1.2 ms", "[0.8 – 1.9 ms]")),
        (3e6, -90e6, 80e6, ("3 ms", "[-90 – 80 ms]")),
        (0.0, 0.0, 0.0, ("0 ns", "[0 – 0 ns]")),
    ],
)
def test_a_slope_has_the_digits_that_its_interval_bears(
    value: float, low: float, high: float, told: tuple[str, str]
) -> None:
    assert fmt.slope(value, low, high) == told
