"""What the template of the HTML page shows, ready in the order in which it stands there."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.statistics import Estimate
from cyclescope.explaining.dataflow import Level
from cyclescope.explaining.explanation import AccountRow, Explanation, GroupRow, LayerRow, OperationRow
from cyclescope.explaining.places import places
from cyclescope.explaining.siblings import unlike_layers
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
from cyclescope.report.drawings.bars import (
    BarShape,
    ColumnShape,
    SegmentShape,
    bar_shape,
    column_shape,
    height_of,
    place,
    segments,
)
from cyclescope.report.drawings.spans import FAMILIES, Shown
from cyclescope.report.drawings.steps import ranges
from cyclescope.report.drawings.whatif import DIGITS, Bounds, ThreadChoice, gathered, thread_choices
from cyclescope.report.media.html.findings_view import finding_cards
from cyclescope.report.media.html.generation_view import GenerationView
from cyclescope.report.media.html.memory_view import MemoryView
from cyclescope.report.media.html.old_sections.device import device_blocks
from cyclescope.report.media.html.old_sections.experts import expert_blocks
from cyclescope.report.media.html.old_sections.flow import FlowPainter, drawn_flow
from cyclescope.report.media.html.path_view import PathView
from cyclescope.report.media.html.roofline_view import RooflineView
from cyclescope.report.page import Block, Note
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.report.sections.throughput import task_facts
from cyclescope.report.words.strings import Advice, Strings
from cyclescope.report.words.text import PageText
from cyclescope.report.words.text_device import device_text
from cyclescope.report.words.text_findings import finding_text
from cyclescope.report.words.text_gap import GapText, gap_text
from cyclescope.report.words.text_structure import structure_text
from cyclescope.report.words.translate import say_in

MOST_PLACES = 60
MOST_OPERATIONS = 100
MOST_LAYERS = 200
# Every layer is numbered up to here; beyond, every second, fifth, …
_NUMBERED_LAYERS = 16
# Colours for stages in their order; a seventh stage has the first's again.
_STAGE_PAINTS = 6
_NS_PER_S = 1e9
# A number and its unit stay on one line of the headline.
_UNIT = re.compile(r"(?<=\d) (?=%|[nµm]?s\b|层)|(?<=±) ")


@dataclass(frozen=True, slots=True)
class StageLine:
    label: str
    shape: BarShape
    whisker: bool
    spoken: str
    time: Estimate
    share: float
    operations: int


@dataclass(frozen=True, slots=True)
class WorkLine:
    """A row of a table of operations. `site` is empty for a place, `count` 1 for a single operation.

    `span` is where it stands in the timeline, of a place the longest that is drawn; None where none is.
    """

    name: str
    site: str
    family: str
    kind: str
    count: int
    time: Estimate
    share: float
    flops: int
    bytes: int
    span: int | None

    @property
    def flop_rate(self) -> float | None:
        """FLOPs per second; nothing for work that has none, rather than a rate of 0."""
        return self.flops / self.time.value_ns * _NS_PER_S if self.flops and self.time.value_ns > 0 else None

    @property
    def bandwidth(self) -> float | None:
        """Bytes per second."""
        return self.bytes / self.time.value_ns * _NS_PER_S if self.bytes and self.time.value_ns > 0 else None


@dataclass(frozen=True, slots=True)
class LayerColumn:
    shape: ColumnShape
    whisker: bool
    label: str
    spoken: str
    unlike: bool


@dataclass(frozen=True, slots=True)
class StackStrip:
    """The layers of one stack as columns on one scale that ends at `top_ns`."""

    label: str
    text: str
    top_ns: float
    median_y: str
    columns: tuple[LayerColumn, ...]


@dataclass(frozen=True, slots=True)
class LayerLine:
    label: str
    class_name: str
    time: Estimate
    python_ns: float
    share: float
    cost: Cost


@dataclass(frozen=True, slots=True)
class AccountLine:
    label: str
    shape: SegmentShape
    paint: str
    hatched: bool
    time_ns: float
    share_of_wall: float


@dataclass(frozen=True, slots=True)
class ArrowLine:
    source: str
    target: str
    tensors: str
    bytes: str


class View:
    """One explanation in one language, section by section."""

    def __init__(self, explanation: Explanation, shown: Shown, s: Strings, p: PageText) -> None:
        self.e, self.s, self.p = explanation, s, p
        self.cycle: Cycle = explanation.cycle
        self.shown = shown
        self.answer = _UNIT.sub("\u00a0", wording.answer(explanation, s))
        self.facts = (*self._task_facts(), *wording.facts(self.cycle, s))
        self.remarks = ((s.partial,) if self.cycle.partial else ()) + wording.remarks(self.cycle, s)
        self.doubts: tuple[Advice, ...] = tuple(wording.doubt(found, s) for found in explanation.warnings)
        self.ceilings: GapText = gap_text(s)
        self.findings_title = finding_text(s).title
        self.findings = finding_cards(explanation.findings, self.cycle.graph, shown.spans, s)
        self.set_up = wording.set_up(self.cycle, s)
        self.closure = wording.closure(explanation.closure, s)
        self.instrumentation = wording.instrumentation(explanation.closure, s)
        told = explanation.generation
        self.generation = GenerationView(told, s, p) if told is not None else None
        self.cards = self.generation.cards if self.generation else ()
        self.has_wall = explanation.wall.n > 0
        self.has_spans = bool(shown.spans)
        self.has_flow = len(self.cycle.graph) > 0
        self.total = self.cycle.graph.total
        self.all_operations = len(explanation.operations)

    @cached_property
    def contents(self) -> tuple[tuple[str, str], ...]:
        """Anchors and labels of the sections that this page has."""
        sections = (
            ("answer", self.p.nav_answer, True),
            ("findings", self.findings_title, bool(self.findings)),
            ("generation", self.s.generation, self.generation is not None),
            ("stages", self.s.stages, bool(self.stages)),
            ("timeline", self.p.timeline, self.has_spans),
            ("device", device_text(self.s).title, bool(self.device)),
            ("roofline", self.ceilings.title, self.roofline is not None),
            ("what-if", self.p.what_if.title, self.roofline is not None),
            ("costliest", self.s.costliest, bool(self.places)),
            ("layers", self.s.layers, bool(self.stacks)),
            ("arrangement", self.path.title if self.path else "", self.path is not None),
            ("flow", self.p.flow, self.has_flow),
            ("experts", structure_text(self.s).experts, bool(self.experts)),
            ("memory", self.s.memory, self.memory is not None),
            ("account", self.s.account, bool(self.account)),
            ("set-up", self.s.set_up, bool(self.set_up)),
            ("method", self.p.method, True),
        )
        return tuple((anchor, label) for anchor, label, there in sections if there)

    def _task_facts(self) -> Iterator[tuple[str, str]]:
        say = say_in(self.s.language)
        return ((say(label), say(value)) for label, value in task_facts(self.e))

    @cached_property
    def experts(self) -> tuple[Block, ...]:
        """Tokens of each expert: a heading, then texts and a table; nothing for a model without experts."""
        return tuple(expert_blocks(self.cycle.graph, self.s))

    @cached_property
    def memory(self) -> MemoryView | None:
        told = self.e.memory
        return MemoryView(told, self.cycle.graph, self._span_of_op, self.s, self.p) if told is not None else None

    @cached_property
    def roofline(self) -> RooflineView | None:
        told = self.e.roofline
        return RooflineView(self.e, told, self._span_of_place, self.s, self.p) if told is not None else None

    @cached_property
    def bounds(self) -> Bounds | None:
        """What the sliders compute with."""
        return gathered(self.e.roofline) if self.e.roofline is not None else None

    @cached_property
    def threads(self) -> tuple[ThreadChoice, ...]:
        """The numbers of threads that there are to choose from."""
        told = self.e.roofline
        if told is None:
            return ()
        return thread_choices(told.ceilings, self.cycle.plan.dtype, told.threads, self.cycle.machine.cores)

    @property
    def thread_position(self) -> int:
        """Where the cycle's own number of threads stands among them."""
        return next(k for k, choice in enumerate(self.threads) if choice.threads == self.cycle.plan.threads)

    @cached_property
    def what_if_notes(self) -> tuple[str, ...]:
        t, bounds = self.p.what_if, self.bounds
        notes = (t.scope, t.threads_note if self.threads else "")
        merged = bounds is not None and bounds.digits < max(DIGITS)
        return tuple(filter(None, (*notes, t.merged.format(digits=bounds.digits) if bounds and merged else "")))

    @cached_property
    def device(self) -> tuple[Block, ...]:
        """A device's line of time: a heading, then texts and tables; nothing where no device was marked."""
        return tuple(device_blocks(self.e.device, self.s)) if self.e.device is not None else ()

    @cached_property
    def path(self) -> PathView | None:
        told = self.e.arrangement
        return PathView(told, self.cycle.machine.cores, self.s) if told is not None else None

    @cached_property
    def busy_cores(self) -> str:
        return fmt.significant(self.e.cpu.value_ns / self.e.wall.value_ns if self.e.wall.value_ns else None)

    @cached_property
    def total_rate(self) -> str:
        wall = self.e.wall.value_ns
        return fmt.flop_rate(self.total.flops / wall * _NS_PER_S if self.total.flops and wall else None)

    @cached_property
    def stages(self) -> tuple[StageLine, ...]:
        longest = max((row.time.high_ns for row in self.e.stages), default=0.0)
        lines = []
        for row in self.e.stages if self.e.answer.stage else ():
            label = wording.stage_name(row.name, self.s)
            spoken = self.p.bar_spoken.format(
                name=label,
                time=fmt.time(row.time.value_ns),
                interval=fmt.plus_minus(row.time),
                operations=fmt.time(row.op_ns),
                python=fmt.time(row.python_ns),
            )
            shape = bar_shape(row.op_ns, row.python_ns, row.time, longest)
            lines.append(
                StageLine(label, shape, fmt.has_interval(row.time), spoken, row.time, row.share, row.operations)
            )
        return tuple(lines)

    @cached_property
    def families(self) -> tuple[tuple[str, str], ...]:
        """The legend of the timeline: the colours that are in it."""
        there = {FAMILIES.get(span.kind, "other") for span in self.shown.spans}
        return tuple((family, label) for family, label in self.p.families.items() if family in there)

    @cached_property
    def omitted(self) -> str:
        """What the timeline leaves out, or nothing."""
        if not self.shown.left_out:
            return ""
        return self.p.omitted.format(
            count=fmt.count(self.shown.left_out),
            time=fmt.time(self.shown.shorter_than_ns),
            total=fmt.time(self.shown.left_out_ns),
        )

    @cached_property
    def whole_steps(self) -> str:
        """Which steps of a generation are drawn with what is inside, where not all are."""
        whole, there = self.shown.whole, self.shown.all_steps
        if len(whole) == there:
            return ""
        pieces = ranges(whole)
        listed = [str(a) if a == b else f"{a} – {b}" for a, b in pieces]
        if pieces[-1][1] != whole[-1]:
            listed.append("…")
        return self.p.generation.whole_steps.format(
            count=fmt.count(len(whole)), all=fmt.count(there), steps=", ".join(listed)
        )

    @cached_property
    def places(self) -> tuple[WorkLine, ...]:
        return tuple(self._place(row) for row in self.e.places[:MOST_PLACES] if row.time.value_ns > 0)

    @cached_property
    def more_places(self) -> str:
        others = self.e.places[len(self.places) :]
        share = fmt.share(sum(row.share for row in others))
        return self.s.more_places.format(count=fmt.count(len(others)), share=share) if others else ""

    @cached_property
    def operations(self) -> tuple[WorkLine, ...]:
        return tuple(self._operation(row) for row in self.e.operations[:MOST_OPERATIONS] if row.time.value_ns > 0)

    def _place(self, row: GroupRow) -> WorkLine:
        where = (wording.stage_name(row.place.stage, self.s), row.place.path, row.place.operation)
        name = " · ".join(part for part in where if part)
        span = self._span_of_place.get(row.name)
        return self._work(name, "", row.kind, row.count, row.time, row.share, row.cost, span)

    def _operation(self, row: OperationRow) -> WorkLine:
        layer = "" if row.site.layer is None else f" {row.site.layer}"
        stage = wording.stage_name(row.site.stage, self.s) + layer
        site = " · ".join(part for part in (stage, row.site.module) if part)
        return self._work(row.name, site, row.kind, 1, row.time, row.share, row.cost, self._span_of_op.get(row.op))

    @cached_property
    def _span_of_op(self) -> dict[int, int]:
        """Where each operation that is drawn stands among the drawn spans."""
        return {span.op: i for i, span in enumerate(self.shown.spans) if span.op >= 0}

    @cached_property
    def _span_of_place(self) -> dict[str, int]:
        """The longest drawn span of each place."""
        names, longest = places(self.cycle.graph), dict[str, int]()
        for op, i in self._span_of_op.items():
            before = longest.get(str(names[op]))
            if before is None or self.shown.spans[i].duration_ns > self.shown.spans[before].duration_ns:
                longest[str(names[op])] = i
        return longest

    def _work(
        self,
        name: str,
        site: str,
        kind: OpKind,
        count: int,
        time: Estimate,
        share: float,
        cost: Cost,
        span: int | None,
    ) -> WorkLine:
        moved = cost.read_bytes + cost.written_bytes
        family = FAMILIES.get(kind.value, "other")
        return WorkLine(name, site, family, self.s.kind_names[kind], count, time, share, cost.flops, moved, span)

    @cached_property
    def layers(self) -> tuple[LayerLine, ...]:
        """Every layer in its order, or the costliest where they are too many."""
        rows = self.e.layers
        if len(rows) > MOST_LAYERS:
            rows = tuple(sorted(rows, key=lambda row: -row.time.value_ns)[:MOST_LAYERS])
        return tuple(
            LayerLine(
                f"{wording.stage_name(row.stage, self.s)} {row.index}",
                row.class_name,
                row.time,
                row.python_ns,
                row.share,
                row.cost,
            )
            for row in rows
        )

    @cached_property
    def layers_caption(self) -> str:
        shown, there = min(len(self.e.layers), MOST_LAYERS), len(self.e.layers)
        if shown == there:
            return self.p.layers_caption
        return self.p.layers_caption_cut.format(shown=fmt.count(shown), all=fmt.count(there))

    @cached_property
    def stacks(self) -> tuple[StackStrip, ...]:
        if not self.e.answer.stage:
            return ()
        stacks: dict[str, list[LayerRow]] = {}
        for row in self.e.layers:
            stacks.setdefault(row.stage, []).append(row)
        return tuple(self._strip(stage, rows) for stage, rows in stacks.items() if len(rows) > 1)

    def _strip(self, stage: str, rows: Sequence[LayerRow]) -> StackStrip:
        top = max(row.time.high_ns for row in rows)
        values = [row.time.value_ns for row in rows]
        median = statistics.median(values)
        unlike = {layer.row.index for layer in unlike_layers(rows)}
        # Where there are more layers than can be drawn, the heaviest of each few neighbours stands for them.
        few = -(-len(rows) // MOST_LAYERS)
        chosen = [max(rows[k : k + few], key=lambda row: row.time.value_ns) for k in range(0, len(rows), few)]
        # Number the layers so that the numbers do not run into each other.
        every = next(step for step in (1, 2, 5, 10, 20, 50) if len(chosen) <= step * _NUMBERED_LAYERS)
        columns = []
        for k, row in enumerate(chosen):
            spoken = self.p.layer_spoken.format(
                name=f"{wording.stage_name(stage, self.s)} {row.index}",
                time=fmt.time(row.time.value_ns),
                interval=fmt.plus_minus(row.time),
                python=fmt.time(row.python_ns),
            )
            shape = column_shape(k, len(chosen), row.time.value_ns - row.python_ns, row.python_ns, row.time, top)
            label = str(row.index) if k % every == 0 else ""
            columns.append(LayerColumn(shape, fmt.has_interval(row.time), label, spoken, row.index in unlike))
        template = self.s.layers_unlike if unlike else self.s.layers_alike
        text = template.format(
            count=len(rows), median=fmt.time(median), low=fmt.time(min(values)), high=fmt.time(max(values))
        )
        if few > 1:
            text = f"{text}; {self.p.layers_grouped.format(few=fmt.count(few))}"
        return StackStrip(wording.stage_name(stage, self.s), text, top, height_of(median, top), tuple(columns))

    @cached_property
    def layer_notes(self) -> tuple[Note, ...]:
        """Which layers are unlike their fellows, in the words that every medium uses."""
        sections = cycle_page(self.e, self.s.language).sections
        blocks = (block for section in sections if section.title == self.s.layers for block in section.blocks)
        return tuple(block for block in blocks if isinstance(block, Note))

    @cached_property
    def account(self) -> tuple[AccountLine, ...]:
        rows = self.e.closure.rows
        order = {stage: k % _STAGE_PAINTS for k, stage in enumerate(dict.fromkeys(row.stage for row in rows))}
        shapes = segments([row.time_ns for row in rows], self._account_width)
        return tuple(self._account_line(row, shape, order[row.stage]) for row, shape in zip(rows, shapes, strict=True))

    def _account_line(self, row: AccountRow, shape: SegmentShape, paint: int) -> AccountLine:
        names = {
            "operations": self.s.operations,
            "python": self.s.python,
            "text": self.s.text_work,
            "unexplained": self.s.unexplained,
        }
        stage = wording.stage_name(row.stage, self.s)
        label = " · ".join(part for part in (stage, names.get(row.name, row.name)) if part)
        is_rest = row.name == "unexplained"
        return AccountLine(
            label, shape, "rest" if is_rest else f"s{paint}", row.name == "python", row.time_ns, row.share_of_wall
        )

    @cached_property
    def _account_width(self) -> float:
        """The bar is as long as the wall, or as the parts where they are more than it."""
        return max(self.e.closure.wall.value_ns, self.e.closure.attributed_ns)

    @cached_property
    def wall_x(self) -> str:
        """Where the mark of the wall time stands on the bar of the account."""
        return place(self.e.closure.wall.value_ns, self._account_width)

    @cached_property
    def arrows(self) -> tuple[ArrowLine, ...]:
        graph = self.cycle.graph
        flow = drawn_flow(graph, Level.LAYER)
        painter = FlowPainter(self.e, self.s, self.p)
        return tuple(
            ArrowLine(
                painter.label(flow.nodes[edge.source]),
                painter.label(flow.nodes[edge.target]),
                ", ".join(painter.tensors(edge)),
                painter.crossing(edge),
            )
            for edge in flow.edges
        )

    @cached_property
    def method(self) -> tuple[tuple[str, str], ...]:
        """How the figures came about, as labels and values."""
        p, cycle, samples = self.p, self.cycle, self.cycle.samples
        rows = [
            (p.plain_runs, fmt.count(len(samples.uninstrumented))),
            (p.light_runs, fmt.count(len(samples.instrumented))),
        ]
        if samples.budget_ns:
            rows.append((p.budget, fmt.time(samples.budget_ns)))
        stamps = samples.instrumentation
        if stamps is not None:
            cost = p.stamp_cost_value.format(
                inside=fmt.time(stamps.inside_ns),
                outside=fmt.time(stamps.outside_ns),
                how=stamps.how,
                twin=stamps.calibrated_on,
                n=fmt.count(stamps.n),
            )
            rows.append((p.stamp_cost, cost))
        if samples.load.other_busy is not None:
            rows.append((p.other_load, fmt.share(samples.load.other_busy)))
        rows.append((p.seed, str(cycle.plan.seed)))
        rows.append((p.traced_on, cycle.graph.traced_on))
        packages = (("Python", cycle.machine.python), *cycle.machine.packages, ("", cycle.machine.system))
        rows.append((p.software, ", ".join(" ".join(pair).strip() for pair in packages if pair[1])))
        rows.append((p.taken_at, cycle.taken_at))
        return tuple((label, value) for label, value in rows if value)
