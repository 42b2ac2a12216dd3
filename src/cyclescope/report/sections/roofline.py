"""How far a cycle is from the machine's ceilings, and what other ceilings would change."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Series, Text, listed, m, plural, sentences
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.roofline import Roofline, RooflineRow, Utilisation
from cyclescope.report import format as fmt
from cyclescope.report.drawings.link_targets import NOWHERE, LinkTargets
from cyclescope.report.drawings.roofline import roofline_drawing, spoken
from cyclescope.report.drawings.spans import FAMILIES
from cyclescope.report.drawings.whatif import what_if_drawing
from cyclescope.report.naming.arithmetic import at_least
from cyclescope.report.naming.between import between, between_label
from cyclescope.report.naming.bounds import ORIGINS, bound_name, level_name
from cyclescope.report.naming.phases import PHASES
from cyclescope.report.naming.predicting import is_predicted
from cyclescope.report.naming.stages import place_name
from cyclescope.report.page import (
    Align,
    Block,
    Cell,
    Column,
    Drawing,
    Emphasis,
    KeyValues,
    Note,
    Paragraph,
    Section,
    Severity,
    Table,
)

MOST_PLACES = 5
MOST_GAPS = 8  # of these, where there is room
# From which share of the time on operations that beat their ceiling put the figures in doubt.
_TOO_FAST = 0.01
_TITLE = m("Distance to the ceilings")
_NO_GAP = m(
    "The analytic timing model takes the work of every operation at its ceiling, so there is no gap to show; what bounds the operations follows."
)


def roofline_section(explanation: Explanation, links: LinkTargets = NOWHERE) -> Section | None:
    """How far the cycle is from its ceilings, and where; where none are known, how they become known.

    `links` are where its places stand in the timeline.
    """
    found = explanation.roofline
    if found is None:
        return Section("roofline", _TITLE, (_unknown(),)) if explanation.answer.stage else None
    return Section("roofline", _TITLE, tuple(_blocks(explanation, found, links)), _note(explanation, found), wide=True)


def what_if_section(explanation: Explanation) -> Section | None:
    """What another machine or engine would change, computed in the page; HTML only."""
    if explanation.roofline is None:
        return None
    note = sentences(
        m("Another machine or engine in numbers: this page computes the bound of every operation again."),
        m("None of its times was measured."),
    )
    drawing = Drawing("what-if", what_if_drawing(explanation, explanation.roofline), m("What-if analysis"))
    return Section("what-if", m("What-if analysis"), (drawing,), note, wide=True)


def _note(explanation: Explanation, found: Roofline) -> Text:
    if found.at_ceilings:
        return m("What bounds each operation: compute, memory or the engine’s overhead.")
    if is_predicted(explanation.cycle):
        return m(
            "The least time of each operation by compute, by memory and by the engine’s overhead, compared with its predicted time."
        )
    return m(
        "The least time of each operation by compute, by memory and by the engine’s overhead, compared with its measured time."
    )


def _unknown() -> Note:
    return Note(
        Severity.INFO,
        m("The ceilings of this machine are unknown, and so is the distance of each operation from them."),
        m("`cyclescope calibrate` measures the machine once; cycles measured after that are compared with it."),
    )


def _blocks(explanation: Explanation, found: Roofline, links: LinkTargets) -> Iterator[Block]:
    graph = explanation.cycle.graph
    if found.at_ceilings:
        yield Note(Severity.INFO, _NO_GAP)
    else:
        yield Paragraph(gap_sentence(found, graph), term="roofline")
    # A timing model may foresee what no ceiling allows; that says nothing about how the ceilings were measured.
    if found.faster_ns >= _TOO_FAST * found.total_ns and not is_predicted(explanation.cycle):
        yield _faster(found)
    drawing = roofline_drawing(explanation, found, links)
    yield Drawing("roofline", drawing, spoken(found, drawing.pieces))
    if not found.at_ceilings:
        yield _places(explanation, found, links)
    yield _bounds(found, graph)
    yield KeyValues((*_used(found, graph), ceilings_fact(found, explanation.cycle.plan.dtype)))
    yield Paragraph(
        m(
            "A floor is the largest of three: FLOPs ÷ the ceiling of a product of that shape, bytes ÷ the bandwidth of the level where the data were last, and the dispatch of one operation. Views need nothing."
        ),
        soft=True,
    )


def gap_sentence(found: Roofline, graph: Graph) -> Text:
    """What the cycle would take at its ceilings, what it takes, and how much of the difference a few places hold."""
    times = {"floor": fmt.time(found.floor_total_ns), "total": fmt.time(found.total_ns)}
    if found.python_ns <= 0:
        first = m("If every operation ran at its ceiling, this cycle would take {floor}; it takes {total}.", **times)
    elif found.on_device:
        first = m(
            "If every operation ran at its ceiling, this cycle would take {floor} of the device; it takes {total}, of which the device waits {python} for launches.",
            python=fmt.time(found.python_ns),
            **times,
        )
    else:
        first = m(
            "If every operation ran at its ceiling, this cycle would take {floor}; it takes {total}, of which {between} between operations takes {python}.",
            between=between(graph),
            python=fmt.time(found.python_ns),
            **times,
        )
    few = [row.gap_ns for row in found.places[:MOST_PLACES] if row.gap_ns > 0]
    share = fmt.share(_share(sum(few), found))
    held = plural("{n} place holds {share} of the gap.", "{n} places hold {share} of the gap.", len(few), share=share)
    return sentences(first, held)


def _faster(found: Roofline) -> Note:
    text = plural(
        "{n} operation ({share} of the time) was faster than its floor: its ceiling is too low, and the gap is larger than shown.",
        "{n} operations ({share} of the time) were faster than their floor: their ceiling is too low, and the gap is larger than shown.",
        found.faster,
        share=fmt.share(found.faster_ns / found.total_ns),
    )
    return Note(
        Severity.WARNING, text, m("Calibrate again while nothing else runs on the machine: `cyclescope calibrate`.")
    )


def _share(gap_ns: float, found: Roofline) -> float:
    return gap_ns / found.gap_total_ns if found.gap_total_ns > 0 else 0.0


def _columns(first: Text) -> tuple[Column, ...]:
    return (
        Column(first),
        Column(m("time"), Align.RIGHT),
        Column(m("at the ceiling"), Align.RIGHT, priority=4, emphasis=Emphasis.SOFT),
        Column(m("reached"), Align.RIGHT, priority=2),
        Column(m("gap"), Align.RIGHT, emphasis=Emphasis.STRONG, html=True),
        Column(m("of the gap"), Align.RIGHT, priority=1),
    )


def _places(explanation: Explanation, found: Roofline, links: LinkTargets) -> Table:
    """The places farthest from their ceilings."""
    kinds = {row.place: row.kind for row in explanation.places}
    rows = []
    for row in found.places[:MOST_GAPS]:
        kind = kinds.get(row.place)
        family = FAMILIES.get(kind.value, "other") if kind is not None else "other"
        name = Cell(place_name(row.place, row.count), links.places.get(row.place), f"k-{family}")
        rows.append((name, *_cells(row, found), bound_name(row.bound, row.level)))
    return Table(
        (*_columns(m("place")), Column(m("bound by"), priority=3)),
        tuple(rows),
        caption=m("Places farthest from their ceilings"),
        shown=MOST_PLACES,
    )


def _bounds(found: Roofline, graph: Graph) -> Table:
    """The whole cycle by what bounds its operations, what runs between them included."""
    if found.at_ceilings:
        return _predicted_bounds(found, graph)
    rows: list[tuple[Text | Cell, ...]] = [
        (bound_name(row.bound, row.level), *_cells(row, found), fmt.count(row.count)) for row in found.by_bound
    ]
    python = fmt.time(found.python_ns)
    rest = _rest(found, graph)
    rows.append(
        (rest, python, fmt.time(0), fmt.UNKNOWN, python, fmt.share(_share(found.python_ns, found)), fmt.UNKNOWN)
    )
    rows.append(
        (
            m("total"),
            fmt.time(found.total_ns),
            fmt.time(found.floor_total_ns),
            fmt.share(found.floor_total_ns / found.total_ns if found.total_ns > 0 else None),
            fmt.time(found.gap_total_ns),
            fmt.share(_share(found.gap_total_ns, found)),
            fmt.count(len(found.time_ns)),
        )
    )
    columns = (*_columns(m("bound by")), Column(m("operations"), Align.RIGHT, priority=3))
    return Table(columns, tuple(rows), total=True, caption=m("The cycle by what bounds its operations"))


def _rest(found: Roofline, graph: Graph) -> Text:
    """What passes between operations."""
    return m("waiting for launches") if found.on_device else between_label(graph)


def _predicted_bounds(found: Roofline, graph: Graph) -> Table:
    """The same of a cycle that was predicted at its ceilings: there is no gap in it."""
    parts: list[tuple[Text, float, str]] = [
        (bound_name(row.bound, row.level), row.time_ns, fmt.count(row.count)) for row in found.by_bound
    ]
    parts.sort(key=lambda part: -part[1])
    parts.append((_rest(found, graph), found.python_ns, fmt.UNKNOWN))
    parts.append((m("total"), found.total_ns, fmt.count(len(found.time_ns))))
    columns = (
        Column(m("bound by")),
        Column(m("time"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(m("share"), Align.RIGHT, priority=1),
        Column(m("operations"), Align.RIGHT, priority=2),
    )
    known = found.ceilings.overheads
    untold = found.python_ns <= 0 and known.launch_ns is None and known.module_call_ns is None
    rows = [
        (name, fmt.time(ns), fmt.share(ns / found.total_ns if found.total_ns > 0 else None), count)
        for name, ns, count in parts
    ]
    if untold:  # of a datasheet, which states no time of a dispatch or between operations: that is not none
        parts_told = [ns > 0 for _, ns, _ in parts]
        rows = [
            row if told else (row[0], fmt.UNKNOWN, fmt.UNKNOWN, row[3])
            for row, told in zip(rows, parts_told, strict=True)
        ]
    return Table(columns, tuple(rows), total=True, caption=m("The cycle by what bounds its operations"))


def _cells(row: RooflineRow, found: Roofline) -> tuple[str, ...]:
    """Time, lower bound, efficiency (share of the ceiling), headroom, share of the headroom."""
    return (
        fmt.time(row.time_ns),
        fmt.time(row.floor_ns),
        fmt.share(row.reached),
        fmt.time(row.gap_ns),
        fmt.share(_share(row.gap_ns, found)),
    )


def _used(found: Roofline, graph: Graph) -> Iterator[tuple[Text, Text]]:
    """MFU and MBU of the cycle and of the phases of a generation, where a ceiling for them is known."""
    rows: list[tuple[Text, Utilisation, Utilisation]] = [("", found.mfu, found.mbu)]
    rows += [(PHASES[use.phase], use.mfu, use.mbu) for use in found.phases]
    for phase, mfu, mbu in rows:
        for label, used in ((m("FLOPs used (MFU)"), mfu), (m("bandwidth used (MBU)"), mbu)):
            shares = []
            least = partial(at_least, graph=graph) if used is mfu else str
            if used.of_measured is not None:
                shares.append(m("{share} of the measured ceiling", share=least(fmt.share(used.of_measured))))
            if used.of_datasheet is not None:
                shares.append(m("{share} of the datasheet", share=least(fmt.share(used.of_datasheet))))
            if shares:
                yield Series((phase, label), " · "), listed(shares)


def ceilings_fact(found: Roofline, dtype: str) -> tuple[Text, Text]:
    """The ceilings in one line: when and on what they were taken, and the highest of each sort."""
    known = found.ceilings
    peak, dispatch = known.peak(dtype, found.threads), known.overheads.dispatch_ns
    figures: list[Text] = [known.machine, known.taken_at[:10]]
    if found.threads:
        figures.append(plural("{n} thread", "{n} threads", found.threads))
    if peak is not None:
        figures.append(m("products {rate}", rate=fmt.flop_rate(peak.value)))
    figures += [
        Series((level_name(level.level), fmt.bandwidth(level.bytes_per_s.value)), " ")
        for level in known.levels(found.threads)
    ]
    if dispatch is not None:
        figures.append(m("dispatch {time}", time=fmt.time(dispatch.value)))
    return ORIGINS[known.origin], Series(tuple(figures), " · ")
