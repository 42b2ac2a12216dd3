"""A critical path made short enough to be read: layers that repeat folded into one stretch, rounds that repeat into one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.units import FloatArray, IntArray
from cyclescope.explaining.places import Place

# Paths through two layers are told as one where more than this share of their operations stand at the same places: which
# of query, key and value is the longest is chance, and differs from layer to layer.
_ALIKE = 0.5
_LONGEST_ROUND = 8  # stretches; a step of a generation has five


@dataclass(frozen=True, slots=True)
class Link:
    """One operation of the chain, with its fellows in the repeats. `places` are where it stands, the same in every layer
    (several where the path takes one way here and another there); `time_ns` is of all of them together.
    """

    places: tuple[Place, ...]
    time_ns: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the chain in one stage: the layers `first_layer` … `last_layer` of it (None: in no layer).

    `links` are the operations of one layer in order, `repeats` is how many layers in how many rounds were folded here.
    """

    stage: str
    first_layer: int | None
    last_layer: int | None
    repeats: int
    links: tuple[Link, ...]

    @property
    def time_ns(self) -> float:
        return sum(link.time_ns for link in self.links)


@dataclass(frozen=True, slots=True)
class Round:
    """Stretches that follow each other, `times` times over (the steps of a generation)."""

    times: int
    stretches: tuple[Stretch, ...]

    @property
    def time_ns(self) -> float:
        return sum(stretch.time_ns for stretch in self.stretches)


def fold(path: IntArray, graph: Graph, places: Sequence[Place], op_ns: FloatArray) -> tuple[Round, ...]:
    """The chain `path` in rounds of stretches. `places` [n] names where each operation stands, the same in every layer.

    The links' times add up to the length of the path.
    """
    return tuple(_rounds(list(_layers_folded(_stretches(path.tolist(), graph, places, op_ns)))))


def _stretches(path: Sequence[int], graph: Graph, places: Sequence[Place], op_ns: FloatArray) -> Iterator[Stretch]:
    on_path = np.asarray(path, dtype=np.int64)
    step_of = np.asarray([frame.step for frame in graph.frames], dtype=np.int64)
    home = np.stack([graph.op_stage.numbers[on_path], graph.op_layer[on_path], step_of[graph.op_frame[on_path]]])
    begins = np.flatnonzero(np.append(True, (home[:, 1:] != home[:, :-1]).any(axis=0)))[: len(on_path)]
    ends = [*begins[1:].tolist(), len(on_path)]
    times = op_ns[on_path].tolist()
    for begin, end in zip(begins.tolist(), ends, strict=True):
        site = graph.site(path[begin])
        links = tuple(Link((places[path[k]],), times[k]) for k in range(begin, end))
        yield Stretch(site.stage, site.layer, site.layer, 1, links)


def _layers_folded(stretches: Iterator[Stretch]) -> Iterator[Stretch]:
    """Layers that follow each other and whose paths are alike as one stretch."""
    kept: Stretch | None = None
    for stretch in stretches:
        if kept is not None and _continues(kept, stretch):
            kept = replace(_added(kept, stretch), last_layer=stretch.last_layer)
        else:
            if kept is not None:
                yield kept
            kept = stretch
    if kept is not None:
        yield kept


def _continues(kept: Stretch, stretch: Stretch) -> bool:
    """Whether `stretch` is the layer after those of `kept`, with a path like theirs."""
    return (
        kept.last_layer is not None
        and stretch.first_layer == kept.last_layer + 1
        and stretch.stage == kept.stage
        and _alike(kept.links, stretch.links)
    )


def _alike(some: Sequence[Link], others: Sequence[Link]) -> bool:
    if len(some) != len(others):
        return False
    same = sum(other.places[0] in link.places for link, other in zip(some, others, strict=True))
    return same > _ALIKE * len(some) or same == len(some)


def _added(kept: Stretch, stretch: Stretch) -> Stretch:
    links = tuple(
        Link(tuple(dict.fromkeys((*a.places, *b.places))), a.time_ns + b.time_ns)
        for a, b in zip(kept.links, stretch.links, strict=True)
    )
    return replace(kept, repeats=kept.repeats + stretch.repeats, links=links)


def _rounds(stretches: Sequence[Stretch]) -> Iterator[Round]:
    """Rounds that follow each other folded, the longest fold at each place."""
    single: list[Stretch] = []
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
            yield Round(1, tuple(single))
            single = []
        folded = list(stretches[at : at + period])
        for k in range(period, period * times):
            folded[k % period] = _added(folded[k % period], stretches[at + k])
        yield Round(times, tuple(folded))
        at += period * times
    if single:
        yield Round(1, tuple(single))


def _repeats(stretches: Sequence[Stretch], at: int, period: int) -> int:
    """How often the `period` stretches from `at` on come in a row."""
    k = at + period
    while k < len(stretches) and _same_place(stretches[k - period], stretches[k]):
        k += 1
    return max(1, (k - at) // period)


def _same_place(a: Stretch, b: Stretch) -> bool:
    return (a.stage, a.first_layer, a.last_layer) == (b.stage, b.first_layer, b.last_layer) and _alike(a.links, b.links)
