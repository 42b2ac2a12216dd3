"""The public schema `cyclescope/optimization/1`, as types. Names and meanings in it never change; a field may be added."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cyclescope.explaining.comparison import Verdict
from cyclescope.optimizing.optimization import Outcome, Phase, Skip
from cyclescope.optimizing.strategies.strategy import Goal
from cyclescope.report.documents.schema import Caution, How, Text, Work


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False, from_attributes=True)


class ChangeOfModel(_Part):
    """A change of the model itself."""

    name: Text
    amount: float


class FullPlan(How):
    """How the work was run, with all that departs from running the model as it is."""

    compiling: Text
    quantization: Text
    changes: list[ChangeOfModel]
    threads_between: int
    instances: int = Field(description="processes that share the texts")
    batch: int = Field(description="texts of one call; 0: all of them")
    batching: Text
    drafting: Text
    overlap: bool


class TimeRatio(_Part):
    """A ratio of times with its 99 % interval over rounds in turns."""

    value: float
    low: float
    high: float
    n: int = Field(description="rounds")


class OutputDrift(_Part):
    """How far the outputs are from those of the model as it is; null where the model has no such output."""

    cosine: float | None = Field(description="mean cosine of vectors that belong together")
    cosine_least: float | None
    largest: float | None = Field(description="largest difference of one number; null where it is not finite")
    top1: float | None = Field(description="share of equal first choices")
    kl: float | None = Field(description="mean Kullback-Leibler divergence, nats")
    tokens: float | None = Field(description="share of written tokens before the first that differs")


class RightLabels(_Part):
    right: int
    texts: int


class TriedPlan(_Part):
    """One plan that was tried; the first is the model as it is."""

    plan: FullPlan
    strategies: list[Text] = Field(description="the steps from the model as it is")
    outcome: Outcome
    reason: Text
    way_out: Text
    time: TimeRatio | None = Field(description="time ÷ that of the model as it is")
    verdict: Verdict
    confirmed: bool = Field(description="run again at length, side by side")
    wall_ns: float | None
    drift: OutputDrift | None
    labels: RightLabels | None
    judged_on: int = Field(
        description="texts that drift and labels are told of where the plan learned from the others; 0: all of them"
    )
    held_bytes: int = Field(description="bytes; the most memory that its processes held")
    ready_ns: int = Field(description="ns; what making it ready took, once")


class PartWorth(_Part):
    """A part of the best plan, taken out again."""

    part: Text
    time: TimeRatio | None = Field(description="time without it ÷ time with it")
    verdict: Verdict
    reason: Text


class PreferredTo(_Part):
    """A plan with fewer parts that the best one is not proved to be faster than."""

    plan: int = Field(description="index into plans")
    time: TimeRatio | None = Field(description="time of the best plan ÷ time of this one")


class LeftOut(_Part):
    """A strategy, or a plan of it, that was not tried."""

    strategy: Text
    why: Skip
    reason: Text = Field(description="the same in English")
    plan: FullPlan | None = Field(default=None, description="null where the reason is about the strategy as such")


class UnfinishedPhase(_Part):
    """A phase that was left out or cut short."""

    phase: Phase
    rounds: int = Field(description="rounds that it ran; 0: none")
    reason: Text


class PhaseTime(_Part):
    phase: Phase
    ns: int


class OptimizationReport(_Part):
    """What an optimization found."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, from_attributes=True, title="OptimizationReport")

    schema_: Literal["cyclescope/optimization/1"] = Field(alias="schema")
    answer: Text
    goal: Goal
    max_drift: float = Field(
        description="1 − mean cosine, or share of tokens that differ; 0: the same but for rounding"
    )
    budget_ns: int
    partial: bool
    texts: int = Field(description="texts of one cycle")
    workload: Work
    best: int = Field(description="index into plans; 0: best left as it is")
    front: list[int] = Field(description="indices of plans that no other beats in time, memory and drift")
    plans: list[TriedPlan]
    contributions: list[PartWorth]
    not_tried: list[LeftOut]
    unfinished: list[UnfinishedPhase] = []
    spent: list[PhaseTime]
    notes: list[Text]
    preferred_to: PreferredTo | None = Field(default=None, description="null where the choice is proved")
    doubts: list[Caution] = Field(default=[], description="reasons to trust the comparison less")


def json_schema() -> str:
    """The JSON Schema of the document."""
    return json.dumps(OptimizationReport.model_json_schema(by_alias=True), indent=2, sort_keys=True) + "\n"
