"""The page about two cycles: the verdict first, how sure it is, what is not the same, and what made the difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cyclescope.explaining.changes import Change, Presence
from cyclescope.explaining.comparison import Aspect, Comparison, Difference, Limit, Verdict
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
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
from cyclescope.report.words.strings import Strings
from cyclescope.report.words.text_comparison import ComparisonText, comparison_text
from cyclescope.report.words.text_engine import strings_for_both

MOST_PLACES = 10
# Up to here every layer gets a row of its own.
_FEW_LAYERS = 6
# What differs between two runs without being a way to run a model, and how many ways a title has room for.
_NO_WAY = {Aspect.MODEL, Aspect.PACKAGE, Aspect.VERSION}
_FEW_WAYS = 3
_SEVERITY = {Limit.KEPT: Severity.GOOD, Limit.EXCEEDED: Severity.WARNING, Limit.UNKNOWN: Severity.WARNING}


def comparison_page(comparison: Comparison, language: str = "en", limit: float | None = None) -> Page:
    """What `comparison` says, for any medium; with `limit` (a share) also whether B is slower by more than that.

    Raises `UsageError` for a language that there are no texts of.
    """
    s, t = strings_for_both(language, comparison.a.graph, comparison.b.graph), comparison_text(language)
    blocks = [
        *_opening(comparison, limit, s, t),
        *_differences(comparison, t),
        *_parts(comparison, s, t),
    ]
    return page_of(title(comparison, t), tuple(blocks))


def title(comparison: Comparison, t: ComparisonText) -> str:
    """Both models; of one model in two ways, what is not the same about them."""
    a, b = comparison.a.workload.model.reference, comparison.b.workload.model.reference
    ways = [d for d in comparison.differences if d.aspect not in _NO_WAY][:_FEW_WAYS]
    if a != b or not ways:
        return t.title.format(a=a, b=b)
    of_a, of_b = (
        t.separator.join(f"{aspect_name(way, t)} {getattr(way, side) or fmt.UNKNOWN}" for way in ways) for side in "ab"
    )
    return t.title_ways.format(model=a, a=of_a, b=of_b)


def verdict_sentence(comparison: Comparison, t: ComparisonText) -> str:
    """The one sentence that the page exists for."""
    templates = {Verdict.SLOWER: t.slower, Verdict.FASTER: t.faster}
    template = t.no_verdict[comparison.why] if comparison.why else templates[comparison.verdict]
    return template.format(
        a=fmt.time(comparison.wall_a.value_ns),
        b=fmt.time(comparison.wall_b.value_ns),
        ratio=fmt.ratio(comparison.ratio),
        threshold=fmt.share(comparison.threshold),
        noise=fmt.share(comparison.noise_beyond_use),
        n=fmt.count(comparison.ratio.n),
    )


def limit_sentence(comparison: Comparison, limit: float, t: ComparisonText) -> str:
    return t.limit[comparison.slower_by_more_than(limit)].format(limit=fmt.share(limit))


def method(comparison: Comparison, t: ComparisonText) -> str:
    """How both were measured, and what that does to the interval."""
    if comparison.interleaved:
        return t.in_turns.format(n=fmt.count(comparison.ratio.n)) + _turns(comparison, t)
    return t.apart.format(between=fmt.share(comparison.between_runs))


def _turns(comparison: Comparison, t: ComparisonText) -> str:
    """Why there are not as many cycles of both: a turn is some time, and of the shorter ones more fit into it."""
    turns = max(1, 2 * comparison.ratio.n)  # A B B A: two of each in a round
    a, b = (max(1, round(wall.n / turns)) for wall in (comparison.wall_a, comparison.wall_b))
    return "" if a == b else t.turns.format(a=fmt.count(a), b=fmt.count(b))


def facts(comparison: Comparison, s: Strings, t: ComparisonText) -> tuple[tuple[str, str], ...]:
    """Both times, their ratio and how it came about, as labels and values."""
    confidence = fmt.share(comparison.confidence)
    return (
        (t.wall.format(letter="A"), f"{fmt.estimate(comparison.wall_a)} (n = {fmt.count(comparison.wall_a.n)})"),
        (t.wall.format(letter="B"), f"{fmt.estimate(comparison.wall_b)} (n = {fmt.count(comparison.wall_b.n)})"),
        (t.ratio, _ratio_value(comparison, confidence, t)),
        (t.threshold, t.threshold_value.format(threshold=fmt.share(comparison.threshold))),
        (t.how, method(comparison, t)),
        *((label, value) for label, value in _shared_facts(comparison, s)),
    )


def _ratio_value(comparison: Comparison, confidence: str, t: ComparisonText) -> str:
    told = fmt.ratio(comparison.ratio)
    return t.ratio_value.format(ratio=told, confidence=confidence) if comparison.ratio.has_interval else told


def _shared_facts(comparison: Comparison, s: Strings) -> Iterator[tuple[str, str]]:
    """What ran, where it is the same on both sides; the rest stands among the differences."""
    of_b = wording.facts(comparison.b, s)
    return (fact for fact in wording.facts(comparison.a, s) if fact in of_b and fact[0] != s.outcome)


def aspect_name(difference: Difference, t: ComparisonText) -> str:
    """What is not the same; a package by its name."""
    if difference.aspect is Aspect.PACKAGE:
        return t.package.format(name=difference.name)
    return t.aspects[difference.aspect]


def part_name(change: Change, s: Strings, t: ComparisonText) -> str:
    """A part in the reader's language: a stage, a layer, a kind of work, or a place with its operation."""
    stage = wording.stage_name(change.stage, s) if change.stage else ""
    if change.layer is not None:
        return t.layer.format(stage=stage, layer=change.layer)
    if change.kind is not None and not stage:
        return s.kind_names[change.kind]
    if change.kind is not None:
        here = _place(change.name, s)
        return t.renamed.format(a=here, b=_place(change.renamed, s)) if change.renamed else here
    if change.name == change.stage:
        return stage
    return " · ".join(part for part in (stage, s.python) if part)


def _place(name: str, s: Strings) -> str:
    """`encode · attention.self.query (linear)`: stage, path within the layer, operation."""
    stage, *path = name.split(" · ")
    where = [wording.stage_name(stage, s), *path[:-1]]
    return f"{' · '.join(where)} ({path[-1]})" if path else where[0]


def often(change: Change) -> str:
    """How many operations a group has: ` × 12`, or ` × 12 → 6` where they are not as many on both sides."""
    if max(change.operations_a, change.operations_b) < 2:
        return ""
    if change.presence is not Presence.BOTH or change.operations_a == change.operations_b:
        return f" × {fmt.count(max(change.operations_a, change.operations_b))}"
    return f" × {fmt.count(change.operations_a)} → {fmt.count(change.operations_b)}"


def ratio_cell(change: Change, t: ComparisonText) -> str:
    if change.presence is not Presence.BOTH:
        return t.only_a if change.presence is Presence.ONLY_A else t.only_b
    return fmt.ratio(change.ratio) if change.ratio else fmt.UNKNOWN


def time_cell(change: Change, side: str) -> str:
    estimate = change.a if side == "a" else change.b
    return fmt.time(estimate.value_ns) if estimate else fmt.UNKNOWN


def changed(change: Change) -> bool:
    """Whether the change is beyond its interval, which too few samples do not have."""
    ratio = change.ratio
    return ratio is None or (ratio.has_interval and (ratio.low > 1 or ratio.high < 1))


def _opening(comparison: Comparison, limit: float | None, s: Strings, t: ComparisonText) -> Iterator[Block]:
    yield Paragraph(verdict_sentence(comparison, t), lead=True)
    if limit is not None:
        yield Note(_SEVERITY[comparison.slower_by_more_than(limit)], limit_sentence(comparison, limit, t))
    if not comparison.interleaved:
        yield Note(Severity.WARNING, t.apart_note, t.apart_remedy)
    yield KeyValues(facts(comparison, s, t))


def _differences(comparison: Comparison, t: ComparisonText) -> Iterator[Block]:
    if not comparison.differences:
        yield Paragraph(t.no_differences)
        return
    yield Heading(t.differences)
    rows = tuple((aspect_name(d, t), d.a or fmt.UNKNOWN, d.b or fmt.UNKNOWN) for d in comparison.differences)
    yield Table((Column(t.aspect), Column("A"), Column("B")), rows)


def _parts(comparison: Comparison, s: Strings, t: ComparisonText) -> Iterator[Block]:
    if not comparison.stages:
        yield Note(Severity.INFO, t.no_parts)
        return
    yield Heading(t.stages)
    total = (
        t.attributed,
        fmt.time(comparison.attributed_a_ns),
        fmt.time(comparison.attributed_b_ns),
        fmt.time_difference(comparison.attributed_delta_ns),
        fmt.times(comparison.attributed_b_ns / comparison.attributed_a_ns if comparison.attributed_a_ns else None),
    )
    yield _table(comparison.stages, s, t, total)
    layers = [change for change in comparison.layers if change.layer is not None]
    if layers:
        yield Heading(t.layers)
        if len(layers) > _FEW_LAYERS:
            count = sum(map(changed, layers))
            known = any(change.ratio is None or change.ratio.has_interval for change in layers)
            template = (t.layers_changed if count else t.layers_same) if known else t.layers_few
            yield Paragraph(template.format(changed=fmt.count(count), count=fmt.count(len(layers))))
            shown = [change for change in layers if changed(change)] or layers
            layers = sorted(shown, key=lambda change: -abs(change.delta_ns))[:_FEW_LAYERS]
        yield _table(layers, s, t)
    yield Heading(t.kinds)
    yield _table([change for change in comparison.kinds if change.delta_ns], s, t)
    yield Heading(t.operations)
    others = comparison.operations[MOST_PLACES:]
    yield _table(comparison.operations[:MOST_PLACES], s, t)
    if others:
        rest = fmt.time_difference(sum(change.delta_ns for change in others))
        yield Paragraph(t.more_places.format(count=fmt.count(len(others)), change=rest))
    yield Paragraph(t.parts_note)


def _table(changes: Iterable[Change], s: Strings, t: ComparisonText, total: tuple[str, ...] | None = None) -> Table:
    columns = (
        Column(t.part),
        Column("A", Align.RIGHT, priority=2),
        Column("B", Align.RIGHT, priority=2),
        Column(t.change, Align.RIGHT),
        Column(t.ratio, Align.RIGHT, priority=1),
    )
    rows = [_row(change, s, t) for change in changes]
    return Table(columns, (*rows, total) if total else tuple(rows), total=total is not None)


def _row(change: Change, s: Strings, t: ComparisonText) -> tuple[str, ...]:
    name = part_name(change, s, t) + (often(change) if change.kind else "")
    delta = fmt.time_difference(change.delta_ns)
    return (name, time_cell(change, "a"), time_cell(change, "b"), delta, ratio_cell(change, t))
