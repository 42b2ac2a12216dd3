"""The document about an optimization: what `cyclescope optimize --json` prints."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from cyclescope.core.samples import Load
from cyclescope.core.statistics import Ratio as CoreRatio
from cyclescope.explaining import stability
from cyclescope.explaining.comparison import Verdict
from cyclescope.optimizing.optimization import Optimization, Outcome, Phase, Row, Skip
from cyclescope.optimizing.strategies.strategy import Goal
from cyclescope.report.documents.cycle.findings import warning_figure
from cyclescope.report.documents.figures import Document, DocumentPart, Ratio, Text, WarningPart, ratio, schema_field
from cyclescope.report.documents.run import Plan, Workload
from cyclescope.report.naming.optimizing import skip_words, unfinished_words
from cyclescope.report.pages.optimization import answer
from cyclescope.report.sections.load import load_advice


def time_ratio(value: CoreRatio | None) -> Ratio | None:
    """`value` with its 99 % interval over interleaved rounds; None where it has no finite one."""
    return ratio(value, known=True) if value is not None and math.isfinite(value.high) else None


def _time_ratio(value: object) -> object:
    return time_ratio(value) if isinstance(value, CoreRatio) else value


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


_TimeRatio = Annotated[Ratio | None, BeforeValidator(_time_ratio)]


class Drift(DocumentPart):
    """How far the outputs are from those of the baseline; null where the model has no such output."""

    cosine: float | None = Field(description="mean cosine of vectors that belong together")
    cosine_least: float | None = Field(description="smallest such cosine")
    largest: Annotated[float | None, BeforeValidator(_finite)] = Field(
        description="largest difference of one number; null where it is not finite"
    )
    top1: float | None = Field(description="share of equal first choices")
    kl: float | None = Field(description="mean Kullback-Leibler divergence, nats")
    tokens: float | None = Field(description="share of written tokens before the first that differs")


class Labels(DocumentPart):
    """How many texts get the label that the user gave them."""

    right: int = Field(description="texts with the right label")
    texts: int = Field(description="texts with a label")


class TriedPlan(DocumentPart):
    """One plan that was tried; the first is the baseline."""

    plan: Plan
    strategies: list[Text] = Field(description="the steps from the baseline")
    outcome: Outcome
    reason: Text
    way_out: Text
    time: _TimeRatio = Field(description="time ÷ that of the baseline, with its 99 % interval; null where unknown")
    verdict: Verdict
    confirmed: bool = Field(description="measured again at length, interleaved with the baseline")
    wall_s: float | None = Field(description="s; median of one cycle; null where it did not run")
    drift: Drift | None
    labels: Labels | None
    judged_on: int = Field(
        description="texts that drift and labels are about where the plan learned from the others; 0: all of them"
    )
    held_bytes: int = Field(description="bytes; the most memory that its processes held")
    ready_s: float = Field(description="s; preparing it, once")


class Contribution(DocumentPart):
    """A part of the best plan, removed again."""

    part: Text
    time: _TimeRatio = Field(description="time without it ÷ time with it; null where unknown")
    verdict: Verdict
    reason: Text


class Preferred(DocumentPart):
    """A plan with fewer parts that the best one is not proved to be faster than."""

    plan: int = Field(description="index into plans")
    time: _TimeRatio = Field(description="time of the best plan ÷ time of this one; null where unknown")


class NotTried(DocumentPart):
    """A strategy, or a plan of it, that was not tried."""

    strategy: Text
    why: Skip
    reason: Text = Field(description="the same in English")
    plan: Plan | None = Field(description="null where the reason is about the strategy as such")


class UnfinishedPhase(DocumentPart):
    """A phase that was left out or cut short."""

    phase: Phase
    rounds: int = Field(description="rounds that it ran; 0: none")
    reason: Text
    needs_s: float | None = Field(description="s; a budget that is enough, estimated; null where unknown")


class Spent(DocumentPart):
    """Time that a phase of the search took."""

    phase: Phase
    time_s: float = Field(description="s")


class OptimizationDocument(Document):
    """What an optimization found."""

    schema_: Literal["cyclescope/optimization/2"] = schema_field("cyclescope/optimization/2")
    answer: Text = Field(description="one sentence in English")
    goal: Goal
    max_drift: float = Field(
        description="1 − mean cosine, or share of tokens that differ; 0: the same but for rounding"
    )
    budget_s: float = Field(description="s; limit of the search")
    partial: bool
    texts: int = Field(description="texts of one cycle")
    workload: Workload
    best: int = Field(description="index into plans; 0: the baseline is best")
    front: list[int] = Field(description="indices of plans that no other beats in time, memory and drift")
    plans: list[TriedPlan]
    contributions: list[Contribution]
    not_tried: list[NotTried]
    unfinished: list[UnfinishedPhase]
    spent: list[Spent]
    notes: list[Text]
    preferred_to: Preferred | None = Field(description="null where the choice is proved")
    warnings: list[WarningPart] = Field(description="reasons to trust the comparison less")


def optimization_document(found: Optimization) -> OptimizationDocument:
    """`found` as the public document."""
    choice = found.choice
    return OptimizationDocument.of(
        found,
        answer=str(answer(found)),
        plans=[_plan(row) for row in found.rows],
        contributions=[Contribution.of(each, time=each.ratio) for each in found.contributions],
        not_tried=[NotTried.of(each, reason=skip_words(each)) for each in found.not_tried],
        unfinished=[
            UnfinishedPhase.of(each, reason=unfinished_words(each), needs_s=each.needs_ns / 1e9 or None)
            for each in found.unfinished
        ],
        spent=[Spent.of(spent, time_s=spent.ns / 1e9) for spent in found.spent],
        preferred_to=Preferred(plan=choice.over, time=time_ratio(choice.ratio)) if choice is not None else None,
        warnings=load_warnings(found.load),
    )


def load_warnings(load: Load) -> list[WarningPart]:
    """Warnings about other work on the machine while plans were compared."""
    found = [(warning, load_advice(warning)) for warning in stability.load_warnings(load)]
    return [
        WarningPart(code=w.code, text=str(a.text), remedy=str(a.remedy), figure=warning_figure(w)) for w, a in found
    ]


def _plan(row: Row) -> TriedPlan:
    return TriedPlan.of(row, time=row.ratio, wall_s=row.wall_ns / 1e9 or None)
