"""The document about the metrics of generation: what `cyclescope define --json` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from cyclescope.explaining.metrics.definition import Definition, MetricName, Population, Summary
from cyclescope.explaining.metrics.dialects import dialects_of
from cyclescope.explaining.metrics.metric import PERCENTS, least_samples
from cyclescope.report.documents.cycle.generation import UNITS
from cyclescope.report.documents.figures import Document, DocumentPart, Text, schema_field


class DialectDefinition(DocumentPart):
    """How another tool defines a metric of that name or meaning."""

    tool: Text
    name: Text = Field(description="what the tool calls it")
    formula: Text
    unit: Text
    label: Text = Field(description="unit as the tool prints it")
    remarks: list[Text] = Field(description="stable codes of what sets the definition apart")
    source: Text = Field(description="URL of the code that it was read in")


class MetricDefinition(DocumentPart):
    """One metric: its formula, which is also what is computed."""

    name: MetricName
    aliases: list[Text]
    formula: Text
    begin: Text = Field(description="point of the clock at which it begins")
    end: Text = Field(description="point of the clock at which it ends")
    population: Population = Field(description="what one sample is: runs, gaps (between tokens, all runs) or steps")
    summary: Summary = Field(description="median, or slope over the position (Theil–Sen)")
    unit: Text
    least_tokens: int = Field(description="tokens of a run below which it is undefined")
    percentiles_need: dict[str, int] = Field(description="samples that each percentile needs")
    dialects: list[DialectDefinition]


class DefinitionsDocument(Document):
    """Definitions of metrics, and those of other tools."""

    schema_: Literal["cyclescope/definitions/2"] = schema_field("cyclescope/definitions/2")
    metrics: list[MetricDefinition]


def definitions_document(definitions: Iterable[Definition]) -> DefinitionsDocument:
    """`definitions` as the public document."""
    return DefinitionsDocument(metrics=[_metric(definition) for definition in definitions])


def _metric(definition: Definition) -> MetricDefinition:
    return MetricDefinition.of(
        definition,
        formula=definition.formula.text(),
        unit=UNITS[definition.unit][0],
        percentiles_need={f"p{percent}": least_samples(percent) for percent in PERCENTS},
        dialects=[
            DialectDefinition.of(
                dialect,
                formula=dialect.formula.text(),
                unit=UNITS[dialect.unit][0],
                source=dialect.source.url,
            )
            for dialect in dialects_of(definition.name)
        ],
    )
