"""The timeline of one real run: a picture, for media that can draw."""

from __future__ import annotations

from cyclescope.core.message import m
from cyclescope.report.drawings.timeline import Timeline
from cyclescope.report.page import Drawing, Section


def timeline_section(timeline: Timeline) -> Section | None:
    """The drawing of `timeline`; None where no run was instrumented."""
    if not timeline.spans:
        return None
    note = m(
        "One real run, the one closest to the median, with the cost of the timestamps subtracted. What stands below ran inside what stands above."
    )
    drawing = Drawing("timeline", timeline, m("Timeline of the cycle"))
    return Section("timeline", m("Timeline"), (drawing,), note, term="exemplar", wide=True)
