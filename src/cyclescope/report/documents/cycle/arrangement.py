"""Dependencies and the critical path, as part of the document about a cycle."""

from __future__ import annotations

import math

from pydantic import Field

from cyclescope.explaining.arrangement import Arrangement
from cyclescope.report.documents.figures import DocumentPart, Text, seconds


class ArrangedPart(DocumentPart):
    """The operations of one stage, or of one layer of it, without the others."""

    stage: Text
    layer: int | None = Field(description="null for a whole stage")
    work_s: float = Field(description="s; all its operations one after the other")
    span_s: float = Field(description="s; the longest chain of them that depend on each other")
    parallelism: float = Field(description="work_s ÷ span_s: workers that it could keep busy")
    processor_share: float | None = Field(
        description="processor time of all threads ÷ wall time of its operations; null where not measured"
    )


class Schedule(DocumentPart):
    """The operations on so many workers, by list scheduling with the longest path first."""

    workers: int = Field(
        description="each running operations as quickly as the cycle did, with arrangement.threads threads"
    )
    makespan_s: float = Field(
        description="s; at least max(span, work ÷ workers), at most work ÷ workers + span (Graham, 1969)"
    )
    at_best: float = Field(description="(python + work) ÷ (python + makespan): upper bound of the speedup")


class Link(DocumentPart):
    """One operation of the critical path, with those that repeat it."""

    places: list[Text] = Field(description="where it stands, as in places; several where layers differ")
    time_s: float = Field(description="s; all repeats together")


class Stretch(DocumentPart):
    """A part of the critical path inside one stage."""

    stage: Text
    first_layer: int | None = Field(description="null outside of layers")
    last_layer: int | None = Field(description="the same as first_layer where it is one layer")
    repeats: int = Field(description="layers × rounds that are folded here")
    time_s: float = Field(description="s; sum of its links")
    links: list[Link]


class Round(DocumentPart):
    """Stretches that follow each other, so many times over."""

    times: int = Field(description="how often they follow each other; 1: no round")
    stretches: list[Stretch]


class ArrangementPart(DocumentPart):
    """Dependencies between operations; Python between them is left out."""

    work_s: float = Field(description="s; all operations one after the other")
    span_s: float = Field(description="s; the longest chain of operations that depend on each other")
    parallelism: float = Field(description="work_s ÷ span_s: upper bound of the speedup by running side by side")
    python_s: float = Field(description="s of Python between operations, which an eager engine runs in series")
    at_best: float = Field(description="(python_s + work_s) ÷ (python_s + span_s) (Amdahl, 1967)")
    threads: int = Field(description="threads inside an operation")
    busy_cores: float | None = Field(
        description="processor time of all threads ÷ wall time of all operations; null where not measured"
    )
    python_cores: float | None = Field(
        description="the same of Python between operations; above 1: threads that burn processor time waiting"
    )
    stages: list[ArrangedPart]
    layers: list[ArrangedPart]
    schedules: list[Schedule]
    path: list[int] = Field(description="rows in the graph of the operations of the critical path, in order")
    chain: list[Round] = Field(description="the same, with layers and rounds that repeat folded")
    slack_s: list[float] = Field(
        description="s; how much later operation i of the graph could end without delaying the last one"
    )
    processor_shares: list[float | None] | None = Field(
        description="processor ÷ wall time of operation i of the graph; null where it is shorter than a timestamp"
    )


def arrangement(found: Arrangement) -> ArrangementPart:
    shares = found.processor_share
    return ArrangementPart.of(
        found,
        at_best=found.reachable(found.span_ns),
        schedules=[Schedule.of(each, at_best=found.reachable(each.makespan_ns)) for each in found.schedules],
        path=found.path.tolist(),
        slack_s=[seconds(ns) for ns in found.slack_ns.tolist()],
        processor_shares=None if shares is None else [None if math.isnan(x) else x for x in shares.tolist()],
    )
