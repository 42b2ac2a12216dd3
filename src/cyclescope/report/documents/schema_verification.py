"""The public schemas `cyclescope/verification/1` and `cyclescope/applied/1`, as types. Names and meanings in them never
change; a field may be added.
"""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cyclescope.optimizing.recipes.verify import RecipeStatus
from cyclescope.report.documents.schema import Caution, Text, Work
from cyclescope.report.documents.schema_optimization import FullPlan, OutputDrift, TimeRatio


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False, from_attributes=True)


class Promised(_Part):
    """What the recipe says of itself."""

    speed_up: float = Field(description="old ÷ new time")
    low: float
    high: float
    rounds: int
    max_drift: float
    taken_at: Text
    processor: Text
    cores: int


class OtherThanThen(_Part):
    """What is not as it was where the recipe was proved; empty where it is unknown or absent."""

    what: Text
    then: Text
    now: Text


class VerificationReport(_Part):
    """Whether a recipe holds on this machine."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, from_attributes=True, title="VerificationReport")

    schema_: Literal["cyclescope/verification/1"] = Field(alias="schema")
    answer: Text
    standing: RecipeStatus
    drifted: bool = Field(description="the outputs are farther away than the recipe allowed")
    brings_less: bool = Field(description="the whole interval lies below the one that was promised")
    partial: bool
    time: TimeRatio | None = Field(description="time of the plan ÷ that of its baseline; null where too few rounds ran")
    before_ns: float
    after_ns: float
    drift: OutputDrift
    promised: Promised
    plan: FullPlan
    baseline: FullPlan
    workload: Work
    differences: list[OtherThanThen]
    notes: list[Text]
    doubts: list[Caution] = Field(default=[], description="reasons to trust the comparison less")


class AppliedReport(_Part):
    """Files that a recipe was written to, and whether they give what was measured."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, from_attributes=True, title="AppliedReport")

    schema_: Literal["cyclescope/applied/1"] = Field(alias="schema")
    answer: Text
    agrees: bool = Field(description="the code gives what the plan gave, but for rounding")
    folder: Text
    files: list[Text]
    texts: int = Field(description="texts that both were run on")
    drift: OutputDrift = Field(description="of the code's outputs from the plan's")
    plan: FullPlan
    random_weights: bool = Field(description="the code builds the model with random weights")
    model_here: Text = Field(
        description="where the model that the code looks for on the hub lies on this machine; empty: it does not look there"
    )
    notes: list[Text]


def json_schema(report: type[BaseModel]) -> str:
    """The JSON Schema of the document."""
    return json.dumps(report.model_json_schema(by_alias=True), indent=2, sort_keys=True) + "\n"
