"""The document about an applied recipe: what `cyclescope apply --json` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cyclescope.optimizing.recipes.apply import Applied
from cyclescope.report.documents.figures import Document, Text, schema_field
from cyclescope.report.documents.optimization import Drift
from cyclescope.report.documents.run import Plan
from cyclescope.report.pages import applied


class AppliedDocument(Document):
    """Files that a recipe was written to, and whether they compute what was measured."""

    schema_: Literal["cyclescope/applied/2"] = schema_field("cyclescope/applied/2")
    answer: Text = Field(description="one sentence in English")
    agrees: bool = Field(description="the code computes what the plan computed, but for rounding")
    folder: Text
    files: list[Text]
    texts: int = Field(description="texts that both were run on")
    drift: Drift = Field(description="of the code's outputs from the plan's")
    plan: Plan
    random_weights: bool = Field(description="the code builds the model with random weights")
    model_here: Text = Field(
        description="path on this machine of the model that the code loads from the hub; empty: it does not load it there"
    )
    notes: list[Text]


def applied_document(done: Applied) -> AppliedDocument:
    """`done` as the public document."""
    return AppliedDocument.of(
        done, answer=str(applied.answer(done)), plan=done.recipe.plan, notes=list(map(str, done.notes))
    )
