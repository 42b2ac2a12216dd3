"""One layer unlike its siblings: a layer that takes longer than the others of its stack."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

import numpy as np

from cyclescope.explaining.explanation import LayerRow
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Location, Quantity
from cyclescope.explaining.places import Place
from cyclescope.explaining.siblings import UNLIKE, UnlikeLayer, unlike_layers

# Where more of a stack is slow it is made of two sorts of layers, and none of them is odd.
_MOST_SLOW = 0.25
_FEWEST_LAYERS = 3  # of two layers neither is the odd one


def unlike_layer(facts: Facts) -> Iterator[Finding]:
    """Found for a layer slower than the median layer by `siblings.UNLIKE`, with intervals apart; what is more can be gained."""
    stacks: dict[str, list[LayerRow]] = {}
    for row in facts.layers:
        stacks.setdefault(row.stage, []).append(row)
    for rows in stacks.values():
        if len(rows) < _FEWEST_LAYERS:
            continue
        typical = statistics.median_low(row.time.value_ns for row in rows)
        high = next(row.time.high_ns for row in rows if row.time.value_ns == typical)
        slow = [u for u in unlike_layers(rows) if u.factor > 1 + UNLIKE and u.row.time.low_ns > high]
        if len(slow) <= max(1, _MOST_SLOW * len(rows)):
            yield from (_finding(facts, layer, typical) for layer in slow)


def _finding(facts: Facts, layer: UnlikeLayer, typical_ns: float) -> Finding:
    row = layer.row
    excess = row.time.value_ns - typical_ns
    evidence = [
        Evidence(EvidenceName.FACTOR, Quantity.RATIO, layer.factor),
        Evidence(EvidenceName.TIME, Quantity.TIME, row.time.value_ns),
        Evidence(EvidenceName.EXCESS, Quantity.TIME, excess),
    ]
    op, more = _oddest(facts, row)
    if op >= 0:
        evidence.append(Evidence(EvidenceName.AT_OPERATION, Quantity.TIME, more, op))
    place = Location(row.stage, row.index, op)
    return Finding(
        FindingCode.UNLIKE_LAYER, row.share, facts.share(excess), tuple(evidence), place, subject=row.class_name
    )


def _oddest(facts: Facts, row: LayerRow) -> tuple[int, float]:
    """The operation of this layer whose place takes the most more than in the median layer, and how much (−1: none).

    A place that no other layer has counts with all its time.
    """
    graph = facts.graph
    stacked = [i for i in np.flatnonzero(facts.layer >= 0).tolist() if graph.stage_of(i) == row.stage]
    times: dict[Place, dict[int, float]] = {}
    here: dict[Place, int] = {}
    for i in stacked:
        place, layer = facts.places[i], int(facts.layer[i])
        by_layer = times.setdefault(place, {})
        by_layer[layer] = by_layer.get(layer, 0.0) + float(facts.op_ns[i])
        if layer == row.index and (place not in here or facts.op_ns[i] > facts.op_ns[here[place]]):
            here[place] = i
    others = {layer for by_layer in times.values() for layer in by_layer} - {row.index}
    best, most = -1, 0.0
    for place, i in here.items():
        more = times[place][row.index] - _median([times[place].get(layer, 0.0) for layer in others])
        if more > most:
            best, most = i, more
    return best, most


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else 0.0
