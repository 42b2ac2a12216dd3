"""The generation of text, as part of the document about a cycle."""

from __future__ import annotations

from pydantic import Field

from cyclescope.explaining.generation import Generation, GrowthRow, Phase, PhaseRow, StepRow
from cyclescope.explaining.metrics.definition import MetricName, Population, Summary, Unit
from cyclescope.explaining.metrics.dialects import DialectFigure
from cyclescope.explaining.metrics.metric import IntervalSource, Metric
from cyclescope.report.documents.figures import DocumentPart, Figure, Share, Text, Time, seconds

# The unit of a metric in a document, and by what its values are multiplied for it.
UNITS = {
    Unit.NANOSECONDS: ("s", 1e-9),
    Unit.NS_PER_1000_POSITIONS: ("s/position", 1e-12),
    Unit.TOKENS_PER_S: ("tokens/s", 1.0),
    Unit.SEQUENCES_PER_S: ("sequences/s", 1.0),
}


class MetricPart(DocumentPart):
    """One metric of a generation, over uninstrumented cycles."""

    name: MetricName = Field(description="`cyclescope define NAME` explains it")
    formula: Text
    begin: Text = Field(description="point of the clock at which it begins")
    end: Text = Field(description="point of the clock at which it ends")
    population: Population = Field(description="what one sample is: runs, gaps (between tokens, all runs) or steps")
    summary: Summary = Field(description="median, or slope over the position (Theil–Sen)")
    figure: Figure | None = Field(
        description="the summary of its n samples; null where it is undefined, which is not zero"
    )
    runs: int = Field(description="independent runs (for a slope: points)")
    interval_from: IntervalSource = Field(
        description="runs, or steps (of fewer than six runs, in blocks), or none where there is no interval"
    )
    unit: Text = Field(description="unit of mean and percentiles")
    mean: float | None = Field(description="mean of the samples, in unit; null for a slope")
    percentiles: dict[str, float] = Field(description="p50, p90 and p99 in unit, each only where n supports it")


class DialectPart(DocumentPart):
    """What another tool would report of the same generations, by its own definition."""

    tool: Text
    name: Text = Field(description="what the tool calls it")
    metric: MetricName = Field(description="our metric of that name or meaning")
    formula: Text
    unit: Text = Field(description="unit of mean and median")
    label: Text = Field(description="unit as the tool prints it")
    n: int = Field(description="number of samples")
    mean: float | None = Field(description="mean of the samples in unit, or the tool's one figure over all requests")
    median: float | None = Field(description="median of the samples in unit; null where the tool has one figure")
    remarks: list[Text] = Field(description="stable codes of what sets the definition apart")
    source: Text = Field(description="URL of the code that it was read in")


class PhasePart(DocumentPart):
    """One phase of a generation; the phases add up to closure.attributed_s. time.value = operations_s + python_s."""

    name: Phase
    time: Time
    share: Share
    operations_s: float = Field(description="s inside operations")
    python_s: float = Field(description="s of Python between operations")


class Step(DocumentPart):
    """One forward pass and the choice of a token after it; step 0 is the prefill. time.value = operations_s + python_s."""

    step: int = Field(description="number of the step, from 0")
    position: int = Field(
        description="tokens that the decoder had seen before the one that this step reads; prefill: 0"
    )
    time: Time
    operations_s: float = Field(description="s inside operations")
    python_s: float = Field(description="s of Python between operations")
    sample_s: float = Field(description="s of time after the forward pass: choosing the token")
    gap: Time | None = Field(
        description="from the token before to this step's token, uninstrumented; null for the prefill"
    )
    cache_bytes: int = Field(description="bytes that this step reads, in layers, of what earlier steps wrote there")


class Growth(DocumentPart):
    """How the time of one place grows over the decode steps, the steepest first."""

    name: Text = Field(description="place as in places, or a stage for the Python time in it")
    kind: Text = Field(description="kind of the operations, or python")
    slope: Figure = Field(description="s/position (Theil–Sen), interval by Sen; n counts steps")
    grown_s: float = Field(description="s; slope × positions between the first and the last decode step")
    grows: bool = Field(description="whether it grows by more than chance would show in one of so many places")


class GenerationPart(DocumentPart):
    """A cycle that wrote text."""

    sequences: int = Field(description="sequences of the batch")
    tokens: int = Field(description="tokens written, of each sequence")
    metrics: list[MetricPart]
    dialects: list[DialectPart]
    phases: list[PhasePart]
    steps: list[Step]
    growth: list[Growth]


def generation(found: Generation) -> GenerationPart:
    return GenerationPart.of(
        found,
        metrics=[_metric(metric) for metric in found.metrics],
        dialects=[_dialect(figure) for figure in found.dialects],
        phases=[_phase(row) for row in found.phases],
        steps=[_step(row) for row in found.steps],
        growth=[_growth(row) for row in found.growth],
    )


def scaled(value: float | None, unit: Unit) -> float | None:
    """A value of a metric in the unit of documents."""
    return None if value is None else value * UNITS[unit][1]


def _metric(metric: Metric) -> MetricPart:
    definition, figure = metric.definition, metric.figure
    unit, scale = UNITS[definition.unit]
    ends = (figure.low, figure.high) if figure and figure.as_time.has_interval else None
    low, high = (end * scale for end in ends) if ends else (None, None)
    return MetricPart.of(
        definition,
        formula=definition.formula.text(),
        figure=Figure(value=figure.value * scale, low=low, high=high, n=metric.n, unit=unit) if figure else None,
        runs=figure.runs if figure else 0,
        interval_from=figure.source if figure else IntervalSource.NONE,
        unit=unit,
        mean=scaled(metric.mean, definition.unit),
        percentiles={f"p{percentile.percent}": percentile.value * scale for percentile in metric.percentiles},
    )


def _dialect(figure: DialectFigure) -> DialectPart:
    dialect = figure.dialect
    return DialectPart.of(
        dialect,
        formula=dialect.formula.text(),
        unit=UNITS[dialect.unit][0],
        n=figure.n,
        mean=scaled(figure.mean, dialect.unit),
        median=scaled(figure.median, dialect.unit),
        source=dialect.source.url,
    )


def _phase(row: PhaseRow) -> PhasePart:
    return PhasePart.of(row, name=row.phase, operations_s=seconds(row.op_ns))


def _step(row: StepRow) -> Step:
    return Step.of(row, operations_s=seconds(row.op_ns))


def _growth(row: GrowthRow) -> Growth:
    trend = row.trend
    low, high = (seconds(end) if trend.has_interval else None for end in (trend.low, trend.high))
    slope = Figure(value=seconds(trend.slope), low=low, high=high, n=trend.n, unit="s/position")
    return Growth.of(row, kind=row.kind if row.kind is not None else "python", slope=slope)
