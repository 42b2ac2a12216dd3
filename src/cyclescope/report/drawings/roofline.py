"""The roofline drawn: the cycle as a bar of its bounds, and places as points under the ceilings of the machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Series, Text, listed, m, plural
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.places import Place
from cyclescope.explaining.roofline import Bound, Roofline
from cyclescope.report import format as fmt
from cyclescope.report.drawings.axis import Decades, decades
from cyclescope.report.drawings.bars import SegmentShape, segments
from cyclescope.report.drawings.link_targets import NOWHERE, LinkTargets
from cyclescope.report.drawings.roofline_points import RooflinePoint, roofline_points
from cyclescope.report.drawings.spans import FAMILIES, name
from cyclescope.report.naming.between import between_label
from cyclescope.report.naming.bounds import BOUNDS, bound_name, level_name
from cyclescope.report.naming.families import families
from cyclescope.report.naming.kinds import KINDS
from cyclescope.report.naming.stages import place_name

# Of more places than this the ones that take the least would be dots under dots.
MOST_POINTS = 150
# Two ceilings of products closer than this are one line, the higher.
_SAME = 1.25
# Two levels of the memory closer than this are one line with both names.
_AS_FAST = 1.03
# The plot begins by this factor before the first ridge, so that the line of the fastest level has room for its name.
_BEFORE_RIDGE = 1.6

# A ceiling in the drawing: how high, its name, and the name where there is little room.
Line: TypeAlias = tuple[float, Text, Text]


@dataclass(frozen=True, slots=True)
class BoundPiece:
    """A piece of the bar that cuts the cycle by its bounds; `paint` names its colour."""

    label: Text
    paint: str
    time_ns: float
    shape: SegmentShape


@dataclass(frozen=True, slots=True)
class RooflineDrawing:
    """The bar in `pieces`, and the plot: of all `roofline_points`, `upper` stand under the roof that `products` and `bandwidths` make
    (the highest first), and `lower`, which only move bytes, on a strip. `labels` names the colours of families; `links` are
    where places stand in the timeline.
    """

    pieces: tuple[BoundPiece, ...]
    points: tuple[RooflinePoint, ...]
    upper: tuple[RooflinePoint, ...]
    lower: tuple[RooflinePoint, ...]
    products: tuple[Line, ...]
    bandwidths: tuple[Line, ...]
    labels: Mapping[str, Text]
    links: LinkTargets = NOWHERE

    @property
    def drawn(self) -> tuple[RooflinePoint, ...]:
        return self.upper + self.lower

    @property
    def families(self) -> tuple[tuple[str, Text], ...]:
        """The colours that are in the plot; none where there is nothing to plot."""
        there = {_family(point) for point in self.drawn}
        return tuple((family, label) for family, label in self.labels.items() if family in there)

    @property
    def remarks(self) -> tuple[Text, ...]:
        """What the plot leaves out."""
        homeless = [point for point in self.points if not _has_place(point)]
        drawn = set(self.drawn)
        return tuple(_remarks(homeless, [point for point in self.points if _has_place(point) and point not in drawn]))

    @property
    def data(self) -> Mapping[str, Any]:
        """What the script draws."""
        return _data(self)


def pieces(found: Roofline, graph: Graph) -> tuple[BoundPiece, ...]:
    """The cycle as its lower bounds by limit, the headroom above them, and what runs between operations."""
    floors = dict.fromkeys(Bound, 0.0)
    for entry in found.by_bound:
        floors[entry.bound] += entry.floor_ns
    parts: list[tuple[Text, str, float]] = [(BOUNDS[bound], bound.value, ns) for bound, ns in floors.items()]
    rest = m("waiting for launches") if found.on_device else between_label(graph)
    parts += [(m("gap"), "gap", float(found.gap_ns.sum())), (rest, "python", found.python_ns)]
    parts = [part for part in parts if part[2] > 0]
    shapes = segments([ns for _, _, ns in parts], sum(ns for _, _, ns in parts))
    return tuple(BoundPiece(*part, shape) for part, shape in zip(parts, shapes, strict=True))


def spoken(found: Roofline, cut: Sequence[BoundPiece]) -> Text:
    """The bar as a sentence."""
    parts = listed(Series((piece.label, fmt.time(piece.time_ns)), " ") for piece in cut)
    return m("{name}: {value}", name=fmt.time(found.total_ns), value=parts)


def roofline_drawing(explanation: Explanation, found: Roofline, links: LinkTargets = NOWHERE) -> RooflineDrawing:
    """The bar and the plot of `found`; `links` are where its places stand in the timeline."""
    every = roofline_points(found.places, explanation.places)
    placeable = [point for point in every if _has_place(point)]
    return RooflineDrawing(
        pieces(found, explanation.cycle.graph),
        every,
        tuple(point for point in placeable if point.flops)[:MOST_POINTS],
        tuple(point for point in placeable if not point.flops)[:MOST_POINTS],
        _products(found, explanation.cycle.plan.dtype),
        _bandwidths(found),
        families(explanation.cycle.graph),
        links,
    )


def _has_place(point: RooflinePoint) -> bool:
    return point.has_ceiling and point.bytes > 0


def _remarks(homeless: Sequence[RooflinePoint], smallest: Sequence[RooflinePoint]) -> Iterator[Text]:
    if homeless:
        yield plural(
            "{n} place has neither arithmetic nor bytes (views) or no known ceiling (text) and is not drawn; it takes {time}.",
            "{n} places have neither arithmetic nor bytes (views) or no known ceiling (text) and are not drawn; they take {time}.",
            len(homeless),
            time=_time(homeless),
        )
    if smallest:
        yield plural(
            "The place that takes the least, {time}, is not drawn.",
            "The {n} places that take the least, {time} together, are not drawn.",
            len(smallest),
            time=_time(smallest),
        )


def _time(rest: Sequence[RooflinePoint]) -> str:
    return fmt.time(sum(point.time_ns for point in rest))


def _products(found: Roofline, dtype: str) -> tuple[Line, ...]:
    """Ceilings of matrix products for this type and number of threads, the highest first; near ones once."""
    known = found.ceilings
    lines: list[Line] = []
    for rows in sorted({row.rows for row in known.products if row.dtype == dtype}, reverse=True):
        figure = known.flops_per_s(dtype, rows, found.threads)
        if figure is None or (lines and lines[-1][0] < _SAME * figure.value):
            continue
        rate = fmt.flop_rate(figure.value)
        if rows == 1:
            texts = m("vector times matrix: {rate}", rate=rate), m("vector: {rate}", rate=rate)
        else:
            count = fmt.count(rows)
            texts = (
                m("products of {rows} rows and more: {rate}", rows=count, rate=rate),
                m("{rows} rows: {rate}", rows=count, rate=rate),
            )
        lines.append((figure.value, *texts))
    return tuple(lines)


def _bandwidths(found: Roofline) -> tuple[Line, ...]:
    """Bandwidths of the levels of the memory for this number of threads, the fastest first."""
    levels = [(row.bytes_per_s.value, row.level) for row in found.ceilings.levels(found.threads)]
    lines: list[tuple[float, list[str]]] = []
    for value, level in sorted(levels, key=lambda pair: -pair[0]):
        if lines and lines[-1][0] < _AS_FAST * value:
            lines[-1][1].append(level)
        else:
            lines.append((value, [level]))
    named = ((value, listed(level_name(name(level)) for level in together)) for value, together in lines)
    return tuple((value, Series((levels, fmt.bandwidth(value)), " "), levels) for value, levels in named)


def _data(d: RooflineDrawing) -> Mapping[str, Any]:
    """Both plots for the script: axes, lines and points, with their words."""
    tops, levels = [line[0] for line in d.products], [line[0] for line in d.bandwidths]
    # The ridge of the highest roof with every memory is what a reader looks for, so it is in the picture.
    ridges = [max(tops) / level for level in levels] if tops else []
    ridges += [min(ridges) / _BEFORE_RIDGE] if ridges else []
    across = [point.intensity for point in d.upper] + ridges
    up = [point.flops_per_s for point in d.upper] + tops
    along = [point.bytes_per_s for point in d.lower] + levels
    return {
        "x": _axis(decades(across), "") if d.upper else None,
        "y": _axis(decades(up), "FLOP/s") if d.upper else None,
        "strip": _axis(decades(along, 1.25), "B/s") if d.lower else None,
        "products": d.products,
        "bandwidths": d.bandwidths,
        "upper": len(d.upper),
        "points": [_point(point, d.links) for point in d.drawn],
        # In the order of the facts of each point; those of the strip have neither of the last two.
        "facts": [
            m("kind"),
            m("operations"),
            m("time"),
            m("bound by"),
            m("at the ceiling"),
            m("reached"),
            m("bytes/s"),
            "FLOP/s",
            m("FLOP per byte"),
        ],
        "texts": {
            "flops_axis": "FLOP/s",
            "intensity_axis": m("FLOP per byte read and written"),
            "strip": m("Places without matrix arithmetic, by bytes per second"),
            "bandwidth_axis": m("bytes read and written per second"),
            "plot": m(
                "{places} beside {ceilings}",
                places=plural("{n} place of the model", "{n} places of the model", len(d.drawn)),
                ceilings=plural("{n} ceiling", "{n} ceilings", len(tops) + len(levels)),
            ),
        },
    }


def _point(point: RooflinePoint, links: LinkTargets) -> dict[str, Any]:
    entry = point.entry
    facts: list[Text] = [
        KINDS[point.kind],
        fmt.count(entry.count),
        fmt.time(entry.time_ns),
        bound_name(entry.bound, name(entry.level)),
        fmt.time(entry.floor_ns),
        fmt.share(entry.reached),
        fmt.bandwidth(point.bytes_per_s),
    ]
    if point.flops:
        facts += [fmt.flop_rate(point.flops_per_s), fmt.significant(point.intensity)]
    place = Place(*map(name, (entry.place.stage, entry.place.path, entry.place.operation)))
    return {
        "x": _short(point.intensity if point.flops else point.bytes_per_s),
        "y": _short(point.flops_per_s),
        "time": round(point.time_ns),
        "family": _family(point),
        "hollow": entry.bound is Bound.OVERHEAD,
        "title": place_name(place, entry.count),
        "short": _short_name(place, point.flops > 0),
        "facts": facts,
        "target": links.places.get(entry.place, -1),
    }


def _family(point: RooflinePoint) -> str:
    return FAMILIES.get(point.kind.value, "other")


def _short_name(place: Place, is_product: bool) -> str:
    """The part of a place that tells it from its neighbours: the module of a product, else what is done there."""
    return (place.path if is_product else "") or place.operation or place.path or place.stage


def _axis(found: Decades, unit: str) -> dict[str, Any]:
    marks = [(mark, fmt.decade(mark, unit)) for mark in found.marks]
    return {"low": _short(found.low), "high": _short(found.high), "marks": marks}


def _short(value: float) -> float:
    """A place in a drawing, with as many digits as a screen can show."""
    return float(f"{value:.5g}")
