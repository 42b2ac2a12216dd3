"""The lanes of an imported cycle, as part of the document about it: what was lost first."""

from __future__ import annotations

from pydantic import Field

from cyclescope.explaining.lanes.accounts import DeviceAccount, Idle, LaneRow
from cyclescope.explaining.lanes.lanes import Lanes
from cyclescope.explaining.lanes.path import CriticalPath, Edge, Part
from cyclescope.explaining.lanes.ranks import Ranks
from cyclescope.report.documents.figures import DocumentPart, Text, seconds
from cyclescope.report.naming.importing import fact, losses


class FactPart(DocumentPart):
    """Something that was dropped, mended, cut off or could not be tied."""

    code: Text = Field(description="stable, for machines")
    count: int = Field(description="how many there are")
    time_s: float = Field(description="s; how long these events last together")
    share: float = Field(description="of all work of devices, of the operations, or of the bytes, as the code says")
    what: Text = Field(description="the file, or one of the events; may be empty")
    text: Text = Field(description="the same in English")


class SourcePart(DocumentPart):
    """One file that was read."""

    name: Text
    records: int = Field(description="records of all sorts")
    recovered: float = Field(description="share of the bytes that lie in complete records")
    cut: bool


class WholePart(DocumentPart):
    """All work of devices in the trace, also outside of what is explained."""

    span_s: float = Field(description="s; from the first event to the last")
    busy_s: float = Field(description="s; any device works")
    works: int = Field(description="kernels, copies and sets")
    launched: int = Field(description="those whose launch is in the trace")
    launched_busy_s: float = Field(description="s; busy time of these alone, as tools count that drop the others")
    launched_span_s: float = Field(description="s; from the first of these to the last")
    launched_compute_s: float = Field(description="s; busy time of these without copies and communication")


class CausePart(DocumentPart):
    """Why a device does nothing."""

    cause: Idle
    time_s: float = Field(description="s")


class DeviceAccountPart(DocumentPart):
    """One device over all explained steps: computing, exposed communication and copies, and idle time by cause add up to total_s."""

    rank: int = Field(description="process of a distributed run; 0 where there is one")
    device: Text
    total_s: float = Field(description="s")
    compute_s: float = Field(description="s")
    communication_s: float = Field(description="s; exposed: nothing is computed beside it")
    copy_s: float = Field(description="s; exposed: nothing else is done beside it")
    idle_s: float = Field(description="s")
    idle: list[CausePart]
    all_communication_s: float = Field(description="s; hidden or not")
    all_copy_s: float = Field(description="s; hidden or not")
    works: int = Field(description="device events in these steps")


class LanePart(DocumentPart):
    """One thread or stream over all explained steps. Of a thread busy_s + python_s + wait_s + idle_s, of a stream busy_s + beside_s + idle_s add up to total_s."""

    rank: int = Field(description="process of a distributed run; 0 where there is one")
    process: Text
    thread: Text
    title: Text
    device: bool
    events: int = Field(description="events of all sorts")
    total_s: float = Field(description="s")
    busy_s: float = Field(description="s; operations, or work of the stream")
    python_s: float = Field(description="s; around operations; 0 for a stream")
    wait_s: float = Field(description="s; the thread waits for a device; 0 for a stream")
    beside_s: float = Field(description="s; another stream of the device works; 0 for a thread")
    idle_s: float = Field(description="s; no event")


class PathRow(DocumentPart):
    """All pieces of one sort and name on the critical path."""

    part: Part
    name: Text
    count: int = Field(description="how many there are")
    time_s: float = Field(description="s")


class EdgePart(DocumentPart):
    """How many edges of one type the critical path has."""

    edge: Edge
    count: int = Field(description="how many there are")


class PathPart(DocumentPart):
    """The critical path across host and device, of the typical step; its parts add up to total_s."""

    total_s: float = Field(description="s")
    parts: list[PathRow]
    edges: list[EdgePart]


class RankPart(DocumentPart):
    """One rank over its steps."""

    rank: int = Field(description="process of a distributed run; 0 where there is one")
    steps: int = Field(description="steps that are added up")
    total_s: float = Field(description="s")
    own_s: float = Field(description="s; total_s less exposed communication")
    compute_s: float = Field(description="s")
    communication_s: float = Field(description="s; exposed")
    idle_s: float = Field(description="s")
    last: int = Field(description="collectives at which it arrives last")


class RanksPart(DocumentPart):
    """All ranks side by side."""

    rows: list[RankPart]
    slowest: int = Field(description="the rank with the longest own_s a step")
    skew: float = Field(description="share by which the slowest takes longer than the quickest")
    collectives: int = Field(description="that all ranks have in one order")
    apart_s: float = Field(description="s; median time between the first and the last arrival")
    most_apart_s: float = Field(description="s")
    comparable: bool = Field(description="whether the clocks of the ranks agree")


class StepPart(DocumentPart):
    """One step of the trace."""

    name: Text
    rank: int = Field(description="process of a distributed run; 0 where there is one")
    begin_s: float = Field(description="s from the first event")
    duration_s: float = Field(description="s, until the device is done")
    phase: Text = Field(description="prefill, decode, mixed, or empty where unknown")
    sequences: int = Field(description="0: unknown")
    tokens: int = Field(description="0: unknown")
    run: int = Field(description="row of the samples, −1: none")


class LanesPart(DocumentPart):
    """What a trace holds, beginning with what it does not."""

    format: Text
    facts: list[FactPart] = Field(description="to be known before any figure, the gravest first")
    events: int = Field(description="events of all sorts")
    sources: list[SourcePart]
    whole: WholePart
    devices: list[DeviceAccountPart]
    lanes: list[LanePart]
    path: PathPart | None = Field(description="null where nothing happens")
    ranks: RanksPart | None = Field(description="null for a trace of one rank")
    steps: list[StepPart]


def lanes(found: Lanes) -> LanesPart:
    samples = found.samples
    return LanesPart(
        format=samples.format,
        facts=[FactPart.of(each, time_s=seconds(each.ns), text=str(fact(each))) for each in losses(samples)],
        events=len(samples),
        sources=[
            SourcePart(name=each.what, records=each.count, recovered=each.share, cut=each.code == "cut")
            for each in samples.facts
            if each.code in ("source", "cut")
        ],
        whole=WholePart.of(found.whole),
        devices=[_device(each) for each in found.devices],
        lanes=[_lane(each, found) for each in found.rows],
        path=_path(found.path) if found.path is not None else None,
        ranks=_ranks(found.ranks) if found.ranks is not None else None,
        steps=[
            StepPart.of(
                each,
                begin_s=seconds(each.begin_ns),
                duration_s=seconds(each.end_ns - each.begin_ns),
                phase=each.phase.value,
            )
            for each in samples.steps
        ],
    )


def _device(found: DeviceAccount) -> DeviceAccountPart:
    idle = [CausePart(cause=cause, time_s=seconds(ns)) for cause, ns in found.idle]
    return DeviceAccountPart.of(found, idle=idle, idle_s=seconds(found.idle_ns))


def _lane(row: LaneRow, found: Lanes) -> LanePart:
    lane = found.samples.lanes[row.lane]
    return LanePart.of(
        row, rank=lane.rank, process=lane.process, thread=lane.thread, title=lane.title, device=lane.device
    )


def _path(path: CriticalPath) -> PathPart:
    return PathPart(
        total_s=seconds(path.total_ns),
        parts=[PathRow.of(part, time_s=seconds(part.ns)) for part in path.parts],
        edges=[EdgePart(edge=edge, count=count) for edge, count in path.edges],
    )


def _ranks(ranks: Ranks) -> RanksPart:
    return RanksPart.of(
        ranks,
        rows=[RankPart.of(row) for row in ranks.rows],
        apart_s=seconds(ranks.apart_ns),
        most_apart_s=seconds(ranks.most_apart_ns),
    )
