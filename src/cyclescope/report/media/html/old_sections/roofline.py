"""The part of a cycle's page that holds it against the machine's ceilings, and the same for the document."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.floors import MAIN_MEMORY
from cyclescope.explaining.roofline import Bound, Gap, Roofline
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
from cyclescope.report.page import Align, Block, Column, Heading, KeyValues, Note, Paragraph, Severity, Table
from cyclescope.report.words.strings import Strings
from cyclescope.report.words.text_gap import GapText, gap_text

MOST_PLACES = 5
# From which share of the time on operations that beat their ceiling put the figures in doubt.
_TOO_FAST = 0.01


def roofline_blocks(explanation: Explanation, s: Strings) -> Iterator[Block]:
    """How far the cycle is from its ceilings, and where; where none are known, how they become known."""
    told, t = explanation.roofline, gap_text(s)
    if told is None:
        if explanation.answer.stage:
            yield Note(Severity.INFO, t.absent, t.absent_remedy)
        return
    yield Heading(t.title)
    yield Paragraph(gap_sentence(told, s))
    if told.faster_ns >= _TOO_FAST * told.total_ns:
        text = t.faster.format(count=fmt.count(told.faster), share=fmt.share(told.faster_ns / told.total_ns))
        yield Note(Severity.WARNING, text, t.faster_remedy)
    yield _places(told, s, t)
    yield _bounds(told, s, t)
    yield KeyValues((*_used(told, s, t), ceilings_fact(told, explanation.cycle.plan.dtype, s)))
    yield Paragraph(t.scope)


def gap_sentence(told: Roofline, s: Strings) -> str:
    """What the cycle would take at its ceilings, what it takes, and how much of the difference a few places hold."""
    t = gap_text(s)
    few = [row.gap_ns for row in told.places[:MOST_PLACES] if row.gap_ns > 0]
    with_python = t.sentence_on_device if told.on_device else t.sentence
    template = with_python if told.python_ns > 0 else t.sentence_without_python
    return template.format(
        floor=fmt.time(told.floor_total_ns),
        total=fmt.time(told.total_ns),
        python=fmt.time(told.python_ns),
        count=fmt.count(len(few)),
        share=fmt.share(_share(sum(few), told)),
    )


def _share(gap_ns: float, told: Roofline) -> float:
    return gap_ns / told.gap_total_ns if told.gap_total_ns > 0 else 0.0


def _columns(first: str, s: Strings, t: GapText) -> tuple[Column, ...]:
    return (
        Column(first),
        Column(s.time, Align.RIGHT),
        Column(t.floor, Align.RIGHT, priority=4),
        Column(t.reached, Align.RIGHT, priority=2),
        Column(t.share_of_gap, Align.RIGHT, priority=1),
    )


def _places(told: Roofline, s: Strings, t: GapText) -> Table:
    rows = [
        (wording.place(row.place, row.count, s), *_cells(row, told), bound_name(row.bound, row.level, t))
        for row in told.places[:MOST_PLACES]
    ]
    return Table((*_columns(t.place, s, t), Column(t.bound_by, priority=3)), tuple(rows))


def _bounds(told: Roofline, s: Strings, t: GapText) -> Table:
    """The whole cycle by what bounds its operations, Python between them included."""
    rows = [(bound_name(row.bound, row.level, t), *_cells(row, told), fmt.count(row.count)) for row in told.by_bound]
    share = fmt.share(_share(told.python_ns, told))
    between = t.waiting if told.on_device else t.python
    rows.append((between, fmt.time(told.python_ns), fmt.time(0), fmt.UNKNOWN, share, fmt.UNKNOWN))
    reached = told.floor_total_ns / told.total_ns if told.total_ns > 0 else None
    rows.append(
        (
            s.total,
            fmt.time(told.total_ns),
            fmt.time(told.floor_total_ns),
            fmt.share(reached),
            fmt.share(_share(told.gap_total_ns, told)),
            fmt.count(len(told.time_ns)),
        )
    )
    return Table((*_columns(t.bound_by, s, t), Column(s.operations, Align.RIGHT, priority=3)), tuple(rows), total=True)


def _cells(row: Gap, told: Roofline) -> tuple[str, ...]:
    """Time, floor, reached share of the ceiling, share of the gap."""
    times = (fmt.time(row.time_ns), fmt.time(row.floor_ns))
    return (*times, fmt.share(row.reached), fmt.share(_share(row.gap_ns, told)))


def bound_name(bound: Bound, level: str, t: GapText) -> str:
    """`compute`, `memory (L2)`, `main memory`, …"""
    if bound is not Bound.MEMORY or not level:
        return t.bounds[bound]
    return t.main_memory if level == MAIN_MEMORY else t.memory_level.format(level=level)


def _used(told: Roofline, s: Strings, t: GapText) -> Iterator[tuple[str, str]]:
    """MFU and MBU of the cycle and of the phases of a generation, where a ceiling for them is known."""
    rows = [("", told.mfu, told.mbu), *((s.phase_names[use.phase], use.mfu, use.mbu) for use in told.phases)]
    for phase, mfu, mbu in rows:
        for label, used in ((t.mfu, mfu), (t.mbu, mbu)):
            shares = [
                template.format(share=fmt.share(share))
                for template, share in ((t.of_measured, used.of_measured), (t.of_datasheet, used.of_datasheet))
                if share is not None
            ]
            if shares:
                yield " · ".join(part for part in (phase, label) if part), t.separator.join(shares)


def ceilings_fact(told: Roofline, dtype: str, s: Strings) -> tuple[str, str]:
    """The ceilings in one line: when and on what they were taken, and the highest of each sort."""
    t, known = gap_text(s), told.ceilings
    peak, dispatch = known.peak(dtype, told.threads), known.overheads.dispatch_ns
    figures = [t.product.format(dtype=dtype, rate=fmt.flop_rate(peak.value))] if peak else []
    figures += [
        t.bandwidth.format(
            level=t.main_memory if level.level == MAIN_MEMORY else level.level,
            rate=fmt.bandwidth(level.bytes_per_s.value),
        )
        for level in known.levels(told.threads)
    ]
    if dispatch is not None:
        figures.append(t.dispatch.format(time=fmt.time(dispatch.value)))
    value = t.ceilings_value.format(
        date=known.taken_at[:10], machine=known.machine, threads=told.threads, figures=" · ".join(figures)
    )
    return t.ceilings[known.origin], value
