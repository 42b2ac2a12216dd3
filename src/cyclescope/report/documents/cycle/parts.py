"""Stages, layers, operations and groups of them, as parts of the document about a cycle."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from cyclescope.core.graph.op import OpKind
from cyclescope.explaining.explanation import Closure, Explanation, GroupRow, LayerRow, OperationRow, StageRow
from cyclescope.report.documents.figures import DocumentPart, Ratio, Share, Text, Time, Work, ratio, seconds


class Stage(DocumentPart):
    """One stage of the cycle, in order of time. time.value = operations_s + python_s + native_s."""

    name: Text
    time: Time
    share: Share
    operations_s: float = Field(description="s inside operations")
    python_s: float = Field(description="s of Python between operations")
    native_s: float = Field(description="s of native code between operations that was not traced")
    operations: int = Field(description="number of operations")
    work: Work


class Layer(DocumentPart):
    """One layer, Python and native time inside it included."""

    stage: Text
    index: int = Field(description="position in its stage, from 0")
    module: Text = Field(description="path of the layer's module")
    class_name: Text = Field(description="class of the layer's module")
    time: Time
    share: Share
    python_s: float = Field(description="s of Python between operations")
    native_s: float = Field(description="s of native code between operations that was not traced")
    work: Work


class Place(DocumentPart):
    """Where an operation stands."""

    stage: Text
    layer: int | None = Field(description="layer within the stage, from 0; null outside of layers")
    module: Text = Field(description="module path; empty for the model itself")


class Operation(DocumentPart):
    """One operation at one location, the costliest first. The last four fields are null where no ceilings are known."""

    index: int = Field(description="row of the operation in the graph (schema cyclescope/graph/2)")
    kind: OpKind
    name: Text
    site: Place
    time: Time
    share: Share
    work: Work
    bound: Text | None = Field(
        default=None,
        description="what limits it: compute, memory, overhead, or nothing (text, which has no known ceiling)",
    )
    level: Text | None = Field(
        default=None,
        description="memory level that most of its traffic comes from: L1, L2, L3 or memory; empty for none",
    )
    floor_s: float | None = Field(
        default=None, description="s; the least that it could take (bound nothing: what it took)"
    )
    gap_s: float | None = Field(default=None, description="s; max(0, time.value − floor_s)")


class Group(DocumentPart):
    """Operations added up, the costliest group first."""

    name: Text
    kind: OpKind = Field(description="kind of the first of them")
    count: int = Field(description="number of operations")
    time: Time
    share: Share
    work: Work


class AccountRow(DocumentPart):
    """One row of the account; the rows add up to the uninstrumented wall time."""

    name: Text = Field(description="operations, python, native (code that was not traced), text or unexplained")
    stage: Text = Field(description="stage that it is booked to; empty for unexplained")
    time_s: float = Field(description="s")
    share_of_wall: float = Field(description="time_s ÷ wall.value; negative where more was attributed than passed")


class Account(DocumentPart):
    """Does the account close? wall.value = attributed_s + rest_s. Ratios are null without both kinds of runs."""

    attributed_s: float = Field(description="s; sum of the stages' times, instrumentation subtracted")
    rest_s: float = Field(description="s; wall.value − attributed_s, negative where too much was attributed")
    ratio: Ratio | None = Field(description="attributed_s ÷ wall.value, interval by bootstrap")
    closes: bool = Field(description="whether |rest_s| ≤ 3 % of the wall time")
    instrumentation_ratio: Ratio | None = Field(description="median instrumented wall ÷ median uninstrumented wall")
    instrumentation_s: float = Field(description="s; known cost of the instrumentation, subtracted")
    rows: list[AccountRow]


def stage(row: StageRow) -> Stage:
    return Stage.of(row, operations_s=seconds(row.op_ns), work=row.cost)


def layer(row: LayerRow) -> Layer:
    return Layer.of(row, work=row.cost)


def group(row: GroupRow) -> Group:
    return Group.of(row, work=row.cost)


def operation(row: OperationRow, explanation: Explanation) -> Operation:
    roofline, limits = explanation.roofline, dict[str, Any]()
    if roofline is not None:
        limits = {
            "bound": roofline.bounds[row.op],
            "level": roofline.levels[row.op],
            "floor_s": seconds(roofline.floor_ns[row.op]),
            "gap_s": seconds(roofline.gap_ns[row.op]),
        }
    return Operation.of(row, index=row.op, work=row.cost, **limits)


def account(closure: Closure) -> Account:
    known = closure.ratio.n > 0
    return Account.of(
        closure,
        ratio=ratio(closure.ratio) if known else None,
        closes=known and closure.closes,
        instrumentation_ratio=ratio(closure.instrumentation_ratio) if known else None,
    )
