"""The page about a structure that was traced and not run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.message import Message, Series, Text, m, plural, sentences
from cyclescope.core.units import IntArray
from cyclescope.explaining.memory import Memory, memory
from cyclescope.report import format as fmt
from cyclescope.report.naming.arithmetic import flops_of
from cyclescope.report.naming.kinds import KINDS
from cyclescope.report.naming.stages import stage_name
from cyclescope.report.page import (
    Align,
    Block,
    Cell,
    Column,
    Figures,
    Headline,
    Note,
    Page,
    Paragraph,
    Section,
    Severity,
    Table,
)
from cyclescope.report.sections.experts import experts_section
from cyclescope.report.sections.memory import peak_sentence

_ENCODER = "encoder_outputs"  # the argument of transformers that hands its result to the decoder


def structure_page(graph: Graph, model: str, batch: int, tokens: int) -> Page:
    """Work of `graph` by stage and by kind of operation."""
    title = m("Structure of {model}", model=model)
    if graph.cache_length is not None:
        title = plural(
            "A decode step of {model} with {n} token in its KV cache",
            "A decode step of {model} with {n} tokens in its KV cache",
            graph.cache_length,
            model=model,
            n=fmt.count(graph.cache_length),
        )
    sections = (_stages(graph), _kinds(graph), experts_section(graph), _limits(graph))
    return Page(title, tuple(_opening(graph, batch, tokens)), tuple(filter(None, sections)), "structure")


def _opening(graph: Graph, batch: int, tokens: int) -> Iterator[Block]:
    """The answer, its figures, and what the structure holds in memory."""
    total, held = graph.total, memory(graph)
    yield Paragraph(_answer(graph, batch, tokens), lead=True)
    items = [
        Headline(m("operations"), fmt.count(len(graph))),
        Headline("FLOPs", flops_of(graph)),
        Headline(m("read by operations"), fmt.data(total.read_bytes)),
        Headline(m("written by operations"), fmt.data(total.written_bytes)),
    ]
    if graph.unpriced:
        yield Note(
            Severity.WARNING,
            plural("FLOPs unknown for {n} operation.", "FLOPs unknown for {n} operations.", len(graph.unpriced)),
        )
    yield Figures((*items, *((Headline(m("memory at the peak"), fmt.data(held.computed.peak)),) if held else ())))
    yield from _step(graph, held)
    if held:
        yield Paragraph(peak_sentence(held, graph))


def _answer(graph: Graph, batch: int, tokens: int) -> Message:
    total = graph.total
    work = {
        "operations": fmt.count(len(graph)),
        "flops": flops_of(graph),
        "read": fmt.data(total.read_bytes),
        "written": fmt.data(total.written_bytes),
    }
    if graph.cache_length is None:
        return m(
            "For {batch} × {tokens} tokens: {operations} operations, {flops}, {read} read and {written} written by operations.",
            batch=fmt.count(batch),
            tokens=fmt.count(tokens),
            **work,
        )
    return m(
        "Batch {batch}, one token each, with {cache} tokens in the KV cache: {operations} operations, {flops}, {read} read "
        "and {written} written by operations.",
        batch=fmt.count(batch),
        cache=fmt.count(graph.cache_length),
        **work,
    )


def _step(graph: Graph, held: Memory | None) -> Iterator[Block]:
    """What a decode step finds, and what it leaves."""
    if graph.cache_length is None or held is None:
        return
    found = {spec.storage: spec.bytes for spec in graph.tensors if spec.role is TensorRole.CACHE}
    before, after = sum(found.values()), int(held.computed.cache[-1])
    text = m(
        "The KV cache takes {before} before the step and {after} after it.",
        before=fmt.data(before),
        after=fmt.data(after),
    )
    yield Paragraph(text)
    encoded = any(spec.role is TensorRole.INPUT and spec.name.startswith(_ENCODER) for spec in graph.tensors)
    yield Note(
        Severity.INFO,
        sentences(
            m("This is the call of the model in a step of generate, without the choice of the next token."),
            m("The encoder has run before, and its output is given.") if encoded else "",
        ),
    )


def _stages(graph: Graph) -> Section:
    layers = {
        stage: len({f.layer for f in graph.frames if f.stage == stage and f.layer is not None})
        for stage in graph.stages
    }

    def named(stage: str) -> Text:
        return Series((stage_name(stage), f"× {layers[stage]}"), " ") if layers[stage] else stage_name(stage)

    stages = [graph.stage_of(i) for i in range(len(graph))]
    return Section("stages", m("By stage"), (_table(graph, stages, graph.stages, m("stage"), named),), wide=True)


def _kinds(graph: Graph) -> Section:
    kinds = [kind.value for kind in graph.kinds]
    order = _heaviest_first(graph, kinds)
    table = _table(graph, kinds, order, m("kind"), lambda kind: KINDS[OpKind(kind)])
    return Section("kinds", m("By kind of operation"), (table,), wide=True)


def _limits(graph: Graph) -> Section:
    """What a trace cannot know."""
    device = graph.traced_on
    scope = (
        m("Traced on the {device} device without weights; nothing was run or timed.", device=device)
        if device
        else m("Traced without weights; nothing was run or timed.")
    )
    bytes_ = m("Bytes are what every operation reads and writes once, as if no processor cache kept anything.")
    notes = (Note(Severity.WARNING, note) for note in graph.notes)
    return Section("scope", m("Scope"), (Note(Severity.INFO, sentences(scope, bytes_)), *notes))


def _heaviest_first(graph: Graph, kinds: list[str]) -> list[str]:
    work = graph.flops + graph.elementwise_flops + graph.read_bytes + graph.written_bytes
    column = np.asarray(kinds)
    # Kinds of equal work keep the order in which they appear, which is the same in every process.
    return sorted(dict.fromkeys(kinds), key=lambda kind: -int(work[column == kind].sum()))


def _table(graph: Graph, group: list[str], order: Iterable[str], title: Text, name: Callable[[str], Text]) -> Table:
    # What matters most to a reader stays longest where the medium is narrow.
    columns = (
        Column(title),
        Column(m("operations"), Align.RIGHT, 2),
        Column("FLOPs", Align.RIGHT),
        Column(m("elementwise"), Align.RIGHT, 3),
        Column(m("read"), Align.RIGHT),
        Column(m("written"), Align.RIGHT),
        Column("FLOP/B", Align.RIGHT, 1),
    )
    column = np.asarray(group)
    rows = [(name(key), *_cells(graph, np.flatnonzero(column == key))) for key in order]
    rows.append((m("total"), *_cells(graph, np.arange(len(graph)))))
    return Table(columns, tuple(rows), total=True, sortable=True)


def _cells(graph: Graph, ops: IntArray) -> tuple[Cell, ...]:
    flops, elementwise = int(graph.flops[ops].sum()), int(graph.elementwise_flops[ops].sum())
    read, written = int(graph.read_bytes[ops].sum()), int(graph.written_bytes[ops].sum())
    moved = read + written
    intensity = (flops + elementwise) / moved if moved else None
    return (
        Cell(fmt.count(len(ops)), sort=len(ops)),
        Cell(fmt.flops(flops), sort=flops),
        Cell(fmt.flops(elementwise), sort=elementwise),
        Cell(fmt.data(read), sort=read),
        Cell(fmt.data(written), sort=written),
        Cell(fmt.significant(intensity), sort=intensity),
    )
