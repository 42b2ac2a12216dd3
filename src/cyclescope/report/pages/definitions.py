"""The pages of `cyclescope define`: what each metric means here, and what other tools mean by its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cyclescope.core.message import Text, m, sentences
from cyclescope.explaining.metrics.definition import DEFINITIONS, Definition, Summary
from cyclescope.explaining.metrics.dialects import Dialect, dialects_of
from cyclescope.explaining.metrics.metric import PERCENTS, least_samples
from cyclescope.report.naming.metrics import (
    MEANINGS,
    METRICS,
    POPULATIONS,
    QUANTITIES,
    REMARKS,
    SUMMARIES,
    UNITS,
    formula,
)
from cyclescope.report.page import Column, KeyValues, Page, Paragraph, Section, Table


def definitions_page() -> Page:
    """All metrics, a row each."""
    columns = (Column(m("name")), Column(m("metric")), Column(m("formula")), Column(m("unit"), priority=3))
    rows = tuple((d.name.value, METRICS[d.name], formula_text(d), UNITS[d.unit]) for d in DEFINITIONS)
    note = m(
        "A percentile is given only where a sample is likely to lie beyond it: the median from {p50} samples, p90 from {p90}, "
        "p99 from {p99}.",
        **_least(),
    )
    usage = m("cyclescope define NAME shows one metric, and how other tools define it.")
    return Page(
        m("Metrics of a generation"),
        (Paragraph(usage),),
        (Section("metrics", m("Definitions"), (Table(columns, rows), Paragraph(note, soft=True)), wide=True),),
        "definitions",
    )


def definition_page(definition: Definition) -> Page:
    """One metric, and the definitions of other tools with their sources."""
    title = m("{metric} ({name})", metric=METRICS[definition.name], name=definition.name.value)
    opening = (Paragraph(MEANINGS[definition.name], lead=True), KeyValues(tuple(_facts(definition))))
    return Page(title, opening, tuple(_elsewhere(dialects_of(definition.name))), "definition")


def _facts(definition: Definition) -> Iterator[tuple[Text, Text]]:
    yield m("formula"), formula_text(definition)
    begin, end = QUANTITIES[definition.begin], QUANTITIES[definition.end]
    yield m("clock"), m("from {begin} to {end}", begin=begin, end=end)
    yield m("samples"), POPULATIONS[definition.population]
    yield m("figure"), SUMMARIES[definition.summary]
    yield m("unit"), UNITS[definition.unit]
    yield m("also called"), ", ".join(definition.aliases)
    if definition.least_tokens > 1:
        yield m("undefined"), m("below {tokens} tokens: absent, not zero", tokens=definition.least_tokens)


def formula_text(definition: Definition) -> Text:
    """The formula in words; of a slope, what it is the slope of."""
    text = formula(definition.formula)
    return m("{formula}, its slope over the position", formula=text) if definition.summary is Summary.SLOPE else text


def _elsewhere(dialects: Sequence[Dialect]) -> Iterator[Section]:
    """What other tools mean by the same name, and where they say so."""
    if not dialects:
        return
    columns = (Column(m("tool")), Column(m("name there")), Column(m("formula")), Column(m("printed in"), priority=3))
    rows = tuple((d.tool.value, d.name, formula(d.formula), d.label) for d in dialects)
    remarks = tuple(
        (f"{d.tool.value} {d.name}", sentences(*(REMARKS[r] for r in d.remarks))) for d in dialects if d.remarks
    )
    table = Table(columns, rows)
    yield Section(
        "elsewhere", m("Definitions of other tools"), (table, KeyValues(remarks)) if remarks else (table,), wide=True
    )
    sources = tuple(dict.fromkeys((d.tool.value, d.source.url) for d in dialects))
    yield Section("sources", m("Sources"), (KeyValues(sources),), wide=True)


def _least() -> dict[str, int]:
    return {f"p{percent}": least_samples(percent) for percent in PERCENTS}
