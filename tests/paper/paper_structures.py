"""Graphs on paper of what is rare: a decode step that was traced by itself, and layers of experts."""

from __future__ import annotations

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.experts import ExpertLoad
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole

CACHE = 40


def step() -> Graph:
    """One layer that lengthens its keys [1, CACHE, 8] by a token."""
    b = GraphBuilder()
    x = b.tensor((1, 8), role=TensorRole.INPUT, name="input_ids")
    keys = b.tensor((1, CACHE, 8), role=TensorRole.CACHE, name="past_key_values.layers.0.keys")
    with b.frame("", "Model"), b.frame("layers.0", "Layer"):
        longer = b.tensor((1, CACHE + 1, 8))
        b.op("cat", OpKind.COPY, [keys, x], [longer])
        y = b.tensor((1, 8))
        b.op("attention", OpKind.ATTENTION, [x, longer], [y])
    kept = [b.spec(longer).storage, b.spec(y).storage]
    return b.build(generates=True, kept=kept, cache_length=CACHE)


def mixture(*loads: tuple[int, tuple[int, ...]]) -> Graph:
    """A layer of four experts for each load: tokens, and how many of them reach each (nothing: unknown). Two a token."""
    b = GraphBuilder()
    x = b.tensor((8,), role=TensorRole.INPUT)
    frames = []
    with b.frame("", "Model"):
        for number in range(len(loads)):
            with b.frame(f"layers.{number}", "Layer"), b.frame(f"layers.{number}.experts", "Experts") as frame:
                frames.append(frame)
                y = b.tensor((8,))
                b.op("grouped_mm", OpKind.MATMUL, [x], [y])
                b.op("mul", OpKind.ELEMENTWISE, [y], [b.tensor((8,))])
                x = y
    experts = [ExpertLoad(frame, 4, tokens, 2, counts) for frame, (tokens, counts) in zip(frames, loads, strict=True)]
    return b.build(generates=True, experts=experts)


EVEN, UNEVEN = (6, (3, 3, 3, 3)), (6, (6, 4, 2, 0))
