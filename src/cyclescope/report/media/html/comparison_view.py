"""Two cycles side by side as one HTML file that needs nothing else: no network, no font, and no script at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cyclescope.core.statistics import Estimate
from cyclescope.explaining.changes import Change
from cyclescope.explaining.comparison import Comparison, Limit, Verdict
from cyclescope.report import format as fmt
from cyclescope.report.drawings.axis import Scale, axis
from cyclescope.report.media.html.html import asset, environment, policy
from cyclescope.report.pages import comparison as told
from cyclescope.report.words.strings import Strings
from cyclescope.report.words.text_comparison import ComparisonText, comparison_text
from cyclescope.report.words.text_engine import strings_for_both

MOST_ROWS = 30
_IN_FIGURES = 3  # the first facts, both walls and their ratio, stand above in large
# Places of the drawing of the ratio, as shares of its width: room for the last label on both sides.
_BEGIN, _END = 0.04, 0.96


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One row: a part, its times, and its bar, which grows to the right for more and to the left for less."""

    name: str
    a: str
    b: str
    delta: str
    ratio: str
    x: str
    width: str
    more: bool


@dataclass(frozen=True, slots=True)
class SectionView:
    """One partition. `rest` tells what is not in its rows, if anything."""

    anchor: str
    title: str
    rows: tuple[ChangeView, ...]
    rest: str = ""


@dataclass(frozen=True, slots=True)
class TickView:
    x: str
    label: str


@dataclass(frozen=True, slots=True)
class RatioView:
    """The interval of B ÷ A on a line, with 1 and the threshold. All are places in per cent of the width."""

    value: str
    low: str
    high: str
    length: str
    one: str
    band: str
    band_length: str
    ticks: tuple[TickView, ...]


@dataclass(frozen=True, eq=False)
class ComparisonView:
    """What the template shows, every number a text already."""

    title: str
    answer: str
    good: bool
    walls: tuple[tuple[str, str, str, str], ...]
    ratio: str
    method: str
    drawing: RatioView | None
    drawing_text: str
    limit: str
    limit_kept: bool
    facts: tuple[tuple[str, str], ...]
    differences: tuple[tuple[str, str, str], ...]
    sections: tuple[SectionView, ...]
    total: tuple[str, str, str]
    footer: str


def render_comparison(comparison: Comparison, *, lang: str = "en", limit: float | None = None) -> str:
    """`comparison` as one self-contained HTML file; with `limit` (a share) also whether it is kept.

    Raises `UsageError` for a language that there are no texts of.
    """
    s, t = strings_for_both(lang, comparison.a.graph, comparison.b.graph), comparison_text(lang)
    style = asset("page.css") + asset("comparison.css")
    page = (
        environment()
        .get_template("comparison.html.j2")
        .render(
            view=view_of(comparison, limit, s, t),
            c=comparison,
            s=s,
            t=t,
            policy=policy(style, []),
            style=Markup(style),
        )
    )
    return page.lstrip()


def view_of(comparison: Comparison, limit: float | None, s: Strings, t: ComparisonText) -> ComparisonView:
    sides = (("A", comparison.a, comparison.wall_a), ("B", comparison.b, comparison.wall_b))
    return ComparisonView(
        title=told.title(comparison, t),
        answer=told.verdict_sentence(comparison, t),
        good=comparison.verdict is Verdict.FASTER,
        walls=tuple(
            (t.wall.format(letter=letter), fmt.time(wall.value_ns), _interval(wall), cycle.workload.model.reference)
            for letter, cycle, wall in sides
        ),
        ratio=fmt.ratio(comparison.ratio),
        method=told.method(comparison, t),
        drawing=None if comparison.inconclusive_reason or comparison.noise_beyond_use else _drawing(comparison, limit),
        drawing_text=t.scale_spoken.format(
            ratio=fmt.ratio(comparison.ratio), threshold=fmt.share(comparison.threshold)
        ),
        limit="" if limit is None else told.limit_sentence(comparison, limit, t),
        limit_kept=limit is not None and comparison.slower_by_more_than(limit) is Limit.KEPT,
        facts=told.facts(comparison, s, t)[_IN_FIGURES:],
        differences=tuple(
            (told.aspect_name(d, t), d.a or fmt.UNKNOWN, d.b or fmt.UNKNOWN) for d in comparison.differences
        ),
        sections=tuple(_sections(comparison, s, t)),
        total=(
            fmt.time(comparison.attributed_a_ns),
            fmt.time(comparison.attributed_b_ns),
            fmt.time_difference(comparison.attributed_delta_ns),
        ),
        footer=t.footer.format(version=comparison.b.version, a=comparison.a.taken_at, b=comparison.b.taken_at),
    )


def _interval(wall: Estimate) -> str:
    return fmt.time_range(wall.low_ns, wall.high_ns) if fmt.has_interval(wall) else ""


def _sections(comparison: Comparison, s: Strings, t: ComparisonText) -> Iterator[SectionView]:
    if not comparison.stages:
        return
    # One scale for all, so that bars of different tables can be held against each other.
    largest = max(abs(change.delta_ns) for part in (comparison.stages, comparison.kinds) for change in part)
    layers = [change for change in comparison.layers if change.layer is not None]
    for anchor, title, changes in (
        ("stages", t.stages, comparison.stages),
        ("layers", t.layers, layers),
        ("kinds", t.kinds, [change for change in comparison.kinds if change.delta_ns]),
        ("operations", t.operations, comparison.operations),
    ):
        if not changes:
            continue
        shown, others = changes[:MOST_ROWS], changes[MOST_ROWS:]
        change = fmt.time_difference(sum(other.delta_ns for other in others))
        rest = t.more_places.format(count=fmt.count(len(others)), change=change) if others else ""
        yield SectionView(anchor, title, tuple(_row(change, largest, s, t) for change in shown), rest)


def _row(change: Change, largest: float, s: Strings, t: ComparisonText) -> ChangeView:
    part = min(1.0, abs(change.delta_ns) / largest) / 2 if largest else 0.0
    more = change.delta_ns > 0
    scale = Scale(0.0, 1.0, 0.0, 1.0)
    return ChangeView(
        name=told.part_name(change, s, t) + (told.often(change) if change.kind else ""),
        a=told.time_cell(change, "a"),
        b=told.time_cell(change, "b"),
        delta=fmt.time_difference(change.delta_ns),
        ratio=told.ratio_cell(change, t),
        x=scale.per_cent(0.5 if more else 0.5 - part),
        width=scale.per_cent(part),
        more=more,
    )


def _drawing(comparison: Comparison, limit: float | None) -> RatioView:
    ratio, upper = comparison.ratio, 1 + comparison.threshold
    lower = 1 / upper
    ends = [ratio.low, ratio.high, lower, upper, *([1 + limit] if limit is not None else [])]
    marks = axis(min(ends), max(ends))
    scale = Scale(min(marks[0], *ends), max(marks[-1], *ends), _BEGIN, _END)
    length = Scale(0.0, scale.high - scale.low, 0.0, _END - _BEGIN)
    return RatioView(
        value=scale.per_cent(ratio.value),
        low=scale.per_cent(ratio.low),
        high=scale.per_cent(ratio.high),
        length=length.per_cent(ratio.high - ratio.low),
        one=scale.per_cent(1.0),
        band=scale.per_cent(lower),
        band_length=length.per_cent(upper - lower),
        ticks=_ticks(scale, marks),
    )


def _ticks(scale: Scale, marks: Sequence[float]) -> tuple[TickView, ...]:
    return tuple(TickView(scale.per_cent(mark), fmt.times(mark)) for mark in marks)
