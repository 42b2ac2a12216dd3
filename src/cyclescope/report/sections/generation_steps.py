"""The decode steps of a generation: their time over the position, their cache, and what grows."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Message, Series, Text, listed, m, plural, sentences
from cyclescope.core.prediction import COVERAGE
from cyclescope.explaining.generation import Generation, GrowthRow, Phase, StepRow
from cyclescope.explaining.metrics.definition import MetricName, Unit
from cyclescope.report import format as fmt
from cyclescope.report.drawings.curve import Curve, Point, curve
from cyclescope.report.naming.between import between_label, between_operations, between_short
from cyclescope.report.naming.phases import PHASES
from cyclescope.report.naming.predicting import interval_name
from cyclescope.report.naming.stages import stage_name
from cyclescope.report.page import (
    Align,
    Block,
    Column,
    Details,
    Drawing,
    Emphasis,
    Heading,
    Paragraph,
    Strip,
    Table,
)
from cyclescope.report.sections.generation_metrics import in_unit

MOST_GROWING = 5
_MOST_COLUMNS = 120  # more steps are drawn in groups, each by its median


@dataclass(frozen=True, slots=True)
class GrowthCurve:
    """The drawing `curve`: `spoken` [points] says each point, `trend` the fitted line, which `term` defines."""

    curve: Curve
    spoken: tuple[Text, ...]
    cache: Text
    trend: Text
    term: str
    notes: Text


def step_blocks(generation: Generation, graph: Graph) -> Iterator[Block]:
    """The decode steps as a strip or a curve, and as a table; nothing where there are fewer than two."""
    decode = [step for step in generation.steps if step.step > 0]
    drawn = curve(generation.steps)
    if drawn is None:
        return
    yield Heading(m("Decode steps"))
    times = [step.time.value_ns for step in decode]
    text, cache = _in_words(decode, graph), _cache(decode)
    growth = any(metric.definition.name is MetricName.GROWTH and metric.figure for metric in generation.metrics)
    value = GrowthCurve(
        drawn,
        tuple(map(_spoken, drawn.points)),
        cache,
        _trend(drawn, generation.predicted),
        f"metric-{MetricName.GROWTH.value}" if growth else "",
        sentences(*_notes(drawn, generation.predicted)),
    )
    yield Strip(PHASES[Phase.DECODE], tuple(_grouped(times)), text, Drawing("curve", value, text))
    if cache:
        yield Paragraph(cache)
    yield Details(m("All decode steps as a table"), (_table(drawn.points, graph, generation.predicted),), printed=True)


def _in_words(decode: Sequence[StepRow], graph: Graph) -> Text:
    times = [step.time.value_ns for step in decode]
    return plural(
        "{n} decode step: median {median}, from {low} to {high}; choosing the token takes {sample} of it, {between} {share}",
        "{n} decode steps: median {median}, from {low} to {high}; choosing the token takes {sample} of it, {between} {share}",
        len(decode),
        n=fmt.count(len(decode)),
        median=fmt.time(statistics.median(times)),
        low=fmt.time(min(times)),
        high=fmt.time(max(times)),
        sample=fmt.share(sum(step.sample_ns for step in decode) / sum(times) if sum(times) else None),
        between=between_operations(graph),
        share=fmt.share(sum(step.python_ns for step in decode) / sum(times) if sum(times) else None),
    )


def _cache(decode: Sequence[StepRow]) -> Text:
    first, last = decode[0].cache_bytes, decode[-1].cache_bytes
    if not last:
        return ""
    return m(
        "The first decode step reads {first} of cache from earlier steps, the last {last}.",
        first=fmt.data(first),
        last=fmt.data(last),
    )


def _grouped(times: Sequence[float]) -> list[float]:
    """At most `_MOST_COLUMNS` values; where there are more, the median of each few neighbours."""
    few = -(-len(times) // _MOST_COLUMNS)
    return [statistics.median(times[k : k + few]) for k in range(0, len(times), few)]


def _spoken(point: Point) -> Text:
    """One step in one line."""
    time = fmt.time(point.time.value_ns)
    if fmt.has_interval(point.time):
        time = f"{time} {fmt.time_range(point.time.low_ns, point.time.high_ns)}"
    step = m(
        "step {step}, position {position}: {time}",
        step=fmt.count(point.step.step),
        position=fmt.count(point.step.position),
        time=time,
    )
    cache = m("cache {bytes}", bytes=fmt.data(point.step.cache_bytes)) if point.step.cache_bytes else ""
    return listed((step, cache))


def _trend(drawn: Curve, predicted: bool) -> Text:
    """The slope of the fitted line in words, or nothing."""
    if drawn.trend is None:
        return ""
    scale = Unit.NS_PER_1000_POSITIONS.scale
    number, ends = fmt.slope(drawn.trend.slope * scale, drawn.trend.low * scale, drawn.trend.high * scale)
    slope = in_unit(number, Unit.NS_PER_1000_POSITIONS)
    if predicted:
        return m("Fitted slope (Theil–Sen): {slope}.", slope=slope)
    return m("Fitted slope (Theil–Sen): {slope}, 95 % interval {interval}.", slope=slope, interval=ends)


def _notes(drawn: Curve, predicted: bool) -> Iterator[Message]:
    """How the curve is to be read."""
    if predicted:
        yield m("Each point is the predicted time from one token to the next.")
    elif drawn.unprofiled:
        yield m("Each point is the time from one token to the next in uninstrumented runs, as a median over the runs.")
    else:
        yield m("Each point is the time of a step in the instrumented runs.")
    n = min(point.time.n for point in drawn.points)
    if predicted and fmt.has_interval(drawn.points[0].time):
        yield m("The upright line through a point holds {share} of the scenarios.", share=fmt.share(COVERAGE))
    elif n > 1 and fmt.has_interval(drawn.points[0].time):
        yield m("The upright line through a point is its 95 % interval (n = {n}).", n=fmt.count(n))
    elif n > 1:
        yield m(
            "The upright line through a point is the range of the runs (n = {n}, too few for an interval).",
            n=fmt.count(n),
        )
    if drawn.grouped > 1:
        yield m("Of each {few} neighbouring steps the one in the middle is drawn.", few=fmt.count(drawn.grouped))
    if not drawn.from_zero:
        yield m("The axis of the time does not begin at zero.")


def _table(points: Sequence[Point], graph: Graph, predicted: bool) -> Table:
    columns = (
        Column(m("step")),
        Column(m("position"), Align.RIGHT),
        Column(m("token to token"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(interval_name(predicted), Align.RIGHT, emphasis=Emphasis.SOFT),
        Column(m("in operations"), Align.RIGHT),
        Column(between_short(graph), Align.RIGHT),
        Column(m("choosing the token"), Align.RIGHT),
        Column(m("cache read"), Align.RIGHT),
    )
    rows = tuple(
        (
            fmt.count(point.step.step),
            fmt.count(point.step.position),
            fmt.time(point.time.value_ns),
            fmt.plus_minus(point.time),
            fmt.time(point.step.op_ns),
            fmt.time(point.step.python_ns),
            fmt.time(point.step.sample_ns),
            fmt.data(point.step.cache_bytes),
        )
        for point in points
    )
    caption = m("Decode steps: from token to token in uninstrumented runs, the parts in instrumented runs")
    if predicted:
        caption = m("Decode steps, predicted")
    return Table(columns, rows, caption=caption)


def growth_blocks(generation: Generation, graph: Graph) -> Iterator[Block]:
    """The places that grow most; what does not differ from no growth is left out."""
    if not generation.growth:
        return
    growing = [row for row in generation.growth if row.grows][:MOST_GROWING]
    yield Heading(m("Growth from step to step"))
    if not growing:
        flat = m("No operation grows from step to step.")
        yield Paragraph(
            flat if generation.predicted else m("No operation grows beyond the variation of the measurement.")
        )
        return
    columns = (
        Column(m("operation")),
        Column(m("per 1000 positions"), Align.RIGHT, emphasis=Emphasis.STRONG),
        # The interval of a slope tells chance from growth, of which a prediction has none.
        *(
            ()
            if generation.predicted
            else (Column(m("95 % interval"), Align.RIGHT, priority=1, emphasis=Emphasis.SOFT),)
        ),
        Column(m("in this run"), Align.RIGHT, priority=2),
    )
    rows = tuple(_growing(row, graph, generation.predicted) for row in growing)
    yield Table(columns, rows, caption=m("Places whose time grows with the position"))


def _growing(row: GrowthRow, graph: Graph, predicted: bool) -> tuple[Text, ...]:
    between = between_label(graph) if row.kind is None else ""
    slope = fmt.slope(row.trend.slope * 1000, row.trend.low * 1000, row.trend.high * 1000)
    return (
        Series((stage_name(row.place.stage), row.place.path, row.place.operation, between), " · "),
        *((fmt.time(row.trend.slope * 1000),) if predicted else slope),
        fmt.time(row.grown_ns),
    )
