"""What a cycle says about itself: the answer, the stages, the costliest parts, the account. A value, made by `explain`."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.cycle import Cycle
from cyclescope.core.op import Cost, OpKind, Site
from cyclescope.core.statistics import Estimate, Ratio


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage. `time` = `op_ns` + `python_ns`; `share` is of the attributed time; costs are the sum of its operations."""

    name: str
    time: Estimate
    share: float
    op_ns: float
    python_ns: float
    operations: int
    cost: Cost


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer of a stage, Python time inside it included. `class_name` is its module's class, `module` its path."""

    stage: str
    index: int
    module: str
    class_name: str
    time: Estimate
    share: float
    python_ns: float
    cost: Cost


@dataclass(frozen=True, slots=True)
class OperationRow:
    """One operation at one site. `op` is its row in the graph."""

    op: int
    name: str
    kind: OpKind
    site: Site
    time: Estimate
    share: float
    cost: Cost


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Operations of one kind, or of one place in every layer (`name` says which), added up."""

    name: str
    kind: OpKind
    count: int
    time: Estimate
    share: float
    cost: Cost


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One line of the account: operations or Python time of one stage, the tokenizer, or the unexplained rest."""

    name: str
    stage: str
    time_ns: float
    share_of_wall: float


@dataclass(frozen=True, slots=True)
class Closure:
    """Does the account close? `wall` (unprofiled) = `attributed_ns` + `rest_ns`; `ratio` = attributed ÷ wall.

    `instrumentation_ratio` is the stamped wall ÷ the unprofiled one, and `instrumentation_ns` what was subtracted for it.
    """

    wall: Estimate
    attributed_ns: float
    rest_ns: float
    ratio: Ratio
    instrumentation_ratio: Ratio
    instrumentation_ns: float
    rows: tuple[AccountRow, ...]

    @property
    def closes(self) -> bool:
        """Within the bound that the project holds itself to: the rest is at most 3 % of the wall."""
        return abs(self.rest_ns) <= 0.03 * self.wall.value_ns


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason to trust a figure less, and what to do about it. `code` is stable, for machines."""

    code: str
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the exemplar run for a timeline: relative to the start of the cycle, strictly nested by `depth`.

    `op` is the row in the graph, or −1 for a frame or for Python time; `kind` is the operation's kind, `frame` or
    `python`.
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


@dataclass(frozen=True, eq=False)
class Explanation:
    """Everything that is derived from one cycle. `spans` are as they happened in the run closest to the median."""

    cycle: Cycle
    answer: str
    wall: Estimate
    cpu: Estimate
    minimum_ns: float
    stages: tuple[StageRow, ...]
    layers: tuple[LayerRow, ...]
    operations: tuple[OperationRow, ...]
    kinds: tuple[GroupRow, ...]
    places: tuple[GroupRow, ...]
    closure: Closure
    doubts: tuple[Doubt, ...]
    next_steps: tuple[str, ...]
    spans: tuple[Span, ...]
