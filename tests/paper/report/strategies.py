"""Random graphs and spans for property tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.units import IntArray
from cyclescope.explaining.explanation import Span

names = st.text(max_size=12) | st.sampled_from(["end", '"', "[red]", "\x1b[0m", "0", "layer.0", "layer.1"])
# A leaf is an operation, a list a call of a module with what happens inside it.
_trees = st.recursive(st.just("op"), lambda inner: st.lists(inner, max_size=4), max_leaves=25)


@dataclass(frozen=True, eq=False)
class Timed:
    """A graph and a time for each of its slots."""

    graph: Graph
    slot_ns: IntArray


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any tree of calls with any names, and at least one operation that does something with data."""
    b = GraphBuilder()
    x = b.tensor((2,), role=TensorRole.INPUT)

    def build(tree: object) -> None:
        nonlocal x
        if isinstance(tree, list):
            with b.frame(draw(names), draw(names)):
                for part in tree:
                    build(part)
        else:
            y = b.tensor((2,))
            b.op(draw(names), draw(st.sampled_from(list(OpKind))), [x], [y])
            x = y

    for part in draw(st.lists(_trees, min_size=1, max_size=4)):
        build(part)
    b.op(draw(names), OpKind.ELEMENTWISE, [x], [b.tensor((2,))])
    return b.build()


@st.composite
def timed_graphs(draw: st.DrawFn) -> Timed:
    """A graph whose slots take any time, none included; the cycle as a whole takes some."""
    graph = draw(graphs())
    lengths = st.integers(0, 3) | st.integers(0, 10**12)
    count = len(graph.slots)
    times = draw(st.lists(lengths, min_size=count, max_size=count).filter(any))
    return Timed(graph, np.asarray(times, dtype=np.int64))


spans = st.lists(
    st.builds(
        Span,
        name=names,
        kind=st.sampled_from(["frame", "python", "matmul"]),
        stage=st.just("encode"),
        layer=st.none() | st.integers(0, 3),
        module=names,
        start_ns=st.integers(0, 50),
        duration_ns=st.integers(-2, 50),
        depth=st.integers(0, 5),
    ),
    max_size=30,
)
