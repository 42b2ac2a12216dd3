"""What `cyclescope verify --json` and `cyclescope apply --json` print (see `schema_verification`)."""

from __future__ import annotations

import json

from pydantic import BaseModel

from cyclescope.optimizing.recipes.apply import Applied
from cyclescope.optimizing.recipes.verify import Verification
from cyclescope.report.documents.document_optimization import cautions_on_load, output_drift, time_ratio
from cyclescope.report.documents.schema import Work
from cyclescope.report.documents.schema_optimization import FullPlan
from cyclescope.report.documents.schema_verification import AppliedReport, OtherThanThen, Promised, VerificationReport
from cyclescope.report.pages import applied, verification


def verification_document(found: Verification) -> VerificationReport:
    """`found` as the public document."""
    return VerificationReport(
        schema="cyclescope/verification/1",
        answer=str(verification.answer(found)),
        standing=found.status,
        drifted=found.drifted,
        brings_less=found.brings_less,
        partial=found.partial,
        time=time_ratio(found.ratio) if found.rounds > 1 else None,
        before_ns=found.before_ns,
        after_ns=found.after_ns,
        drift=output_drift(found.drift),
        promised=Promised.model_validate(found.recipe.proof),
        plan=FullPlan.model_validate(found.recipe.plan),
        baseline=FullPlan.model_validate(found.recipe.baseline),
        workload=Work.model_validate(found.workload),
        differences=[OtherThanThen.model_validate(d) for d in found.differences],
        notes=list(map(str, found.notes)),
        doubts=cautions_on_load(found.load),
    )


def applied_document(done: Applied) -> AppliedReport:
    """`done` as the public document."""
    return AppliedReport(
        schema="cyclescope/applied/1",
        answer=str(applied.answer(done)),
        agrees=done.agrees,
        folder=done.folder,
        files=list(done.files),
        texts=done.texts,
        drift=output_drift(done.drift),
        plan=FullPlan.model_validate(done.recipe.plan),
        random_weights=done.random_weights,
        model_here=done.model_here,
        notes=list(map(str, done.notes)),
    )


def to_json(document: BaseModel) -> str:
    """`document` as strict JSON in ASCII, indented, with a newline at its end."""
    return json.dumps(document.model_dump(mode="json", by_alias=True), indent=2, allow_nan=False) + "\n"
