"""What another machine would change: the bounds of every operation as data, for the page to compute the analytic timing model
again (`predicting/analytic.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.message import Text, m, sentences
from cyclescope.core.units import FloatArray, IntArray
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.lower_bounds import find_lower_bounds
from cyclescope.explaining.roofline import Bound, Roofline
from cyclescope.predicting.analytic import host_times
from cyclescope.predicting.schedule import Lanes, lanes_of
from cyclescope.report.drawings.roofline import BoundPiece, pieces, spoken
from cyclescope.report.naming.between import between

# Operations whose bounds agree to so many digits are computed as one, with the first number that makes rows few enough.
DIGITS = (9, 4, 3, 2)
MOST_ROWS = 1_500
MOST_IN_ORDER = 60_000  # operations of a device whose order a page holds; beyond, waiting is scaled as a whole
_EVERY_NUMBER_OF_THREADS = 16


@dataclass(frozen=True, eq=False)
class Bounds:
    """The operations of a cycle gathered by their bounds; columns have one row a group [g].

    `compute_ns`, `memory_ns`, `overhead_ns` are of one operation (the mean of its group); `by_threads` has the first two with
    other numbers of threads. `floor_ns` and `time_ns` are of all of them together; where an operation was faster than its
    bound, its time is its lower bound. Operations without any bound are in no group: `text_ns` is the time of text,
    `engine_ns` that of views, which is the engine's. `group` [operations] is the group of each, −1 for none, and `digits` is
    to how many digits the bounds of a group agree.
    """

    compute_ns: FloatArray
    memory_ns: FloatArray
    overhead_ns: FloatArray
    floor_ns: FloatArray
    time_ns: FloatArray
    by_threads: dict[int, tuple[FloatArray, FloatArray]]
    text_ns: float
    engine_ns: float
    group: IntArray
    digits: int


def gathered(roofline: Roofline, graph: Graph, choices: Sequence[int] = ()) -> Bounds:
    """The operations of `graph` in at most `MOST_ROWS` groups, where two digits are enough for that; with the bounds by
    `choices` of threads.
    """
    others = {threads: find_lower_bounds(graph, roofline.ceilings, threads) for threads in choices}
    now = [roofline.compute_ns, roofline.memory_ns, roofline.overhead_ns]
    limits = np.stack([*now, *(column for each in others.values() for column in (each.compute_ns, each.memory_ns))])
    bound = limits[:3].max(axis=0) > 0
    text = ~bound & np.asarray([b is Bound.NOTHING for b in roofline.bounds], dtype=bool)
    kept = limits[:, bound]
    for digits in DIGITS:
        rows, group = np.unique(_rounded(kept, digits), axis=1, return_inverse=True)
        if rows.shape[1] <= MOST_ROWS:
            break
    size, group = rows.shape[1], group.reshape(-1)
    count = np.bincount(group, minlength=size)

    def summed(column: FloatArray) -> FloatArray:
        return np.bincount(group, column, minlength=size).astype(np.float64)

    compute, memory, overhead, *rest = (summed(column) / count for column in kept)
    of_op = np.full(len(bound), -1, dtype=np.int64)
    of_op[bound] = group
    return Bounds(
        compute_ns=compute,
        memory_ns=memory,
        overhead_ns=overhead,
        floor_ns=summed((roofline.time_ns - roofline.gap_ns)[bound]),
        time_ns=summed(roofline.time_ns[bound]),
        by_threads={threads: (rest[2 * k], rest[2 * k + 1]) for k, threads in enumerate(others)},
        text_ns=float(roofline.time_ns[text].sum()),
        engine_ns=float(roofline.time_ns[~bound & ~text].sum()),
        group=of_op,
        digits=digits,
    )


@dataclass(frozen=True, eq=False)
class Order:
    """The operations of a device in the order in which they are launched, [operations] each: their group (−1: nothing is
    launched), their time, and what the host does from the operation before up to their launch; `tail_ns` is what it does behind the last.
    """

    group: IntArray
    time_ns: FloatArray
    host_ns: FloatArray
    tail_ns: float


def order_of(cycle: Cycle, found: Roofline, group: IntArray) -> Order | None:
    """The order of a cycle whose host may be what a device waits for; None where it is known never to be, or operations are too many."""
    if lanes_of(cycle.plan) is Lanes.ADDED or len(cycle.graph) > MOST_IN_ORDER:
        return None
    host = host_times(cycle.graph, cycle.plan, found.ceilings)
    if not host.any():
        return None
    at = cycle.graph.slots.of_op
    launched = np.cumsum(host)[at]
    made = cycle.samples.prediction
    shift = made.shift if made is not None else 1.0
    text = cycle.graph.of_kind(OpKind.TEXT)  # Python's, before anything is launched
    return Order(
        group,
        np.where(text, 0.0, found.time_ns / shift),
        np.diff(launched, prepend=0.0),
        float(host[int(at[-1]) + 1 :].sum()),
    )


def thread_choices(ceilings: Ceilings, dtype: str, now: int, cores: int) -> tuple[int, ...]:
    """The numbers of threads up to `cores`; empty where there is nothing to choose, as on a device."""
    whole_device = 0 in {*(row.threads for row in ceilings.products), *(row.threads for row in ceilings.bandwidths)}
    if ceilings.peak(dtype, now) is None or not now or whole_device:
        return ()
    counts = _thread_counts(max(cores, now), now)
    return tuple(counts) if len(counts) > 1 else ()


def whatif_data(
    bounds: Bounds, python_ns: float, threads: int, choices: Sequence[int], lanes: Lanes, order: Order | None
) -> dict[str, Any]:
    """Everything that the script computes with. Times keep a thousandth of a nanosecond."""

    def short(column: FloatArray) -> list[float]:
        return [round(float(value), 3) for value in column]

    both = {threads: (bounds.compute_ns, bounds.memory_ns), **bounds.by_threads}
    return {
        "lanes": lanes.value,
        "compute": short(bounds.compute_ns),
        "memory": short(bounds.memory_ns),
        "overhead": short(bounds.overhead_ns),
        "floor": short(bounds.floor_ns),
        "time": short(bounds.time_ns),
        "text": bounds.text_ns,
        "engine": bounds.engine_ns,
        "python": python_ns,
        "threads": [
            {"threads": count, "compute": short(both[count][0]), "memory": short(both[count][1])} for count in choices
        ],
        "order": None
        if order is None
        else {
            "group": order.group.tolist(),
            "time": short(order.time_ns),
            "host": short(order.host_ns),
            "tail": order.tail_ns,
        },
    }


@dataclass(frozen=True, slots=True)
class Slider:
    """A slider from `low` to `high`, at `now` without any change. `name` is what its script knows it by."""

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

    `at_ceilings`: it was predicted with every operation at its ceiling, so that both are the same.
    `python_ns` is the time between operations, `lanes` how the engine's time and the work come together, `terms` are the
    definitions that the drawing offers. `bounds` gathers the operations and `order` has them in their order once they are
    asked to, since only HTML needs them.
    """

    sliders: tuple[Slider, ...]
    floor_ns: float
    total_ns: float
    pieces: tuple[BoundPiece, ...]
    spoken: Text
    python_ns: float
    lanes: Lanes
    threads: int
    bounds: Callable[[], Bounds]
    order: Callable[[IntArray], Order | None]
    choices: tuple[int, ...] = ()
    measured: bool = True
    at_ceilings: bool = False
    terms: tuple[str, ...] = ("what-if",)

    @property
    def note(self) -> Text:
        """What the figures leave out."""
        return sentences(*self._notes())

    def _notes(self) -> Iterator[Text]:
        yield m(
            "The analytic timing model gives every time, as it does for cyclescope predict --set; what a cache would hold on another machine is not modelled."
        )
        if self.lanes is Lanes.OVERLAPPED:
            yield m("The host launches operations while the device works; the device waits where the host is behind.")
        if self.choices:
            yield m("The ceilings for each number of threads were measured.")
        digits = self.bounds().digits
        if digits < max(DIGITS):
            yield m("Operations with bounds that agree to {digits} digits are computed together.", digits=digits)

    @property
    def data(self) -> dict[str, Any]:
        """What the script computes with, and its words."""
        texts = {
            "as_it_is": self.now,
            "as_if": m("what if"),
            "bar_spoken": m("{name}: {total}") if self.at_ceilings else m("{name}: {total}, at the ceilings {floor}"),
            "change": m("×{factor} of now"),
        }
        bounds = self.bounds()
        order = self.order(bounds.group)
        found = whatif_data(bounds, self.python_ns, self.threads, self.choices, self.lanes, order)
        return {**found, "at_ceilings": self.at_ceilings, "texts": texts}

    @property
    def now(self) -> Text:
        """What the cycle is without any change."""
        return m("measured") if self.measured else m("predicted")


def what_if_drawing(explanation: Explanation, found: Roofline) -> WhatIfDrawing:
    """Sliders for what another machine or engine would have, starting from `found`."""
    cycle = explanation.cycle
    choices = thread_choices(found.ceilings, cycle.plan.dtype, found.threads, cycle.machine.cores)
    others = tuple(count for count in choices if count != found.threads)
    cut = pieces(found, cycle.graph)
    return WhatIfDrawing(
        tuple(_sliders(explanation, found, choices)),
        found.floor_total_ns,
        found.total_ns,
        cut,
        spoken(found, cut),
        found.python_ns,
        lanes_of(cycle.plan),
        found.threads,
        cache(partial(gathered, found, cycle.graph, others)),
        partial(order_of, cycle, found),
        choices,
        cycle.samples.prediction is None,
        found.at_ceilings,
    )


def _sliders(explanation: Explanation, found: Roofline, choices: tuple[int, ...]) -> Iterator[Slider]:
    if choices:
        yield Slider("threads", m("threads"), 0, len(choices) - 1, 1, choices.index(found.threads), str(found.threads))
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
