"""Figures that count FLOPs, where those of some operations are unknown: what is known is then the least that they are."""

from __future__ import annotations

from cyclescope.core.graph.graph import Graph
from cyclescope.report import format as fmt


def flops_of(graph: Graph) -> str:
    """The FLOPs of all operations of `graph`: `≥ 22.5 GFLOP` where some are unknown."""
    flops = graph.total.flops
    return at_least(fmt.flops(flops), graph) if flops or not graph.unpriced else fmt.UNKNOWN


def at_least(figure: str, graph: Graph) -> str:
    """`figure`, which grows with FLOPs, marked as a lower bound where those of some operations are unknown."""
    return f"≥ {figure}" if graph.unpriced else figure
