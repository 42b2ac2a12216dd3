"""The old form of `report.sections.device`, in one language, for the views of HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from cyclescope.explaining.device import DeviceLine, DeviceRow, Pace
from cyclescope.explaining.places import Place
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
from cyclescope.report.page import Align, Block, Column, Heading, Note, Paragraph, Severity, Table
from cyclescope.report.words.strings import Strings
from cyclescope.report.words.text_device import DeviceText, device_text

MOST_PLACES = 8
_MOST_NAMES = 3  # of operations that wait
_LITTLE = 0.005  # a smaller share that is unclear is not worth a sentence


def device_blocks(told: DeviceLine, s: Strings) -> Iterator[Block]:
    """How the host keeps ahead, what could not be told, the parts, and the places that take the most. Who decides stands in
    the answer of the page (`wording.pace`).
    """
    t = device_text(s)
    yield Heading(t.title)
    if told.unclear_share >= _LITTLE or told.pace is Pace.UNCLEAR:
        unclear = float(told.unclear_ns.sum())
        text = t.unclear.format(unclear=fmt.time(unclear), share=fmt.share(told.unclear_share))
        yield Note(Severity.INFO, text, "" if told.held else t.few_held)
    yield Paragraph(
        t.launches.format(
            working=fmt.count(told.working), starved=fmt.count(told.starved), ahead=fmt.time(told.ahead_ns)
        )
    )
    yield Paragraph(_waits(told, t))
    yield _parts(told, s, t)
    yield _places(told, s, t)
    yield Paragraph(
        t.account.format(span=fmt.time(told.span_ns), ratio=fmt.ratio(told.of_wall), marks=fmt.time(told.marks_ns))
    )


def _waits(told: DeviceLine, t: DeviceText) -> str:
    rows, names = np.flatnonzero(told.waits).tolist(), told.attribution.graph.names
    end = fmt.time(told.end_wait_ns)
    if not rows:
        return t.no_waits.format(end=end)
    found = Counter(names[i] for i in rows)
    listed = [t.operation.format(name=name, count=fmt.count(n)) for name, n in found.most_common(_MOST_NAMES)]
    listed += ["…"] if len(found) > _MOST_NAMES else []
    return t.waits.format(
        count=fmt.count(len(rows)), time=fmt.time(told.waited_ns), names=t.separator.join(listed), end=end
    )


def _columns(first: str, s: Strings, t: DeviceText) -> tuple[Column, ...]:
    return (
        Column(first),
        Column(t.busy, Align.RIGHT),
        Column(t.unclear_column, Align.RIGHT, priority=2),
        Column(t.idle, Align.RIGHT),
        Column(s.share, Align.RIGHT, priority=1),
        Column(t.queue, Align.RIGHT, priority=3),
    )


def _parts(told: DeviceLine, s: Strings, t: DeviceText) -> Table:
    rows = [_row(wording.stage_name(row.name, s), row, told) for row in told.stages]
    if told.tail_ns:
        rows.append(_row(t.tail, DeviceRow(Place(), 0, 0.0, 0.0, told.tail_ns, 0.0), told))
    busy, unclear = float(told.busy_ns.sum()), float(told.unclear_ns.sum())
    rows.append(_row(s.total, DeviceRow(Place(), 0, busy, unclear, told.idle_total_ns, told.ahead_ns), told))
    return Table(_columns(t.part, s, t), tuple(rows), total=True)


def _places(told: DeviceLine, s: Strings, t: DeviceText) -> Table:
    rows = [_row(wording.place(row.place, row.count, s), row, told) for row in told.places[:MOST_PLACES]]
    return Table(_columns(t.place, s, t), tuple(rows))


def _row(name: str, row: DeviceRow, told: DeviceLine) -> tuple[str, ...]:
    times = (fmt.time(row.busy_ns), fmt.time(row.unclear_ns), fmt.time(row.idle_ns))
    return (name, *times, fmt.share(row.total_ns / told.span_ns if told.span_ns else None), fmt.time(row.queue_ns))
