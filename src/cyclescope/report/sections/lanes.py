"""The lanes of an imported cycle: what each does, why devices do nothing, what the end waits for, and ranks side by side."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.lanes import StepSpan
from cyclescope.core.message import Series, Text, listed, m, plural, sentences
from cyclescope.explaining.lanes.accounts import DeviceAccount, LaneRow
from cyclescope.explaining.lanes.lanes import Lanes
from cyclescope.explaining.lanes.path import CriticalPath, PathPart
from cyclescope.explaining.lanes.ranks import Ranks
from cyclescope.report import format as fmt
from cyclescope.report.drawings.lanes import LanesDrawing
from cyclescope.report.drawings.spans import name as harmless
from cyclescope.report.naming.importing import EDGES, IDLE, LITTLE_SKEW, PARTS, PHASES, lane_name
from cyclescope.report.page import Align, Block, Column, Drawing, Emphasis, Note, Paragraph, Section, Severity, Table

_MOST_LANES, _MOST_PARTS, _MOST_STEPS = 24, 14, 40
_TIME = Column(m("time"), Align.RIGHT, emphasis=Emphasis.STRONG)
_SHARE = Column(m("share"), Align.RIGHT, priority=1)


def lanes_section(lanes: Lanes | None, drawing: LanesDrawing | None = None) -> Section | None:
    """Devices, threads and streams over the steps that are explained; None without lanes. `drawing` is for HTML."""
    if lanes is None or not lanes.rows:
        return None
    note = m("Threads of the host and streams of devices, over the explained steps. Every row adds up to their time.")
    return Section("lanes", m("Lanes"), tuple(_lanes(lanes, drawing)), note, wide=True)


def _lanes(lanes: Lanes, drawing: LanesDrawing | None) -> Iterator[Block]:
    if drawing is not None:
        yield Drawing("lanes", drawing, m("Lanes of the trace, drawn"))
    for account in lanes.devices[:_MOST_LANES]:
        yield _account(account, several=len(lanes.devices) > 1)
        if account.all_communication_ns or account.all_copy_ns:
            yield Paragraph(_overlap(account))
    yield _threads(lanes)
    if any(lanes.samples.lanes[row.lane].device for row in lanes.rows):
        yield _streams(lanes)


def _account(account: DeviceAccount, *, several: bool) -> Table:
    """What one device does, and why it does nothing."""
    rows: list[tuple[Text, int]] = [
        (m("computes"), account.compute_ns),
        (m("waits for communication (exposed)"), account.communication_ns),
        (m("waits for copies (exposed)"), account.copy_ns),
        *((m("idle: {cause}", cause=IDLE[cause]), ns) for cause, ns in account.idle),
    ]
    cells = [(label, fmt.exact_time(ns), fmt.share(_part(ns, account.total_ns))) for label, ns in rows if ns]
    cells.append((m("total"), fmt.exact_time(account.total_ns), fmt.share(1.0)))
    caption = m("The account of device {device}", device=harmless(account.device))
    title = m("device {device}", device=harmless(account.device))
    if several:
        caption = m("The account of device {device} of rank {rank}", device=harmless(account.device), rank=account.rank)
        title = m("device {device} of rank {rank}", device=harmless(account.device), rank=account.rank)
    return Table((Column(title), _TIME, _SHARE), tuple(cells), total=True, caption=caption)


def _overlap(account: DeviceAccount) -> Text:
    found = []
    if account.all_communication_ns:
        hidden = account.all_communication_ns - account.communication_ns
        found.append(
            m(
                "Communication takes {time}, of which {hidden} ({share}) is hidden behind computing.",
                time=fmt.exact_time(account.all_communication_ns),
                hidden=fmt.time(hidden),
                share=fmt.share(_part(hidden, account.all_communication_ns)),
            )
        )
    if account.all_copy_ns:
        hidden = account.all_copy_ns - account.copy_ns
        found.append(
            m(
                "Copies take {time}, of which {hidden} ({share}) is hidden behind other work.",
                time=fmt.time(account.all_copy_ns),
                hidden=fmt.time(hidden),
                share=fmt.share(_part(hidden, account.all_copy_ns)),
            )
        )
    return sentences(*found)


def _threads(lanes: Lanes) -> Table:
    host = [row for row in lanes.rows if not lanes.samples.lanes[row.lane].device]
    columns = (
        Column(m("thread")),
        Column(m("operations"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(m("around them"), Align.RIGHT, priority=1),
        Column(m("waits for the device"), Align.RIGHT),
        Column(m("no event"), Align.RIGHT, priority=2),
        Column(m("events"), Align.RIGHT, priority=3, emphasis=Emphasis.SOFT),
    )
    rows = sorted(host, key=lambda row: -row.busy_ns)[:_MOST_LANES]
    cells = tuple(
        (
            _lane_name(lanes, row),
            *(fmt.time(ns) for ns in (row.busy_ns, row.python_ns, row.wait_ns, row.idle_ns)),
            fmt.count(row.events),
        )
        for row in rows
    )
    return Table(columns, cells, caption=m("Threads of the host"), more=_more(len(host)))


def _streams(lanes: Lanes) -> Table:
    streams = [row for row in lanes.rows if lanes.samples.lanes[row.lane].device]
    columns = (
        Column(m("stream")),
        Column(m("works"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(m("another stream works"), Align.RIGHT, priority=1),
        Column(m("idle"), Align.RIGHT),
        Column(m("share of work"), Align.RIGHT, priority=2),
        Column(m("events"), Align.RIGHT, priority=3, emphasis=Emphasis.SOFT),
    )
    rows = sorted(streams, key=lambda row: -row.busy_ns)[:_MOST_LANES]
    cells = tuple(
        (
            _lane_name(lanes, row),
            *(fmt.time(ns) for ns in (row.busy_ns, row.beside_ns, row.idle_ns)),
            fmt.share(_part(row.busy_ns, row.total_ns)),
            fmt.count(row.events),
        )
        for row in rows
    )
    return Table(columns, cells, caption=m("Streams of devices"), more=_more(len(streams)))


def _more(count: int) -> Text:
    return m("{n} more are not listed.", n=fmt.count(count - _MOST_LANES)) if count > _MOST_LANES else ""


def _lane_name(lanes: Lanes, row: LaneRow) -> Text:
    return lane_name(lanes.samples.lanes[row.lane], ranks=lanes.ranks is not None)


def path_section(path: CriticalPath | None) -> Section | None:
    """What the end of the typical step waits for, across host and device; None without one."""
    if path is None or not path.parts:
        return None
    columns = (Column(m("part of the path")), Column(m("count"), Align.RIGHT, priority=2), _TIME, _SHARE)
    cells = [_path_row(part, path) for part in path.parts[:_MOST_PARTS]]
    rest = sum(part.ns for part in path.parts[_MOST_PARTS:])
    if rest:
        cells.append(
            (
                m("everything else"),
                fmt.count(len(path.parts) - _MOST_PARTS),
                fmt.time(rest),
                fmt.share(_part(rest, path.total_ns)),
            )
        )
    cells.append((m("total"), "", fmt.time(path.total_ns), fmt.share(1.0)))
    edges = listed(m("{edge} {n}", edge=EDGES[edge], n=fmt.count(n)) for edge, n in path.edges)
    blocks = (
        Table(columns, tuple(cells), total=True, caption=m("The critical path across host and device")),
        Paragraph(m("Edges of the path by type: {edges}.", edges=edges)),
    )
    note = m(
        "From the end of a step back to its beginning: each part could not begin before the one before it. Only what lies on the path makes the step shorter."
    )
    return Section("lane-path", m("Critical path across host and device"), blocks, note)


def _path_row(part: PathPart, path: CriticalPath) -> tuple[Text, ...]:
    label: Text = PARTS[part.part]
    if part.name:
        label = Series((label, harmless(part.name)), ": ")
    return label, fmt.count(part.count), fmt.time(part.ns), fmt.share(_part(part.ns, path.total_ns))


def ranks_section(ranks: Ranks | None) -> Section | None:
    """Ranks side by side; None for a trace of one."""
    if ranks is None:
        return None
    columns = (
        Column(m("rank"), Align.RIGHT),
        Column(m("time"), Align.RIGHT),
        Column(m("of its own"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(m("computes"), Align.RIGHT, priority=1),
        Column(m("waits for communication"), Align.RIGHT, priority=2),
        Column(m("idle"), Align.RIGHT, priority=3),
        Column(m("arrives last"), Align.RIGHT, priority=4),
    )
    rows = tuple(
        (
            str(row.rank),
            *(fmt.time(ns) for ns in (row.total_ns, row.own_ns, row.compute_ns, row.communication_ns, row.idle_ns)),
            fmt.count(row.last) if ranks.comparable else fmt.UNKNOWN,
        )
        for row in ranks.rows
    )
    blocks: tuple[Block, ...] = (
        Paragraph(_slowest(ranks), lead=False),
        Table(columns, rows, caption=m("Ranks side by side")),
    )
    return Section("ranks", m("Ranks"), blocks)


def _slowest(ranks: Ranks) -> Text:
    slowest: Text = m("No rank is the slowest: without waiting for communication all take as long.")
    if ranks.skew >= LITTLE_SKEW:
        slowest = m(
            "Rank {rank} is the slowest: without waiting for communication it takes {share} longer than the quickest.",
            rank=ranks.slowest,
            share=fmt.share(ranks.skew),
        )
    if not ranks.collectives:
        return sentences(slowest, m("The ranks have no collectives in one order, so that arrivals cannot be compared."))
    if not ranks.comparable:
        return sentences(slowest, m("The clocks of the ranks disagree, so that arrivals cannot be compared."))
    return sentences(
        slowest,
        plural(
            "In {n} collective the ranks arrive {apart} apart (median; at most {most}).",
            "In {n} collectives the ranks arrive {apart} apart (median; at most {most}).",
            ranks.collectives,
            n=fmt.count(ranks.collectives),
            apart=fmt.time(ranks.apart_ns),
            most=fmt.time(ranks.most_apart_ns),
        ),
    )


def steps_section(lanes: Lanes | None) -> Section | None:
    """The steps of the trace in their order; None where it names none."""
    if lanes is None or not lanes.samples.steps:
        return None
    steps = lanes.samples.steps
    several = lanes.ranks is not None
    columns = (
        Column(m("step")),
        Column(m("phase")),
        Column(m("sequences"), Align.RIGHT, priority=2),
        Column(m("tokens"), Align.RIGHT, priority=1),
        Column(m("begins at"), Align.RIGHT, priority=3, emphasis=Emphasis.SOFT),
        _TIME,
        Column(m("explained"), priority=4),
    )
    rows = tuple(_step_row(step, ranks=several) for step in steps[:_MOST_STEPS])
    more = m("{n} more are not listed.", n=fmt.count(len(steps) - _MOST_STEPS)) if len(steps) > _MOST_STEPS else ""
    blocks: list[Block] = [Table(columns, rows, caption=m("Steps of the trace"), more=more)]
    if more:
        blocks.append(Note(Severity.INFO, more))
    return Section("trace-steps", m("Steps"), tuple(blocks))


def _step_row(step: StepSpan, *, ranks: bool) -> tuple[Text, ...]:
    name: Text = harmless(step.name)
    return (
        m("rank {rank}: {lane}", rank=step.rank, lane=name) if ranks else name,
        PHASES[step.phase],
        fmt.count(step.sequences) if step.sequences else fmt.UNKNOWN,
        fmt.count(step.tokens) if step.tokens else fmt.UNKNOWN,
        fmt.time(step.begin_ns),
        fmt.time(step.end_ns - step.begin_ns),
        m("yes") if step.run >= 0 else m("no"),
    )


def _part(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
