"""The section about memory: what is held at the peak, computed and measured, and over the cycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Message, Text, listed, m, sentences
from cyclescope.explaining.memory import Held, Holding, Memory
from cyclescope.report import format as fmt
from cyclescope.report.drawings.stack import StackBar, StackDrawing, StackPart, stack_bar
from cyclescope.report.naming.holdings import HOLDINGS
from cyclescope.report.naming.stages import location_name
from cyclescope.report.page import (
    Align,
    Block,
    Cell,
    Column,
    Drawing,
    Emphasis,
    Heading,
    Note,
    Paragraph,
    Section,
    Severity,
    Table,
)
from cyclescope.report.sections.memory_curve import COMPUTED, MEASURED, curve_blocks

_LARGE = 0.05  # from which difference on the activations and the cache deserve a sentence
_PAINTS = {
    Holding.WEIGHTS: "s2",
    Holding.BUFFERS: "s4",
    Holding.INPUTS: "s1",
    Holding.ACTIVATIONS: "s5",
    Holding.CACHE: "s0",
}


def memory_section(
    memory: Memory | None, graph: Graph, span_of_op: Mapping[int, int] = MappingProxyType({})
) -> Section | None:
    """What is held at the peak on both sides, why they differ, and the curve over the cycle; None where it is unknown.

    `span_of_op` is where each operation that is drawn stands in the timeline.
    """
    if memory is None:
        return None
    blocks = (
        Paragraph(peak_sentence(memory, graph)),
        _stack(memory),
        _table(memory),
        *_difference(memory),
        Heading(m("Activations and cache over the cycle")),
        *curve_blocks(memory, graph, span_of_op),
        *_largest(memory, graph),
        *_resident(memory),
    )
    sides = m("Memory held at once: computed from the graph alone, and measured on the running model.")
    if memory.measured is None:
        sides = m("Memory held at once, computed from the graph alone.")
    note = sentences(sides, m("ƒ opens what counts."))
    return Section("memory", m("Memory"), blocks, note)


def peak_sentence(memory: Memory, graph: Graph) -> Text:
    """The computed peak, what of it is weights, where it is, and what the activations would need at the least."""
    held = memory.computed
    standing = held.weights + held.buffers + held.inputs
    return sentences(
        m(
            "The peak is {total}: {weights} of weights, {passing} of activations and cache.",
            total=fmt.data(held.peak),
            weights=fmt.data(held.weights),
            passing=fmt.data(held.peak - standing),
        ),
        m("It is in {place}.", place=_place(graph, held.peak_op)),
        m(
            "If every tensor were freed right after its last use, activations and cache would peak at {needed}.",
            needed=fmt.data(memory.needed - standing),
        ),
    )


def _place(graph: Graph, op: int) -> Text:
    location = graph.location(op)
    return location_name(location.stage, location.module, graph.names[op])


def _stack(memory: Memory) -> Drawing:
    """Both peaks on one scale."""
    there = [
        (label, held) for label, held in ((COMPUTED, memory.computed), (MEASURED, memory.measured)) if held is not None
    ]
    most = max(held.peak for _, held in there)
    bars = tuple(_bar(label, held, most) for label, held in there)
    return Drawing("stack", StackDrawing(bars), sentences(*(bar.spoken for bar in bars)))


def _bar(label: Message, held: Held, most: int) -> StackBar:
    parts = [
        StackPart(size, _PAINTS[holding], m("{name} {size}", name=HOLDINGS[holding], size=fmt.data(size)))
        for holding, size in held.at(held.peak_op).items()
        if size
    ]
    total = fmt.data(held.peak)
    spoken = m(
        "{side}, {total} at the peak: {parts}", side=label, total=total, parts=listed(part.spoken for part in parts)
    )
    return stack_bar(parts, most, spoken, label, total)


def _table(memory: Memory) -> Table:
    computed, measured = memory.computed, memory.measured
    at_peak = computed.at(computed.peak_op)
    seen = measured.at(measured.peak_op) if measured is not None else {}
    rows: list[tuple[Text | Cell, ...]] = [
        (Cell(HOLDINGS[holding], swatch=_PAINTS[holding]), *_cells(at_peak[holding], seen.get(holding)))
        for holding in Holding
        if at_peak[holding] or seen.get(holding)
    ]
    rows.append((m("total"), *_cells(computed.peak, measured.peak if measured is not None else None)))
    columns = (
        Column(m("held at the peak")),
        Column(COMPUTED, Align.RIGHT, term="memory-computed", emphasis=Emphasis.STRONG),
        Column(MEASURED, Align.RIGHT, priority=1, term="memory-measured"),
        Column(m("difference"), Align.RIGHT, priority=2, emphasis=Emphasis.SOFT),
    )
    caption = m("What is held at the peak, by what it is held for")
    return Table(columns if measured is not None else columns[:2], tuple(rows), total=True, caption=caption)


def _cells(computed: int, measured: int | None) -> tuple[str, ...]:
    if measured is None:
        return (fmt.data(computed),)
    return fmt.data(computed), fmt.data(measured), fmt.data_difference(measured - computed)


def _difference(memory: Memory) -> Iterator[Block]:
    """What the difference between computed and measured comes from, where it is large."""
    computed, measured = memory.computed, memory.measured
    if measured is None:
        yield Paragraph(m("No running cycle was observed, so only the computed side is known."), soft=True)
        return
    own, seen = computed.passing.tolist(), measured.passing.tolist()
    difference, large = max(seen) - max(own), _LARGE * max(own)
    if abs(difference) > large:
        yield Note(Severity.INFO, _peaks_differ(difference))
    if seen[-1] - own[-1] > large:
        kept = m(
            "{kept} more than computed is held at the end of the cycle: the model returns it and no operation reads it again.",
            kept=fmt.data(seen[-1] - own[-1]),
        )
        yield Note(Severity.INFO, kept)
    end, seen_end = int(computed.cache[-1]), int(measured.cache[-1])
    if end or seen_end:
        yield Paragraph(
            m(
                "At the end the cache takes {computed} as computed, {measured} as measured.",
                computed=fmt.data(end),
                measured=fmt.data(seen_end),
            )
        )


def _peaks_differ(difference: int) -> Message:
    size = fmt.data(abs(difference))
    if difference > 0:
        return m(
            "The peak of activations and cache is {difference} above the computed one: Python variables and the model's result keep tensors beyond their last use, and operations need working memory inside.",
            difference=size,
        )
    return m(
        "The peak of activations and cache is {difference} below the computed one: the model releases tensors before the module that received them returns.",
        difference=size,
    )


def _largest(memory: Memory, graph: Graph) -> Iterator[Block]:
    if not memory.largest:
        return
    columns = (
        Column(m("largest at the peak, by the operation that made it")),
        Column(m("held as"), priority=1),
        Column(m("size"), Align.RIGHT, emphasis=Emphasis.STRONG),
    )
    rows = tuple(
        (_place(graph, piece.maker), HOLDINGS[piece.holding], fmt.data(piece.bytes)) for piece in memory.largest
    )
    yield Table(columns, rows, caption=m("The largest pieces of memory at the computed peak"))


def _resident(memory: Memory) -> Iterator[Block]:
    if memory.resident_bytes is None or memory.resident_peak_bytes is None:
        return
    yield Paragraph(
        sentences(
            m(
                "The process takes {before} of main memory before a cycle and {peak} at its peak, {growth} more.",
                before=fmt.data(memory.resident_bytes),
                peak=fmt.data(memory.resident_peak_bytes),
                growth=fmt.data(memory.resident_peak_bytes - memory.resident_bytes),
            ),
            m("Besides what the model holds, that is Python, the libraries and their working memory."),
        )
    )
