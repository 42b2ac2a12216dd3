"""The document about two cycles: what `cyclescope compare --json` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.graph.op import OpKind
from cyclescope.core.statistics import Estimate
from cyclescope.explaining.changes import PartChange, Presence
from cyclescope.explaining.comparison import Aspect, Comparison, Limit, Verdict, Why
from cyclescope.report.documents.figures import (
    Document,
    DocumentPart,
    Ratio,
    RatioOf,
    Text,
    Time,
    ratio,
    schema_field,
    seconds,
)
from cyclescope.report.documents.run import Host, Plan, Workload
from cyclescope.report.naming.comparing import limit_kept, verdict


class Side(DocumentPart):
    """One of the two cycles."""

    wall: Time = Field(description="uninstrumented wall time")
    attributed_s: float = Field(description="s; sum of all parts; 0 without an instrumented run")
    source: Source
    taken_at: Text = Field(description="UTC, ISO 8601")
    version: Text = Field(description="version of cyclescope that took the cycle")
    partial: bool
    workload: Workload
    plan: Plan
    machine: Host
    unpriced_operations: int = Field(description="operations whose FLOPs are unknown; FLOPs are then lower bounds")


class ComparedPart(DocumentPart):
    """A part in both cycles. delta_s = B − A, a missing part being 0; in each list they add up to delta_s of all."""

    name: Text = Field(description="stage, kind, or place of the operations; python is the time between operations")
    presence: Presence
    a: Time | None = Field(description="null where the part is missing")
    b: Time | None = Field(description="null where the part is missing")
    delta_s: float = Field(description="s; B − A")
    ratio: RatioOf | None = Field(description="B ÷ A with its 95 % interval; null unless both have the part")
    operations_a: int = Field(description="operations of A in it")
    operations_b: int = Field(description="operations of B in it")
    stage: Text = Field(description="empty where it is not of one stage")
    layer: int | None = Field(description="number of the layer within its stage; null where it is not of one layer")
    kind: OpKind | None
    renamed: Text = Field(description="place of the operations in B where it is another, else empty")


class CheckedPart(DocumentPart):
    """A prediction held against a measurement."""

    side: Literal["a", "b"] = Field(description="which of the two was predicted")
    error: float = Field(description="predicted ÷ measured − 1")
    held: bool | None = Field(description="whether the measured time lies in the interval; null without an interval")


class ComparedFact(DocumentPart):
    """What differs between the two besides time."""

    aspect: Aspect
    name: Text = Field(description="of a package, else empty")
    a: Text
    b: Text


class ComparisonDocument(Document):
    """Everything that is known about two cycles side by side."""

    schema_: Literal["cyclescope/comparison/2"] = schema_field("cyclescope/comparison/2")
    verdict: Verdict
    why: Why | None = Field(description="why the verdict is inconclusive; null where it is not")
    answer: Text = Field(description="one sentence in English")
    ratio: Ratio = Field(description="B ÷ A of the uninstrumented wall time")
    confidence: float = Field(description="of the interval of ratio, 0 … 1")
    threshold: float = Field(description="share; the whole interval must lie beyond it")
    limit: float | None = Field(description="share by which B may be slower; null without a limit")
    limit_kept: Limit | None = Field(description="null without a limit")
    limit_answer: Text | None = Field(description="one sentence in English; null without a limit")
    interleaved: bool = Field(description="whether the runs of both were interleaved")
    between_runs: float = Field(description="share by which the interval was widened because they were not, else 0")
    a: Side
    b: Side
    delta_s: float = Field(description="s; b.attributed_s − a.attributed_s")
    stages: list[ComparedPart]
    layers: list[ComparedPart]
    kinds: list[ComparedPart]
    operations: list[ComparedPart]
    differences: list[ComparedFact]
    checked: CheckedPart | None = Field(
        default=None, description="null unless one of the two predicts what the other measures"
    )


def comparison_document(comparison: Comparison, limit: float | None = None) -> ComparisonDocument:
    """`comparison` as the public document; with `limit` (a share) also whether it is kept."""
    found = comparison
    return ComparisonDocument.of(
        found,
        answer=str(verdict(found)),
        ratio=ratio(found.ratio, known=found.inconclusive_reason not in (Why.TOO_FEW, Why.UNKNOWN_ERROR)),
        limit=limit,
        limit_kept=None if limit is None else found.slower_by_more_than(limit),
        limit_answer=None if limit is None else str(limit_kept(found, limit)),
        a=_side(found.a, found.wall_a, found.attributed_a_ns),
        b=_side(found.b, found.wall_b, found.attributed_b_ns),
        delta_s=seconds(found.attributed_delta_ns),
        stages=_parts(found.stages),
        layers=_parts(found.layers),
        kinds=_parts(found.kinds),
        operations=_parts(found.operations),
    )


def _side(cycle: Cycle, wall: Estimate, attributed_ns: float) -> Side:
    facts = {"wall": wall, "attributed_s": seconds(attributed_ns)}
    return Side.of(cycle, **facts, unpriced_operations=len(cycle.graph.unpriced))


def _parts(changes: tuple[PartChange, ...]) -> list[ComparedPart]:
    return [ComparedPart.of(change, renamed=change.renamed or "") for change in changes]
