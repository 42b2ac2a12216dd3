"""What changed from one cycle to another, by stage, layer, kind and place. The deltas of each partition add up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import TypeAlias

import numpy as np

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.columns import numbered
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.statistics import Estimate, Ratio
from cyclescope.core.units import IntArray
from cyclescope.explaining.attribution import Attribution, attribute
from cyclescope.explaining.closure import PYTHON
from cyclescope.explaining.matching import Key, dense, match
from cyclescope.explaining.places import Place, places


class Presence(StrEnum):
    """Whether a part stands in both cycles."""

    BOTH = "both"
    ONLY_A = "only-a"
    ONLY_B = "only-b"


@dataclass(frozen=True, slots=True)
class PartChange:
    """One part (a stage, a layer, a kind, a group of matched operations) in both cycles; `a` and `b` are None where it
    is missing. `ratio` is B ÷ A with its 95 % interval, None unless both have it. `delta_ns` = B − A, a missing part
    being 0: the deltas of all parts of one partition add up to that of the whole.

    `place` is only a stage, only a kind, or where the operations are in A (in B, where only B has them), `renamed` their
    place in B where it is another; `python` is the time between operations. `stage`, `layer` and `kind` say what the
    part belongs to, as far as it belongs to one.
    """

    place: Place
    presence: Presence
    a: Estimate | None
    b: Estimate | None
    ratio: Ratio | None
    delta_ns: float
    operations_a: int = 0
    operations_b: int = 0
    stage: str = ""
    layer: int | None = None
    kind: OpKind | None = None
    renamed: Place | None = None

    @property
    def name(self) -> str:
        """The place as documents call it."""
        return str(self.place)


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part is called and belongs to, before it has times."""

    place: Place
    stage: str = ""
    layer: int | None = None
    kind: OpKind | None = None
    renamed: Place | None = None


# Of every slot what it is counted to, as something that is quickly compared; the part is made from it afterwards.
_KeysOf: TypeAlias = Callable[[Graph], Sequence[Key]]


@dataclass(frozen=True, eq=False)
class Partitions:
    """The attributed times of two cycles, to be cut in the same way. `between_runs` (a share) widens every ratio."""

    a: Attribution
    b: Attribution
    between_runs: float

    @staticmethod
    def of(a: Cycle, b: Cycle, between_runs: float) -> Partitions:
        return Partitions(attribute(a), attribute(b), between_runs)

    @property
    def known(self) -> bool:
        """Whether both have instrumented runs; without them there is nothing to cut."""
        return bool(len(self.a.runs_ns) and len(self.b.runs_ns))

    def stages(self) -> tuple[PartChange, ...]:
        """In order of time, those of A first."""
        return self._by_slot(lambda graph: graph.slots.stage, lambda stage: _Part(Place(stage), stage))

    def layers(self) -> tuple[PartChange, ...]:
        """Layer by layer, and in each stage one part without a layer: all that stands outside of them."""
        return self._by_slot(_locations, lambda site: _Part(Place(site[0]), site[0], None if site[1] < 0 else site[1]))

    def kinds(self) -> tuple[PartChange, ...]:
        """The largest change first; the time between operations is a part as well."""
        parts = [*(_Part(Place(operation=kind.value), kind=kind) for kind in OpKind), _Part(Place(operation=PYTHON))]
        return _largest_first(self._by_slot(_kind_numbers, lambda number: parts[number]))

    def operations(self) -> tuple[PartChange, ...]:
        """Matched operations by their places, operations of one cycle only, and the time between operations of each
        stage; the largest change first.
        """
        if not self.known:
            return ()
        graphs = self.a.graph, self.b.graph
        of_place = places(graphs[0]), places(graphs[1])
        pairs = match(*graphs, *of_place)
        split = len(graphs[0])
        both, _ = numbered(chain(*of_place))
        # The place in A and the place in B of every operation of both; −1 where the other has no such operation.
        in_a, in_b = np.full((2, len(both)), -1, dtype=np.int64)
        in_a[:split], in_b[split:] = both[:split], both[split:]
        in_b[pairs.a], in_a[split + pairs.b] = both[split + pairs.b], both[pairs.a]
        partner = np.full(split, -1, dtype=np.int64)
        partner[pairs.a] = pairs.b
        group = dense(in_a, in_b)
        parts: list[_Part] = []
        for op in np.unique(group, return_index=True)[1].tolist():
            graph, i = (graphs[0], op) if op < split else (graphs[1], op - split)
            here = of_place[0 if op < split else 1][i]
            # A group that is in both begins in A, whose operations stand first.
            renamed = in_b[op] >= 0 and in_a[op] >= 0 and in_a[op] != in_b[op]
            there = of_place[1][int(partner[i])] if renamed else None
            parts.append(_Part(here, graph.stage_of(i), kind=graph.kinds[i], renamed=there))
        stages = list(dict.fromkeys((*graphs[0].slots.stage, *graphs[1].slots.stage)))
        first_python = len(parts)
        parts += [_Part(Place(operation=PYTHON), stage) for stage in stages]
        number = {stage: first_python + k for k, stage in enumerate(stages)}
        columns = []
        for graph, of_op in zip(graphs, (group[:split], group[split:]), strict=True):
            slots = graph.slots
            python = np.asarray([number[stage] for stage in slots.stage], dtype=np.int64)
            columns.append(np.where(slots.op >= 0, of_op[slots.op] if len(of_op) else python, python))
        return _largest_first(self._changes(parts, columns[0], columns[1]))

    def _by_slot(self, keys_of: _KeysOf[Key], part_of: Callable[[Key], _Part]) -> tuple[PartChange, ...]:
        if not self.known:
            return ()
        of_a, of_b = keys_of(self.a.graph), keys_of(self.b.graph)
        group, keys = numbered(chain(of_a, of_b))
        return self._changes([part_of(key) for key in keys], group[: len(of_a)], group[len(of_a) :])

    def _changes(self, parts: Sequence[_Part], of_a: IntArray, of_b: IntArray) -> tuple[PartChange, ...]:
        """The change of each of `parts`; `of_a` and `of_b` [slots] say which part a slot is in."""
        sides = (self.a, of_a), (self.b, of_b)
        estimates = [side.estimates(group, len(parts)) for side, group in sides]
        slots = [np.bincount(group, minlength=len(parts)) for _, group in sides]
        ops = [np.bincount(group[side.graph.slots.op >= 0], minlength=len(parts)) for side, group in sides]
        found = []
        for k, part in enumerate(parts):
            a, b = (estimates[side][k] if slots[side][k] else None for side in (0, 1))
            if a is None and b is None:
                continue
            presence = Presence.ONLY_B if a is None else Presence.ONLY_A if b is None else Presence.BOTH
            found.append(
                PartChange(
                    place=part.place,
                    presence=presence,
                    a=a,
                    b=b,
                    ratio=part_ratio(a, b, self.between_runs) if a and b else None,
                    delta_ns=(b.value_ns if b else 0.0) - (a.value_ns if a else 0.0),
                    operations_a=int(ops[0][k]),
                    operations_b=int(ops[1][k]),
                    stage=part.stage,
                    layer=part.layer,
                    kind=part.kind,
                    renamed=part.renamed,
                )
            )
        return tuple(found)


def _locations(graph: Graph) -> list[tuple[str, int]]:
    return list(zip(graph.slots.stage, graph.slots.layer.tolist(), strict=True))


def _kind_numbers(graph: Graph) -> list[int]:
    """Of every slot the place of its kind in `OpKind`; one beyond for Python."""
    numbers = {id(kind): number for number, kind in enumerate(OpKind)}  # the members themselves hash slowly
    of_op = np.asarray([*(numbers[id(kind)] for kind in graph.kinds), len(numbers)], dtype=np.int64)
    found: list[int] = of_op[graph.slots.op].tolist()  # -1, no operation, is the last
    return found


def _largest_first(changes: Sequence[PartChange]) -> tuple[PartChange, ...]:
    return tuple(sorted(changes, key=lambda change: -abs(change.delta_ns)))


def part_ratio(a: Estimate, b: Estimate, between_runs: float) -> Ratio | None:
    """B ÷ A of two independent estimates; None where A takes no time.

    The interval follows from those of both without a new draw, on the scale of logarithms: the distances to the ends
    are joined by the root of the sum of squares (Zou and Donner, 2008, "method of variance estimates recovery").
    """
    if a.value_ns <= 0:
        return None
    if b.value_ns <= 0:
        return Ratio(0.0, 0.0, b.high_ns / a.value_ns, min(a.n, b.n))
    value, between = b.value_ns / a.value_ns, math.log1p(between_runs)
    below = math.hypot(_distance(b.low_ns, b.value_ns), _distance(a.value_ns, a.high_ns), between)
    above = math.hypot(_distance(b.value_ns, b.high_ns), _distance(a.low_ns, a.value_ns), between)
    # Where an interval of A reaches down to nothing, B ÷ A has no upper end.
    return Ratio(value, value * math.exp(-below), value * math.exp(above) if above < 700 else math.inf, min(a.n, b.n))


def _distance(low: float, high: float) -> float:
    """Of two times on the scale of logarithms."""
    return math.log(high / low) if low > 0 else math.inf
