"""What a machine must have told before a cycle can be predicted on it: else which figure is missing, and how to give it."""

from __future__ import annotations

from collections import Counter

from cyclescope.core.ceilings import Ceilings, Origin
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Text, listed, m
from cyclescope.explaining.product_shape import product_type

_NEGLIGIBLE = 0.01  # share of the FLOPs: a rotary embedding computes a few in float32 whatever the model runs in


def require_figures(graph: Graph, machine: Ceilings) -> tuple[Text, ...]:
    """What a reader must know of figures that were not needed much. Raises `Unsupported` where one is missing that is."""
    if not machine.bandwidths:
        raise Unsupported(
            m("{machine} has no figure for the bandwidth of its memory.", machine=machine.machine),
            m("Without it the time to read the weights is unknown."),
            how_to_give(machine),
        )
    known = {product.dtype for product in machine.products}
    flops = flops_by_type(graph)
    total = sum(flops.values())
    unknown = {dtype: count for dtype, count in flops.items() if dtype not in known and count > 0}
    for dtype, count in unknown.items():
        if count > _NEGLIGIBLE * total:
            raise Unsupported(
                m("{machine} has no figure for matrix products in {dtype}.", machine=machine.machine, dtype=dtype),
                m("Its figures are for {known}.", known=listed(sorted(known))) if known else "",
                how_to_give(machine),
            )
    return tuple(
        m(
            "{machine} has no figure for products in {dtype}: those of this cycle ({share} % of its FLOPs) are taken to be bound by memory.",
            machine=machine.machine,
            dtype=dtype,
            share=format(100 * count / total, ".2g"),
        )
        for dtype, count in unknown.items()
    )


def flops_by_type(graph: Graph) -> dict[str, int]:
    """FLOPs of products by the type that they are computed in."""
    found: Counter[str] = Counter()
    for i in (graph.flops > 0).nonzero()[0].tolist():
        found[product_type([graph.tensors[t] for t in graph.reads(i)])] += int(graph.flops[i])
    return dict(found)


def how_to_give(machine: Ceilings) -> Text:
    """The way to a figure that is missing."""
    if machine.origin is Origin.MEASURED:
        return m("Run `cyclescope calibrate` again, or choose another --dtype.")
    return m("Choose another --dtype, or give the figure in a file with --machine FILE.")
