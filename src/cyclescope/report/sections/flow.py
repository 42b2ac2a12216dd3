"""The data flow: what one part of the cycle passes to the next, drawn and as a table; HTML only."""

from __future__ import annotations

from cyclescope.core.message import m
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.drawings.flow import flow_drawing
from cyclescope.report.page import Drawing, Section


def flow_section(explanation: Explanation) -> Section | None:
    """The data flow at two levels of detail; None where no graph is known."""
    if not len(explanation.cycle.graph):
        return None
    note = m(
        "What one part passes to the next. Equal layers are drawn once. Choose a part to see the operations inside it."
    )
    drawing = Drawing("flow", flow_drawing(explanation), m("Data flow, drawn"))
    return Section("flow", m("Data flow"), (drawing,), note, term="edge", wide=True)
