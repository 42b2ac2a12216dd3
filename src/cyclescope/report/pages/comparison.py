"""The page about two cycles: the verdict first, how sure it is, what differs in their setup, and what changed."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.message import Series, Text, listed, m, plural
from cyclescope.core.statistics import Estimate
from cyclescope.explaining.comparison import Aspect, Comparison, Limit
from cyclescope.report import format as fmt
from cyclescope.report.drawings.interval import interval_shape
from cyclescope.report.naming.comparing import aspect_name, limit_kept, verdict
from cyclescope.report.naming.importing import is_imported, taken
from cyclescope.report.naming.predicting import held, is_predicted
from cyclescope.report.naming.work import work_facts
from cyclescope.report.page import (
    Block,
    Column,
    Drawing,
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
from cyclescope.report.sections.changes import change_sections

# What differs between two runs without being a way to run a model, and how many ways a title has room for.
_NO_WAY = {Aspect.MODEL, Aspect.PACKAGE, Aspect.VERSION}
_FEW_WAYS = 3
_SEVERITY = {Limit.KEPT: Severity.GOOD, Limit.EXCEEDED: Severity.WARNING, Limit.UNKNOWN: Severity.WARNING}


def comparison_page(comparison: Comparison, limit: float | None = None) -> Page:
    """What `comparison` says; with `limit` (a share) also whether B is slower by more than that."""
    sections = (*_differences(comparison), *change_sections(comparison))
    return Page(
        title(comparison),
        tuple(_opening(comparison, limit)),
        sections,
        kind="comparison",
        footer=_footer(comparison),
    )


def _footer(comparison: Comparison) -> Text:
    """When each of the two was measured, or predicted."""
    when = {
        "a": comparison.a.taken_at,
        "b": comparison.b.taken_at,
        "version": comparison.b.version,
    }
    if is_imported(comparison.a) or is_imported(comparison.b):
        how = {"how_a": taken(comparison.a), "how_b": taken(comparison.b)}
        return m("A {how_a} {a}, B {how_b} {b}, with cyclescope {version}.", **when, **how)
    match is_predicted(comparison.a), is_predicted(comparison.b):
        case False, False:
            return m("A measured {a}, B measured {b}, with cyclescope {version}.", **when)
        case True, False:
            return m("A predicted {a}, B measured {b}, with cyclescope {version}.", **when)
        case False, True:
            return m("A measured {a}, B predicted {b}, with cyclescope {version}.", **when)
    return m("A predicted {a}, B predicted {b}, with cyclescope {version}.", **when)


def predicted_sides(comparison: Comparison) -> Text:
    """Which of the two is a prediction, and what the interval is then."""
    if is_predicted(comparison.a) and is_predicted(comparison.b):
        return m("both are predicted; the interval is that of their errors on unseen cycles, taken for independent")
    letter = "A" if is_predicted(comparison.a) else "B"
    return m("{letter} is predicted; the interval is that of its error on unseen cycles", letter=letter)


def title(comparison: Comparison) -> Text:
    """Both models; of one model in two ways, what differs between them."""
    a, b = comparison.a.workload.model.reference, comparison.b.workload.model.reference
    ways = [d for d in comparison.differences if d.aspect not in _NO_WAY][:_FEW_WAYS]
    if a != b or not ways:
        return m("{a} (A) and {b} (B)", a=a, b=b)
    of_a, of_b = (
        listed(Series((aspect_name(way), getattr(way, side) or fmt.UNKNOWN), " ") for way in ways) for side in "ab"
    )
    return m("{model}: {a} (A) and {b} (B)", model=a, a=of_a, b=of_b)


def method(comparison: Comparison) -> Text:
    """How both were measured, and what that does to the interval."""
    if comparison.predicts:
        return predicted_sides(comparison)
    if is_imported(comparison.a) or is_imported(comparison.b):
        return m(
            "{a} and {b}; the interval is widened by {between} for run-to-run variation",
            a=m("A {how}", how=taken(comparison.a)),
            b=m("B {how}", how=taken(comparison.b)),
            between=fmt.share(comparison.between_runs),
        )
    if not comparison.interleaved:
        return m(
            "measured separately; the interval is widened by {between} for run-to-run variation",
            between=fmt.share(comparison.between_runs),
        )
    rounds = comparison.ratio.n
    how = plural(
        "interleaved, A B B A, {n} round: machine drift cancels",
        "interleaved, A B B A, {n} rounds: machine drift cancels",
        rounds,
        n=fmt.count(rounds),
    )
    turns = max(1, 2 * rounds)  # A B B A: two of each in a round
    a, b = (max(1, round(wall.n / turns)) for wall in (comparison.wall_a, comparison.wall_b))
    if a == b:
        return how
    return m(
        "{how}; each turn runs {a} × A or {b} × B, more of the shorter one", how=how, a=fmt.count(a), b=fmt.count(b)
    )


def _opening(comparison: Comparison, limit: float | None) -> Iterator[Block]:
    yield Paragraph(verdict(comparison), lead=True)
    if comparison.checked is not None:
        checked = comparison.checked
        severity = Severity.WARNING if checked.held is False else Severity.GOOD if checked.held else Severity.INFO
        yield Note(severity, held(checked.error, checked.held))
    yield _figures(comparison)
    if comparison.inconclusive_reason is None and not comparison.noise_beyond_use:
        yield _interval(comparison, limit)
    if limit is not None:
        yield Note(_SEVERITY[comparison.slower_by_more_than(limit)], limit_kept(comparison, limit))
    if not comparison.interleaved and not comparison.predicts:
        yield Note(
            Severity.WARNING,
            m(
                "A and B were measured separately. Changes of the machine between the two runs look like a difference "
                "between A and B."
            ),
            ""
            if is_imported(comparison.a) or is_imported(comparison.b)
            else m("For small differences, name both models instead of files: cyclescope then interleaves their runs."),
        )
    if not comparison.stages:
        yield Note(
            Severity.INFO, m("One of the two cycles has no instrumented run, so the change of each part is unknown.")
        )
    yield from _unpriced(comparison)
    yield KeyValues(tuple(_facts(comparison)))


def _unpriced(comparison: Comparison) -> Iterator[Note]:
    """For each cycle with operations of unknown arithmetic, how many they are."""
    for letter, cycle in (("A", comparison.a), ("B", comparison.b)):
        if count := len(cycle.graph.unpriced):
            text = plural(
                "FLOPs unknown for {n} operation of {letter}: its FLOPs are a lower bound. Times are not affected.",
                "FLOPs unknown for {n} operations of {letter}: its FLOPs are a lower bound. Times are not affected.",
                count,
                letter=letter,
            )
            yield Note(Severity.INFO, text)


def _figures(comparison: Comparison) -> Figures:
    return Figures(
        (
            *(
                Headline(label, fmt.time(wall.value_ns), _range(wall), cycle.workload.model.reference)
                for label, wall, cycle in (
                    (_wall("A"), comparison.wall_a, comparison.a),
                    (_wall("B"), comparison.wall_b, comparison.b),
                )
            ),
            Headline(m("B ÷ A"), *fmt.ratio_parts(comparison.ratio), method(comparison)),
        )
    )


def _wall(letter: str) -> Text:
    return m("wall time {letter}", letter=letter)


def _range(wall: Estimate) -> str:
    return fmt.time_range(wall.low_ns, wall.high_ns) if fmt.has_interval(wall) else ""


def _interval(comparison: Comparison, limit: float | None) -> Drawing:
    shape = interval_shape(
        comparison.ratio,
        comparison.threshold,
        [] if limit is None else [1 + limit],
        m("B ÷ A with its interval; the band is the threshold"),
    )
    return Drawing(
        "interval",
        shape,
        m(
            "B ÷ A is {ratio}; the threshold is {threshold}.",
            ratio=fmt.ratio(comparison.ratio),
            threshold=fmt.share(comparison.threshold),
        ),
    )


def _facts(comparison: Comparison) -> Iterator[tuple[Text, Text]]:
    """Both times, their ratio and how it came about, and what both cycles ran."""
    for letter, wall, cycle in (("A", comparison.wall_a, comparison.a), ("B", comparison.wall_b, comparison.b)):
        if is_predicted(cycle):
            yield _wall(letter), m("{wall}, predicted", wall=fmt.estimate(wall))
        else:
            yield _wall(letter), f"{fmt.estimate(wall)} (n = {fmt.count(wall.n)})"
    ratio: Text = fmt.ratio(comparison.ratio)
    if comparison.ratio.has_interval:
        ratio = m("{ratio}, {confidence} interval", ratio=ratio, confidence=fmt.share(comparison.confidence))
    yield m("B ÷ A"), ratio
    yield (
        m("threshold"),
        m("{threshold}; the whole interval must lie beyond it", threshold=fmt.share(comparison.threshold)),
    )
    yield m("method"), method(comparison)
    of_b = work_facts(comparison.b)
    yield from (fact for fact in work_facts(comparison.a) if fact in of_b)


def _differences(comparison: Comparison) -> Iterator[Section]:
    rows = tuple((aspect_name(d), d.a or fmt.UNKNOWN, d.b or fmt.UNKNOWN) for d in comparison.differences)
    block = (
        Table((Column(m("setting")), Column("A"), Column("B")), rows)
        if rows
        else Paragraph(m("Only the times differ: model, input, plan, machine and versions are the same."))
    )
    yield Section("differences", m("Setup differences"), (block,))
