"""What was counted while a trace was read: every event that was dropped, mended or is out of order, before any conclusion."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cyclescope.core.units import Bytes, Nanoseconds


class Defect(Enum):
    """What can be wrong with an event of a trace. The first word of the value says what became of it."""

    # Dropped: not in the columns.
    BROKEN = "dropped: not JSON, even after mending"
    CUT = "dropped: the file ends within it"
    NO_TIME = "dropped: without a time"
    NO_BEGIN = "dropped: an end without its beginning"
    NO_END = "dropped: a beginning without its end"
    OFF_CLOCK = "dropped: far from all other events in time"
    TOO_LARGE = "dropped: larger than any event may be"
    NOT_RUN = "dropped: a layer that was fused or folded away, and did not run"
    UNKNOWN_PHASE = "dropped: of a phase that is not known"
    # Mended: in the columns, changed.
    ESCAPED = "mended: unescaped quotes or control characters"
    NEGATIVE = "mended: a negative duration, taken as 0"
    NOT_A_NUMBER = "mended: a duration that is not a number, taken as 0"
    TEXT_TIME = "mended: a time that is a text"
    NANOSECONDS = "mended: times in nanoseconds"
    LAID = "mended: without a time of beginning, laid behind what comes before it"
    TOO_LONG = "mended: a duration that ends an hour after everything else, cut there"
    # Kept as they are: whoever reads on must know.
    JUMP = "kept: a clock that was set by an hour or more"
    UNSORTED = "kept: begins before the one that stands before it in its lane"
    CROSSING = "kept: ends after the one in which it began"
    OVERLAPPING = "kept: overlaps with others on its stream"
    ORPHAN = "kept: on the device, without the call that launched it"
    NO_WORK = "kept: a launch without work on the device"
    DUPLICATE = "kept: the same correlation id as another launch"
    EARLY = "kept: on the device, before the call that launched it"
    NO_CLOCK = "kept: of a rank whose clock is not that of the others; each begins at 0"
    NO_SHAPES = "kept: an operation without shapes"
    IN_GRAPH = "kept: within a captured graph"

    @property
    def dropped(self) -> bool:
        return self.value.startswith("dropped")

    @property
    def mended(self) -> bool:
        return self.value.startswith("mended")


@dataclass(frozen=True, slots=True)
class Count:
    """How many events of one rank have `defect`, how long they last together, and one of them."""

    defect: Defect
    events: int
    time_ns: Nanoseconds = 0
    example: str = ""
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """One file as it was read. `size` is that of the file, `text` that of what it unpacks to as far as it was read, and
    `recovered` how much of it lies in complete records. `records` are all of the file's, with metadata and arrows.
    """

    name: str
    rank: int
    packing: str  # "", "gzip", "zstandard"
    size: Bytes
    text: Bytes
    recovered: Bytes
    cut: bool
    records: int
    metadata: int = 0
    arrows: int = 0


@dataclass(frozen=True)
class Reading:
    """All that was counted. `counts` are those that are not 0; `skipped` are files of the folder that are no traces."""

    sources: tuple[Source, ...] = ()
    counts: tuple[Count, ...] = ()
    skipped: tuple[str, ...] = ()

    def count(self, defect: Defect) -> int:
        """Events with `defect`, in all ranks."""
        return sum(c.events for c in self.counts if c.defect is defect)

    @property
    def dropped(self) -> int:
        return sum(c.events for c in self.counts if c.defect.dropped)
