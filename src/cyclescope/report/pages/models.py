"""The page about the models that are built in."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.models.listing import ModelRow
from cyclescope.report import format as fmt
from cyclescope.report.page import Align, Column, Heading, KeyValues, Page, Paragraph, Table, page_of
from cyclescope.report.words.strings import strings


def models_page(rows: Sequence[ModelRow], language: str = "en") -> Page:
    """Sizes of the built-in models, then the source of each. Raises `UsageError` for an unknown language."""
    s = strings(language)
    columns = (
        Column(s.models_name),
        Column(s.models_family, priority=3),
        Column(s.models_parameters, Align.RIGHT),
        Column(s.models_layers, Align.RIGHT),
        Column(s.models_hidden, Align.RIGHT, priority=1),
        Column(s.models_vocabulary, Align.RIGHT, priority=2),
        Column(s.models_weights),
    )
    table = Table(
        columns,
        tuple(
            (
                row.name,
                s.families[row.family],
                fmt.quantity(row.parameters),
                fmt.count(row.layers),
                fmt.count(row.hidden),
                fmt.count(row.vocabulary),
                s.models_has_weights if row.weights else s.models_random,
            )
            for row in rows
        ),
    )
    blocks = (
        Paragraph(s.models_answer.format(count=fmt.count(len(rows))), lead=True),
        table,
        Paragraph(s.models_usage),
        Heading(s.models_sources),
        KeyValues(tuple((row.name, row.source) for row in rows)),
    )
    return page_of(s.models_title, blocks)
