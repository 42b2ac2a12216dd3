"""The page about an optimization: the answer, what each part brings, what changed, and all that was tried."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.message import Message, Text, m, plural
from cyclescope.core.statistics import Ratio
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.core.workload import Weights
from cyclescope.explaining.changes import Presence
from cyclescope.explaining.comparison import Verdict, compare
from cyclescope.optimizing.optimization import Optimization, Outcome, Phase, Row
from cyclescope.report import format as fmt
from cyclescope.report.naming.between import between_label_of_both
from cyclescope.report.naming.changes import part_name
from cyclescope.report.naming.optimizing import PART_VERDICTS, PHASES, budget_words, unfinished_words
from cyclescope.report.naming.outputs import drift_words, limit_words
from cyclescope.report.naming.plans import plan_words
from cyclescope.report.page import (
    Align,
    Bar,
    Bars,
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
from cyclescope.report.sections.changes import time_cell
from cyclescope.report.sections.load import load_notes
from cyclescope.report.sections.speedup import speedup_drawing, speedup_figure
from cyclescope.report.sections.tried import had_time, ratio_bar, tried_sections

RANDOM_WEIGHTS = m("Weights are random: times are real, but the drift of outputs says little about a trained model.")
BEFORE, AFTER = m("Before"), m("After")
_MOST_CHANGES = 8
_HAPPENED_NS = 1_000_000  # a phase that took less had nothing to do


def optimization_page(found: Optimization) -> Page:
    """What `found` says."""
    return Page(
        m("{model}, optimized", model=found.before.workload.model.reference),
        tuple(_opening(found)),
        (*_parts(found), *_changes(found), *tried_sections(found), _spent(found)),
        kind="optimization",
    )


def answer(found: Optimization) -> Text:
    """The one sentence that the page exists for."""
    row = found.rows[found.best]
    if not found.best or row.ratio is None:
        return _no_answer(found)
    needs = needed(found)
    if needs and row.verdict is not Verdict.FASTER:
        return m(
            "Not confirmed: {plan} appeared {speedup} times as fast in short trials. Outputs: {drift}. A budget of about "
            "{needs} confirms it.",
            plan=plan_words(row.plan, found.rows[0].plan),
            speedup=fmt.significant(row.speed_up),
            drift=drift_words(row.drift),
            needs=budget_words(needs),
        )
    return m(
        "{speedup} times as fast ({low} – {high}): {plan}. Outputs: {drift}.",
        speedup=fmt.significant(row.speed_up),
        low=fmt.significant(1 / row.ratio.high),
        high=fmt.significant(1 / row.ratio.low),
        plan=plan_words(row.plan, found.rows[0].plan),
        drift=drift_words(row.drift),
    )


def needed(found: Optimization) -> Nanoseconds:
    """A budget that would have been enough for all that was left unfinished; 0 where that is unknown."""
    return max((left.needs_ns for left in found.unfinished), default=0)


def _no_answer(found: Optimization) -> Text:
    """That nothing is recommended: since nothing is faster, or since there was no time to confirm it."""
    ran = [row for row in found.rows[1:] if row.ratio is not None or row.outcome in _REFUSED]
    unfinished = found.partial or not all(map(had_time, found.not_tried)) or bool(found.unfinished)
    if not ran and (unfinished or len(found.rows) > 1):
        if needs := needed(found):
            return m(
                "No answer yet: no other plan ran to its end. A budget of about {needs} is enough for one.",
                needs=budget_words(needs),
            )
        return UNTRIED
    if not ran:
        return NOTHING_TO_TRY
    within = [row for row in ran if row.outcome is Outcome.TRIED]
    fastest = max(within, key=lambda row: row.speed_up, default=None)
    unconfirmed = found.partial or any(left.phase is Phase.CONFIRMATION for left in found.unfinished)
    if unconfirmed and fastest is not None and fastest.ratio is not None and fastest.ratio.value < 1:
        return m(
            "No answer yet: {plan} took {ratio} of the baseline's time, which is not confirmed. A larger budget decides.",
            plan=plan_words(fastest.plan, found.rows[0].plan),
            ratio=fmt.ratio(fastest.ratio),
        )
    return UNDECIDED if found.partial else nothing_faster(len(ran))


_REFUSED = (Outcome.DRIFTED, Outcome.MISLABELED)
UNTRIED = m("No answer yet: no other plan ran to its end. A larger budget may help.")
UNDECIDED = m("No answer yet: none of the plans that ran before the interruption appeared faster.")
NOTHING_TO_TRY = m("Keep the baseline: there was no other plan to try.")


def nothing_faster(plans: int) -> Message:
    """That none of so many plans is faster."""
    return plural(
        "Keep the baseline: the one plan that was tried is not confirmed to be faster within the limit.",
        "Keep the baseline: of {n} plans that were tried, none is confirmed to be faster within the limit.",
        plans,
        n=fmt.count(plans),
    )


def _opening(found: Optimization) -> Iterator[Block]:
    row = found.rows[found.best]
    if found.partial:
        yield Note(Severity.WARNING, _interrupted(found), m("Run it again with more time."))
    yield Paragraph(answer(found), lead=True)
    if found.best and row.ratio is not None and row.wall_ns:
        yield from _headline(found, row, row.ratio)
    if found.choice is not None:
        text = m(
            "{ratio} of the time of the simpler plan ({plan}); the difference is not significant.",
            ratio=fmt.ratio(found.choice.ratio),
            plan=plan_words(found.rows[found.choice.over].plan, found.rows[0].plan),
        )
        yield Note(Severity.INFO, text)
    if found.before.workload.model.weights is Weights.RANDOM:
        yield Note(Severity.INFO, RANDOM_WEIGHTS)
    if judged := max((each.judged_on for each in found.rows), default=0):
        text = m(
            "Plans that learn from the texts (distil, int8-static, trim-vocabulary) are judged by their outputs on {texts} "
            "of {all} texts, from which they did not learn.",
            texts=fmt.count(judged),
            all=fmt.count(found.texts),
        )
        yield Note(Severity.INFO, text)
    for note in found.notes:
        yield Note(Severity.INFO, note)
    yield from load_notes(found.load)
    yield KeyValues(tuple(_facts(found, row)))


def _interrupted(found: Optimization) -> Text:
    if not found.best:
        return m("Interrupted before any plan appeared faster.")
    if found.rows[found.best].confirmed:
        return m("Interrupted: the best plan so far is confirmed, but not every plan was tried.")
    return m("Interrupted: the best plan so far is shown, but it was not confirmed side by side with the baseline.")


def _headline(found: Optimization, row: Row, ratio: Ratio) -> Iterator[Block]:
    """Before, after and the speedup in large, and the interval of the speedup as a picture."""
    yield Figures(
        (
            speedup_figure(ratio, plan_words(row.plan, found.rows[0].plan)),
            Headline(BEFORE, fmt.time(row.wall_ns / ratio.value), "", m("Baseline")),
            Headline(AFTER, fmt.time(row.wall_ns), "", drift_words(row.drift)),
        )
    )
    yield from speedup_drawing(ratio)


def _facts(found: Optimization, row: Row) -> Iterator[tuple[Text, Text]]:
    base = found.rows[0]
    if found.best and row.ratio is not None and row.wall_ns:
        before = row.wall_ns / row.ratio.value
        yield m("Cycle"), _pair(fmt.time(before), fmt.time(row.wall_ns))
        if found.texts > 1:
            yield m("Per text"), _pair(fmt.time(before / found.texts), fmt.time(row.wall_ns / found.texts))
            slow, fast = (fmt.significant(found.texts / ns * NS_PER_S) for ns in (before, row.wall_ns))
            yield m("Texts/s"), _pair(slow, fast)
        yield m("Peak memory"), _pair(fmt.data(base.held_bytes), fmt.data(row.held_bytes))
        yield m("Outputs"), drift_words(row.drift)
        if row.labels is not None and base.labels is not None:
            labels = _pair(str(base.labels.right), str(row.labels.right))
            yield m("Correct labels"), m("{right}, of {texts}", right=labels, texts=row.labels.texts)
        yield m("Preparation"), fmt.time(row.ready_ns)
        rounds = plural(
            "{n} round interleaved with the baseline; 99 % interval",
            "{n} rounds interleaved with the baseline; 99 % interval",
            row.rounds,
            n=fmt.count(row.rounds),
        )
        yield m("Confirmation") if row.confirmed else m("Trial"), rounds
    if (other := without_drift(found)) is not None and other.ratio is not None:
        yield (
            m("Fastest without drift"),
            m(
                "{speedup} times as fast ({low} – {high}): {plan}",
                speedup=fmt.significant(other.speed_up),
                low=fmt.significant(1 / other.ratio.high),
                high=fmt.significant(1 / other.ratio.low),
                plan=plan_words(other.plan, base.plan),
            ),
        )
    yield m("Limit"), limit_words(found.max_drift)


def without_drift(found: Optimization) -> Row | None:
    """The fastest plan that is proved and leaves the outputs the same, where the best one does not."""
    best = found.rows[found.best].drift
    if best is None or best.same:
        return None
    proved = [row for row in found.rows[1:] if row.confirmed and row.verdict is Verdict.FASTER and row.drift]
    return max((row for row in proved if row.drift and row.drift.same), key=lambda row: row.speed_up, default=None)


def _pair(before: str, after: str) -> Text:
    return m("{before} before, {after} after", before=before, after=after)


def _parts(found: Optimization) -> Iterator[Section]:
    if not found.contributions:
        return
    columns = (
        Column(m("Removed part")),
        Column(m("Time without it (×)"), Align.RIGHT),
        Column(m("Time, drawn"), html=True),
        Column("", priority=1),
    )
    best = found.rows[found.best].plan
    largest = max((part.ratio.high for part in found.contributions if part.ratio), default=1.0)
    rows = tuple(
        (
            plan_words(best, part.without),
            fmt.ratio(part.ratio) if part.ratio else fmt.UNKNOWN,
            ratio_bar(part.ratio, largest, less_is_good=False),
            PART_VERDICTS[part.verdict] if part.ratio else part.reason,
        )
        for part in found.contributions
    )
    note = m("The plan without the part ran interleaved with the whole plan.")
    yield Section("parts", m("Contribution of each part"), (Table(columns, rows), Paragraph(note, soft=True)))


def _changes(found: Optimization) -> Iterator[Section]:
    """Which work went, came or changed, from the cycles before and after."""
    title = m("Changes by kind of work")
    left = next((left for left in found.unfinished if left.phase is Phase.EXPLANATION), None)
    if left is not None:
        text = m("The faster plan was not instrumented: {reason}", reason=unfinished_words(left))
        yield Section("changes", title, (Paragraph(text),))
    if found.after is None:
        return
    between = between_label_of_both(found.before.graph, found.after.graph)
    changes = sorted(compare(found.before, found.after).kinds, key=lambda change: -abs(change.delta_ns))
    presence = {Presence.ONLY_A: m("gone"), Presence.ONLY_B: m("new"), Presence.BOTH: m("changed")}
    columns = (
        Column(m("part")),
        Column(BEFORE, Align.RIGHT),
        Column(AFTER, Align.RIGHT),
        Column(m("Change"), Align.RIGHT),
        Column("", priority=1),
    )
    rows = tuple(
        (
            part_name(change, between),
            time_cell(change.a),
            time_cell(change.b),
            fmt.time_difference(change.delta_ns),
            presence[change.presence],
        )
        for change in changes[:_MOST_CHANGES]
    )
    yield Section("changes", title, (Table(columns, rows),))


def _spent(found: Optimization) -> Section:
    """The phases on one scale, and the total beside the budget."""
    blocks: list[Block] = []
    phases = [part for part in found.spent if part.phase is not Phase.TOTAL]
    if phases:
        rows = tuple(
            Bar(
                PHASES[part.phase],
                (float(part.ns),),
                0.0,
                0.0,
                (fmt.time(part.ns) if part.ns >= _HAPPENED_NS else fmt.UNKNOWN,),
            )
            for part in phases
        )
        blocks.append(Bars(("",), (Column(m("time"), Align.RIGHT),), rows, label=m("Phase")))
    for part in found.spent:
        if part.phase is Phase.TOTAL:
            text = m("{time} of a budget of {budget}", time=fmt.time(part.ns), budget=fmt.time(found.budget_ns))
            blocks.append(KeyValues(((PHASES[Phase.TOTAL], text),)))
    return Section("budget", m("Time spent"), tuple(blocks))
