"""The only place where a number becomes text: SI prefixes, three significant digits, the same on every locale."""

from __future__ import annotations

import math

from cyclescope.core.statistics import Estimate, Ratio
from cyclescope.explaining.metrics.trend import Trend

UNKNOWN = "–"
INFINITE = "∞"

_TIME_UNITS = ("ns", "µs", "ms", "s")
_SI = ("", "k", "M", "G", "T", "P", "E")
_DIGITS = 3
_EXACT_FROM_NS = 100_000  # shorter times have no digit to lose
# Beyond this many digits before the point a figure is written in powers of ten.
_MOST_DIGITS = 6
# An interval whose two sides differ by this factor is written as two ends, since ± would hide which way it leans.
_LOPSIDED = 2.0


def time(ns: float | None) -> str:
    """A time given in nanoseconds, in ns, µs, ms or s: `12.3 ms`. None and NaN read `–`."""
    return _scaled(ns, _TIME_UNITS)


def exact_time(ns: float) -> str:
    """A time in milliseconds with all digits down to the microsecond, to be held against what another tool prints: `31.905 ms`."""
    return f"{ns / 1e6:,.3f} ms" if ns >= _EXACT_FROM_NS else time(ns)


def time_difference(ns: float) -> str:
    """One time less another, always with its sign: `+1.23 ms`; none reads `0 ns`."""
    return f"+{time(ns)}" if ns > 0 else time(ns)


def data(count: float | None) -> str:
    """An amount of bytes, in powers of 1000: `1.23 kB` is 1,230 bytes."""
    return _scaled(count, tuple(f"{prefix}B" for prefix in _SI), whole_below_thousand=True)


def data_difference(count: int) -> str:
    """One amount of bytes less another, always with its sign: `+1.23 kB`; none reads `0 B`."""
    return f"+{data(count)}" if count > 0 else data(count)


def bandwidth(bytes_per_s: float | None) -> str:
    """Bytes per second: `12.3 GB/s`."""
    return _scaled(bytes_per_s, tuple(f"{prefix}B/s" for prefix in _SI))


def flops(count: float | None) -> str:
    """An amount of floating-point operations: `22.5 GFLOP`."""
    return _scaled(count, tuple(f"{prefix}FLOP" for prefix in _SI), whole_below_thousand=True)


def flop_rate(flops_per_s: float | None) -> str:
    """Floating-point operations per second: `31.2 GFLOP/s`."""
    return _scaled(flops_per_s, tuple(f"{prefix}FLOP/s" for prefix in _SI))


def decade(value: float, unit: str) -> str:
    """1, 2 or 5 times a power of ten as the mark of an axis: `20 GFLOP/s`, `0.01`; without decimals that say nothing."""
    step = _step(value, len(_SI)) if unit else 0
    return f"{value / 1000**step:,.{max(0, 3 * step - _exponent(value))}f} {_SI[step]}{unit}".rstrip()


def quantity(count: float | None) -> str:
    """A large count, rounded: `22.7 M`."""
    return _scaled(count, _SI, whole_below_thousand=True)


def count(number: int | None) -> str:
    """An exact count with thousands separated: `12,345`."""
    return UNKNOWN if number is None else f"{number:,}"


def significant(value: float | None, digits: int = _DIGITS) -> str:
    """A bare number with `digits` significant digits; powers of ten only from a million and below a ten-thousandth."""
    special = _special(value)
    if special is not None or value is None:
        return special or UNKNOWN
    return _fixed(value, 0, digits)


def share(part: float | None) -> str:
    """A share of a whole, 0 … 1, in per cent: `46.3 %`. Small ones keep one significant digit, so nothing reads 0 that is not."""
    percent = None if part is None else 100.0 * part
    special = _special(percent)
    if special is not None or percent is None:
        return UNKNOWN if special in (None, UNKNOWN) else f"{special} %"
    if percent == 0:
        return "0 %"
    if percent == 100:
        return "100 %"
    if abs(percent) < 0.005:
        return "<0.01 %" if percent > 0 else "≈0 %"
    if abs(percent) >= 999.5:
        return f"{_fixed(percent, 0)} %"
    decimals = 1 if abs(percent) >= 0.95 else 2
    return f"{percent:.{decimals}f} %"


def times(factor: float | None) -> str:
    """A factor: `×1.25`; unknown reads `–`."""
    text = significant(factor)
    return text if text == UNKNOWN else f"×{text}"


def ratio(value: Ratio) -> str:
    """A ratio with its interval: `0.998 [0.995 – 1.003]`; without one where there are too few samples for it."""
    return " ".join(filter(None, ratio_parts(value)))


def ratio_parts(value: Ratio) -> tuple[str, str]:
    """The number and the interval of a ratio; without one where there are too few samples for it."""
    interval = f"[{_near_one(value.low)} – {_near_one(value.high)}]" if value.has_interval else ""
    return _near_one(value.value), interval


def has_interval(estimate: Estimate) -> bool:
    """Whether there are samples enough for a 95 % interval, and its ends are numbers."""
    numbers = (estimate.value_ns, estimate.low_ns, estimate.high_ns)
    return estimate.has_interval and all(map(math.isfinite, numbers))


def ends(value: Estimate | Ratio | Trend) -> tuple[float | None, float | None]:
    """Both ends of an interval for a document; None, None where there are too few samples for one."""
    low, high = (value.low_ns, value.high_ns) if isinstance(value, Estimate) else (value.low, value.high)
    return (low, high) if value.has_interval else (None, None)


def plus_minus(estimate: Estimate) -> str:
    """The interval of an estimate: `±2.1 %`, or `[11.2 – 15.0 ms]` where it leans to one side; `–` below six samples."""
    if (
        not estimate.has_interval
        or _special(estimate.value_ns)
        or _special(estimate.low_ns)
        or _special(estimate.high_ns)
    ):
        return UNKNOWN
    below, above = estimate.value_ns - estimate.low_ns, estimate.high_ns - estimate.value_ns
    narrow, wide = sorted((max(below, 0.0), max(above, 0.0)))
    leans = wide > _LOPSIDED * narrow and estimate.half_width > 0.05
    if estimate.value_ns <= 0 or leans:
        return time_range(estimate.low_ns, estimate.high_ns)
    return f"±{share(estimate.half_width)}"


def estimate(value: Estimate) -> str:
    """A time with its interval, if it has one: `12.3 ms ±2.1 %`."""
    return f"{time(value.value_ns)} {plus_minus(value)}" if has_interval(value) else time(value.value_ns)


def time_range(low_ns: float, high_ns: float) -> str:
    """Two times in the unit of the larger: `[11.2 – 15.0 ms]`."""
    if _special(low_ns) is not None or _special(high_ns) is not None:
        return f"[{time(low_ns)} – {time(high_ns)}]"
    step = _step(max(abs(low_ns), abs(high_ns)), len(_TIME_UNITS))
    return f"[{_fixed(low_ns, step)} – {_fixed(high_ns, step)} {_TIME_UNITS[step]}]"


def slope(ns: float, low_ns: float, high_ns: float) -> tuple[str, str]:
    """A time and its two ends with the digits that their distance bears: `-130 ms`, `[-190 – -20 ms]`.

    The last digit shown is the first of half the distance; the digits after it would be noise.
    """
    if any(_special(value) is not None for value in (ns, low_ns, high_ns)):
        return time(ns), time_range(low_ns, high_ns)
    half = (high_ns - low_ns) / 2

    def digits(value: float) -> int:
        return min(max(_exponent(abs(value)) - _exponent(half) + 1, 1), _DIGITS) if half > 0 else _DIGITS

    def fixed(value: float, step: int) -> str:
        return _fixed(value, step, digits(value))

    step, wide = (_step(value, len(_TIME_UNITS)) for value in (ns, max(abs(low_ns), abs(high_ns))))
    ends = f"[{fixed(low_ns, wide)} – {fixed(high_ns, wide)} {_TIME_UNITS[wide]}]"
    return f"{fixed(ns, step)} {_TIME_UNITS[step]}", ends


def shape(sizes: tuple[int, ...]) -> str:
    """The shape of a tensor: `1×16×768`; a single number without dimensions is a `scalar`."""
    return "×".join(str(size) for size in sizes) if sizes else "scalar"


def _special(value: float | None) -> str | None:
    """Text of what is not a finite number, else None."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return INFINITE if value > 0 else f"-{INFINITE}"
    return None


def _exponent(value: float, digits: int = _DIGITS) -> int:
    """Decimal exponent of `value` after it is rounded to `digits`, so that 999.9 already counts as 1000."""
    return int(f"{value:.{digits - 1}e}".partition("e")[2]) if value else 0


def _step(value: float, units: int) -> int:
    """Which power of a thousand `value` is shown in."""
    return min(max(_exponent(abs(value)) // 3, 0), units - 1)


def _fixed(value: float, step: int, digits: int = _DIGITS) -> str:
    """`value` ÷ 1000^`step` with `digits` significant digits; zero reads `0`, whatever its sign."""
    if value == 0:
        return "0"
    exponent = _exponent(abs(value), digits) - 3 * step
    scaled = value / 1000**step
    if exponent >= _MOST_DIGITS or exponent < -4:
        return f"{scaled:.{digits - 1}e}"
    # Rounded first, since 123,456 with three digits is 123,000.
    return f"{round(scaled, digits - 1 - exponent):,.{max(digits - 1 - exponent, 0)}f}"


def _scaled(value: float | None, units: tuple[str, ...], *, whole_below_thousand: bool = False) -> str:
    special = _special(value)
    if special is not None or value is None:
        return UNKNOWN if special in (None, UNKNOWN) else f"{special} {units[0]}".rstrip()
    step = _step(value, len(units))
    if step == 0 and whole_below_thousand and float(value).is_integer():
        return f"{int(value)} {units[0]}".rstrip()
    return f"{_fixed(value, step)} {units[step]}".rstrip()


def _near_one(value: float) -> str:
    """Ratios near one need thousandths; larger ones three significant digits."""
    special = _special(value)
    if special is not None:
        return special
    text = f"{value:.3f}" if abs(value) < 10 else significant(value)
    return text.removeprefix("-") if text == "-0.000" else text
