"""Memory, as part of the document about a cycle."""

from __future__ import annotations

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.memory import Held, Memory
from cyclescope.report.documents import schema as doc


def memory_document(told: Memory, graph: Graph) -> doc.MemoryReport:
    """`told` as part of the public document."""
    measured = told.measured
    return doc.MemoryReport(
        computed=_held_document(told.computed, graph),
        measured=_held_document(measured, graph) if measured is not None else None,
        difference_bytes=measured.peak - told.computed.peak if measured is not None else None,
        needed_bytes=told.needed,
        largest=[
            doc.MemoryPiece(operation=piece.maker, bytes=piece.bytes, holding=piece.holding.value)
            for piece in told.largest
        ],
        resident_bytes=told.resident_bytes,
        resident_peak_bytes=told.resident_peak_bytes,
    )


def _held_document(held: Held, graph: Graph) -> doc.MemoryHeld:
    op = held.peak_op
    site = graph.site(op)
    return doc.MemoryHeld(
        peak_bytes=held.peak,
        peak_operation=op,
        peak_site=doc.Place(stage=site.stage, layer=site.layer, module=site.module),
        weight_bytes=held.weights,
        buffer_bytes=held.buffers,
        input_bytes=held.inputs,
        activation_bytes=int(held.activations[op]),
        cache_bytes=int(held.cache[op]),
        cache_end_bytes=int(held.cache[-1]),
        activations=held.activations.tolist(),
        cache=held.cache.tolist(),
    )
