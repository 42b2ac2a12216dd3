"""Times as they were taken: facts, in columns, never averaged before they are stored."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cyclescope.core.lanes import LaneSamples
from cyclescope.core.prediction import Prediction
from cyclescope.core.stored import ADDED_LATER, STORED_AS
from cyclescope.core.units import IntArray, Nanoseconds


@dataclass(frozen=True, eq=False)
class UninstrumentedSamples:
    """The uninstrumented runs, without any instrumentation: the truth that everything else must add up to.

    `wall_ns` [n] and `cpu_ns` [n] (processor time of all threads) of whole cycles, text in to text out, in the order in
    which they were taken; `started_ns` [n] on the session's clock tells drift and interleaving.
    """

    wall_ns: IntArray
    cpu_ns: IntArray
    started_ns: IntArray

    def __len__(self) -> int:
        return len(self.wall_ns)

    @staticmethod
    def empty() -> UninstrumentedSamples:
        none = np.zeros(0, dtype=np.int64)
        return UninstrumentedSamples(none, none, none)


@dataclass(frozen=True, eq=False)
class InstrumentedSamples:
    """The instrumented runs: every stamp of every run.

    `boundaries_ns` [runs, slots + 1], relative to the first stamp of the run; column s and s + 1 enclose slot s of
    `Graph.slots`. `started_ns` [runs] and `cpu_ns` [runs] as in the uninstrumented runs.
    """

    boundaries_ns: IntArray
    cpu_ns: IntArray
    started_ns: IntArray

    def __len__(self) -> int:
        return len(self.boundaries_ns)

    @property
    def wall_ns(self) -> IntArray:
        """Wall time of each run [runs], instrumentation included."""
        return self.boundaries_ns[:, -1] - self.boundaries_ns[:, 0]

    @staticmethod
    def empty() -> InstrumentedSamples:
        none = np.zeros(0, dtype=np.int64)
        return InstrumentedSamples(np.zeros((0, 1), dtype=np.int64), none, none)


@dataclass(frozen=True, eq=False)
class TokenSamples:
    """When each token came out in the uninstrumented runs, of cycles that write text.

    `emitted_ns` [runs, tokens], relative to the start of the cycle: when the token had been chosen and was handed to the
    reader of the stream (for a batch, one per sequence at the same time). `called_ns` [runs]: when the model was
    called, with the text tokenized.
    """

    emitted_ns: IntArray
    called_ns: IntArray

    def __len__(self) -> int:
        return len(self.emitted_ns)


@dataclass(frozen=True, eq=False)
class MemorySamples:
    """What one cycle was seen to hold in memory, in separate, untimed runs.

    One row for each piece of memory that came into being [m]: `sizes`, in bytes; `storages`, its number in the traced
    run (that of the graph, where the graph was traced on the real device); and the looks `first` to `last`, both
    included, at which it was there. `look_op` [looks] is the operation during which each look was taken: after every
    call that it consists of, and at its end. `weight_bytes`, `buffer_bytes` and `input_bytes` stood there before.
    `resident_bytes` is the process's resident set before an uninstrumented cycle and `resident_peak_bytes` its peak during it,
    None where the system does not tell.
    """

    sizes: IntArray
    storages: IntArray
    first: IntArray
    last: IntArray
    look_op: IntArray
    weight_bytes: int
    buffer_bytes: int
    input_bytes: int
    resident_bytes: int | None = None
    resident_peak_bytes: int | None = None

    def self_check(self, operations: int) -> None:
        """Raise `ValueError` unless the columns belong together and to a graph of so many operations."""
        rows = (self.sizes, self.storages, self.first, self.last)
        looks = len(self.look_op)
        if any(column.shape != self.sizes.shape for column in rows) or self.sizes.ndim != 1 or self.look_op.ndim != 1:
            raise ValueError("the memory samples have columns of different shapes")
        if any(column.dtype.kind not in "iu" for column in (*rows, self.look_op)):
            raise ValueError("the memory samples are not whole numbers")
        if looks and not (
            self.look_op[0] >= 0 and np.all(np.diff(self.look_op) >= 0) and self.look_op[-1] < operations
        ):
            raise ValueError("the looks at the memory do not fit the graph")
        if (
            np.any(self.sizes < 0)
            or np.any(self.first < 0)
            or np.any(self.last < self.first - 1)
            or np.any(self.last >= looks)
        ):
            raise ValueError("memory that was there at no look")


@dataclass(frozen=True, eq=False)
class ProcessorSamples:
    """Processor time of all threads at every stamp, from separate instrumented runs, which say nothing about how long a
    cycle takes.

    `boundaries_ns` [runs, slots + 1] as in the instrumented runs, but of processor time; `wall_boundaries_ns` likewise, of the
    same runs by the wall clock. `stamp_ns` is what one stamp of this pass takes, of either.
    """

    boundaries_ns: IntArray
    wall_boundaries_ns: IntArray
    stamp_ns: float

    def __len__(self) -> int:
        return len(self.boundaries_ns)

    def self_check(self, slots: int) -> None:
        """Raise `ValueError` unless the columns belong together and to a graph of so many slots."""
        for column in (self.boundaries_ns, self.wall_boundaries_ns):
            if column.shape != (len(self), slots + 1) or column.dtype.kind not in "iu":
                raise ValueError("the stamps of the processor time do not fit the graph")
            if bool(np.any(np.diff(column, axis=1) < 0)):
                raise ValueError("the processor time runs backwards")
        if not 0 <= self.stamp_ns < np.inf:
            raise ValueError("a stamp of the processor time takes no time that could be")


@dataclass(frozen=True, eq=False)
class DeviceSamples:
    """When a device passed the marks before and after the work of each operation, from separate instrumented runs, which say
    nothing about how long a cycle takes.

    `begin_ns` and `end_ns` [runs, operations] are those moments and `last_ns` [runs] that of a mark behind everything that
    a run gave the device, all on the device's line of time, from a mark at the beginning of the run. `boundaries_ns`
    [runs, slots + 1] are the stamps of the same runs on the host as in the instrumented runs, from the moment at which it left
    that first mark; those of an operation lie around both of its marks. `returned_ns` [runs], on the host too, is when it
    had nothing left to do but to wait.

    `held` [runs] is 1 where the device was kept busy before each call of the model, so that the host could run ahead.
    Leaving a mark takes the host `mark_host_ns`; between two marks with no work between them the device takes
    `mark_device_ns`.
    """

    begin_ns: IntArray
    end_ns: IntArray
    last_ns: IntArray
    boundaries_ns: IntArray
    returned_ns: IntArray
    held: IntArray
    mark_host_ns: float
    mark_device_ns: float

    def __len__(self) -> int:
        return len(self.begin_ns)

    def self_check(self, slots: int, operations: int) -> None:
        """Raise `ValueError` unless the columns belong together and to a graph of so many slots and operations."""
        runs = len(self)
        shapes = (
            (self.begin_ns, (runs, operations)),
            (self.end_ns, (runs, operations)),
            (self.boundaries_ns, (runs, slots + 1)),
            *((column, (runs,)) for column in (self.last_ns, self.returned_ns, self.held)),
        )
        if any(column.shape != shape or column.dtype.kind not in "iu" for column, shape in shapes):
            raise ValueError("the marks of the device do not fit the graph")
        if np.any(self.begin_ns < 0) or np.any(self.end_ns < self.begin_ns) or np.any(self.last_ns < 0):
            raise ValueError("the device passed the end of an operation before its beginning")
        if np.any(np.diff(self.boundaries_ns, axis=1) < 0):
            raise ValueError("the stamps of the runs with marks run backwards")
        if np.any((self.held != 0) & (self.held != 1)):
            raise ValueError("a run of the device is neither held nor free")
        if not all(0 <= cost < np.inf for cost in (self.mark_host_ns, self.mark_device_ns)):
            raise ValueError("a mark takes no time that could be")


@dataclass(frozen=True, slots=True)
class Instrumentation:
    """What one stamp pair of the instrumented runs costs, and how that is known.

    `inside_ns` falls between the two stamps of an operation, `outside_ns` around them. `how` names the recorder
    (`compiled shims`, `shims` (wrappers) or `function-mode`), `calibrated_on` the calibration proxy, `n` the number of interleaved pairs behind the figure.
    `native` are the slots between operations in which native code runs that no stamp could be laid around.
    """

    how: str
    inside_ns: float
    outside_ns: float
    calibrated_on: str
    n: int
    native: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SetUp:
    """What was paid once, before the steady state. None where it did not happen in this process."""

    import_ns: Nanoseconds | None = None
    load_ns: Nanoseconds | None = None
    trace_ns: Nanoseconds | None = None
    first_cycle_ns: Nanoseconds | None = None
    warmup_ns: Nanoseconds = 0
    warmup_cycles: int = 0
    steady: bool = True


@dataclass(frozen=True, slots=True)
class Load:
    """What else the machine did during the measurement.

    `other_busy` is the share of the machine's cores that others used (0 … 1, None where it cannot be read),
    `swapped` whether the system swapped during the measurement, `throttled_ns` the time a container limit held us back.
    """

    other_busy: float | None = None
    swapped: bool = False
    throttled_ns: Nanoseconds | None = None


@dataclass(frozen=True, eq=False)
class Samples:
    """All times of one cycle, and what it was seen to hold.

    `instrumented_tokens`: the graph and everything but the uninstrumented runs are about a cycle that writes that many of
    the tokens, the first ones, since the whole was too long for the budget. 0: they are about the whole cycle.

    Where there is a `prediction`, nothing was timed: each row is a scenario, and together they spread as the errors of the
    timing model do. The k-th of K rows is as long as the cycle is with probability (k + ½) ÷ K at most.

    Where there are `lanes`, the cycle was imported: each row, of both kinds of runs, is a step of the trace as it was recorded.
    """

    # Run files have called them so since the first format.
    uninstrumented: UninstrumentedSamples = field(metadata={STORED_AS: "plain"})
    instrumented: InstrumentedSamples = field(metadata={STORED_AS: "light"})
    instrumentation: Instrumentation | None
    set_up: SetUp
    load: Load
    budget_ns: Nanoseconds = 0
    tokens: TokenSamples | None = None
    memory: MemorySamples | None = None
    processor: ProcessorSamples | None = None
    device: DeviceSamples | None = None
    instrumented_tokens: int = 0
    prediction: Prediction | None = field(default=None, metadata=ADDED_LATER)
    lanes: LaneSamples | None = field(default=None, metadata=ADDED_LATER)
