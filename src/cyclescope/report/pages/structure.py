"""The page about a structure that was traced and not run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.units import IntArray
from cyclescope.explaining.memory import Memory, memory
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
from cyclescope.report.page import Align, Block, Column, Heading, Note, Page, Paragraph, Severity, Table, page_of
from cyclescope.report.sections.experts import experts_section
from cyclescope.report.sections.memory import peak_sentence
from cyclescope.report.words.strings import Strings, strings
from cyclescope.report.words.text_structure import StructureText, structure_text

_ENCODER = "encoder_outputs"  # the argument of transformers that hands its result to the decoder


def structure_page(graph: Graph, model: str, batch: int, tokens: int, language: str = "en") -> Page:
    """Work of `graph` by stage and by kind of operation. Raises `UsageError` for a language that there are no texts of."""
    s = strings(language)
    t = structure_text(s)
    total = graph.total
    of_step = graph.cache_length is not None
    lead = (t.step_answer if of_step else s.structure_answer).format(
        batch=fmt.count(batch),
        tokens=fmt.count(tokens),
        cache=fmt.count(graph.cache_length),
        operations=fmt.count(len(graph)),
        flops=fmt.flops(total.flops),
        read=fmt.data(total.read_bytes),
        written=fmt.data(total.written_bytes),
    )
    layers = {
        stage: len({f.layer for f in graph.frames if f.stage == stage and f.layer is not None})
        for stage in graph.stages
    }

    def stage_name(stage: str) -> str:
        name = wording.stage_name(stage, s)
        return f"{name} × {layers[stage]}" if layers[stage] else name

    stages = [graph.stage_of(i) for i in range(len(graph))]
    kinds = [kind.value for kind in graph.kinds]
    kind_names = {kind.value: s.kind_names[kind] for kind in graph.kinds}
    held, experts = memory(graph), experts_section(graph)
    blocks: tuple[Block, ...] = (
        Paragraph(lead, lead=True),
        *_step(graph, held, t),
        *((Paragraph(peak_sentence(held, graph)),) if held else ()),
        Heading(s.by_stage),
        _table(graph, stages, graph.stages, s.stage, stage_name, s),
        Heading(s.by_kind),
        _table(graph, kinds, _heaviest_first(graph, kinds), s.kind, kind_names.__getitem__, s),
        *((Heading(experts.title), *experts.blocks) if experts else ()),
        Note(Severity.INFO, s.structure_note.format(device=graph.traced_on)),
        *(Note(Severity.WARNING, note) for note in graph.notes),
    )
    title = t.step_title if of_step else s.structure_title
    return page_of(title.format(model=model, cache=fmt.count(graph.cache_length)), blocks)


def _step(graph: Graph, held: Memory | None, t: StructureText) -> Iterator[Block]:
    """What a decode step finds, and what it leaves."""
    if graph.cache_length is None or held is None:
        return
    found = {spec.storage: spec.bytes for spec in graph.tensors if spec.role is TensorRole.CACHE}
    before, after = sum(found.values()), int(held.computed.cache[-1])
    yield Paragraph(t.step_cache.format(before=fmt.data(before), after=fmt.data(after)))
    encoded = any(spec.role is TensorRole.INPUT and spec.name.startswith(_ENCODER) for spec in graph.tensors)
    yield Note(Severity.INFO, " ".join((t.step_note, t.step_after_encoder)) if encoded else t.step_note)


def _heaviest_first(graph: Graph, kinds: list[str]) -> list[str]:
    work = graph.flops + graph.elementwise_flops + graph.read_bytes + graph.written_bytes
    column = np.asarray(kinds)
    # Kinds of equal work keep the order in which they appear, which is the same in every process.
    return sorted(dict.fromkeys(kinds), key=lambda kind: -int(work[column == kind].sum()))


def _table(
    graph: Graph, group: list[str], order: Iterable[str], title: str, name: Callable[[str], str], s: Strings
) -> Table:
    titles = (s.operations, s.flops, s.elementwise, s.read, s.written, s.intensity)
    # What matters most to a reader stays longest where the medium is narrow.
    priorities = (2, 0, 3, 0, 0, 1)
    columns = tuple(Column(t, Align.RIGHT, p) for t, p in zip(titles, priorities, strict=True))
    column = np.asarray(group)
    rows = [(name(key), *_cells(graph, np.flatnonzero(column == key))) for key in order]
    rows.append((s.total, *_cells(graph, np.arange(len(graph)))))
    return Table((Column(title), *columns), tuple(rows), total=True)


def _cells(graph: Graph, ops: IntArray) -> tuple[str, ...]:
    flops, elementwise = int(graph.flops[ops].sum()), int(graph.elementwise_flops[ops].sum())
    read, written = int(graph.read_bytes[ops].sum()), int(graph.written_bytes[ops].sum())
    moved = read + written
    intensity = fmt.significant((flops + elementwise) / moved) if moved else fmt.significant(None)
    return (
        fmt.count(len(ops)),
        fmt.flops(flops),
        fmt.flops(elementwise),
        fmt.data(read),
        fmt.data(written),
        intensity,
    )
