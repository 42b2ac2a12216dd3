"""Calls of an engine that tells nothing of what happens inside them: each is one operation, with the model's own cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.structure import PREPARE, READ_OUT, SAMPLE, TOKENIZE, WHOLE
from cyclescope.core.graph.tensor import TensorRole

_AROUND = (TOKENIZE, PREPARE, SAMPLE, READ_OUT)  # stages that are no part of a call of the model


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """What an engine holds in place of the model's parameters: how many, in which `dtype`, and how many bytes it takes for
    each byte of theirs.
    """

    number: int
    dtype: str
    bytes_a_byte: float


@dataclass(frozen=True, slots=True)
class CallCosts:
    """What each call of a generation costs, the prompt's first, with the `weights` as the engine holds them."""

    costs: tuple[Cost, ...]
    weights: StoredWeights


def black_box_call(
    builder: GraphBuilder, name: str, class_name: str, reads: Sequence[int], writes: Sequence[int], cost: Cost
) -> int:
    """Append one call of a model of the class `class_name`, a frame with one operation; gives the number of the frame."""
    with builder.frame("", class_name, stage=WHOLE) as frame:
        builder.op(name, OpKind.OTHER, reads, writes, cost)
    return frame


def costs_of_calls(graph: Graph, bytes_a_byte: float = 1.0) -> tuple[Cost, ...]:
    """What each call of the model costs in a traced cycle: its only one, or the prefill and every step that writes.

    Summed over the model's own operations, so intermediate results count as they do there. The engine's weights take
    `bytes_a_byte` times the memory that the traced ones take. An encoder that runs once counts with the prefill.
    """
    inside = ~graph.op_stage.where(lambda stage: stage in _AROUND)
    step = np.maximum(graph.slots.step[graph.slots.of_op], 0)[inside]
    reads = graph.read_entries
    weights = np.where(graph.of_role(TensorRole.PARAMETER), graph.tensor_bytes, 0)[reads.tensor]
    # Of a table of embeddings only some rows are read.
    of_weights = np.minimum(np.bincount(reads.op, weights, minlength=len(graph)), graph.read_bytes)
    read = graph.read_bytes - of_weights * (1.0 - bytes_a_byte)
    columns = (graph.flops, graph.elementwise_flops, read, graph.written_bytes)
    sums = [np.bincount(step, column[inside]) for column in columns]
    return tuple(Cost(*(round(float(number)) for number in row)) for row in zip(*sums, strict=True))


def of_several(costs: Sequence[Cost]) -> Cost:
    """One call that does the work of the calls `costs`, which follow each other: weights and cache are read once."""
    whole = sum(costs, Cost())
    widest = max(costs, key=lambda cost: cost.read_bytes + cost.written_bytes)
    return replace(whole, read_bytes=widest.read_bytes, written_bytes=widest.written_bytes)


def continued(costs: Sequence[Cost], calls: int) -> tuple[Cost, ...]:
    """`costs` of the first calls of a generation, carried on to so many `calls`.

    A step reads one token more of the cache than the one before it, so each costs as much more than its predecessor as
    that did. Not for a model with a window, whose steps stop growing.
    """
    found = list(costs[:calls])
    while len(found) < calls:
        before, last = found[-2:]
        found.append(Cost(*(2 * getattr(last, f.name) - getattr(before, f.name) for f in fields(Cost))))
    return tuple(found)
