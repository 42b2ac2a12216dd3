"""The part of a cycle's page that is about text being written, and the same for the document."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from cyclescope.explaining.generation import Generation, GrowthRow, Phase, StepRow
from cyclescope.explaining.metrics.definition import Summary, Unit
from cyclescope.explaining.metrics.dialects import DialectFigure
from cyclescope.explaining.metrics.metric import PERCENTS, Metric
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
from cyclescope.report.documents import schema as doc
from cyclescope.report.page import Align, Bar, Bars, Block, Column, Heading, Note, Paragraph, Severity, Strip, Table
from cyclescope.report.words.strings import Strings

MOST_GROWING = 5
_MOST_COLUMNS = 120  # more steps are drawn in groups, each by its median
_TIMES = (Unit.NANOSECONDS, Unit.NS_PER_1000_POSITIONS)


def generation_blocks(told: Generation, s: Strings) -> Iterator[Block]:
    """Metrics, phases, steps and growth of `told`."""
    yield from _metrics(told, s)
    yield from _phases(told, s)
    yield from _steps(told.steps, s)
    yield from _growth(told, s)


def amount(value: float | None, unit: Unit, s: Strings) -> str:
    """A figure in the unit of its metric: `12.3 ms`, `456 tokens/s`."""
    if value is None:
        return fmt.UNKNOWN
    number = fmt.time(value) if unit in _TIMES else fmt.quantity(value)
    return s.unit_amounts.get(unit, "{value}").format(value=number)


def _metrics(told: Generation, s: Strings) -> Iterator[Block]:
    if not told.metrics:
        return
    yield Heading(s.generation)
    columns = (
        Column(s.models_name),
        Column(s.metric, priority=4),
        Column(s.value, Align.RIGHT),
        Column(s.interval, Align.RIGHT, priority=1),
        Column("n", Align.RIGHT, priority=3),
        *(Column(f"p{percent}", Align.RIGHT, priority=5) for percent in PERCENTS if percent > 50),
    )
    defined = [metric for metric in told.metrics if metric.figure is not None]
    yield Table(columns, tuple(_metric(metric, s) for metric in defined))
    undefined = [metric.definition.name.value for metric in told.metrics if metric.figure is None]
    if undefined:
        yield Note(Severity.INFO, s.undefined_metrics.format(names=", ".join(undefined), tokens=fmt.count(told.tokens)))
    yield Paragraph(s.metrics_defined)


def _metric(metric: Metric, s: Strings) -> tuple[str, ...]:
    unit = metric.definition.unit
    at = {percentile.percent: percentile.value for percentile in metric.percentiles}
    return (
        metric.definition.name.value,
        s.metric_names[metric.definition.name],
        value_of(metric, s),
        interval_of(metric),
        fmt.count(metric.n),
        *(amount(at.get(percent), unit, s) for percent in PERCENTS if percent > 50),
    )


def value_of(metric: Metric, s: Strings) -> str:
    """The figure of a metric in its unit; of a slope no more digits than its interval bears."""
    unit, figure = metric.definition.unit, metric.figure
    if figure is None or metric.definition.summary is not Summary.SLOPE:
        return amount(figure.value if figure else None, unit, s)
    return s.unit_amounts[unit].format(value=fmt.slope(figure.value, figure.low, figure.high)[0])


def interval_of(metric: Metric) -> str:
    """The interval of a metric as text: `±2.1 %`, two ends for a slope, `–` where there are too few runs for one."""
    figure = metric.figure
    if figure is None or not fmt.has_interval(figure.as_time):
        return fmt.UNKNOWN
    if metric.definition.summary is Summary.SLOPE:
        return fmt.slope(figure.value, figure.low, figure.high)[1]
    if metric.definition.unit in _TIMES:
        return fmt.plus_minus(figure.as_time)
    return f"±{fmt.share(figure.as_time.half_width)}"


def _phases(told: Generation, s: Strings) -> Iterator[Block]:
    if not told.phases:
        return
    yield Heading(s.phases)
    columns = (
        Column(s.time, Align.RIGHT),
        Column(s.interval, Align.RIGHT, priority=2),
        Column(s.share, Align.RIGHT, priority=1),
    )
    bars = tuple(
        Bar(
            label=s.phase_names[row.phase],
            parts=(row.op_ns, row.python_ns),
            low=row.time.low_ns,
            high=row.time.high_ns,
            cells=(fmt.time(row.time.value_ns), fmt.plus_minus(row.time), fmt.share(row.share)),
        )
        for row in told.phases
    )
    yield Bars((s.operations, s.python), columns, bars)


def _steps(steps: Sequence[StepRow], s: Strings) -> Iterator[Block]:
    decode = [step for step in steps if step.step > 0]
    if len(decode) < 2:
        return
    yield Heading(s.decode_steps)
    times = [step.time.value_ns for step in decode]
    text = s.decode_steps_text.format(
        count=fmt.count(len(decode)),
        median=fmt.time(statistics.median(times)),
        low=fmt.time(min(times)),
        high=fmt.time(max(times)),
        sample=fmt.share(sum(step.sample_ns for step in decode) / sum(times) if sum(times) else None),
        python=fmt.share(sum(step.python_ns for step in decode) / sum(times) if sum(times) else None),
    )
    yield Strip(s.phase_names[Phase.DECODE], tuple(_grouped(times)), text)
    first, last = decode[0].cache_bytes, decode[-1].cache_bytes
    if last:
        yield Paragraph(s.cache_text.format(first=fmt.data(first), last=fmt.data(last)))


def _grouped(times: Sequence[float]) -> list[float]:
    """At most `_MOST_COLUMNS` values; where there are more, the median of each few neighbours."""
    few = -(-len(times) // _MOST_COLUMNS)
    return [statistics.median(times[k : k + few]) for k in range(0, len(times), few)]


def _growth(told: Generation, s: Strings) -> Iterator[Block]:
    if not told.growth:
        return
    # What cannot be told from standing still is no finding.
    growing = [row for row in told.growth if row.grows][:MOST_GROWING]
    yield Heading(s.growth)
    if not growing:
        yield Paragraph(s.no_growth)
        return
    columns = (
        Column(s.operation),
        Column(s.growth_slope, Align.RIGHT),
        Column(s.interval, Align.RIGHT, priority=1),
        Column(s.growth_total, Align.RIGHT, priority=2),
    )
    yield Table(columns, tuple(_growing(row, s) for row in growing))


def _growing(row: GrowthRow, s: Strings) -> tuple[str, ...]:
    stage, *rest = row.name.split(" · ")
    name = " · ".join([wording.stage_name(stage, s), *rest])
    return (
        name if row.kind is not None else f"{name} · {s.python}",
        *fmt.slope(row.trend.slope * 1000, row.trend.low * 1000, row.trend.high * 1000),
        fmt.time(row.grown_ns),
    )


def generation_document(told: Generation) -> doc.GenerationReport:
    """`told` as part of the public document."""
    return doc.GenerationReport(
        sequences=told.sequences,
        tokens=told.tokens,
        metrics=[_metric_document(metric) for metric in told.metrics],
        dialects=[_dialect_document(figure) for figure in told.dialects],
        phases=[
            doc.GenerationPhase(
                name=row.phase.value,
                time_ns=row.time.value_ns,
                low_ns=fmt.ends(row.time)[0],
                high_ns=fmt.ends(row.time)[1],
                share=row.share,
                operations_ns=row.op_ns,
                python_ns=row.python_ns,
            )
            for row in told.phases
        ],
        steps=[
            doc.GenerationStep(
                step=row.step,
                position=row.position,
                time_ns=row.time.value_ns,
                low_ns=fmt.ends(row.time)[0],
                high_ns=fmt.ends(row.time)[1],
                operations_ns=row.op_ns,
                python_ns=row.python_ns,
                sample_ns=row.sample_ns,
                gap_ns=row.gap.value_ns if row.gap else None,
                gap_low_ns=fmt.ends(row.gap)[0] if row.gap else None,
                gap_high_ns=fmt.ends(row.gap)[1] if row.gap else None,
                cache_bytes=row.cache_bytes,
            )
            for row in told.steps
        ],
        growth=[
            doc.GenerationGrowth(
                name=row.name,
                kind=row.kind.value if row.kind is not None else "python",
                slope_ns=row.trend.slope,
                low_ns=fmt.ends(row.trend)[0],
                high_ns=fmt.ends(row.trend)[1],
                grown_ns=row.grown_ns,
                grows=row.grows,
            )
            for row in told.growth
        ],
    )


def _metric_document(metric: Metric) -> doc.MetricValue:
    definition, figure = metric.definition, metric.figure
    low, high = fmt.ends(figure.as_time) if figure else (None, None)
    return doc.MetricValue(
        name=definition.name.value,
        formula=definition.formula.text(),
        begin=definition.begin.value,
        end=definition.end.value,
        population=definition.population.value,
        summary=definition.summary.value,
        unit=definition.unit.value,
        n=metric.n,
        value=figure.value if figure else None,
        low=low,
        high=high,
        runs=figure.runs if figure else 0,
        mean=metric.mean,
        percentiles={f"p{percentile.percent}": percentile.value for percentile in metric.percentiles},
    )


def _dialect_document(figure: DialectFigure) -> doc.DialectValue:
    dialect = figure.dialect
    return doc.DialectValue(
        tool=dialect.tool.value,
        name=dialect.name,
        metric=dialect.metric.value,
        formula=dialect.formula.text(),
        unit=dialect.unit.value,
        label=dialect.label,
        n=figure.n,
        mean=figure.mean,
        median=figure.median,
        remarks=[remark.value for remark in dialect.remarks],
        source=dialect.source.url,
    )
