"""The old form of `report.sections.generation`, in one language, for the views of HTML."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from cyclescope.explaining.generation import Generation, GrowthRow, Phase, StepRow
from cyclescope.explaining.metrics.definition import Summary, Unit
from cyclescope.explaining.metrics.metric import PERCENTS, Metric
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
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
    where = (wording.stage_name(row.place.stage, s), row.place.path, row.place.operation)
    name = " · ".join(part for part in where if part)
    return (
        name if row.kind is not None else f"{name} · {s.python}",
        *fmt.slope(row.trend.slope * 1000, row.trend.low * 1000, row.trend.high * 1000),
        fmt.time(row.grown_ns),
    )
