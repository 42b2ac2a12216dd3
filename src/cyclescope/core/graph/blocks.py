"""The blocks of a Transformer, found by how data flows: which weights make queries, keys and values, which feed forward.

Nothing is known by name: a model that was written yesterday has the same products around its attention.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole

# What a product's result passes through on its way: it may be shown otherwise, rotated, scaled or normalised.
_ON_THE_WAY = frozenset({OpKind.VIEW, OpKind.COPY, OpKind.ELEMENTWISE, OpKind.NORM})


@dataclass(frozen=True, slots=True)
class AttentionBlock:
    """One attention with the weights (parameter names) around it.

    `heads` of queries and `key_heads` of keys and values, each `head_width` wide.
    """

    query: str
    key: str
    value: str
    output: str
    heads: int
    key_heads: int
    head_width: int


@dataclass(frozen=True, slots=True)
class FeedForwardBlock:
    """One feed-forward network: the weights (parameter names) of the products before its activation, those that are
    multiplied with it included, and of the product behind it; `width` numbers lie between them.
    """

    inputs: tuple[str, ...]
    output: str
    width: int


def attention_blocks(graph: Graph) -> tuple[AttentionBlock, ...]:
    """Attentions of the layers, in order, whose queries, keys and values are made by products of their own."""
    flow = _Flow(graph)
    blocks: dict[str, AttentionBlock] = {}
    for i, kind in enumerate(graph.kinds):
        inputs = graph.reads(i)
        if kind is not OpKind.ATTENTION or graph.location(i).layer is None or len(inputs) < 3:
            continue
        sides = [flow.behind(t) for t in inputs[:3]]
        after = flow.after(graph.writes(i))
        shape = graph.tensors[inputs[0]].shape
        if any(len(side) != 1 for side in sides) or len(after) != 1 or len(shape) < 4:
            continue
        query, key, value = (side[0] for side in sides)
        if len({query, key, value}) < 3:
            continue  # one product makes all of them
        heads, width = shape[-3], shape[-1]
        key_heads = flow.width_out(key) // max(1, width)
        blocks.setdefault(query, AttentionBlock(query, key, value, after[0], heads, key_heads, width))
    return tuple(blocks.values())


def feed_forward_blocks(graph: Graph) -> tuple[FeedForwardBlock, ...]:
    """Feed-forward networks of the layers, in order."""
    flow = _Flow(graph)
    blocks: dict[str, FeedForwardBlock] = {}
    for i, kind in enumerate(graph.kinds):
        if kind is not OpKind.ACTIVATION or graph.location(i).layer is None:
            continue
        before = [name for t in graph.reads(i) for name in flow.behind(t)]
        after = flow.after(graph.writes(i), beside=before)
        if not before or len(after) != 1:
            continue
        names = tuple(dict.fromkeys(before))
        width = flow.width_in(after[0])
        if {flow.width_out(name) for name in names} == {width}:
            blocks.setdefault(names[0], FeedForwardBlock(names, after[0], width))
    return tuple(blocks.values())


class _Flow:
    """Who made each tensor, who reads it, and which operation is the product of each weight."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._maker: dict[int, int] = {}
        self._readers: dict[int, list[int]] = {}
        for i in range(len(graph)):
            for t in graph.reads(i):
                self._readers.setdefault(t, []).append(i)
            for t in graph.writes(i):
                self._maker[t] = i
        self._product = {name: i for i in range(len(graph)) if (name := self._weight(i))}

    def width_out(self, weight: str) -> int:
        """How many numbers the product of `weight` makes of each row."""
        return self._graph.tensors[self._graph.writes(self._product[weight])[0]].shape[-1]

    def width_in(self, weight: str) -> int:
        """How many numbers of a row it takes."""
        specs = [self._graph.tensors[t] for t in self._graph.reads(self._product[weight])]
        return next((s.shape[-1] for s in specs if s.role is not TensorRole.PARAMETER and s.shape), 0)

    def behind(self, tensor: int) -> list[str]:
        """Weights of the products that `tensor` comes from, with nothing but views and small work between."""
        found: list[str] = []
        seen: set[int] = set()
        waiting = [tensor]
        while waiting:
            i = self._maker.get(waiting.pop())
            if i is None or i in seen:
                continue
            seen.add(i)
            weight = self._weight(i)
            if weight:
                found.append(weight)
            elif self._graph.kinds[i] in _ON_THE_WAY:
                waiting += self._graph.reads(i)
        return found

    def after(self, tensors: Iterable[int], beside: list[str] | None = None) -> list[str]:
        """Weights of the first products that `tensors` go into; those of what is multiplied in on the way are added to
        `beside`.
        """
        found: list[str] = []
        seen: set[int] = set()
        waiting = list(tensors)
        while waiting:
            t = waiting.pop()
            for i in self._readers.get(t, ()):
                if i in seen:
                    continue
                seen.add(i)
                weight = self._weight(i)
                kind = self._graph.kinds[i]
                if weight:
                    found.append(weight)
                elif kind in (OpKind.VIEW, OpKind.COPY) or (kind is OpKind.ELEMENTWISE and beside is not None):
                    if kind is OpKind.ELEMENTWISE and beside is not None:
                        for other in self._graph.reads(i):
                            beside += self.behind(other) if other != t else []
                    waiting += self._graph.writes(i)
        return list(dict.fromkeys(found))

    def _weight(self, i: int) -> str:
        """The weight of operation `i`, where it is the product of a parameter; empty where it is not."""
        if self._graph.kinds[i] is not OpKind.MATMUL:
            return ""
        specs = [self._graph.tensors[t] for t in self._graph.reads(i)]
        return next((s.name for s in specs if s.role is TensorRole.PARAMETER and len(s.shape) == 2), "")
