"""What another machine would change: the bounds of every operation as data, for the page to compute them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.message import Text, m, sentences
from cyclescope.core.units import FloatArray, IntArray
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.roofline import Bound, Roofline
from cyclescope.report.drawings.roofline import BoundPiece, pieces, spoken
from cyclescope.report.naming.between import between

# Operations whose bounds agree to so many digits are computed as one, with the first number that makes rows few enough.
DIGITS = (9, 4, 3, 2)
MOST_ROWS = 1_500
_EVERY_NUMBER_OF_THREADS = 16


@dataclass(frozen=True, eq=False)
class Bounds:
    """The operations of a cycle gathered by their bounds; columns have one row a group [g].

    `compute_ns`, `memory_ns`, `overhead_ns` are of one operation (the mean of its group). `floor_ns` and `time_ns` are
    of all of them together; where an operation was faster than its bound, its time is its lower bound. `level` is the number
    of the memory level in `levels`. Operations without any bound are in no group: `text_ns` is the time of text,
    `engine_ns` that of views, which is the engine's. `digits` is to how many digits the bounds of a group agree.
    """

    compute_ns: FloatArray
    memory_ns: FloatArray
    overhead_ns: FloatArray
    floor_ns: FloatArray
    time_ns: FloatArray
    level: IntArray
    levels: tuple[str, ...]
    text_ns: float
    engine_ns: float
    digits: int


def gathered(roofline: Roofline) -> Bounds:
    """The operations of `roofline` in at most `MOST_ROWS` groups, where two digits are enough for that."""
    limits = np.stack([roofline.compute_ns, roofline.memory_ns, roofline.overhead_ns])
    levels = tuple(dict.fromkeys(roofline.levels))
    number = {level: k for k, level in enumerate(levels)}
    level = np.asarray([number[name] for name in roofline.levels], dtype=np.int64)
    bound = limits.max(axis=0) > 0
    text = ~bound & np.asarray([b is Bound.NOTHING for b in roofline.bounds], dtype=bool)
    kept = limits[:, bound]
    for digits in DIGITS:
        rows, group = np.unique(np.vstack([_rounded(kept, digits), level[bound]]), axis=1, return_inverse=True)
        if rows.shape[1] <= MOST_ROWS:
            break
    size, group = rows.shape[1], group.reshape(-1)
    count = np.bincount(group, minlength=size)

    def summed(column: FloatArray) -> FloatArray:
        return np.bincount(group, column, minlength=size).astype(np.float64)

    compute, memory, overhead = (summed(column) / count for column in kept)
    return Bounds(
        compute_ns=compute,
        memory_ns=memory,
        overhead_ns=overhead,
        floor_ns=summed((roofline.time_ns - roofline.gap_ns)[bound]),
        time_ns=summed(roofline.time_ns[bound]),
        level=rows[3].astype(np.int64),
        levels=levels,
        text_ns=float(roofline.time_ns[text].sum()),
        engine_ns=float(roofline.time_ns[~bound & ~text].sum()),
        digits=digits,
    )


@dataclass(frozen=True, slots=True)
class ThreadChoice:
    """By how much the ceilings of `threads` threads differ from those of the cycle: arithmetic, and each memory level."""

    threads: int
    peak: float
    levels: tuple[tuple[str, float], ...]


def thread_choices(ceilings: Ceilings, dtype: str, now: int, cores: int) -> tuple[ThreadChoice, ...]:
    """What each number of threads up to `cores` would have; empty where there is nothing to choose, as on a device."""
    here = ceilings.peak(dtype, now)
    whole_device = 0 in {*(row.threads for row in ceilings.products), *(row.threads for row in ceilings.bandwidths)}
    if here is None or not now or whole_device:
        return ()
    known = {row.level: row.bytes_per_s.value for row in ceilings.levels(now)}
    rows = []
    for count in _thread_counts(max(cores, now), now):
        peak = ceilings.peak(dtype, count)
        levels = ((row.level, row.bytes_per_s.value / known[row.level]) for row in ceilings.levels(count))
        rows.append(ThreadChoice(count, (peak or here).value / here.value, tuple(levels)))
    return tuple(rows) if len(rows) > 1 else ()


def whatif_data(bounds: Bounds, python_ns: float, choices: tuple[ThreadChoice, ...]) -> dict[str, Any]:
    """Everything that the script computes with. Times keep a thousandth of a nanosecond."""

    def short(column: FloatArray) -> list[float]:
        return [round(float(value), 3) for value in column]

    return {
        "compute": short(bounds.compute_ns),
        "memory": short(bounds.memory_ns),
        "overhead": short(bounds.overhead_ns),
        "floor": short(bounds.floor_ns),
        "time": short(bounds.time_ns),
        "level": bounds.level.tolist(),
        "levels": bounds.levels,
        "text": bounds.text_ns,
        "engine": bounds.engine_ns,
        "python": python_ns,
        "threads": [
            {"threads": choice.threads, "peak": choice.peak, "levels": dict(choice.levels)} for choice in choices
        ],
    }


@dataclass(frozen=True, slots=True)
class Slider:
    """A slider from `low` to `high`, at `now` as measured. `name` is what its script knows it by."""

    name: str
    label: Text
    low: float
    high: float
    step: float
    now: float
    value: str


@dataclass(frozen=True, slots=True)
class WhatIfDrawing:
    """The sliders, and what they start from: `floor_ns` and `total_ns` of the cycle, cut into `pieces`.

    `python_ns` is the time between operations, `terms` are the definitions that the drawing offers. `bounds` gathers
    the operations once it is asked to, since only HTML needs them.
    """

    sliders: tuple[Slider, ...]
    floor_ns: float
    total_ns: float
    pieces: tuple[BoundPiece, ...]
    spoken: Text
    python_ns: float
    bounds: Callable[[], Bounds]
    choices: tuple[ThreadChoice, ...] = ()
    terms: tuple[str, ...] = ("what-if",)

    @property
    def note(self) -> Text:
        """What the figures leave out."""
        return sentences(*self._notes())

    def _notes(self) -> Iterator[Text]:
        yield m(
            "Operations run one after the other, as measured. What a cache would hold on another machine is not modelled."
        )
        if self.choices:
            yield m("The ceilings for each number of threads are measured ones.")
        digits = self.bounds().digits
        if digits < max(DIGITS):
            yield m("Operations with bounds that agree to {digits} digits are computed together.", digits=digits)

    @property
    def data(self) -> dict[str, Any]:
        """What the script computes with, and its words."""
        texts = {
            "as_it_is": m("measured"),
            "as_if": m("what if"),
            "bar_spoken": m("{name}: {total}, at the ceilings {floor}"),
            "change": m("×{factor} of now"),
        }
        return {**whatif_data(self.bounds(), self.python_ns, self.choices), "texts": texts}


def what_if_drawing(explanation: Explanation, found: Roofline) -> WhatIfDrawing:
    """Sliders for what another machine or engine would have, starting from `found`."""
    cycle = explanation.cycle
    choices = thread_choices(found.ceilings, cycle.plan.dtype, found.threads, cycle.machine.cores)
    cut = pieces(found, cycle.graph)
    return WhatIfDrawing(
        tuple(_sliders(explanation, found, choices)),
        found.floor_total_ns,
        found.total_ns,
        cut,
        spoken(found, cut),
        found.python_ns,
        cache(partial(gathered, found)),
        choices,
    )


def _sliders(explanation: Explanation, found: Roofline, choices: tuple[ThreadChoice, ...]) -> Iterator[Slider]:
    if choices:
        now = next(k for k, choice in enumerate(choices) if choice.threads == explanation.cycle.plan.threads)
        yield Slider("threads", m("threads"), 0, len(choices) - 1, 1, now, str(found.threads))
    yield Slider("bandwidth", m("bandwidth"), -2, 3, 0.25, 0, "×1")
    yield Slider("peak", m("compute"), -2, 3, 0.25, 0, "×1")
    rest = m("overhead and {between}", between=between(explanation.cycle.graph))
    yield Slider("overhead", rest, 0, 2, 0.05, 1, "×1")


def _rounded(values: FloatArray, digits: int) -> FloatArray:
    """`values` with so many significant digits."""
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(np.maximum(np.abs(values), 1e-12))))
    rounded: FloatArray = np.rint(values * scale) / scale
    return rounded


def _thread_counts(most: int, now: int) -> list[int]:
    """Every number up to sixteen, beyond that powers of two, and always `now` and the last."""
    if most <= _EVERY_NUMBER_OF_THREADS:
        return list(range(1, most + 1))
    powers = [2**k for k in range(most.bit_length())]
    return sorted({*powers, now, most})
