"""A critical path made short enough to be read: layers that repeat folded into one stretch, rounds that repeat into one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.units import FloatArray, IntArray
from cyclescope.explaining.places import Place

# Paths through two layers are shown as one where more than this share of their operations stand at the same places: which
# of query, key and value is the longest is chance, and differs from layer to layer.
_ALIKE = 0.5
_LONGEST_ROUND = 8  # stretches; a step of a generation has five


@dataclass(frozen=True, slots=True)
class PathOp:
    """One operation of the chain, with its fellows in the repeats. `places` are where it stands, the same in every layer
    (several where the path takes one way here and another there); `time_ns` is of all of them together.
    """

    places: tuple[Place, ...]
    time_ns: float


@dataclass(frozen=True, slots=True)
class PathSegment:
    """A part of the chain in one stage: the layers `first_layer` … `last_layer` of it (None: in no layer).

    `links` are the operations of one layer in order, `repeats` is how many layers in how many rounds were folded here.
    """

    stage: str
    first_layer: int | None
    last_layer: int | None
    repeats: int
    links: tuple[PathOp, ...]

    @property
    def time_ns(self) -> float:
        return sum(link.time_ns for link in self.links)


@dataclass(frozen=True, slots=True)
class PathRepetition:
    """Stretches that follow each other, `times` times over (the steps of a generation)."""

    times: int
    stretches: tuple[PathSegment, ...]

    @property
    def time_ns(self) -> float:
        return sum(segment.time_ns for segment in self.stretches)


def fold(path: IntArray, graph: Graph, places: Sequence[Place], op_ns: FloatArray) -> tuple[PathRepetition, ...]:
    """The chain `path` in rounds of stretches. `places` [n] names where each operation stands, the same in every layer.

    The links' times add up to the length of the path.
    """
    return tuple(_rounds(list(_layers_folded(_segments(path.tolist(), graph, places, op_ns)))))


def _segments(path: Sequence[int], graph: Graph, places: Sequence[Place], op_ns: FloatArray) -> Iterator[PathSegment]:
    on_path = np.asarray(path, dtype=np.int64)
    step_of = np.asarray([frame.step for frame in graph.frames], dtype=np.int64)
    home = np.stack([graph.op_stage.numbers[on_path], graph.op_layer[on_path], step_of[graph.op_frame[on_path]]])
    begins = np.flatnonzero(np.append(True, (home[:, 1:] != home[:, :-1]).any(axis=0)))[: len(on_path)]
    ends = [*begins[1:].tolist(), len(on_path)]
    times = op_ns[on_path].tolist()
    for begin, end in zip(begins.tolist(), ends, strict=True):
        location = graph.location(path[begin])
        links = tuple(PathOp((places[path[k]],), times[k]) for k in range(begin, end))
        yield PathSegment(location.stage, location.layer, location.layer, 1, links)


def _layers_folded(stretches: Iterator[PathSegment]) -> Iterator[PathSegment]:
    """Layers that follow each other and whose paths are alike as one stretch."""
    kept: PathSegment | None = None
    for segment in stretches:
        if kept is not None and _continues(kept, segment):
            kept = replace(_added(kept, segment), last_layer=segment.last_layer)
        else:
            if kept is not None:
                yield kept
            kept = segment
    if kept is not None:
        yield kept


def _continues(kept: PathSegment, segment: PathSegment) -> bool:
    """Whether `segment` is the layer after those of `kept`, with a path like theirs."""
    return (
        kept.last_layer is not None
        and segment.first_layer == kept.last_layer + 1
        and segment.stage == kept.stage
        and _alike(kept.links, segment.links)
    )


def _alike(some: Sequence[PathOp], others: Sequence[PathOp]) -> bool:
    if len(some) != len(others):
        return False
    same = sum(other.places[0] in link.places for link, other in zip(some, others, strict=True))
    return same > _ALIKE * len(some) or same == len(some)


def _added(kept: PathSegment, segment: PathSegment) -> PathSegment:
    links = tuple(
        PathOp(tuple(dict.fromkeys((*a.places, *b.places))), a.time_ns + b.time_ns)
        for a, b in zip(kept.links, segment.links, strict=True)
    )
    return replace(kept, repeats=kept.repeats + segment.repeats, links=links)


def _rounds(stretches: Sequence[PathSegment]) -> Iterator[PathRepetition]:
    """Rounds that follow each other folded, the longest fold at each place."""
    single: list[PathSegment] = []
    at = 0
    while at < len(stretches):
        period, times = max(
            ((p, _repeats(stretches, at, p)) for p in range(1, _LONGEST_ROUND + 1)),
            key=lambda found: (found[0] * found[1] if found[1] > 1 else 0, -found[0]),
        )
        if times == 1:
            single.append(stretches[at])
            at += 1
            continue
        if single:
            yield PathRepetition(1, tuple(single))
            single = []
        folded = list(stretches[at : at + period])
        for k in range(period, period * times):
            folded[k % period] = _added(folded[k % period], stretches[at + k])
        yield PathRepetition(times, tuple(folded))
        at += period * times
    if single:
        yield PathRepetition(1, tuple(single))


def _repeats(stretches: Sequence[PathSegment], at: int, period: int) -> int:
    """How often the `period` stretches from `at` on come in a row."""
    k = at + period
    while k < len(stretches) and _same_place(stretches[k - period], stretches[k]):
        k += 1
    return max(1, (k - at) // period)


def _same_place(a: PathSegment, b: PathSegment) -> bool:
    return (a.stage, a.first_layer, a.last_layer) == (b.stage, b.first_layer, b.last_layer) and _alike(a.links, b.links)
