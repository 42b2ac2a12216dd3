"""Families of kinds of operations that share a colour, in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Message, in_context, m
from cyclescope.report.naming.between import between_short

# By the names that `drawings.spans.FAMILIES` gives them, in the order of a legend.
_FAMILIES: Mapping[str, Message] = MappingProxyType(
    {
        "matmul": m("matrix products"),
        "attention": m("attention, softmax"),
        "norm": m("normalisation"),
        "activation": m("activation"),
        "elementwise": m("elementwise, reduction"),
        "embedding": m("table look-up"),
        "movement": m("copies, views"),
        "text": in_context("kind of operation", "text"),
        "other": m("other operations"),
        "python": m("Python"),
        "frame": m("module"),
    }
)


def families(graph: Graph) -> Mapping[str, Message]:
    """The label of each family in a cycle of `graph`, in the order of a legend."""
    return MappingProxyType({**_FAMILIES, "python": between_short(graph)})
