"""The pages of `cyclescope define`: what each metric means here, and what other tools mean by its name."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.explaining.metrics.definition import DEFINITIONS, Definition, Summary
from cyclescope.explaining.metrics.dialects import Dialect, dialects_of
from cyclescope.explaining.metrics.metric import PERCENTS, least_samples
from cyclescope.report import format as fmt
from cyclescope.report.page import Block, Column, Heading, KeyValues, Page, Paragraph, Table, page_of
from cyclescope.report.words.strings import Strings, strings


def definitions_page(language: str = "en") -> Page:
    """All metrics, a row each. Raises `UsageError` for a language that there are no texts of."""
    s = strings(language)
    columns = (Column(s.models_name), Column(s.metric), Column(s.formula), Column(s.unit, priority=3))
    rows = tuple((d.name.value, s.metric_names[d.name], formula_text(d, s), s.unit_names[d.unit]) for d in DEFINITIONS)
    blocks = (Table(columns, rows), Paragraph(s.percentiles_note.format(**_least())), Paragraph(s.define_usage))
    return page_of(s.definitions_title, blocks)


def definition_page(definition: Definition, language: str = "en") -> Page:
    """One metric, and the definitions of other tools with their sources."""
    s = strings(language)
    points = s.points_value.format(begin=s.quantity_names[definition.begin], end=s.quantity_names[definition.end])
    facts = [
        (s.formula, formula_text(definition, s)),
        (s.points, points),
        (s.population, s.population_names[definition.population]),
        (s.summary, s.summary_names[definition.summary]),
        (s.unit, s.unit_names[definition.unit]),
        (s.also_called, ", ".join(definition.aliases)),
    ]
    if definition.least_tokens > 1:
        facts.append((s.undefined, s.undefined_below.format(tokens=fmt.count(definition.least_tokens))))
    blocks: list[Block] = [Paragraph(s.metric_texts[definition.name], lead=True), KeyValues(tuple(facts))]
    dialects = dialects_of(definition.name)
    if dialects:
        blocks += [Heading(s.elsewhere), *_elsewhere(dialects, definition, s)]
    return page_of(f"{s.metric_names[definition.name]} ({definition.name.value})", tuple(blocks))


def formula_text(definition: Definition, s: Strings) -> str:
    """The formula in the reader's language; of a slope, what it is the slope of."""
    text = definition.formula.text(s.quantity_names)
    return s.slope_of.format(formula=text) if definition.summary is Summary.SLOPE else text


def _elsewhere(dialects: Sequence[Dialect], definition: Definition, s: Strings) -> Sequence[Block]:
    columns = (Column(s.tool), Column(s.called_there), Column(s.formula), Column(s.printed_unit, priority=3))
    rows = tuple((d.tool.value, d.name, d.formula.text(s.quantity_names), d.label) for d in dialects)
    remarks = tuple(
        (f"{d.tool.value} {d.name}", " ".join(s.remark_texts[remark] for remark in d.remarks))
        for d in dialects
        if d.remarks
    )
    sources = tuple(dict.fromkeys((d.tool.value, d.source.url) for d in dialects))
    blocks: list[Block] = [Table(columns, rows)]
    if remarks:
        blocks.append(KeyValues(remarks))
    return [*blocks, Heading(s.sources), KeyValues(sources)]


def _least() -> dict[str, int]:
    return {f"p{percent}": least_samples(percent) for percent in PERCENTS}
