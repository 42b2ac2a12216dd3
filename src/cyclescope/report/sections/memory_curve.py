"""Memory over the operations of a cycle: a strip for each side, and both as one drawing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Message, Text, listed, m, plural, sentences
from cyclescope.explaining.memory import Held, Memory
from cyclescope.report import format as fmt
from cyclescope.report.drawings.step_plot import CurveStep, MemoryCurve, memory_curve
from cyclescope.report.naming.stages import location_name
from cyclescope.report.page import Block, Drawing, Strip

COMPUTED, MEASURED = m("computed"), m("measured")
_MOST_COLUMNS = 120  # more operations are drawn in groups, each by its most


@dataclass(frozen=True, slots=True)
class CurveRow:
    """One step of the curve: which operations, the location of the one that holds the most, `sizes` of each side, and the span
    of that operation in the timeline (None: not drawn).
    """

    number: str
    site: Text
    sizes: tuple[str, ...]
    span: int | None


@dataclass(frozen=True, slots=True)
class MemoryCurveDrawing:
    """The drawing `step-plot`: `sides` are named in the order of the lines, `peaks` stand at their highest points.

    The script says a step by `template`, whose braces are filled from a row of the table; `start` is the peak's step.
    """

    curve: MemoryCurve
    sides: tuple[Text, ...]
    peaks: tuple[Text, ...]
    rows: tuple[CurveRow, ...]
    template: Text
    start: Text
    notes: Text


def curve_blocks(memory: Memory, graph: Graph, span_of_op: Mapping[int, int]) -> Iterator[Block]:
    """Activations and cache over the operations, each side with its peak."""
    for label, held in ((COMPUTED, memory.computed), (MEASURED, memory.measured)):
        if held is None:
            continue
        drawing = _drawing(memory, graph, span_of_op) if held is memory.computed else None
        yield Strip(label, tuple(_grouped(held.passing.tolist())), _in_words(held, graph), drawing)


def _in_words(held: Held, graph: Graph) -> Text:
    return plural(
        "activations and cache over {n} operation: at most {most}, in {place}",
        "activations and cache over {n} operations: at most {most}, in {place}",
        len(graph),
        n=fmt.count(len(graph)),
        most=fmt.data(max(held.passing.tolist())),
        place=_place(graph, held.peak_op),
    )


def _place(graph: Graph, op: int) -> Text:
    site = graph.location(op)
    return location_name(site.stage, site.module, graph.names[op])


def _grouped(values: Sequence[int]) -> list[float]:
    """At most `_MOST_COLUMNS` values; where there are more, the most of each few neighbours, so that no peak is lost."""
    few = -(-len(values) // _MOST_COLUMNS)
    return [float(max(values[k : k + few])) for k in range(0, len(values), few)]


def _drawing(memory: Memory, graph: Graph, span_of_op: Mapping[int, int]) -> Drawing:
    computed, measured = memory.computed, memory.measured
    drawn = memory_curve(computed.passing.tolist(), measured.passing.tolist() if measured is not None else None)
    sides = (COMPUTED, MEASURED) if measured is not None else (COMPUTED,)
    marks = (drawn.computed.peak, *((drawn.measured.peak,) if drawn.measured else ()))
    rows = tuple(_row(step, graph, span_of_op) for step in drawn.steps)
    peak = rows[drawn.peak_step]
    value = MemoryCurveDrawing(
        curve=drawn,
        sides=sides,
        peaks=tuple(
            m("{side}: peak {size}", side=side, size=fmt.data(mark.bytes))
            for side, mark in zip(sides, marks, strict=True)
        ),
        rows=rows,
        template=_spoken(drawn, sides, "{number}", "{site}", ("{computed}", "{measured}")),
        start=_spoken(drawn, sides, peak.number, peak.site, peak.sizes),
        notes=sentences(*_notes(computed, drawn)),
    )
    held = [(COMPUTED, computed), *([(MEASURED, measured)] if measured is not None else [])]
    text = sentences(*(m("{side}: {text}.", side=side, text=_in_words(one, graph)) for side, one in held))
    return Drawing("step-plot", value, text)


def _row(step: CurveStep, graph: Graph, span_of_op: Mapping[int, int]) -> CurveRow:
    number = " – ".join(map(fmt.count, dict.fromkeys((step.first + 1, step.last + 1))))
    sizes = (step.computed, *((step.measured,) if step.measured is not None else ()))
    return CurveRow(number, _place(graph, step.most), tuple(map(fmt.data, sizes)), span_of_op.get(step.most))


def _spoken(drawn: MemoryCurve, sides: Sequence[Text], number: str, site: Text, sizes: Sequence[str]) -> Message:
    """One step of the curve in words."""
    held = listed(m("{name} {size}", name=side, size=size) for side, size in zip(sides, sizes, strict=False))
    values = {"number": number, "all": fmt.count(drawn.operations), "site": site, "held": held}
    if drawn.few > 1:
        return m("operations {number} of {all}, most in {site}: {held}", **values)
    return m("operation {number} of {all}, {site}: {held}", **values)


def _notes(held: Held, drawn: MemoryCurve) -> Iterator[Message]:
    """How the curve is to be read."""
    yield m(
        "Weights, buffers and inputs ({size}) are held throughout and not in this drawing.",
        size=fmt.data(held.weights + held.buffers + held.inputs),
    )
    if drawn.few > 1:
        yield m(
            "{few} neighbouring operations share a step of the curve, which is as high as the most that one of them holds.",
            few=fmt.count(drawn.few),
        )
