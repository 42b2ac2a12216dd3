"""What `cyclescope optimize --json` prints: an optimization as one document for other programs."""

from __future__ import annotations

import json
import math

from cyclescope.core.samples import Load
from cyclescope.core.statistics import Ratio
from cyclescope.explaining.stability import load_warnings
from cyclescope.optimizing.optimization import Optimization, Row
from cyclescope.optimizing.search.drift import Drift
from cyclescope.report.documents.schema import Caution, Work
from cyclescope.report.documents.schema_optimization import (
    FullPlan,
    LeftOut,
    OptimizationReport,
    OutputDrift,
    PartWorth,
    PhaseTime,
    PreferredTo,
    RightLabels,
    TimeRatio,
    TriedPlan,
    UnfinishedPhase,
)
from cyclescope.report.naming.optimizing import skip_words, unfinished_words
from cyclescope.report.pages.optimization import answer
from cyclescope.report.sections.load import load_advice


def document(found: Optimization) -> OptimizationReport:
    """`found` as the public document."""
    return OptimizationReport(
        schema="cyclescope/optimization/1",
        answer=str(answer(found)),
        goal=found.goal,
        max_drift=found.max_drift,
        budget_ns=found.budget_ns,
        partial=found.partial,
        texts=found.texts,
        workload=Work.model_validate(found.workload),
        best=found.best,
        front=list(found.front),
        plans=[_plan(row) for row in found.rows],
        contributions=[
            PartWorth(part=c.part, time=time_ratio(c.ratio), verdict=c.verdict, reason=str(c.reason))
            for c in found.contributions
        ],
        not_tried=[
            LeftOut(
                strategy=n.strategy,
                why=n.why,
                reason=str(skip_words(n)),
                plan=FullPlan.model_validate(n.plan) if n.plan is not None else None,
            )
            for n in found.not_tried
        ],
        unfinished=[
            UnfinishedPhase(phase=u.phase, rounds=u.rounds, reason=str(unfinished_words(u))) for u in found.unfinished
        ],
        spent=[PhaseTime(phase=s.phase, ns=s.ns) for s in found.spent],
        notes=list(map(str, found.notes)),
        preferred_to=PreferredTo(plan=found.choice.over, time=time_ratio(found.choice.ratio))
        if found.choice is not None
        else None,
        doubts=cautions_on_load(found.load),
    )


def to_json(found: Optimization) -> str:
    """The document as strict JSON in ASCII, indented, with a newline at its end."""
    return json.dumps(document(found).model_dump(mode="json", by_alias=True), indent=2, allow_nan=False) + "\n"


def cautions_on_load(load: Load) -> list[Caution]:
    """What is to be said of work that went on beside plans that were compared."""
    found = [(warning, load_advice(warning)) for warning in load_warnings(load)]
    return [Caution(code=w.code.value, value=w.value, text=str(a.text), remedy=str(a.remedy)) for w, a in found]


def _plan(row: Row) -> TriedPlan:
    return TriedPlan(
        plan=FullPlan.model_validate(row.plan),
        strategies=list(row.strategies),
        outcome=row.outcome,
        reason=str(row.reason),
        way_out=str(row.way_out),
        time=time_ratio(row.ratio),
        verdict=row.verdict,
        confirmed=row.confirmed,
        wall_ns=row.wall_ns or None,
        drift=output_drift(row.drift) if row.drift is not None else None,
        labels=RightLabels(right=row.labels.right, texts=row.labels.texts) if row.labels else None,
        judged_on=row.judged_on,
        held_bytes=row.held_bytes,
        ready_ns=row.ready_ns,
    )


def time_ratio(ratio: Ratio | None) -> TimeRatio | None:
    """`ratio` as the document has it; None where there is none, or no finite interval."""
    return TimeRatio.model_validate(ratio) if ratio is not None and math.isfinite(ratio.high) else None


def output_drift(drift: Drift) -> OutputDrift:
    """`drift` as the document has it."""
    finite = drift.largest if drift.largest is not None and math.isfinite(drift.largest) else None
    return OutputDrift(
        cosine=drift.cosine,
        cosine_least=drift.cosine_least,
        largest=finite,
        top1=drift.top1,
        kl=drift.kl,
        tokens=drift.tokens,
    )
