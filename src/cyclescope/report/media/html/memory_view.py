"""What the page says of memory: what makes up the peak, on both sides, and the course over the operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.memory import Held, Holding, Memory
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
from cyclescope.report.drawings.bars import SegmentShape, segments
from cyclescope.report.drawings.spans import name
from cyclescope.report.drawings.step_plot import Course, Moment, course
from cyclescope.report.media.html.old_sections.memory import memory_blocks
from cyclescope.report.page import Note, Paragraph, Strip, Table
from cyclescope.report.words.strings import Strings
from cyclescope.report.words.text import PageText

_PAINTS = {
    Holding.WEIGHTS: "s2",
    Holding.BUFFERS: "s4",
    Holding.INPUTS: "s1",
    Holding.ACTIVATIONS: "s5",
    Holding.CACHE: "s0",
}


@dataclass(frozen=True, slots=True)
class HoldingLine:
    """Bytes at either side's peak; what nobody measured is None."""

    label: str
    paint: str
    computed: int
    measured: int | None
    difference: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a stacked bar."""

    paint: str
    shape: SegmentShape
    spoken: str


@dataclass(frozen=True, slots=True)
class Side:
    """The computed or the measured peak as a stacked bar."""

    label: str
    total: int
    spoken: str
    parts: tuple[Part, ...]


class MemoryView:
    """One cycle's memory in one language. `span_of_op` is where each operation that is drawn stands in the timeline."""

    def __init__(self, told: Memory, graph: Graph, span_of_op: Mapping[int, int], s: Strings, p: PageText) -> None:
        self.told, self.graph, self.s, self.p = told, graph, s, p
        self.span_of_op = span_of_op
        self.measured = told.measured is not None
        blocks = tuple(memory_blocks(told, graph, s))
        self.sentence, *self.remarks = (block.text for block in blocks if isinstance(block, Paragraph))
        self.notes = tuple(block for block in blocks if isinstance(block, Note))
        self.strips = tuple(block for block in blocks if isinstance(block, Strip))
        # The first table is that of the peak, which has colours and formulas here.
        self.largest = tuple(block for block in blocks if isinstance(block, Table))[1:]

    @cached_property
    def lines(self) -> tuple[HoldingLine, ...]:
        """What either side holds anything for."""
        own, seen = _at_peak(self.told.computed), self.told.measured and _at_peak(self.told.measured)
        return tuple(
            HoldingLine(
                self.s.holding_names[holding],
                _PAINTS[holding],
                own[holding],
                seen[holding] if seen else None,
                seen[holding] - own[holding] if seen else None,
            )
            for holding in Holding
            if own[holding] or (seen and seen[holding])
        )

    @cached_property
    def total(self) -> HoldingLine:
        own, seen = self.told.computed.peak, self.told.measured.peak if self.told.measured else None
        return HoldingLine(self.s.total, "", own, seen, seen - own if seen is not None else None)

    @cached_property
    def sides(self) -> tuple[Side, ...]:
        """Both peaks on one scale."""
        there = ((self.s.computed, self.told.computed), (self.s.measured, self.told.measured))
        most = max(held.peak for _, held in there if held is not None)
        return tuple(self._side(label, held, most) for label, held in there if held is not None)

    def _side(self, label: str, held: Held, most: int) -> Side:
        at_peak = {holding: size for holding, size in _at_peak(held).items() if size}
        shapes = segments(list(at_peak.values()), most)
        t = self.p.memory
        parts = tuple(
            Part(_PAINTS[holding], shape, t.part_spoken.format(name=self.s.holding_names[holding], size=fmt.data(size)))
            for (holding, size), shape in zip(at_peak.items(), shapes, strict=True)
        )
        spoken = t.bar_spoken.format(
            side=label, total=fmt.data(held.peak), parts=t.separator.join(part.spoken for part in parts)
        )
        return Side(label, held.peak, spoken, parts)

    @cached_property
    def course(self) -> Course:
        measured = self.told.measured
        return course(self.told.computed.passing.tolist(), measured.passing.tolist() if measured is not None else None)

    @cached_property
    def courses(self) -> tuple[str, ...]:
        """Each course in words, its peak and where that is."""
        t = self.p.memory
        return tuple(t.course_spoken.format(side=strip.label, text=strip.text) for strip in self.strips)

    @property
    def peaks_apart(self) -> bool:
        """Whether the two sides peak in different operations, so that the place of one does not tell the other's."""
        measured = self.told.measured
        return measured is not None and measured.peak_op != self.told.computed.peak_op

    @cached_property
    def peak_labels(self) -> tuple[str, ...]:
        """The names that stand at the peaks in the drawing."""
        course = self.course
        marks = [course.computed.peak] + ([course.measured.peak] if course.measured else [])
        labels = (self.s.computed, self.s.measured)
        return tuple(
            self.p.memory.peak.format(side=label, size=fmt.data(mark.bytes))
            for label, mark in zip(labels, marks, strict=False)
        )

    @cached_property
    def course_notes(self) -> tuple[str, ...]:
        held, t = self.told.computed, self.p.memory
        notes = [t.standing.format(size=fmt.data(held.weights + held.buffers + held.inputs))]
        if self.course.few > 1:
            notes.append(t.grouped.format(few=fmt.count(self.course.few)))
        return tuple(notes)

    @cached_property
    def template(self) -> str:
        """What is said of a step of the curve, with braces for what stands in its row of the table."""
        t = self.p.memory
        sides = ((self.s.computed, "{computed}"), (self.s.measured, "{measured}"))[: 1 + self.measured]
        return (t.several if self.course.few > 1 else t.one).format(
            number="{number}",
            all=fmt.count(self.course.operations),
            site="{site}",
            held=t.separator.join(t.part_spoken.format(name=label, size=size) for label, size in sides),
        )

    def spoken(self, moment: Moment) -> str:
        """One step of the curve in words."""
        return self.template.format(
            number=self.number(moment),
            site=self.site(moment),
            computed=fmt.data(moment.computed),
            measured=fmt.data(moment.measured),
        )

    def number(self, moment: Moment) -> str:
        """Which operations these are, counted from one."""
        ends = dict.fromkeys((moment.first + 1, moment.last + 1))
        return " – ".join(map(fmt.count, ends))

    def site(self, moment: Moment) -> str:
        """Stage, module and name of the operation that holds the most."""
        site = self.graph.site(moment.most)
        where = " · ".join(part for part in (wording.stage_name(site.stage, self.s), site.module) if part)
        return name(f"{where} ({self.graph.names[moment.most]})")

    def goal(self, moment: Moment) -> int | None:
        """The span of that operation in the timeline; None where it is not drawn."""
        return self.span_of_op.get(moment.most)


def _at_peak(held: Held) -> dict[Holding, int]:
    return held.at(held.peak_op)
