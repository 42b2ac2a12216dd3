"""Layers of a step that has no calls of modules: operations that follow each other in one order, again and again."""

from __future__ import annotations

from collections import Counter

import numpy as np

from cyclescope.core.graph.columns import numbered
from cyclescope.core.lanes import LaneSamples
from cyclescope.core.units import IntArray
from cyclescope.importing.structure.calls import Call
from cyclescope.importing.structure.labels import labels
from cyclescope.importing.structure.runs import Piece

_FEWEST, _LEAST_SHARE = 2, 0.5  # layers; share of the operations that they must hold
_MOST_ANCHORS, _ANCHORS_TRIED = 400, 40
_FEWEST_OPS = 8


def with_layers(events: LaneSamples, piece: Piece) -> list[Call]:
    """The calls of `piece`; where it has none that repeat, each repetition of its operations is one."""
    alike = Counter((call.parent, call.kind) for call in piece.calls[1:] if call.end_op - call.first_op > 1)
    if max(alike.values(), default=0) > 1 or len(piece.ops) < _FEWEST_OPS:
        return piece.calls
    found = repetition(numbered(labels(events, piece.ops))[0])
    if found is None:
        return piece.calls
    begin, period, count = found
    ops = piece.ops
    calls = [call for k, call in enumerate(piece.calls) if not k]  # named ranges would cross the layers
    for number in range(count):
        first, end = begin + number * period, begin + (number + 1) * period
        first_ns, end_ns = int(events.begin_ns[ops[first]]), int(events.end_ns[ops[end - 1]])
        calls.append(Call("Repetition", str(number), 0, first, end, first_ns, end_ns))
        # A call that holds something makes the repetitions members of a container.
        calls.append(Call("Operations", "", len(calls) - 1, first, end, first_ns, end_ns))
    return calls


def repetition(names: IntArray) -> tuple[int, int, int] | None:
    """Where a sequence that repeats begins, how long it is and how often it comes; None where nothing repeats enough.

    Tried are the distances between occurrences of what comes at most 400 times; of those the one that covers the most,
    the shortest of several.
    """
    n = len(names)
    best: tuple[int, int, int, int] | None = None
    tried: set[int] = set()
    distinct, counts = np.unique(names, return_counts=True)
    fit = (counts >= _FEWEST) & (counts <= _MOST_ANCHORS)
    for name in distinct[fit][np.argsort(counts[fit], kind="stable")][:_ANCHORS_TRIED]:
        gaps, often = np.unique(np.diff(np.flatnonzero(names == name)), return_counts=True)
        for period in gaps[np.argsort(-often)][:3].tolist():
            if period in tried or period < 2 or period * _FEWEST > n:
                continue
            tried.add(period)
            equal = names[period:] == names[:-period]
            edges = np.flatnonzero(np.diff(np.concatenate([[0], equal.astype(np.int8), [0]])))
            starts, ends = edges[::2], edges[1::2]
            if not len(starts):
                continue
            longest = int(np.argmax(ends - starts))
            begin, length = int(starts[longest]), int(ends[longest] - starts[longest])
            count = length // period + 1
            held = count * period
            if count >= _FEWEST and (best is None or (held, -period) > (best[0], -best[2])):
                best = (held, begin, period, count)
    if best is None or best[0] < _LEAST_SHARE * n:
        return None
    return best[1:]
