"""The section about a device: when it works, when it waits, and how far ahead the host launches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from cyclescope.core.message import Message, Text, listed, m, plural, sentences
from cyclescope.explaining.device import DeviceLine, DeviceRow, Pace
from cyclescope.explaining.places import Place
from cyclescope.report import format as fmt
from cyclescope.report.naming.stages import place_name, stage_name
from cyclescope.report.page import Align, Block, Column, Emphasis, Note, Paragraph, Section, Severity, Table

MOST_PLACES = 8
_MOST_NAMES = 3  # of operations that wait
_LITTLE = 0.005  # a smaller share that is unclear is not worth a sentence


def device_section(device: DeviceLine | None, *, recorded: bool = False) -> Section | None:
    """How far the host is ahead, what is uncertain, the stages, and the places that take the most; None without a device.
    `recorded`: by the events of a trace and not by marks.

    What limits the cycle stands in the answer of the page (`naming.device.pace`).
    """
    return (
        Section("device", m("Device activity"), tuple(_blocks(device, recorded=recorded)))
        if device is not None
        else None
    )


def _blocks(device: DeviceLine, *, recorded: bool) -> Iterator[Block]:
    if device.unclear_share >= _LITTLE or device.pace is Pace.UNCLEAR:
        yield Note(Severity.INFO, _unclear(device), "" if device.held else _few_held())
    yield Paragraph(_launches(device))
    yield Paragraph(_waits(device, recorded=recorded))
    yield _stages(device)
    yield _places(device)
    if not recorded:
        yield Paragraph(_account(device))


def _unclear(device: DeviceLine) -> Message:
    return m(
        "{unclear} ({share}) lies in operations that the host was never ahead of: there, work and waiting cannot be separated.",
        unclear=fmt.time(float(device.unclear_ns.sum())),
        share=fmt.share(device.unclear_share),
    )


def _few_held() -> Message:
    return m(
        "In no run was the host given time to run ahead of the device, so short kernels cannot be separated from their launches."
    )


def _launches(device: DeviceLine) -> Text:
    return sentences(
        plural(
            "{n} operation uses the device; the device was idle before {starved} of them.",
            "{n} operations use the device; the device was idle before {starved} of them.",
            device.working,
            n=fmt.count(device.working),
            starved=fmt.count(device.starved),
        ),
        m("On average the host is {ahead} ahead of the device.", ahead=fmt.time(device.ahead_ns)),
    )


def _waits(device: DeviceLine, *, recorded: bool) -> Text:
    rows, names = np.flatnonzero(device.waits).tolist(), device.attribution.graph.names
    # The call that waits at the end of a recorded cycle is one of its operations.
    at_end = [] if recorded else [m("At the end of the cycle it waits {end}.", end=fmt.time(device.end_wait_ns))]
    if not rows:
        return sentences(m("In no operation does the host wait for the device."), *at_end)
    found = Counter(names[i] for i in rows)
    most = [f"{name} × {fmt.count(n)}" for name, n in found.most_common(_MOST_NAMES)]
    waits = plural(
        "The host waits for the device in {n} operation ({names}), {time} in all.",
        "The host waits for the device in {n} operations ({names}), {time} in all.",
        len(rows),
        n=fmt.count(len(rows)),
        names=listed((*most, "…") if len(found) > _MOST_NAMES else most),
        time=fmt.time(device.waited_ns),
    )
    return sentences(waits, *at_end)


def _account(device: DeviceLine) -> Text:
    return sentences(
        m(
            "Work and waiting add up to {span}, which is {ratio} of the wall time of uninstrumented runs.",
            span=fmt.time(device.span_ns),
            ratio=fmt.ratio(device.of_wall),
        ),
        m(
            "Event marks lengthened the instrumented runs by {marks}, which is subtracted.",
            marks=fmt.time(device.marks_ns),
        ),
    )


def _columns(first: Text) -> tuple[Column, ...]:
    return (
        Column(first),
        Column(m("works"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(m("unclear"), Align.RIGHT, priority=2),
        Column(m("waits"), Align.RIGHT),
        Column(m("share"), Align.RIGHT, priority=1),
        Column(m("host ahead"), Align.RIGHT, priority=3, emphasis=Emphasis.SOFT),
    )


def _stages(device: DeviceLine) -> Table:
    rows = [_row(stage_name(row.name), row, device) for row in device.stages]
    if device.tail_ns:
        rows.append(_row(m("after the last operation"), DeviceRow(Place(), 0, 0.0, 0.0, device.tail_ns, 0.0), device))
    if device.other_ns:
        other = DeviceRow(Place(), 0, device.other_ns, 0.0, 0.0, 0.0)
        rows.append(_row(m("not launched by the cycle"), other, device))
    busy, unclear = float(device.busy_ns.sum()) + device.other_ns, float(device.unclear_ns.sum())
    rows.append(_row(m("total"), DeviceRow(Place(), 0, busy, unclear, device.idle_total_ns, device.ahead_ns), device))
    caption = m("Work and waiting of the device in each part of the cycle")
    return Table(_columns(m("part")), tuple(rows), total=True, caption=caption)


def _places(device: DeviceLine) -> Table:
    rows = [_row(place_name(row.place, row.count), row, device) for row in device.places[:MOST_PLACES]]
    return Table(_columns(m("place")), tuple(rows), caption=m("Places that take the device's time"))


def _row(name: Text, row: DeviceRow, device: DeviceLine) -> tuple[Text, ...]:
    times = (fmt.time(row.busy_ns), fmt.time(row.unclear_ns), fmt.time(row.idle_ns))
    return (name, *times, fmt.share(row.total_ns / device.span_ns if device.span_ns else None), fmt.time(row.queue_ns))
