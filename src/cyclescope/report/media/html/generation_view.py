"""What the page says of a cycle that wrote text: metrics with their definitions, phases, and how a step grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

from cyclescope.core.statistics import Estimate
from cyclescope.explaining.generation import Generation, Phase
from cyclescope.explaining.metrics.definition import DEFINITIONS, MetricName, Unit
from cyclescope.explaining.metrics.metric import PERCENTS, Metric, least_samples
from cyclescope.report import format as fmt
from cyclescope.report.drawings.bars import SegmentShape, segments
from cyclescope.report.drawings.curve import Curve, Point, curve
from cyclescope.report.media.html.metrics_view import MetricCard, metric_card
from cyclescope.report.media.html.old_sections.generation import amount, generation_blocks, interval_of, value_of
from cyclescope.report.page import Block, Heading, Paragraph, Strip, Table
from cyclescope.report.words.strings import Strings
from cyclescope.report.words.text import PageText

# The figures that stand large; all others are in the table.
_HEADLINES = (MetricName.TTFT, MetricName.TPOT, MetricName.PREFILL_THROUGHPUT, MetricName.DECODE_THROUGHPUT)


@dataclass(frozen=True, slots=True)
class MetricLine:
    """One metric in words. `percentiles` has an entry for each of `PERCENTS`, unknown where n does not support it."""

    name: str
    label: str
    value: str
    interval: str
    n: str
    percentiles: tuple[str, ...]

    @property
    def has_interval(self) -> bool:
        return self.interval != fmt.UNKNOWN


@dataclass(frozen=True, slots=True)
class PhaseLine:
    label: str
    paint: str
    op_shape: SegmentShape
    python_shape: SegmentShape
    spoken: str
    time: Estimate
    share: float
    op_ns: float
    python_ns: float


@dataclass(frozen=True, slots=True)
class DialectLine:
    tool: str
    called: str
    ours: str
    median: str
    mean: str
    n: str


class GenerationView:
    """One generation in one language."""

    def __init__(self, told: Generation, s: Strings, p: PageText) -> None:
        self.told, self.s, self.p = told, s, p
        self.percents = tuple(f"p{percent}" for percent in PERCENTS)

    @cached_property
    def metrics(self) -> tuple[MetricLine, ...]:
        """Every metric that is defined."""
        return tuple(self._line(metric) for metric in self.told.metrics if metric.figure is not None)

    @cached_property
    def headlines(self) -> tuple[MetricLine, ...]:
        lines = {line.name: line for line in self.metrics}
        return tuple(lines[name.value] for name in _HEADLINES if name.value in lines)

    @cached_property
    def gaps(self) -> MetricLine | None:
        """Inter-token latency, which is told by its percentiles."""
        return next((line for line in self.metrics if line.name == MetricName.ITL.value), None)

    @cached_property
    def gap_percentiles(self) -> tuple[tuple[str, str], ...]:
        """The percentiles of the gaps that n supports."""
        if self.gaps is None:
            return ()
        pairs = zip(self.percents, self.gaps.percentiles, strict=True)
        return tuple((label, value) for label, value in pairs if value != fmt.UNKNOWN)

    @cached_property
    def unsupported(self) -> str:
        """Which percentiles of the gaps are absent, and how many gaps they would need; or nothing."""
        if self.gaps is None:
            return ""
        absent = [k for k, value in zip(PERCENTS, self.gaps.percentiles, strict=True) if value == fmt.UNKNOWN]
        return self.p.generation.list_separator.join(
            self.p.generation.percentile_needs.format(percentile=f"p{k}", n=fmt.count(least_samples(k))) for k in absent
        )

    @cached_property
    def undefined(self) -> str:
        """The metrics that this number of tokens does not define, or nothing."""
        absent = [metric.definition.name.value for metric in self.told.metrics if metric.figure is None]
        names = self.p.generation.list_separator.join(absent)
        return self.s.undefined_metrics.format(names=names, tokens=fmt.count(self.told.tokens)) if absent else ""

    @cached_property
    def percentiles_note(self) -> str:
        return self.s.percentiles_note.format(**{f"p{k}": fmt.count(least_samples(k)) for k in PERCENTS})

    @cached_property
    def cards(self) -> tuple[MetricCard, ...]:
        """The definitions behind the figures of this page."""
        there = {line.name for line in self.metrics}
        return tuple(metric_card(definition, self.s) for definition in DEFINITIONS if definition.name.value in there)

    def _line(self, metric: Metric) -> MetricLine:
        unit, name = metric.definition.unit, metric.definition.name
        at = {percentile.percent: percentile.value for percentile in metric.percentiles}
        return MetricLine(
            name=name.value,
            label=self.s.metric_names[name],
            value=value_of(metric, self.s),
            interval=interval_of(metric),
            n=fmt.count(metric.n),
            percentiles=tuple(amount(at.get(percent), unit, self.s) for percent in PERCENTS),
        )

    @cached_property
    def dialects(self) -> tuple[DialectLine, ...]:
        """The same runs as other tools would tell them."""
        return tuple(
            DialectLine(
                tool=figure.dialect.tool.value,
                called=figure.dialect.name,
                ours=figure.dialect.metric.value,
                median=amount(figure.median, figure.dialect.unit, self.s),
                mean=amount(figure.mean, figure.dialect.unit, self.s),
                n=fmt.count(figure.n),
            )
            for figure in self.told.dialects
        )

    @cached_property
    def phases(self) -> tuple[PhaseLine, ...]:
        rows = self.told.phases
        shapes = iter(segments([ns for row in rows for ns in (row.op_ns, row.python_ns)], self._whole_ns))
        lines = []
        for row in rows:
            label = self.s.phase_names[row.phase]
            spoken = self.p.bar_spoken.format(
                name=label,
                time=fmt.time(row.time.value_ns),
                interval=fmt.plus_minus(row.time),
                operations=fmt.time(row.op_ns),
                python=fmt.time(row.python_ns),
            )
            paint = f"s{list(Phase).index(row.phase)}"
            lines.append(
                PhaseLine(
                    label, paint, next(shapes), next(shapes), spoken, row.time, row.share, row.op_ns, row.python_ns
                )
            )
        return tuple(lines)

    @cached_property
    def phases_spoken(self) -> str:
        """The bar in one sentence, for whoever does not see it."""
        return self.p.generation.list_separator.join(f"{line.label} {fmt.share(line.share)}" for line in self.phases)

    @property
    def _whole_ns(self) -> float:
        return sum(row.time.value_ns for row in self.told.phases)

    @cached_property
    def curve(self) -> Curve | None:
        return curve(self.told.steps)

    @cached_property
    def steps_text(self) -> str:
        """The sentence that the terminal has above its strip of steps."""
        return next((str(block.text) for block in self._blocks(self.s.decode_steps) if isinstance(block, Strip)), "")

    @cached_property
    def cache_text(self) -> str:
        return next(
            (str(block.text) for block in self._blocks(self.s.decode_steps) if isinstance(block, Paragraph)), ""
        )

    @cached_property
    def curve_notes(self) -> tuple[str, ...]:
        """How the curve is to be read."""
        drawn = self.curve
        if drawn is None:
            return ()
        g = self.p.generation
        notes = [g.curve_unprofiled if drawn.unprofiled else g.curve_stamped]
        n = min(point.time.n for point in drawn.points)
        some = drawn.points[0].time
        if n > 1:
            notes.append((g.curve_interval if fmt.has_interval(some) else g.curve_range).format(n=fmt.count(n)))
        if drawn.grouped > 1:
            notes.append(g.curve_grouped.format(few=fmt.count(drawn.grouped)))
        if not drawn.from_zero:
            notes.append(g.curve_not_from_zero)
        return tuple(notes)

    @cached_property
    def trend(self) -> str:
        """The slope of the fitted line in words, or nothing."""
        found = self.curve.trend if self.curve else None
        if found is None:
            return ""
        scale = Unit.NS_PER_1000_POSITIONS.scale
        number, ends = fmt.slope(found.slope * scale, found.low * scale, found.high * scale)
        slope = self.s.unit_amounts[Unit.NS_PER_1000_POSITIONS].format(value=number)
        return self.p.generation.trend.format(slope=slope, interval=ends)

    @property
    def trend_is_metric(self) -> bool:
        """Whether the slope is also one of the metrics, so that its definition can be opened."""
        return any(line.name == MetricName.GROWTH.value for line in self.metrics)

    def spoken(self, point: Point) -> str:
        """One step in one line."""
        step = point.step
        parts = [
            self.p.generation.point_spoken.format(
                step=self.p.chart.step.replace("{k}", fmt.count(step.step)),
                position=fmt.count(step.position),
                time=fmt.time(point.time.value_ns),
                interval=fmt.time_range(point.time.low_ns, point.time.high_ns) if fmt.has_interval(point.time) else "",
            ).rstrip()
        ]
        if step.cache_bytes:
            parts.append(self.p.generation.point_cache.format(bytes=fmt.data(step.cache_bytes)))
        return self.p.generation.list_separator.join(parts)

    @cached_property
    def growth(self) -> Table | None:
        """What grows most, as the terminal has it."""
        return next((block for block in self._blocks(self.s.growth) if isinstance(block, Table)), None)

    @cached_property
    def growth_text(self) -> str:
        return next((str(block.text) for block in self._blocks(self.s.growth) if isinstance(block, Paragraph)), "")

    def _blocks(self, heading: str) -> Iterator[Block]:
        """The blocks that every medium has below `heading`."""
        blocks = iter(generation_blocks(self.told, self.s))
        for block in blocks:
            if isinstance(block, Heading) and block.text == heading:
                break
        return takewhile(lambda block: not isinstance(block, Heading), blocks)
