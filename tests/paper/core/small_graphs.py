"""Graphs in a few lines: trees of calls written down as they nest, and random ones for property tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.units import IntArray

# Enough to meet every sort of graph; no deadline, since a test must not fail because the machine is busy.
few_examples = settings(max_examples=50, deadline=None)


@dataclass(frozen=True)
class Call:
    """A call of a module; a whole number inside stands for an operation of that many FLOPs."""

    module: str
    inside: tuple[Call | int, ...]
    stage: str = ""


def call(module: str, *inside: Call | int, stage: str = "") -> Call:
    return Call(module, inside, stage)


def build(*calls: Call | int, generates: bool = False) -> Graph:
    """The graph of `calls`, one after the other; every operation reads what the one before wrote."""
    b = GraphBuilder()
    x = b.tensor((4,), role=TensorRole.INPUT)

    def run(part: Call | int) -> None:
        nonlocal x
        if isinstance(part, Call):
            with b.frame(part.module, "Module", stage=part.stage):
                for inner in part.inside:
                    run(inner)
        else:
            y = b.tensor((4,))
            b.op("linear", OpKind.MATMUL, [x], [y], Cost(flops=part))
            x = y

    for part in calls:
        run(part)
    return b.build(generates=generates)


def small_bert(layers: int = 2) -> Graph:
    """Tokenizer, embedding, a loose mask, layers of two products, pooler: every sort of slot once at least."""
    return build(
        call("", 1, stage="tokenize"),
        call(
            "",
            call("embeddings", 10, 10),
            1,
            call(
                "encoder",
                *(
                    call(f"encoder.layer.{i}", call(f"encoder.layer.{i}.a", 100), call(f"encoder.layer.{i}.b", 100))
                    for i in range(layers)
                ),
            ),
            call("pooler", 5, 5),
        ),
    )


_modules = st.sampled_from(["a", "b", "layer.0", "layer.1", "layer.2", "decoder.0", "decoder.1", "head"])


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any tree of calls, empty calls included, with views and writes in place among its operations."""
    b = GraphBuilder()
    made = [b.tensor((2,), role=TensorRole.INPUT), b.tensor((2, 2), role=TensorRole.PARAMETER)]
    depth = 0
    for step in draw(st.lists(st.sampled_from(("op", "op", "enter", "enter", "leave")), max_size=40)):
        if step == "op":
            _random_op(draw, b, made)
        elif step == "enter":
            b.enter(draw(_modules), "Module")
            depth += 1
        elif depth:
            b.leave()
            depth -= 1
    for _ in range(depth):
        b.leave()
    _random_op(draw, b, made)
    return b.build()


def _random_op(draw: st.DrawFn, b: GraphBuilder, made: list[int]) -> None:
    reads = draw(st.lists(st.sampled_from(made), min_size=1, max_size=3, unique=True))
    sort = draw(st.sampled_from(("new", "view", "in place")))
    kind, cost = OpKind.OTHER, Cost(draw(st.integers(0, 100)), 1, 8, 8)
    if sort == "view":
        kind, cost = OpKind.VIEW, Cost()
        written = b.tensor((2,), storage=b.spec(reads[0]).storage)
    else:
        written = reads[0] if sort == "in place" else b.tensor((2,))
    b.op(sort, kind, reads, [written], cost, in_place=sort == "in place")
    made.append(written)


@st.composite
def timed_graphs(draw: st.DrawFn) -> tuple[Graph, IntArray]:
    """A random graph and a time of at least a nanosecond for each of its slots."""
    graph = draw(graphs())
    count = len(graph.slots)
    times = draw(st.lists(st.integers(1, 10**7), min_size=count, max_size=count))
    return graph, np.asarray(times, dtype=np.int64)
