"""The generation of text, as part of the document about a cycle."""

from __future__ import annotations

from cyclescope.explaining.generation import Generation
from cyclescope.explaining.metrics.dialects import DialectFigure
from cyclescope.explaining.metrics.metric import Metric
from cyclescope.report import format as fmt
from cyclescope.report.documents import schema as doc


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
