"""How far the operations are from their ceilings: the sentence, the bar, the places of the gap, and the drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.floors import MAIN_MEMORY
from cyclescope.explaining.places import Place
from cyclescope.explaining.roofline import Bound, Gap, Roofline
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
from cyclescope.report.drawings.axis import Decades, decades
from cyclescope.report.drawings.bars import SegmentShape, segments
from cyclescope.report.drawings.spans import FAMILIES, name
from cyclescope.report.drawings.spots import Spot, spots
from cyclescope.report.media.html.old_sections.roofline import bound_name, gap_sentence, roofline_blocks
from cyclescope.report.page import KeyValues, Note
from cyclescope.report.words.strings import Strings
from cyclescope.report.words.text import PageText
from cyclescope.report.words.text_gap import gap_text

# Of more places than this the ones that take the least would be dots under dots.
MOST_POINTS = 150
MOST_GAPS = 8
# Two ceilings of products closer than this are one line, the higher.
_SAME = 1.25
# Two levels of the memory closer than this are one line with both names.
_AS_FAST = 1.03
# The plot begins by this factor before the first ridge, so that the line of the fastest level has room for its name.
_BEFORE_RIDGE = 1.6


# A ceiling in the drawing: how high, its name, and the name where there is little room.
Line: TypeAlias = tuple[float, str, str]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the bar that cuts the cycle by its bounds."""

    label: str
    paint: str
    time_ns: float
    shape: SegmentShape


@dataclass(frozen=True, slots=True)
class GapLine:
    """A place that is far from its ceiling. `span` is where it stands in the timeline, None where it is not drawn."""

    name: str
    family: str
    bound: str
    gap: Gap
    share: float
    span: int | None


class RooflineView:
    """One cycle against its ceilings in one language. `span_of_place` is where in the timeline a place is drawn."""

    def __init__(
        self, explanation: Explanation, told: Roofline, span_of_place: Mapping[str, int], s: Strings, p: PageText
    ) -> None:
        self.told, self.s, self.p, self.t, self.words = told, s, p, p.roofline, gap_text(s)
        self.span_of_place = span_of_place
        self.dtype = explanation.cycle.plan.dtype
        self.spots = spots(told.places, explanation.places)
        self.gap_ns = float(told.gap_ns.sum())
        self._blocks = tuple(roofline_blocks(explanation, s))

    @cached_property
    def sentence(self) -> str:
        return gap_sentence(self.told, self.s)

    @cached_property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """MFU, MBU and where the ceilings come from, as labels and values."""
        rows = (row for block in self._blocks if isinstance(block, KeyValues) for row in block.rows)
        return tuple((str(label), str(value)) for label, value in rows)

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """Why to trust the ceilings less."""
        return tuple(block for block in self._blocks if isinstance(block, Note))

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The cycle as its floors by bound, the gap above them, and Python."""
        floors = dict.fromkeys(Bound, 0.0)
        for gap in self.told.by_bound:
            floors[gap.bound] += gap.floor_ns
        parts = [(self.words.bounds[bound], bound.value, ns) for bound, ns in floors.items()]
        between = self.words.waiting if self.told.on_device else self.s.python
        parts += [(self.t.gap, "gap", self.gap_ns), (between, "python", self.told.python_ns)]
        parts = [part for part in parts if part[2] > 0]
        shapes = segments([ns for _, _, ns in parts], sum(ns for _, _, ns in parts))
        return tuple(Piece(*part, shape) for part, shape in zip(parts, shapes, strict=True))

    @cached_property
    def bar_spoken(self) -> str:
        parts = [self.t.part_spoken.format(name=piece.label, time=fmt.time(piece.time_ns)) for piece in self.pieces]
        return self.t.bar_spoken.format(total=fmt.time(self.told.total_ns), parts=self.t.separator.join(parts))

    @cached_property
    def gaps(self) -> tuple[GapLine, ...]:
        kinds = {spot.gap.name: spot.kind.value for spot in self.spots}
        return tuple(
            GapLine(
                self.title(gap),
                FAMILIES.get(kinds.get(gap.name, ""), "other"),
                self.bound(gap),
                gap,
                gap.gap_ns / self.told.gap_total_ns,
                self.span_of_place.get(gap.name),
            )
            for gap in self.told.places[:MOST_GAPS]
            if gap.gap_ns > 0
        )

    @cached_property
    def families(self) -> tuple[tuple[str, str], ...]:
        """The legend of the drawing: the colours that are in it."""
        there = {FAMILIES.get(spot.kind.value, "other") for spot in self.upper + self.lower}
        return tuple((family, label) for family, label in self.p.families.items() if family in there)

    def title(self, gap: Gap) -> str:
        return name(wording.place(gap.place, gap.count, self.s))

    def bound(self, gap: Gap) -> str:
        return name(bound_name(gap.bound, gap.level, self.words))

    # ---- the drawing ----

    @cached_property
    def upper(self) -> tuple[Spot, ...]:
        """Places with matrix arithmetic, which stand under the roof."""
        return tuple(spot for spot in self._placeable if spot.flops)[:MOST_POINTS]

    @cached_property
    def lower(self) -> tuple[Spot, ...]:
        """Places that only move bytes, which stand on the strip."""
        return tuple(spot for spot in self._placeable if not spot.flops)[:MOST_POINTS]

    @cached_property
    def _placeable(self) -> tuple[Spot, ...]:
        return tuple(spot for spot in self.spots if spot.has_ceiling and spot.bytes)

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """What is not in the drawing."""
        drawn = set(self.upper + self.lower)
        homeless = [spot for spot in self.spots if not (spot.has_ceiling and spot.bytes)]
        smallest = [spot for spot in self._placeable if spot not in drawn]
        told = ((self.t.nowhere, homeless), (self.t.left_out, smallest))
        return tuple(
            template.format(count=fmt.count(len(rest)), time=fmt.time(sum(spot.time_ns for spot in rest)))
            for template, rest in told
            if rest
        )

    @cached_property
    def products(self) -> tuple[Line, ...]:
        """Ceilings of matrix products for this type and number of threads, the highest first; near ones once."""
        known = self.told.ceilings
        lines: list[Line] = []
        for rows in sorted({row.rows for row in known.products if row.dtype == self.dtype}, reverse=True):
            figure = known.flops_per_s(self.dtype, rows, self.told.threads)
            if figure is None or (lines and lines[-1][0] < _SAME * figure.value):
                continue
            templates = (
                (self.t.vector_line, self.t.vector_short) if rows == 1 else (self.t.product_line, self.t.product_short)
            )
            words = {"rows": fmt.count(rows), "rate": fmt.flop_rate(figure.value)}
            lines.append((figure.value, templates[0].format(**words), templates[1].format(**words)))
        return tuple(lines)

    @cached_property
    def bandwidths(self) -> tuple[Line, ...]:
        """Bandwidths of the levels of the memory for this number of threads, the fastest first."""
        levels = [
            (row.bytes_per_s.value, self.words.main_memory if row.level == MAIN_MEMORY else row.level)
            for row in self.told.ceilings.levels(self.told.threads)
        ]
        lines: list[tuple[float, list[str]]] = []
        for value, level in sorted(levels, key=lambda pair: -pair[0]):
            if lines and lines[-1][0] < _AS_FAST * value:
                lines[-1][1].append(level)
            else:
                lines.append((value, [level]))
        named = ((value, name(", ".join(names))) for value, names in lines)
        return tuple(
            (value, self.words.bandwidth.format(level=levels, rate=fmt.bandwidth(value)), levels)
            for value, levels in named
        )

    @cached_property
    def drawing(self) -> dict[str, Any]:
        """Both plots as data for the script: axes, lines and points, with their words."""
        tops, levels = [line[0] for line in self.products], [line[0] for line in self.bandwidths]
        # The ridge of the highest roof with every memory is what a reader looks for, so it is in the picture.
        ridges = [max(tops) / level for level in levels] if tops else []
        ridges += [min(ridges) / _BEFORE_RIDGE] if ridges else []
        across = [spot.intensity for spot in self.upper] + ridges
        up = [spot.flops_per_s for spot in self.upper] + tops
        along = [spot.bytes_per_s for spot in self.lower] + levels
        t = self.t
        return {
            "x": _axis(decades(across), "") if self.upper else None,
            "y": _axis(decades(up), "FLOP/s") if self.upper else None,
            "strip": _axis(decades(along, 1.25), "B/s") if self.lower else None,
            "products": self.products,
            "bandwidths": self.bandwidths,
            "upper": len(self.upper),
            "points": [self._point(spot) for spot in self.upper + self.lower],
            # In the order of the facts of each point; those of the strip have neither of the last two.
            "facts": [
                self.s.kind,
                t.fact_count,
                self.s.time,
                self.words.bound_by,
                self.words.floor,
                self.words.reached,
                t.fact_bandwidth,
                t.fact_rate,
                t.fact_intensity,
            ],
            "texts": {
                "flops_axis": t.flops_axis,
                "intensity_axis": t.intensity_axis,
                "strip": t.strip,
                "bandwidth_axis": t.bandwidth_axis,
                "plot": t.plot_spoken.format(
                    count=fmt.count(len(self.upper + self.lower)), lines=fmt.count(len(tops + levels))
                ),
            },
        }

    def _point(self, spot: Spot) -> dict[str, Any]:
        gap = spot.gap
        facts = [
            self.s.kind_names[spot.kind],
            fmt.count(gap.count),
            fmt.time(gap.time_ns),
            self.bound(gap),
            fmt.time(gap.floor_ns),
            fmt.share(gap.reached),
            fmt.bandwidth(spot.bytes_per_s),
        ]
        if spot.flops:
            facts += [fmt.flop_rate(spot.flops_per_s), fmt.significant(spot.intensity)]
        return {
            "x": _short(spot.intensity if spot.flops else spot.bytes_per_s),
            "y": _short(spot.flops_per_s),
            "time": round(spot.time_ns),
            "family": FAMILIES.get(spot.kind.value, "other"),
            "hollow": gap.bound is Bound.OVERHEAD,
            "title": self.title(gap),
            "short": _short_name(gap.place, spot.flops > 0),
            "facts": facts,
            "goal": self.span_of_place.get(gap.name, -1),
        }


def _short_name(place: Place, is_product: bool) -> str:
    """The part of a place that tells it from its neighbours: the module of a product, else what is done there."""
    return name((place.path if is_product else "") or place.operation or place.path or place.stage)


def _axis(found: Decades, unit: str) -> dict[str, Any]:
    marks = [(mark, fmt.decade(mark, unit)) for mark in found.marks]
    return {"low": _short(found.low), "high": _short(found.high), "marks": marks}


def _short(value: float) -> float:
    """A place in a drawing, with as many digits as a screen can show."""
    return float(f"{value:.5g}")
