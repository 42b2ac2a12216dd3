"""What `cyclescope compare --json` prints: a comparison as one document for other programs (see `schema_comparison`)."""

from __future__ import annotations

import json
import math
from typing import Literal

from cyclescope.core.statistics import Ratio
from cyclescope.explaining.changes import Change
from cyclescope.explaining.comparison import Comparison, Why
from cyclescope.report import format as fmt
from cyclescope.report.documents.document import host
from cyclescope.report.documents.schema import How, Work
from cyclescope.report.documents.schema_comparison import (
    ComparedCycle,
    ComparedPart,
    ComparedRatio,
    ComparisonReport,
    NamedDifference,
)
from cyclescope.report.naming.comparing import limit_kept, verdict


def document(comparison: Comparison, limit: float | None = None) -> ComparisonReport:
    """`comparison` as the public document; with `limit` (a share) also whether it is kept."""
    return ComparisonReport(
        schema="cyclescope/comparison/1",
        verdict=comparison.verdict,
        why=comparison.why,
        answer=str(verdict(comparison)),
        ratio=_ratio(comparison.ratio, known=comparison.inconclusive_reason is not Why.TOO_FEW),
        confidence=comparison.confidence,
        threshold=comparison.threshold,
        limit=limit,
        limit_kept=None if limit is None else comparison.slower_by_more_than(limit),
        limit_answer=None if limit is None else str(limit_kept(comparison, limit)),
        interleaved=comparison.interleaved,
        between_runs=comparison.between_runs,
        a=_cycle(comparison, "a"),
        b=_cycle(comparison, "b"),
        delta_ns=comparison.attributed_delta_ns,
        stages=[_part(change) for change in comparison.stages],
        layers=[_part(change) for change in comparison.layers],
        kinds=[_part(change) for change in comparison.kinds],
        operations=[_part(change) for change in comparison.operations],
        differences=[NamedDifference.model_validate(difference) for difference in comparison.differences],
    )


def to_json(comparison: Comparison, limit: float | None = None) -> str:
    """The document as strict JSON in ASCII, indented, with a newline at its end."""
    return json.dumps(document(comparison, limit).model_dump(by_alias=True), indent=2, allow_nan=False) + "\n"


def _cycle(comparison: Comparison, side: Literal["a", "b"]) -> ComparedCycle:
    if side == "a":
        cycle, wall, attributed = comparison.a, comparison.wall_a, comparison.attributed_a_ns
    else:
        cycle, wall, attributed = comparison.b, comparison.wall_b, comparison.attributed_b_ns
    low_ns, high_ns = fmt.ends(wall)
    return ComparedCycle(
        median_ns=wall.value_ns,
        low_ns=low_ns,
        high_ns=high_ns,
        n=wall.n,
        attributed_ns=attributed,
        source=cycle.source.value,
        taken_at=cycle.taken_at,
        version=cycle.version,
        partial=cycle.partial,
        workload=Work.model_validate(cycle.workload),
        plan=How.model_validate(cycle.plan),
        machine=host(cycle.machine),
    )


def _part(change: Change) -> ComparedPart:
    return ComparedPart(
        name=change.name,
        presence=change.presence,
        a_ns=change.a.value_ns if change.a else None,
        b_ns=change.b.value_ns if change.b else None,
        delta_ns=change.delta_ns,
        ratio=_ratio(change.ratio, known=change.ratio.has_interval) if change.ratio else None,
        operations_a=change.operations_a,
        operations_b=change.operations_b,
        stage=change.stage,
        layer=change.layer,
        kind=change.kind.value if change.kind else None,
        renamed=change.renamed,
    )


def _ratio(ratio: Ratio, *, known: bool) -> ComparedRatio:
    """A ratio; its ends only where its interval is `known` and they are numbers."""
    low, high = (end if known and math.isfinite(end) else None for end in (ratio.low, ratio.high))
    return ComparedRatio(value=ratio.value, low=low, high=high, n=ratio.n)
