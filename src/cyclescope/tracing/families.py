"""Families of graphs, found by tracing at a few points and checked at others.

A model may do something else beyond some length: a window that slides, attention in chunks, a mask that one text does not
need. So what follows from a few small shapes is traced once more at the far end; where it does not agree, the range is cut
where the structure changes, and each piece has a family of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from cyclescope.backends.base import Request
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.family import GraphFamily, Point, fit, same_numbers, stencil, structure_key
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import listed, m
from cyclescope.tracing.structures import kept_of, structure_of

AXES = ("batch", "tokens", "cache_length")
MOST_TRACES = 60
_DEGREES = {"batch": 1, "tokens": 2, "cache_length": 1}


@dataclass(frozen=True, eq=False)
class Families:
    """Families side by side, which together hold every point of a range; `traces` is how many graphs were traced for them."""

    axes: tuple[str, ...]
    pieces: tuple[GraphFamily, ...]
    traces: int

    def of(self, point: Point) -> GraphFamily:
        """The family of `point`. Raises `ValueError` outside of the range."""
        for piece in self.pieces:
            if piece.holds(point):
                return piece
        raise ValueError(f"{point} lies outside of what was traced")

    def at(self, point: Point) -> Graph:
        return self.of(point).at(point)


def families_of(request: Request, ranges: dict[str, tuple[int, int]]) -> Families:
    """Families for `request` with the least and the most of some of `AXES`. Raises like `trace`, and `Unsupported` where
    the shapes follow no rule that can be told from a few traces.
    """
    axes = tuple(axis for axis in AXES if axis in ranges)

    def trace(point: Point) -> Graph:
        given = dict(zip(axes, point, strict=True))
        return structure_of(
            replace(
                request,
                batch=given.get("batch", request.batch),
                tokens=given.get("tokens", request.tokens),
                cache_length=given.get("cache_length", request.cache_length),
            )
        )

    low, high = tuple(ranges[a][0] for a in axes), tuple(ranges[a][1] for a in axes)
    sizeless = replace(
        request,
        batch=None if "batch" in axes else request.batch,
        tokens=None if "tokens" in axes else request.tokens,
        cache_length=None if "cache_length" in axes else request.cache_length,
    )
    more = {"low": low, "high": high, "axes": axes}
    return kept_of(Families, sizeless, lambda _: find_families(trace, axes, low, high), more)


def find_families(trace: Callable[[Point], Graph], axes: tuple[str, ...], low: Point, high: Point) -> Families:
    """Families for all points from `low` to `high` of a model that `trace` traces."""
    search = _Search(trace, axes)
    pieces = tuple(search.pieces(low, high))
    return Families(axes, pieces, len(search.traced))


@dataclass
class _Search:
    """The graphs that were traced so far, by their points."""

    trace: Callable[[Point], Graph]
    axes: tuple[str, ...]
    traced: dict[Point, Graph] = field(default_factory=dict)

    def graph(self, point: Point) -> Graph:
        if point not in self.traced:
            if len(self.traced) >= MOST_TRACES:
                raise Unsupported(
                    m("The shapes of this model follow no simple rule in {axes}.", axes=listed(self.axes)),
                    m("{n} traces were not enough to tell where its structure changes.", n=len(self.traced)),
                    m("Predict single points, or a narrower range."),
                )
            self.traced[point] = self.trace(point)
        return self.traced[point]

    def pieces(self, low: Point, high: Point) -> Iterator[GraphFamily]:
        degrees = tuple(_DEGREES[axis] for axis in self.axes)
        graphs = {point: self.graph(point) for point in stencil(low, high, degrees)}
        key = structure_key(graphs[low])
        # The structure may change right at the beginning: one text needs no mask, two do.
        for axis in range(len(low)):
            for step in range(1, min(degrees[axis], high[axis] - low[axis]) + 1):
                if structure_key(graphs[_moved(low, axis, low[axis] + step)]) != key:
                    yield from self._cut(low, high, axis, low[axis] + step - 1)
                    return
        try:
            family = fit(self.axes, low, high, graphs)
        except ValueError:  # it changes only where two axes have grown
            yield from self._cut(low, high, 0, low[0])
            return
        if all(self.agrees(family, point) for point in _checks(low, high)):
            yield family
            return
        wrong = [axis for axis in range(len(low)) if not self.agrees(family, _moved(low, axis, high[axis]))]
        if wrong:
            yield from self._cut(low, high, wrong[0], self._last_good(family, wrong[0]))
            return
        axis = max(range(len(low)), key=lambda a: high[a] / low[a])
        yield from self._cut(low, high, axis, (low[axis] + high[axis]) // 2)

    def _cut(self, low: Point, high: Point, axis: int, last: int) -> Iterator[GraphFamily]:
        """Both sides of a cut behind `last`."""
        yield from self.pieces(low, _moved(high, axis, last))
        yield from self.pieces(_moved(low, axis, last + 1), high)

    def _last_good(self, family: GraphFamily, axis: int) -> int:
        """The last value of `axis`, all others at their least, up to which the family agrees with traces."""
        good, bad = family.low[axis], family.high[axis]
        while bad - good > 1:
            middle = (good + bad) // 2
            if self.agrees(family, _moved(family.low, axis, middle)):
                good = middle
            else:
                bad = middle
        return good

    def agrees(self, family: GraphFamily, point: Point) -> bool:
        """Whether a trace at `point` is the graph of `family` there."""
        graph = self.graph(point)
        return structure_key(graph) == structure_key(family.graph) and same_numbers(graph, family.numbers(point))


def _moved(point: Point, axis: int, value: int) -> Point:
    return (*point[:axis], value, *point[axis + 1 :])


def _checks(low: Point, high: Point) -> Iterator[Point]:
    """The far end, and a point in between that is a multiple of nothing."""
    yield high
    yield tuple(least + (most - least) * 3 // 7 for least, most in zip(low, high, strict=True))
