"""The document about a recipe on this machine: what `cyclescope verify --json` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cyclescope.optimizing.recipes.recipe import MeasurementRecord
from cyclescope.optimizing.recipes.verify import RecipeStatus, Verification
from cyclescope.report.documents.figures import Document, DocumentPart, Ratio, Text, WarningPart, schema_field
from cyclescope.report.documents.optimization import Drift, load_warnings, time_ratio
from cyclescope.report.documents.run import Plan, Workload
from cyclescope.report.pages import verification


class Promised(DocumentPart):
    """What the recipe says of itself."""

    speedup: Ratio = Field(description="time before ÷ time after, with its 99 % interval over n rounds")
    max_drift: float = Field(description="limit of the drift: 1 − mean cosine, or share of tokens that differ")
    taken_at: Text = Field(description="UTC, ISO 8601")
    processor: Text
    cores: int = Field(description="cores that the process could use")


class Difference(DocumentPart):
    """What differs from where the recipe was proved; a side is empty where it is unknown or absent."""

    what: Text
    then: Text
    now: Text


class VerificationDocument(Document):
    """Whether a recipe holds on this machine."""

    schema_: Literal["cyclescope/verification/2"] = schema_field("cyclescope/verification/2")
    answer: Text = Field(description="one sentence in English")
    status: RecipeStatus
    drifted: bool = Field(description="the outputs drift more than the recipe allows")
    brings_less: bool = Field(description="the whole interval lies below the promised one")
    partial: bool
    time: Ratio | None = Field(description="time of the plan ÷ that of its baseline; null after too few rounds")
    before_s: float = Field(description="s; median time of the baseline")
    after_s: float = Field(description="s; median time of the plan")
    drift: Drift
    promised: Promised
    plan: Plan
    baseline: Plan
    workload: Workload
    differences: list[Difference]
    notes: list[Text]
    warnings: list[WarningPart] = Field(description="reasons to trust the comparison less")


def verification_document(found: Verification) -> VerificationDocument:
    """`found` as the public document."""
    return VerificationDocument.of(
        found,
        answer=str(verification.answer(found)),
        status=found.status,
        time=time_ratio(found.ratio) if found.rounds > 1 else None,
        promised=_promised(found.recipe.proof),
        plan=found.recipe.plan,
        baseline=found.recipe.baseline,
        warnings=load_warnings(found.load),
    )


def _promised(proof: MeasurementRecord) -> Promised:
    speedup = Ratio(value=proof.speed_up, low=proof.low, high=proof.high, n=proof.rounds)
    return Promised.of(proof, speedup=speedup)
