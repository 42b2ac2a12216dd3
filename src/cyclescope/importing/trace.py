"""What every reader of traces gives, and all else takes: events as columns, with what was counted while they were read.

An event is a row of numbers (about 50 bytes); names, lanes and records of arguments that repeat stand once. So ten million events fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Enum, IntEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyclescope.core.units import FloatArray, IntArray, Nanoseconds
from cyclescope.importing.counts import Reading
from cyclescope.importing.details import Details

Codes = NDArray[np.int32]


class Kind(IntEnum):
    """What an event is. Those from `KERNEL` on run on a device, all others on the host."""

    OPERATION = 0  # of a framework: aten::addmm, a node of ONNX Runtime
    PYTHON = 1  # a call of a Python function
    MODULE = 2  # a call of a module: "nn.Module: Linear_3"
    ANNOTATION = 3  # a range that a person or an engine named: record_function, NVTX
    RUNTIME = 4  # a call of the device's runtime or driver: a launch, a copy that is asked for, a wait
    OVERHEAD = 5  # of the profiler itself
    SPAN = 6  # any other time span on the host
    INSTANT = 7  # a moment
    KERNEL = 8
    COPY = 9  # of memory, from, to or on a device
    SET = 10  # of memory to one value
    SYNC = 11  # a stream or an event is waited for
    DEVICE_ANNOTATION = 12  # a range as it appears on the device: its first kernel to its last

    @property
    def on_device(self) -> bool:
        return self >= Kind.KERNEL


# What keeps a device busy; annotations and waits there only say what happens around it.
WORK = (Kind.KERNEL, Kind.COPY, Kind.SET)


class Place(Enum):
    HOST = "host"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of time: a thread of a process, or a stream of a device.

    `process` and `thread` are the trace's own words; for a device `process` is its number and `thread` the stream.
    `title` and `process_title` are the names that the trace gives them, or empty. `rank` is 0 where the trace names none.
    On an `asynchronous` lane events are tied by ids and not by a stack: they overlap freely.
    """

    rank: int
    place: Place
    process: str
    thread: str
    title: str = ""
    process_title: str = ""
    asynchronous: bool = False


@dataclass(frozen=True, eq=False)
class Events:
    """Columns of the same length n, in order of `begin_ns`; of equal beginnings the longer comes first, then as in the file.

    `name`, `lane` and `detail` are positions in `Trace.names`, `.lanes` and `.details` (`detail` −1: none); `kind` is a `Kind`.
    `begin_ns` counts from `Trace.start_ns`, `duration_ns` is at least 0. `correlation` ties a launch to the device work that it
    started, `external` ties both to the operation that called; −1: none.
    """

    name: Codes
    kind: NDArray[np.int8]
    begin_ns: IntArray
    duration_ns: IntArray
    lane: Codes
    correlation: IntArray
    external: IntArray
    detail: Codes

    def __len__(self) -> int:
        return len(self.begin_ns)

    @property
    def end_ns(self) -> IntArray:
        return self.begin_ns + self.duration_ns

    def take(self, rows: NDArray[Any]) -> Events:
        """Those at the positions `rows`, or where the mask `rows` is true."""
        return Events(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


@dataclass(frozen=True, eq=False)
class Counters:
    """Values over time: `name` and `series` are positions in `Trace.names` ("[memory]", "Total Allocated"); `value` [n]."""

    name: Codes
    series: Codes
    lane: Codes
    at_ns: IntArray
    value: FloatArray

    def __len__(self) -> int:
        return len(self.at_ns)


@dataclass(frozen=True, eq=False)
class Flows:
    """Arrows between events, as the trace draws them: from `begin_ns` in `from_lane` to `end_ns` in `to_lane`.

    `name` is a position in `Trace.names`: "ac2g" (launch to device), "fwdbwd" (forward to backward). Equal ids are equal numbers.
    """

    name: Codes
    id: IntArray
    from_lane: Codes
    begin_ns: IntArray
    to_lane: Codes
    end_ns: IntArray

    def __len__(self) -> int:
        return len(self.begin_ns)


@dataclass(frozen=True, eq=False)
class Trace:
    """A trace as it was read, of one file or of a folder of ranks.

    `format` is the name of its reader. `start_ns` is the clock at the first event: since 1970 where `epoch`, else of the machine's
    own clock. `properties` are facts about the run ("device 0": "NVIDIA B200"), never an environment or a path.
    """

    format: str
    names: tuple[str, ...]
    lanes: tuple[Lane, ...]
    details: Details
    events: Events
    counters: Counters
    flows: Flows
    reading: Reading
    start_ns: Nanoseconds = 0
    epoch: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def span_ns(self) -> Nanoseconds:
        """From the first event's beginning to the last end."""
        return int(self.events.end_ns.max()) if len(self.events) else 0

    @cached_property
    def on_device(self) -> NDArray[np.bool_]:
        """[n] whether an event runs on a device."""
        return self.events.kind >= Kind.KERNEL

    @cached_property
    def ranks(self) -> tuple[int, ...]:
        return tuple(sorted({lane.rank for lane in self.lanes}))

    def name_of(self, event: int) -> str:
        return self.names[int(self.events.name[event])]
