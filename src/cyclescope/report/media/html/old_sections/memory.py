"""The old form of `report.sections.memory`, in one language, for the views of HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.memory import Holding, Memory
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
from cyclescope.report.page import Align, Block, Column, Heading, Note, Paragraph, Severity, Strip, Table
from cyclescope.report.words.strings import Strings

_MOST_COLUMNS = 120  # more operations are drawn in groups, each by its most
_LARGE = 0.05  # from which difference on the activations and the cache deserve a sentence


def memory_blocks(told: Memory, graph: Graph, s: Strings) -> Iterator[Block]:
    """What is held at the peak, computed and measured, what makes up the difference, and the course over the cycle."""
    yield Heading(s.memory)
    yield Paragraph(peak_sentence(told, graph, s))
    yield _table(told, s)
    yield from _difference(told, s)
    yield from _courses(told, graph, s)
    yield from _largest(told, graph, s)
    if told.resident_bytes is not None and told.resident_peak_bytes is not None:
        text = s.memory_resident.format(
            before=fmt.data(told.resident_bytes),
            peak=fmt.data(told.resident_peak_bytes),
            growth=fmt.data(told.resident_peak_bytes - told.resident_bytes),
        )
        yield Paragraph(text)


def peak_sentence(told: Memory, graph: Graph, s: Strings) -> str:
    """The computed peak, what of it is weights, where it is, and what the activations would need at the least."""
    held = told.computed
    standing = held.weights + held.buffers + held.inputs
    return s.memory_peak.format(
        total=fmt.data(held.peak),
        weights=fmt.data(held.weights),
        passing=fmt.data(held.peak - standing),
        place=_place(graph, held.peak_op, s),
        needed=fmt.data(told.needed - standing),
    )


def _place(graph: Graph, op: int, s: Strings) -> str:
    """`encode · encoder.layer.3.intermediate (gelu)`: stage, module, operation."""
    site = graph.site(op)
    where = " · ".join(part for part in (wording.stage_name(site.stage, s), site.module) if part)
    return f"{where} ({graph.names[op]})"


def _table(told: Memory, s: Strings) -> Table:
    computed, measured = told.computed, told.measured
    at_peak = computed.at(computed.peak_op)
    seen = measured.at(measured.peak_op) if measured is not None else {}
    rows = [
        (s.holding_names[holding], *_cells(at_peak[holding], seen.get(holding)))
        for holding in Holding
        if at_peak[holding] or seen.get(holding)
    ]
    rows.append((s.total, *_cells(computed.peak, measured.peak if measured is not None else None)))
    columns = (
        Column(s.held_at_peak),
        Column(s.computed, Align.RIGHT),
        Column(s.measured, Align.RIGHT, priority=1),
        Column(s.difference, Align.RIGHT, priority=2),
    )
    return Table(columns if measured is not None else columns[:2], tuple(rows), total=True)


def _cells(computed: int, measured: int | None) -> tuple[str, ...]:
    if measured is None:
        return (fmt.data(computed),)
    return fmt.data(computed), fmt.data(measured), fmt.data_difference(measured - computed)


def _difference(told: Memory, s: Strings) -> Iterator[Block]:
    """What the difference between computed and measured comes from, where it is large."""
    computed, measured = told.computed, told.measured
    if measured is None:
        return
    own, seen = computed.passing.tolist(), measured.passing.tolist()
    difference = max(seen) - max(own)
    if abs(difference) > _LARGE * max(own):
        template = s.memory_more if difference > 0 else s.memory_less
        yield Note(Severity.INFO, template.format(difference=fmt.data(abs(difference))))
    kept = seen[-1] - own[-1]
    if kept > _LARGE * max(own):
        yield Note(Severity.INFO, s.memory_kept.format(kept=fmt.data(kept)))
    end, seen_end = int(computed.cache[-1]), int(measured.cache[-1])
    if end or seen_end:
        yield Paragraph(s.memory_cache_end.format(computed=fmt.data(end), measured=fmt.data(seen_end)))


def _courses(told: Memory, graph: Graph, s: Strings) -> Iterator[Block]:
    for label, held in ((s.computed, told.computed), (s.measured, told.measured)):
        if held is not None:
            text = s.memory_course.format(
                operations=fmt.count(len(graph)),
                most=fmt.data(max(held.passing.tolist())),
                place=_place(graph, held.peak_op, s),
            )
            yield Strip(label, tuple(_grouped(held.passing.tolist())), text)


def _grouped(values: Sequence[int]) -> list[float]:
    """At most `_MOST_COLUMNS` values; where there are more, the most of each few neighbours, so that no peak is lost."""
    few = -(-len(values) // _MOST_COLUMNS)
    return [float(max(values[k : k + few])) for k in range(0, len(values), few)]


def _largest(told: Memory, graph: Graph, s: Strings) -> Iterator[Block]:
    if not told.largest:
        return
    columns = (
        Column(s.memory_largest),
        Column(s.memory_held_as, priority=1),
        Column(s.size, Align.RIGHT),
    )
    rows = tuple(
        (_place(graph, piece.maker, s), s.holding_names[piece.holding], fmt.data(piece.bytes)) for piece in told.largest
    )
    yield Table(columns, rows)
