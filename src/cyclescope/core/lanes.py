"""What an imported trace holds: its events on the lanes of threads and streams, in columns, and what was lost on the way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import cast

import numpy as np

from cyclescope.core.units import AnyArray, BoolArray, FloatArray, IntArray, Nanoseconds


class EventKind(IntEnum):
    """What an event of a trace is. The numbers stand in saved runs and never change their meaning."""

    OTHER = 0
    OPERATION = 1  # of the framework, on a thread
    MODULE = 2  # a call of a module
    PYTHON = 3  # any other call of a function
    ANNOTATION = 4  # a range that somebody named
    RUNTIME = 5  # a call of the device's interface that does not wait, launches among them
    SYNC = 6  # such a call that waits for the device
    KERNEL = 7  # work of a device
    COMMUNICATION = 8  # such work that exchanges data with other devices
    COPY = 9
    SET = 10
    MARK = 11  # a range that a device repeats from the host
    INSTANT = 12
    COUNTER = 13


ON_DEVICE = (EventKind.KERNEL, EventKind.COMMUNICATION, EventKind.COPY, EventKind.SET)


def narrow(column: AnyArray, kind: type[np.signedinteger] = np.int32) -> IntArray:
    """Whole numbers in fewer bits, of which a trace has millions."""
    return cast(IntArray, column.astype(kind))


@dataclass(frozen=True, slots=True)
class Lane:
    """One thread of a host or one stream of a device, of process `rank`. All texts are as the trace has them."""

    rank: int
    process: str
    thread: str
    device: bool
    title: str
    process_title: str = ""


class Phase(StrEnum):
    """What a step of a model that writes text does, where its name or its shapes say so."""

    PREFILL = "prefill"
    DECODE = "decode"
    MIXED = "mixed"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class StepSpan:
    """One step of the trace. `run` is the row of the samples that it became, −1 where it became none: it differs from those.

    `sequences` and `tokens` are those that its name or its shapes tell; 0 where they do not.
    """

    name: str
    rank: int
    begin_ns: Nanoseconds
    end_ns: Nanoseconds
    phase: Phase
    run: int
    sequences: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class ReadingFact:
    """Something that the reader of any figure must know first: `code` says what, `count` how often, `ns` how long in all,
    `share` how much of what is there, and `what` names it where it has a name.
    """

    code: str
    count: int = 0
    ns: Nanoseconds = 0
    share: float = 0.0
    what: str = ""


@dataclass(frozen=True, eq=False)
class CounterSamples:
    """Values over time [m]: `name` and `series` are positions in `LaneSamples.names`."""

    name: IntArray
    series: IntArray
    lane: IntArray
    at_ns: IntArray
    value: FloatArray


@dataclass(frozen=True, eq=False)
class ArrowSamples:
    """Arrows that the trace draws beside those from a launch to its work [m]; `name` is a position in `LaneSamples.names`."""

    name: IntArray
    from_lane: IntArray
    begin_ns: IntArray
    to_lane: IntArray
    end_ns: IntArray


@dataclass(frozen=True, eq=False)
class LaneSamples:
    """Every event of a trace. Columns have one row an event [n], sorted by lane, then by begin, longer ones first.

    `name` and `detail` are positions in `names` and `details` (JSON objects with the other facts of an event; −1: none),
    `kind` a number of `EventKind`, `lane` a position in `lanes`. Times are nanoseconds from the first event. `launch` is the
    event on a host that asked for this work of a device (−1: none that is in the trace), `op` the operation of the graph
    that the event is or belongs to (−1: none). `correlation` and `external` are the ids of the trace (−1: none). `captured` [n] is 1 where the launch was that of a whole captured graph.
    `windows_ns` [runs, 2] are the pieces of the trace that became samples, of rank `rank`; `main` is the lane that asks for them.
    """

    format: str
    names: tuple[str, ...]
    details: tuple[str, ...]
    lanes: tuple[Lane, ...]
    name: IntArray
    kind: IntArray
    lane: IntArray
    begin_ns: IntArray
    duration_ns: IntArray
    launch: IntArray
    op: IntArray
    detail: IntArray
    captured: IntArray
    windows_ns: IntArray
    steps: tuple[StepSpan, ...] = ()
    facts: tuple[ReadingFact, ...] = ()
    rank: int = 0
    main: int = 0
    correlation: IntArray | None = None
    external: IntArray | None = None
    counters: CounterSamples | None = None
    arrows: ArrowSamples | None = None

    def __len__(self) -> int:
        return len(self.name)

    @cached_property
    def end_ns(self) -> IntArray:
        """When each event ends [n]."""
        return self.begin_ns + self.duration_ns

    def of_kind(self, *kinds: EventKind) -> BoolArray:
        """Mask of the events of one of `kinds` [n]."""
        wanted = np.zeros(max(EventKind) + 1, dtype=bool)
        wanted[list(kinds)] = True
        mask: BoolArray = wanted[self.kind]
        return mask

    @cached_property
    def lasts(self) -> BoolArray:
        """Mask of the events that are spans of time and not moments [n]."""
        mask: BoolArray = ~self.of_kind(EventKind.INSTANT, EventKind.COUNTER)
        return mask

    @cached_property
    def used_lanes(self) -> tuple[int, ...]:
        """The lanes on which something lasts."""
        return tuple(np.unique(self.lane[self.lasts]).tolist())

    @cached_property
    def lane_rank(self) -> IntArray:
        """Rank of every lane [lanes]."""
        return np.asarray([lane.rank for lane in self.lanes], dtype=np.int64)

    @cached_property
    def on_device(self) -> BoolArray:
        """Mask of the events that are work of a device [n]."""
        device = np.asarray([lane.device for lane in self.lanes], dtype=bool)
        mask: BoolArray = self.of_kind(*ON_DEVICE) & device[self.lane]
        return mask

    def self_check(self, operations: int) -> None:
        """Raise `ValueError` unless the columns belong together and to a graph of so many operations."""
        columns = (
            self.name, self.kind, self.lane, self.begin_ns, self.duration_ns, self.launch, self.op, self.detail, self.captured,
        )  # fmt: skip
        n = len(self)
        if any(column.shape != (n,) or column.dtype.kind not in "iu" for column in columns):
            raise ValueError("the events have columns of different shapes")
        bounds = (
            (self.name, 0, len(self.names)), (self.kind, 0, len(EventKind)), (self.lane, 0, len(self.lanes)),
            (self.launch, -1, n), (self.op, -1, operations), (self.detail, -1, len(self.details)),
        )  # fmt: skip
        if n and any(int(column.min()) < low or int(column.max()) >= high for column, low, high in bounds):
            raise ValueError("an event names something that does not exist")
        if n and int(self.duration_ns.min()) < 0:
            raise ValueError("an event ends before it begins")
        if self.windows_ns.ndim != 2 or self.windows_ns.shape[1] != 2 or self.windows_ns.dtype.kind not in "iu":
            raise ValueError("the windows are no table of begins and ends")
