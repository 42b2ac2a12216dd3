"""The metrics of a generation: headlines, a table, and the same runs by the definitions of other tools."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.message import Series, Text, in_context, listed, m, plural, sentences
from cyclescope.explaining.generation import Generation
from cyclescope.explaining.metrics.definition import MetricName, Summary, Unit
from cyclescope.explaining.metrics.dialects import DialectFigure
from cyclescope.explaining.metrics.metric import PERCENTS, Metric, least_samples
from cyclescope.report import format as fmt
from cyclescope.report.naming.metrics import AMOUNTS, METRICS
from cyclescope.report.naming.predicting import interval_name, term
from cyclescope.report.page import (
    Align,
    Block,
    Cell,
    Column,
    Details,
    Emphasis,
    Figures,
    Headline,
    Note,
    Paragraph,
    Severity,
    Table,
)

_TIMES = (Unit.NANOSECONDS, Unit.NS_PER_1000_POSITIONS)
# The figures that stand large; all others are in the table.
_HEADLINES = (MetricName.TTFT, MetricName.TPOT, MetricName.PREFILL_THROUGHPUT, MetricName.DECODE_THROUGHPUT)


def metric_blocks(generation: Generation) -> Iterator[Block]:
    """Every metric that is defined, and the names of those that are not."""
    if not generation.metrics:
        return
    defined = [metric for metric in generation.metrics if metric.figure is not None]
    yield Figures(tuple(_headlines(defined)))
    yield _table(defined, generation.predicted)
    undefined = [metric.definition.name.value for metric in generation.metrics if metric.figure is None]
    if undefined:
        text = m(
            "Undefined at this number of tokens ({tokens}): {names}.",
            tokens=fmt.count(generation.tokens),
            names=listed(undefined),
        )
        yield Note(Severity.INFO, text)
    if any(metric.figure is not None and metric.figure.steps for metric in defined):
        runs = max(metric.figure.runs for metric in defined if metric.figure is not None and metric.figure.steps)
        yield Paragraph(
            plural(
                "{count} generation is too few for an interval; those of {names} come from its steps, in blocks, so that their dependence counts, with their growth set aside.",
                "{count} generations are too few for an interval; those of {names} come from their steps, in blocks, so that their dependence counts, with their growth set aside.",
                runs,
                count=fmt.count(runs),
                names=listed(
                    metric.definition.name.value for metric in defined if metric.figure and metric.figure.steps
                ),
            )
        )
    if generation.predicted:
        yield Paragraph(m("Predicted. Definitions here and in other tools: cyclescope define NAME"))
        return
    yield Paragraph(m("Measured in uninstrumented cycles. Definitions here and in other tools: cyclescope define NAME"))
    if generation.dialects:
        yield _dialects(generation.dialects)


PREDICTED_METRICS = m(
    "ƒ opens the formula of a metric, its points of the clock, and what other tools mean by the same name."
)


def metrics_note() -> Text:
    """Where the figures come from, and when a percentile is shown."""
    return sentences(
        m(
            "The metrics are of whole, uninstrumented cycles; phases and the parts of a step are of the instrumented runs."
        ),
        m("ƒ opens the formula of a metric, its points of the clock, and what other tools mean by the same name."),
        m(
            "A percentile is shown only where one sample is likely to lie beyond it: the median from {p50} samples, p90 from {p90}, p99 from {p99}.",
            p50=fmt.count(least_samples(50)),
            p90=fmt.count(least_samples(90)),
            p99=fmt.count(least_samples(99)),
        ),
    )


def amount(value: float | None, unit: Unit) -> Text:
    """A figure in the unit of its metric: `12.3 ms`, `456 tokens/s`."""
    if value is None:
        return fmt.UNKNOWN
    return in_unit(fmt.time(value) if unit in _TIMES else fmt.quantity(value), unit)


def in_unit(number: str, unit: Unit) -> Text:
    """A formatted number in the unit of its metric; a time has its unit already."""
    return m(AMOUNTS[unit].text, value=number) if unit in AMOUNTS else number


def _value(metric: Metric) -> Text:
    """The figure of a metric in its unit; of a slope no more digits than its interval bears."""
    unit, figure = metric.definition.unit, metric.figure
    if figure is None or metric.definition.summary is not Summary.SLOPE:
        return amount(figure.value if figure else None, unit)
    return in_unit(fmt.slope(figure.value, figure.low, figure.high)[0], unit)


def _interval(metric: Metric) -> str:
    """The interval of a metric: `±2.1 %`, two ends for a slope, `–` where there are too few runs for one."""
    figure = metric.figure
    if figure is None or not fmt.has_interval(figure.as_time):
        return fmt.UNKNOWN
    if metric.definition.summary is Summary.SLOPE:
        return fmt.slope(figure.value, figure.low, figure.high)[1]
    if metric.definition.unit in _TIMES:
        return fmt.plus_minus(figure.as_time)
    return f"±{fmt.share(figure.as_time.half_width)}"


def _term(metric: Metric) -> str:
    return f"metric-{metric.definition.name.value}"


def _percentiles(metric: Metric) -> dict[int, Text]:
    """Each of `PERCENTS`, unknown where n does not support it."""
    at = {percentile.percent: percentile.value for percentile in metric.percentiles}
    return {percent: amount(at.get(percent), metric.definition.unit) for percent in PERCENTS}


def _headlines(metrics: list[Metric]) -> Iterator[Headline]:
    """The large figures; inter-token latency is shown by its percentiles."""
    by_name = {metric.definition.name: metric for metric in metrics}
    for name in _HEADLINES:
        if name in by_name:
            metric, interval = by_name[name], _interval(by_name[name])
            beside = "" if interval == fmt.UNKNOWN else interval
            yield Headline(METRICS[name], _value(metric), beside, _n(metric), _term(metric))
    gaps = by_name.get(MetricName.ITL)
    if gaps is not None:
        percentiles = _percentiles(gaps).items()
        known = (Series((f"p{k}", value), " ") for k, value in percentiles if value != fmt.UNKNOWN)
        absent = listed(
            m("p{percent} needs {n} gaps", percent=k, n=fmt.count(least_samples(k)))
            for k, value in percentiles
            if value == fmt.UNKNOWN
        )
        yield Headline(METRICS[MetricName.ITL], Series(tuple(known), " "), absent, _n(gaps), _term(gaps))


def _n(metric: Metric) -> Text:
    return m("n = {n}", n=fmt.count(metric.n))


def _table(metrics: list[Metric], predicted: bool) -> Table:
    columns: tuple[Column, ...] = (
        Column(m("name")),
        Column(m("metric"), priority=4),
        Column(m("value"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(
            interval_name(predicted), Align.RIGHT, priority=1, term=term("interval", predicted), emphasis=Emphasis.SOFT
        ),
    )
    if not predicted:  # scenarios are no samples of a population
        columns = (
            *columns,
            Column("n", Align.RIGHT, priority=3, emphasis=Emphasis.SOFT),
            *(Column(f"p{percent}", Align.RIGHT, priority=5, html=percent <= 50) for percent in PERCENTS),
        )
    rows = tuple(
        (
            Cell(metric.definition.name.value, term=_term(metric)),
            METRICS[metric.definition.name],
            _value(metric),
            _interval(metric),
            *(() if predicted else (fmt.count(metric.n), *_percentiles(metric).values())),
        )
        for metric in metrics
    )
    return Table(columns, rows, caption=m("Metrics of the generation"))


def _dialects(figures: tuple[DialectFigure, ...]) -> Details:
    columns = (
        Column(m("tool")),
        Column(m("name there"), emphasis=Emphasis.PATH),
        Column(m("metric")),
        Column(in_context("statistics", "median"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(in_context("statistics", "mean"), Align.RIGHT),
        Column("n", Align.RIGHT, emphasis=Emphasis.SOFT),
    )
    rows = tuple(
        (
            figure.dialect.tool.value,
            figure.dialect.name,
            figure.dialect.metric.value,
            amount(figure.median, figure.dialect.unit),
            amount(figure.mean, figure.dialect.unit),
            fmt.count(figure.n),
        )
        for figure in figures
    )
    title = m("The same runs by the definitions of other tools")
    note = m("Computed from the same points of the clock; none of these tools was run.")
    return Details(title, (Paragraph(note, soft=True), Table(columns, rows, caption=title)))
