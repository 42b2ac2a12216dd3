"""The data flow: what one part of the cycle passes to the next, drawn and as a table; HTML only."""

from __future__ import annotations

from cyclescope.core.message import listed, m
from cyclescope.explaining.dataflow import Level
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.drawings.flow import FlowPainter, drawn_flow, flow_drawing
from cyclescope.report.page import Align, Column, Details, Drawing, Emphasis, Section, Table


def flow_section(explanation: Explanation) -> Section | None:
    """The data flow at two levels of detail; None where no graph is known."""
    if not len(explanation.cycle.graph):
        return None
    note = m(
        "What one part passes to the next. Equal layers are drawn once. Choose a part to see the operations inside it."
    )
    table = Details(m("Data flow as a table"), (_arrows(explanation),), printed=True)
    drawing = Drawing("flow", flow_drawing(explanation), m("Data flow, drawn"))
    return Section("flow", m("Data flow"), (drawing, table), note, wide=True)


def _arrows(explanation: Explanation) -> Table:
    flow, painter = drawn_flow(explanation.cycle.graph, Level.LAYER), FlowPainter(explanation)
    columns = (
        Column(m("from")),
        Column(m("to")),
        Column(m("tensors"), emphasis=Emphasis.PATH),
        Column(m("bytes"), Align.RIGHT, term="edge"),
    )
    rows = tuple(
        (
            painter.label(flow.nodes[edge.source]),
            painter.label(flow.nodes[edge.target]),
            listed(painter.tensors(edge)),
            painter.crossing(edge),
        )
        for edge in flow.edges
    )
    return Table(columns, rows, caption=m("Memory that passes from part to part"))
