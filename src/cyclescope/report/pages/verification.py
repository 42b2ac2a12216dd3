"""The page about a recipe that is verified: whether it holds, then and now, and what differs."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.ratios import LEAST_ROUNDS_FOR_VERDICT
from cyclescope.core.workload import Weights
from cyclescope.optimizing.recipes.recipe import MeasurementRecord
from cyclescope.optimizing.recipes.verify import RecipeStatus, Verification
from cyclescope.optimizing.search.drift import Drift
from cyclescope.report import format as fmt
from cyclescope.report.page import (
    Align,
    Block,
    Column,
    Heading,
    KeyValues,
    Note,
    Page,
    Paragraph,
    Severity,
    Table,
    page_of,
)
from cyclescope.report.pages.optimization import advice_on_load, drift_words, plan_words
from cyclescope.report.words.strings import strings
from cyclescope.report.words.text_notes import told
from cyclescope.report.words.text_optimization import OptimizationText, optimization_text
from cyclescope.report.words.text_verification import VerificationText, verification_text

_NS_PER_MS = 1e6


def verification_page(found: Verification, language: str = "en") -> Page:
    """What `found` says, for any medium. Raises `UsageError` for a language that there are no texts of."""
    t, o = verification_text(language), optimization_text(language)
    blocks = [*_opening(found, t, o), *_then_and_now(found, t, o), *_differences(found, t)]
    return page_of(t.title.format(model=found.workload.model.reference), tuple(blocks))


def answer(found: Verification, t: VerificationText) -> str:
    """The one sentence that the page exists for, and why where it does not hold."""
    said = t.ratio.format(
        standing=t.standings[found.status],
        speed_up=fmt.significant(1 / found.ratio.value),
        low=fmt.significant(1 / found.ratio.high),
        high=fmt.significant(1 / found.ratio.low) if found.ratio.low > 0 else fmt.UNKNOWN,
    )
    reason = ""
    if found.drifted:
        reason = t.drifted
    elif found.status is RecipeStatus.FAILS:
        reason = t.not_faster
    elif found.status is RecipeStatus.HOLDS and found.brings_less:
        reason = t.brings_less
    elif found.status is RecipeStatus.INCONCLUSIVE:
        reason = t.too_few if found.rounds < LEAST_ROUNDS_FOR_VERDICT else t.left_open
    return f"{said} {reason}".strip()


def proved_drift(proof: MeasurementRecord) -> Drift:
    """The drift of a proof, as far as a recipe keeps it."""
    return Drift(cosine=proof.cosine, largest=proof.largest_difference, top1=proof.top1, tokens=proof.same_tokens)


def _opening(found: Verification, t: VerificationText, o: OptimizationText) -> Iterator[Block]:
    if found.partial:
        yield Note(Severity.WARNING, t.partial, t.partial_remedy)
    yield Paragraph(answer(found, t), lead=True)
    if found.workload.model.weights is Weights.RANDOM:
        yield Note(Severity.INFO, o.random_weights)
    for note in found.notes:
        yield Note(Severity.INFO, told(note, strings(t.language)))
    for advice in advice_on_load(found.load, o):
        yield Note(Severity.WARNING, advice.text, advice.remedy)


def _then_and_now(found: Verification, t: VerificationText, o: OptimizationText) -> Iterator[Block]:
    proof, ratio = found.recipe.proof, found.ratio
    limit = proof.max_drift
    yield KeyValues(
        (
            (t.plan, plan_words(found.recipe.plan, found.recipe.baseline, o)),
            (t.limit, o.limit_same if limit == 0 else o.limit_drift.format(limit=fmt.significant(limit))),
        )
    )
    columns = (Column(""), Column(t.then, Align.RIGHT), Column(t.now, Align.RIGHT))
    low = fmt.significant(1 / ratio.low) if ratio.low > 0 else fmt.UNKNOWN
    rows = (
        (t.speed_up, fmt.significant(proof.speed_up), fmt.significant(1 / ratio.value)),
        (
            t.interval,
            f"{fmt.significant(proof.low)} – {fmt.significant(proof.high)}",
            f"{fmt.significant(1 / ratio.high)} – {low}",
        ),
        (t.rounds, fmt.count(proof.rounds), fmt.count(found.rounds)),
        (t.other_load, _share(proof.other_load), _share(found.load.other_busy)),
        (o.before.format(time="").strip(), fmt.time(proof.before_ms * _NS_PER_MS), fmt.time(found.before_ns)),
        (o.after.format(time="").strip(), fmt.time(proof.after_ms * _NS_PER_MS), fmt.time(found.after_ns)),
        (t.outputs, drift_words(proved_drift(proof), o) or fmt.UNKNOWN, drift_words(found.drift, o)),
        (t.work, _work(found.recipe.work.batch, found.recipe.work.tokens_in), _work_now(found)),
    )
    yield Table(columns, rows)


def _share(share: float | None) -> str:
    return fmt.UNKNOWN if share is None else fmt.share(share)


def _work(texts: int, tokens: int) -> str:
    return f"{fmt.count(texts)} × {fmt.count(tokens)}"


def _work_now(found: Verification) -> str:
    return _work(found.workload.batch, found.workload.tokens_in)


def _differences(found: Verification, t: VerificationText) -> Iterator[Block]:
    yield Heading(t.differs)
    if not found.differences:
        yield Paragraph(t.nothing_differs)
        return
    columns = (Column(t.what), Column(t.then), Column(t.now))
    yield Table(
        columns,
        tuple(
            (t.differences.get(d.what, d.what), d.then or fmt.UNKNOWN, d.now or fmt.UNKNOWN) for d in found.differences
        ),
    )
