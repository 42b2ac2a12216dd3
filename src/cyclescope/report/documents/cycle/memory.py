"""Memory, as part of the document about a cycle."""

from __future__ import annotations

from pydantic import Field

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.memory import Held, Holding, Memory
from cyclescope.report.documents.cycle.parts import Place
from cyclescope.report.documents.figures import DocumentPart


class HeldMemory(DocumentPart):
    """Bytes held while each operation runs; peak_bytes is the most of weight_bytes + buffer_bytes + input_bytes +
    activations + cache.
    """

    peak_bytes: int = Field(description="bytes; the most that is held at once")
    peak_operation: int = Field(description="row in the graph of the operation at the peak, the first if several")
    peak_site: Place
    weight_bytes: int = Field(description="bytes of the parameters, each piece of memory once, throughout")
    buffer_bytes: int = Field(description="bytes of the model's buffers and constants, throughout")
    input_bytes: int = Field(description="bytes of tensors that the cycle was given, throughout")
    activation_bytes: int = Field(description="bytes of activations at the peak")
    cache_bytes: int = Field(
        description="bytes of the cache at the peak: what a layer of one step leaves for later steps"
    )
    cache_end_bytes: int = Field(description="bytes of the cache at the end of the cycle")
    activations: list[int] = Field(description="bytes of activations while operation i of the graph runs")
    cache: list[int] = Field(description="bytes of the cache while operation i of the graph runs")


class Piece(DocumentPart):
    """One piece of memory at the computed peak."""

    operation: int = Field(description="row in the graph of the operation that first wrote it")
    bytes: int = Field(description="bytes; its size")
    holding: Holding


class MemoryPart(DocumentPart):
    """What the cycle holds: computed from the graph, and as observed in a run for this purpose."""

    computed: HeldMemory
    measured: HeldMemory | None = Field(description="null where memory was not observed")
    difference_bytes: int | None = Field(
        description="bytes; measured.peak_bytes − computed.peak_bytes; null where not measured"
    )
    needed_bytes: int = Field(description="bytes; the computed peak if everything were freed right after its last use")
    largest: list[Piece] = Field(description="largest pieces at the computed peak, weights left out")
    resident_bytes: int | None = Field(
        description="bytes of the process in main memory before an uninstrumented cycle; null where it is unknown"
    )
    resident_peak_bytes: int | None = Field(description="bytes; the most of it during that cycle")


def memory(found: Memory, graph: Graph) -> MemoryPart:
    measured = found.measured
    return MemoryPart.of(
        found,
        computed=_held(found.computed, graph),
        measured=_held(measured, graph) if measured is not None else None,
        difference_bytes=measured.peak - found.computed.peak if measured is not None else None,
        needed_bytes=found.needed,
        largest=[Piece.of(piece, operation=piece.maker) for piece in found.largest],
    )


def _held(held: Held, graph: Graph) -> HeldMemory:
    op = held.peak_op
    return HeldMemory(
        peak_bytes=held.peak,
        peak_operation=op,
        peak_site=Place.of(graph.location(op)),
        weight_bytes=held.weights,
        buffer_bytes=held.buffers,
        input_bytes=held.inputs,
        activation_bytes=int(held.activations[op]),
        cache_bytes=int(held.cache[op]),
        cache_end_bytes=int(held.cache[-1]),
        activations=held.activations.tolist(),
        cache=held.cache.tolist(),
    )
