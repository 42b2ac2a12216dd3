"""The timeline of one run, or of a prediction: a picture, for media that can draw."""

from __future__ import annotations

from cyclescope.core.message import m, sentences
from cyclescope.report.drawings.timeline import Timeline
from cyclescope.report.naming.predicting import term
from cyclescope.report.page import Drawing, Section


def timeline_section(timeline: Timeline, *, predicted: bool = False) -> Section | None:
    """The drawing of `timeline`; None where no run was instrumented. The order of a `predicted` one is real, its times are not."""
    if not timeline.spans:
        return None
    inside = m("What stands below runs inside what stands above.")
    if predicted:
        note = sentences(m("The predicted cycle: the order of its operations, each as long as predicted."), inside)
    else:
        note = sentences(
            m("One real run, the one closest to the median, with the cost of the timestamps subtracted."), inside
        )
    drawing = Drawing("timeline", timeline, m("Timeline of the cycle"))
    return Section("timeline", m("Timeline"), (drawing,), note, term=term("exemplar", predicted), wide=True)
