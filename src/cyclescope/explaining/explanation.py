"""What a cycle says about itself: the answer, the stages, the costliest parts, the account. A value, made by `explain`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.op import Cost, OpKind, OpLocation
from cyclescope.core.statistics import Estimate, Ratio
from cyclescope.explaining.arrangement import Arrangement
from cyclescope.explaining.device import DeviceLine
from cyclescope.explaining.findings.finding import Finding
from cyclescope.explaining.generation import Generation
from cyclescope.explaining.lanes.lanes import Lanes
from cyclescope.explaining.memory import Memory
from cyclescope.explaining.places import Place
from cyclescope.explaining.roofline import Roofline


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage. `time` = `op_ns` + `python_ns` + `native_ns`; `share` is of the attributed time; costs are the sum of its
    operations.
    """

    name: str
    time: Estimate
    share: float
    op_ns: float
    python_ns: float
    native_ns: float
    operations: int
    cost: Cost


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer of a stage, Python and native time inside it included. `class_name` is its module's class, `module` its path."""

    stage: str
    index: int
    module: str
    class_name: str
    time: Estimate
    share: float
    python_ns: float
    native_ns: float
    cost: Cost

    @property
    def op_ns(self) -> float:
        """Time inside its operations."""
        return self.time.value_ns - self.python_ns - self.native_ns


@dataclass(frozen=True, slots=True)
class OperationRow:
    """One operation at one location. `op` is its row in the graph."""

    op: int
    name: str
    kind: OpKind
    site: OpLocation
    time: Estimate
    share: float
    cost: Cost


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Operations of one kind, or of one place in every layer, added up. `place` says which: of a kind, its operation."""

    place: Place
    kind: OpKind
    count: int
    time: Estimate
    share: float
    cost: Cost

    @property
    def name(self) -> str:
        """The place as documents call it."""
        return str(self.place)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One line of the account: operations, Python or native time of one stage, the tokenizer, or the unexplained rest."""

    name: str
    stage: str
    time_ns: float
    share_of_wall: float


@dataclass(frozen=True, slots=True)
class Closure:
    """Does the account close? `wall` (unprofiled) = `attributed_ns` + `rest_ns`; `ratio` = attributed ÷ wall.

    `instrumentation_ratio` is the instrumented wall time ÷ the unprofiled one, and `instrumentation_ns` what was subtracted for it.
    Where only the first `tokens` of a generation were instrumented, all of it is about those (0: about the whole cycle).
    """

    wall: Estimate
    attributed_ns: float
    rest_ns: float
    ratio: Ratio
    instrumentation_ratio: Ratio
    instrumentation_ns: float
    rows: tuple[AccountRow, ...]
    tokens: int = 0

    @property
    def closes(self) -> bool:
        """Within the bound that the project holds itself to: the rest is at most 3 % of the wall."""
        return abs(self.rest_ns) <= 0.03 * self.wall.value_ns


class WarningCode(StrEnum):
    """Reasons to trust a figure less. The codes are stable, for machines; `report.strings` says them in words, each with
    its remedy. What `MeasurementWarning.value` means stands behind each.
    """

    PARTIAL = "partial"  # cycles measured before the interruption
    NO_INTERVAL = "no-interval"  # repeats, too few for an interval of the median
    FEW_REPEATS = "few-repeats"  # half width of the interval of the median, as a share of it
    NOT_STEADY = "not-steady"  # warm-up cycles run without reaching a steady state
    DRIFT = "drift"  # last third of the repeats ÷ first third − 1, of their medians
    OTHER_LOAD = "other-load"  # share of the cores that other processes used
    THROTTLED = "throttled"  # nanoseconds that a limit on this container held us back
    SWAPPED = "swapped"  # unused
    OPEN_ACCOUNT = "open-account"  # rest ÷ wall, signed
    NATIVE = "native"  # share of the attributed time that native code took which was not traced
    UNPRICED = "unpriced"  # operations whose FLOPs are unknown
    NO_CALIBRATION = "no-calibration"  # unused: the cost of the stamps could not be measured on a calibration proxy
    NO_INSTRUMENTED_RUN = "no-instrumented-run"  # unused: interrupted before the first instrumented run


@dataclass(frozen=True, slots=True)
class MeasurementWarning:
    """One reason to trust a figure less, with the number that belongs to it."""

    code: WarningCode
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What one sentence has to say: where the time of the cycle goes. Shares are of the attributed time.

    `layers` is the number of layers of the heaviest stage (0: it has none), `kind` the heaviest kind of operation.
    All names are empty and shares 0 where there is no instrumented run.
    """

    stage: str
    stage_share: float
    layers: int
    kind: OpKind
    kind_share: float
    python_share: float


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the exemplar run for a timeline: relative to the start of the cycle, strictly nested by `depth`.

    `op` is the row in the graph, or −1 for a frame or for Python time; `kind` is the operation's kind, `frame` or
    `python` (with an empty name). The first span, at depth 0, is the whole cycle. Stamp costs are taken off. `step` is the
    step of a generation that it is booked to, or −1.
    """

    name: str
    kind: str
    stage: str
    layer: int | None
    module: str
    start_ns: int
    duration_ns: int
    depth: int
    op: int = -1
    step: int = -1


@dataclass(frozen=True, slots=True)
class PaddingCost:
    """`padded` is the share of the input's tokens that are none. The work on them takes `ns`, `share` of all attributed
    time; `costliest` is the operation that most of it is in, −1 where there is none.
    """

    padded: float
    ns: float
    share: float
    costliest: int


@dataclass(frozen=True, eq=False)
class Explanation:
    """Everything that is derived from one cycle. `spans` are as they happened in the run closest to the median.

    `generation` is there for a cycle that wrote text, `roofline` where ceilings of its machine are known, `device` where
    a device was marked, `padding` where parts are known and the plan works on padding, `lanes` where it was imported. `findings` are ranked, the most promising first.
    """

    cycle: Cycle
    answer: Answer
    wall: Estimate
    cpu: Estimate
    minimum_ns: float
    stages: tuple[StageRow, ...]
    layers: tuple[LayerRow, ...]
    operations: Sequence[OperationRow]
    kinds: tuple[GroupRow, ...]
    places: tuple[GroupRow, ...]
    closure: Closure
    warnings: tuple[MeasurementWarning, ...]
    spans: Sequence[Span]
    generation: Generation | None = None
    memory: Memory | None = None
    roofline: Roofline | None = None
    arrangement: Arrangement | None = None
    findings: tuple[Finding, ...] = ()
    device: DeviceLine | None = None
    padding: PaddingCost | None = None
    lanes: Lanes | None = None
