"""The page about the models that are built in."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.core.message import m, plural
from cyclescope.models.listing import ModelRow
from cyclescope.report import format as fmt
from cyclescope.report.naming.models import FAMILIES
from cyclescope.report.page import Align, Cell, Column, KeyValues, Page, Paragraph, Section, Table


def models_page(rows: Sequence[ModelRow]) -> Page:
    """Sizes of the built-in models, then the source of each."""
    answer = plural(
        "{n} model is built in: its name needs no path and no network.",
        "{n} models are built in: their names need no path and no network.",
        len(rows),
    )
    usage = m("Other models: name a folder, a config.json or a model of the hub, such as cyclescope measure NAME.")
    sources = KeyValues(tuple((row.name, row.source) for row in rows))
    return Page(
        m("Built-in models"),
        (Paragraph(answer, lead=True), Paragraph(usage)),
        (
            Section("models", m("Sizes"), (_table(rows),), wide=True),
            Section("sources", m("Sources of the configurations"), (sources,)),
        ),
        "models",
    )


def _table(rows: Sequence[ModelRow]) -> Table:
    columns = (
        Column(m("name")),
        Column(m("family"), priority=3),
        Column(m("parameters"), Align.RIGHT),
        Column(m("layers"), Align.RIGHT),
        Column(m("hidden size"), Align.RIGHT, priority=1),
        Column(m("vocabulary"), Align.RIGHT, priority=2),
        Column(m("weights")),
    )
    cells = tuple(
        (
            row.name,
            FAMILIES[row.family],
            Cell(fmt.quantity(row.parameters), sort=row.parameters),
            Cell(fmt.count(row.layers), sort=row.layers),
            Cell(fmt.count(row.hidden), sort=row.hidden),
            Cell(fmt.count(row.vocabulary), sort=row.vocabulary),
            m("pretrained") if row.weights else m("random"),
        )
        for row in rows
    )
    return Table(columns, cells, sortable=True)
