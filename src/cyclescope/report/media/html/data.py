"""What the scripts of the HTML page get to draw, as JSON that is safe inside HTML and small enough for the page."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from cyclescope.core.graph.op import OpKind
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.drawings.spans import FAMILIES, columns_of
from cyclescope.report.drawings.steps import choose_steps
from cyclescope.report.drawings.whatif import whatif_data
from cyclescope.report.media.html.cycle_view import View
from cyclescope.report.media.html.old_sections.flow import flows
from cyclescope.report.naming import stage_name
from cyclescope.report.words.strings import Strings
from cyclescope.report.words.text import PageText

# The page stays below a megabyte: this much of it is for the drawings. The shortest spans are left out first, of a
# generation what is inside most steps, and the page says so.
MOST_BYTES = 520_000
MOST_SPANS = 12_000
_FEWEST_SPANS = 100


def drawings(explanation: Explanation, s: Strings, p: PageText) -> dict[str, Any]:
    """What the scripts get whatever the timeline shows: texts, colours, and the data flow."""
    kinds = {kind.value: s.kind_names[kind] for kind in OpKind} | {"frame": p.chart.frame, "python": s.python}
    stages = {stage: stage_name(stage, s) for stage in explanation.cycle.graph.stages}
    texts = asdict(p.chart) | {"kinds": kinds, "stages": stages, "themes": dict(p.themes)}
    words = {name: texts[name] for name in ("flow", "inside", "inside_equal")}
    return {"texts": texts, "families": FAMILIES, "flow": {**flows(explanation, s, p), "texts": words}}


def fitting(
    explanation: Explanation, fixed: dict[str, Any], s: Strings, p: PageText, most_bytes: int
) -> tuple[View, str]:
    """The page's view with the spans that are drawn, and all data of the scripts as JSON of at most `most_bytes`.

    `fixed` is of the data what `drawings` makes.
    """
    most, spans = MOST_SPANS, tuple(explanation.spans)
    while True:
        shown = choose_steps(spans, most)
        view = View(explanation, shown, s, p)
        columns = columns_of(shown.spans, explanation.cycle.graph)
        data = embed({**fixed, **_why(view), "spans": {**columns, "steps": shown.steps}})
        if len(data.encode()) <= most_bytes or most < _FEWEST_SPANS:
            return view, data
        most = most * 2 // 3


def _why(view: View) -> dict[str, Any]:
    """The drawing of the roofline and the columns behind the sliders, where ceilings are known."""
    if view.roofline is None or view.bounds is None:
        return {}
    t = view.p.what_if
    texts = {"as_it_is": t.as_it_is, "as_if": t.as_if, "bar_spoken": t.bar_spoken, "change": t.change}
    columns = whatif_data(view.bounds, view.roofline.told.python_ns, view.threads)
    return {"roofline": view.roofline.drawing, "what-if": {**columns, "texts": texts}}


def embed(value: object) -> str:
    """JSON that can stand inside a `script` element: nothing in it ends the element or a line of a script."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
