"""The page about an optimization: how to run it, the proof, what each part brings, and all that was tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from cyclescope.backends.engines import title_of
from cyclescope.core.plan import Plan
from cyclescope.core.samples import Load
from cyclescope.core.workload import Weights
from cyclescope.explaining.changes import Presence
from cyclescope.explaining.comparison import compare
from cyclescope.explaining.explanation import WarningCode
from cyclescope.explaining.stability import load_warnings
from cyclescope.optimizing.optimization import OUT_OF_BUDGET, NotTried, Optimization, Outcome, Row
from cyclescope.optimizing.search.drift import Drift
from cyclescope.report import format as fmt
from cyclescope.report.naming import doubt
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
from cyclescope.report.pages.comparison import part_name
from cyclescope.report.words.strings import Advice, strings
from cyclescope.report.words.text_comparison import comparison_text
from cyclescope.report.words.text_engine import strings_for_both
from cyclescope.report.words.text_notes import told
from cyclescope.report.words.text_optimization import OptimizationText, optimization_text
from cyclescope.report.words.text_reasons import reason_words

_MOST_CHANGES = 8
_NS_PER_S = 1e9
_HAPPENED_NS = 1_000_000  # a phase that took less had nothing to do


def optimization_page(found: Optimization, language: str = "en") -> Page:
    """What `found` says, for any medium. Raises `UsageError` for a language that there are no texts of."""
    t = optimization_text(language)
    blocks = [
        *_opening(found, language, t),
        *_parts(found, t),
        *_why(found, language, t),
        *_rows(found, t),
        *_not_tried(found, language, t),
        *_spent(found, t),
    ]
    return page_of(t.title.format(model=found.before.workload.model.reference), tuple(blocks))


def answer(found: Optimization, t: OptimizationText) -> str:
    """The one sentence that the page exists for."""
    row = found.rows[found.best]
    if not found.best or row.ratio is None:
        return _no_answer(found, t)
    return t.found.format(
        speed_up=fmt.significant(row.speed_up),
        low=fmt.significant(1 / row.ratio.high),
        high=fmt.significant(1 / row.ratio.low),
        plan=plan_words(row.plan, found.rows[0].plan, t),
        drift=drift_words(row.drift, t),
    )


def _no_answer(found: Optimization, t: OptimizationText) -> str:
    """That nothing is recommended: since nothing is better, or since there was no time to tell."""
    ran = [row for row in found.rows[1:] if row.ratio is not None or row.outcome is Outcome.DRIFTED]
    unfinished = found.partial or not all(map(_had_time, found.not_tried))
    if not ran and (unfinished or len(found.rows) > 1):
        return t.untried
    if not ran:
        return t.nothing_to_try
    within = [row for row in ran if row.outcome is Outcome.TRIED]
    fastest = max(within, key=lambda row: row.speed_up, default=None)
    unproved = found.partial or any(n.strategy == "proof" for n in found.not_tried)
    if unproved and fastest is not None and fastest.ratio is not None and fastest.ratio.value < 1:
        plan = plan_words(fastest.plan, found.rows[0].plan, t)
        return t.unproved.format(plan=plan, ratio=fmt.ratio(fastest.ratio))
    if found.partial:
        return t.undecided
    return t.nothing_of_one if len(ran) == 1 else t.nothing.format(count=fmt.count(len(ran)))


def plan_words(plan: Plan, base: Plan, t: OptimizationText) -> str:
    """What `plan` has that `base` has not, in words; the model as it is where there is nothing."""
    words = []
    for field in fields(Plan):
        value = getattr(plan, field.name)
        if value == getattr(base, field.name) or value == "engine":  # what an engine brings goes without saying
            continue
        if field.name == "changes":
            words += [f"{c.name} {fmt.significant(c.amount)}" if c.amount else c.name for c in plan.changes]
        elif field.name in t.fields:
            fields_of = t.fields_of_one if value == 1 and field.name in t.fields_of_one else t.fields
            shown = title_of(value) if field.name == "engine" else t.values.get(str(value), value)
            words.append(fields_of[field.name].format(value=shown))
    return ", ".join(words) or t.as_it_is


def drift_words(drift: Drift | None, t: OptimizationText) -> str:
    """How far outputs moved: the figures that there are."""
    if drift is None:
        return fmt.UNKNOWN
    if drift.same:
        return t.drift_none
    words = []
    if drift.tokens is not None:
        words.append(f"{fmt.share(drift.tokens)} =")
    if drift.cosine is not None:
        words.append(f"1 − cos {fmt.significant(max(0.0, 1 - drift.cosine), 2)}")
    if drift.top1 is not None:
        words.append(f"top-1 {fmt.share(drift.top1)}")
    return ", ".join(words)


def _opening(found: Optimization, language: str, t: OptimizationText) -> Iterator[Block]:
    if found.partial:
        seen = t.partial if found.best else t.partial_nothing
        proved = found.rows[found.best].confirmed and found.best > 0
        yield Note(Severity.WARNING, t.partial_proved if proved else seen, t.partial_remedy)
    yield Paragraph(answer(found, t), lead=True)
    if found.choice is not None:
        simpler = plan_words(found.rows[found.choice.over].plan, found.rows[0].plan, t)
        yield Note(Severity.INFO, t.choice.format(ratio=fmt.ratio(found.choice.ratio), plan=simpler))
    if found.before.workload.model.weights is Weights.RANDOM:
        yield Note(Severity.INFO, t.random_weights)
    judged = max((row.judged_on for row in found.rows), default=0)
    if judged:
        yield Note(Severity.INFO, t.judged_on.format(texts=fmt.count(judged), all=fmt.count(found.texts)))
    for note in found.notes:
        yield Note(Severity.INFO, told(note, strings(language)))
    for advice in advice_on_load(found.load, t):
        yield Note(Severity.WARNING, advice.text, advice.remedy)
    row, base = found.rows[found.best], found.rows[0]
    limit = t.limit_same if found.max_drift == 0 else t.limit_drift.format(limit=fmt.significant(found.max_drift))
    facts: list[tuple[str, str]] = []
    if found.best and row.ratio is not None and row.wall_ns:
        before = row.wall_ns / row.ratio.value
        facts.append((t.time, _pair(fmt.time(before), fmt.time(row.wall_ns), t)))
        if found.texts > 1:
            facts.append((t.per_text, _pair(fmt.time(before / found.texts), fmt.time(row.wall_ns / found.texts), t)))
            slow, fast = (fmt.significant(found.texts / ns * _NS_PER_S) for ns in (before, row.wall_ns))
            facts.append((t.texts_per_second, _pair(slow, fast, t)))
        facts.append((t.memory, _pair(fmt.data(base.held_bytes), fmt.data(row.held_bytes), t)))
        facts.append((t.drift, drift_words(row.drift, t)))
        if row.labels is not None and base.labels is not None:
            value = t.labels_value.format(before=base.labels.right, after=row.labels.right, texts=row.labels.texts)
            facts.append((t.labels, value))
        facts.append((t.ready, fmt.time(row.ready_ns)))
        facts.append((t.proof, t.proof_value.format(rounds=fmt.count(row.rounds))))
    facts.append((t.limit, limit))
    yield KeyValues(tuple(facts))


def advice_on_load(load: Load, t: OptimizationText) -> list[Advice]:
    """What is to be said of work that went on beside plans that were compared."""
    return [
        Advice(t.other_load.format(share=fmt.share(found.value)), t.other_load_remedy)
        if found.code is WarningCode.OTHER_LOAD
        else doubt(found, strings(t.language))
        for found in load_warnings(load)
    ]


def _pair(before: str, after: str, t: OptimizationText) -> str:
    return f"{t.before.format(time=before)}, {t.after.format(time=after)}"


def _parts(found: Optimization, t: OptimizationText) -> Iterator[Block]:
    if not found.contributions:
        return
    yield Heading(t.parts)
    columns = (
        Column(t.part),
        Column(t.worth, Align.RIGHT),
        Column("", Align.LEFT, priority=1),
    )
    best = found.rows[found.best].plan
    rows = tuple(
        (
            plan_words(best, contribution.without, t),
            fmt.ratio(contribution.ratio) if contribution.ratio else fmt.UNKNOWN,
            t.verdicts[contribution.verdict] if contribution.ratio else reason_words(contribution.reason, t.language),
        )
        for contribution in found.contributions
    )
    yield Table(columns, rows)
    yield Paragraph(t.parts_note)


def _why(found: Optimization, language: str, t: OptimizationText) -> Iterator[Block]:
    """Which work went, came or changed, from the cycles before and after."""
    reason = next((n.reason for n in found.not_tried if n.strategy == "why"), "")
    if reason:
        yield Heading(t.why)
        yield Paragraph(t.why_none.format(reason=reason_words(reason, language)))
    if found.after is None:
        return
    yield Heading(t.why)
    s = strings_for_both(language, found.before.graph, found.after.graph)
    c = comparison_text(language)
    changes = sorted(compare(found.before, found.after).kinds, key=lambda change: -abs(change.delta_ns))
    presence = {Presence.ONLY_A: t.went, Presence.ONLY_B: t.came, Presence.BOTH: t.changed}
    columns = (
        Column(c.part),
        Column(t.before.format(time="").strip(), Align.RIGHT),
        Column(t.after.format(time="").strip(), Align.RIGHT),
        Column(c.change, Align.RIGHT),
        Column("", Align.LEFT, priority=1),
    )
    rows = tuple(
        (
            part_name(change, s, c),
            fmt.time(change.a.value_ns) if change.a else fmt.UNKNOWN,
            fmt.time(change.b.value_ns) if change.b else fmt.UNKNOWN,
            fmt.time_difference(change.delta_ns),
            presence[change.presence],
        )
        for change in changes[:_MOST_CHANGES]
    )
    yield Table(columns, rows)


def _rows(found: Optimization, t: OptimizationText) -> Iterator[Block]:
    """What ran, the fastest first; then what did not run to its end or was refused, each with its reason."""
    yield Heading(t.rows)
    columns = (
        Column(""),
        Column(t.plan),
        Column(t.ratio, Align.RIGHT),
        Column(t.drift, Align.LEFT, priority=2),
        Column(t.memory, Align.RIGHT, priority=1),
    )
    base = found.rows[0].plan
    ran = [k for k, row in enumerate(found.rows) if row.outcome is Outcome.TRIED]
    rows = []
    for k in sorted(ran, key=lambda k: -found.rows[k].speed_up):
        row = found.rows[k]
        rows.append(
            (
                t.on_front if k in found.front else "",
                plan_words(row.plan, base, t),
                fmt.ratio(row.ratio) if row.ratio and k else ("1" if not k else fmt.UNKNOWN),
                drift_words(row.drift, t) if k else "",
                fmt.data(row.held_bytes) if row.held_bytes else fmt.UNKNOWN,
            )
        )
    yield Table(columns, tuple(rows))
    yield Paragraph(t.rows_note)
    others = [row for row in found.rows if row.outcome is not Outcome.TRIED]
    if others:
        yield Heading(t.others)
        yield Table(
            (Column(t.plan), Column(t.outcome)),
            tuple((plan_words(row.plan, base, t), outcome_words(row, t)) for row in others),
        )


def outcome_words(row: Row, t: OptimizationText) -> str:
    """What became of a plan, with the reason where it did not run, or how far its outputs are where they are too far."""
    reasons = {"drift": f"{t.too_far} ({drift_words(row.drift, t)})", "labels": t.labels_lost}
    if row.outcome is Outcome.TRIED:
        return ""
    words = reasons.get(row.reason) or reason_words(row.reason, t.language)
    reason = " ".join(part for part in (words, reason_words(row.way_out, t.language)) if part)
    return f"{t.outcomes[row.outcome]}: {reason}"


def _not_tried(found: Optimization, language: str, t: OptimizationText) -> Iterator[Block]:
    tried = {name for row in found.rows for name in row.strategies}
    reasons: dict[str, str] = {}
    # What there was no time for on one plan comes before what another has no use for, or the latter would hide it. Why a
    # strategy had no use for one plan says nothing new where it ran on another.
    for other in sorted(found.not_tried, key=_had_time):
        if other.strategy == "why" or (other.strategy in tried and _had_time(other)):
            continue
        name = t.phases.get(other.strategy, other.strategy)  # a phase of the search may lack time as well
        reason = reason_words(other.reason, language)
        reasons.setdefault(name, t.partly.format(reason=reason) if other.strategy in tried else reason)
    if reasons:
        yield Heading(t.not_tried)
        yield KeyValues(tuple(reasons.items()))


def _had_time(other: NotTried) -> bool:
    return not other.reason.startswith(OUT_OF_BUDGET)


def _spent(found: Optimization, t: OptimizationText) -> Iterator[Block]:
    yield Heading(t.spent)
    rows = []
    for part in found.spent:
        time = fmt.time(part.ns) if part.ns >= _HAPPENED_NS else fmt.UNKNOWN
        if part.phase == "total":
            time = t.of_budget.format(time=time, budget=fmt.time(found.budget_ns))
        rows.append((t.phases.get(part.phase, part.phase), time))
    yield KeyValues(tuple(rows))
