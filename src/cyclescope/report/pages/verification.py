"""The page about a recipe that is verified: whether it holds, then and now, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from cyclescope.core.message import Message, Text, m, sentences
from cyclescope.core.ratios import LEAST_ROUNDS_FOR_VERDICT
from cyclescope.core.workload import Weights
from cyclescope.optimizing.recipes.recipe import MeasurementRecord
from cyclescope.optimizing.recipes.verify import RecipeStatus, Verification
from cyclescope.optimizing.search.drift import Drift
from cyclescope.report import format as fmt
from cyclescope.report.naming.advice import filled
from cyclescope.report.naming.outputs import drift_words, limit_words
from cyclescope.report.naming.plans import plan_words
from cyclescope.report.page import (
    Align,
    Block,
    Column,
    Figures,
    Headline,
    KeyValues,
    Note,
    Page,
    Paragraph,
    Section,
    Severity,
    Table,
)
from cyclescope.report.pages.optimization import AFTER, BEFORE, RANDOM_WEIGHTS
from cyclescope.report.sections.load import load_notes
from cyclescope.report.sections.speedup import speedup_drawing, speedup_figure, speedup_range

STATUS: Mapping[RecipeStatus, Message] = MappingProxyType(
    {
        RecipeStatus.HOLDS: m("It holds: {speedup} times as fast as the baseline ({low} – {high})."),
        RecipeStatus.FAILS: m("It no longer holds: {speedup} times as fast as the baseline ({low} – {high})."),
        RecipeStatus.INCONCLUSIVE: m("Inconclusive: {speedup} times as fast as the baseline ({low} – {high})."),
    }
)
BRINGS_LESS = m("The speedup is smaller than when it was confirmed.")
_DIFFERENCES: Mapping[str, Message] = MappingProxyType(
    {"processor": m("processor"), "cores": m("cores"), "work": m("texts × tokens")}
)
_NS_PER_MS = 1e6
_THEN, _NOW = m("when confirmed"), m("here and now")


def verification_page(found: Verification) -> Page:
    """What `found` says."""
    return Page(
        m("{model}: does the recipe hold here?", model=found.workload.model.reference),
        tuple(_opening(found)),
        (_then_and_now(found), _differences(found)),
        kind="verification",
    )


def answer(found: Verification) -> Text:
    """The one sentence that the page exists for, and why where it does not hold."""
    low, high = speedup_range(found.ratio)
    fact = filled(STATUS[found.status], speedup=fmt.significant(1 / found.ratio.value), low=low, high=high)
    return sentences(fact, _reason(found))


def _reason(found: Verification) -> Text:
    if found.drifted:
        return m("Its outputs drift further than the recipe allows.")
    if found.status is RecipeStatus.FAILS:
        return m("It is not faster here.")
    if found.status is RecipeStatus.HOLDS:
        return BRINGS_LESS if found.brings_less else ""
    if found.rounds < LEAST_ROUNDS_FOR_VERDICT:
        return m("There were too few rounds for a verdict.")
    return m("The interval leaves open whether it is faster.")


def recorded_drift(proof: MeasurementRecord) -> Drift:
    """The drift in a measurement record, as far as a recipe keeps it."""
    return Drift(cosine=proof.cosine, largest=proof.largest_difference, top1=proof.top1, tokens=proof.same_tokens)


def _opening(found: Verification) -> Iterator[Block]:
    if found.partial:
        yield Note(
            Severity.WARNING,
            m("Interrupted: the result covers the rounds until then."),
            m("Run it again with more time."),
        )
    yield Paragraph(answer(found), lead=True)
    yield Figures(
        (
            speedup_figure(found.ratio, m("{speedup} when confirmed", speedup=fmt.times(found.recipe.proof.speed_up))),
            Headline(BEFORE, fmt.time(found.before_ns), "", m("Baseline")),
            Headline(AFTER, fmt.time(found.after_ns), "", drift_words(found.drift)),
        )
    )
    yield from speedup_drawing(found.ratio)
    if found.workload.model.weights is Weights.RANDOM:
        yield Note(Severity.INFO, RANDOM_WEIGHTS)
    for note in found.notes:
        yield Note(Severity.INFO, note)
    yield from load_notes(found.load)
    yield KeyValues(
        (
            (m("Plan"), plan_words(found.recipe.plan, found.recipe.baseline)),
            (m("Limit"), limit_words(found.recipe.proof.max_drift)),
        )
    )


def _then_and_now(found: Verification) -> Section:
    proof, ratio = found.recipe.proof, found.ratio
    columns = (Column(""), Column(_THEN, Align.RIGHT), Column(_NOW, Align.RIGHT))
    low, high = speedup_range(ratio)
    rows = (
        (m("Speedup"), fmt.significant(proof.speed_up), fmt.significant(1 / ratio.value)),
        (
            m("99 % interval"),
            f"{fmt.significant(proof.low)} – {fmt.significant(proof.high)}",
            f"{low} – {high}",
        ),
        (m("Interleaved rounds"), fmt.count(proof.rounds), fmt.count(found.rounds)),
        (m("Cores used by other processes"), _share(proof.other_load), _share(found.load.other_busy)),
        (BEFORE, fmt.time(proof.before_ms * _NS_PER_MS), fmt.time(found.before_ns)),
        (AFTER, fmt.time(proof.after_ms * _NS_PER_MS), fmt.time(found.after_ns)),
        (m("Outputs"), drift_words(recorded_drift(proof)) or fmt.UNKNOWN, drift_words(found.drift)),
        (
            m("Texts × tokens"),
            _work(found.recipe.work.batch, found.recipe.work.tokens_in),
            _work(found.workload.batch, found.workload.tokens_in),
        ),
    )
    return Section("then-and-now", m("Then and now"), (Table(columns, rows),))


def _share(share: float | None) -> str:
    return fmt.UNKNOWN if share is None else fmt.share(share)


def _work(texts: int, tokens: int) -> str:
    return f"{fmt.count(texts)} × {fmt.count(tokens)}"


def _differences(found: Verification) -> Section:
    title = m("Setup differences")
    if not found.differences:
        text = m("Processor, cores and packages are the same as when the recipe was confirmed.")
        return Section("differences", title, (Paragraph(text),))
    rows = tuple(
        (_DIFFERENCES.get(d.what, d.what), d.then or fmt.UNKNOWN, d.now or fmt.UNKNOWN) for d in found.differences
    )
    return Section("differences", title, (Table((Column(""), Column(_THEN), Column(_NOW)), rows),))
