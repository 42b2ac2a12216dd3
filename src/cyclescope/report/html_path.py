"""The critical path on the page: which boxes and arrows of the data flow it runs through, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from cyclescope.explaining.arrangement import Arrangement, Part
from cyclescope.explaining.dataflow import DataFlow
from cyclescope.explaining.explain import places
from cyclescope.explaining.explanation import Explanation
from cyclescope.report import format as fmt
from cyclescope.report import wording
from cyclescope.report.html_spans import FAMILIES, name
from cyclescope.report.strings import Strings
from cyclescope.report.text import PageText

_MOST_STEPS = 60
# Below this nothing is gained by running operations side by side that is worth the trouble.
_SERIAL = 1.15


@dataclass(frozen=True, slots=True)
class Chain:
    """Positions of the boxes of a drawing, and pairs of positions of its arrows, that the critical path runs through."""

    nodes: frozenset[int] = frozenset()
    edges: frozenset[tuple[int, int]] = frozenset()


def chain(flow: DataFlow, arrangement: Arrangement | None) -> Chain:
    """The critical path in `flow`. What `flow` does not draw, such as views and folded layers, is stepped over."""
    if arrangement is None:
        return Chain()
    node_of = {op: k for k, node in enumerate(flow.nodes) for op in node.ops}
    visited = [node_of[op] for op in arrangement.path.tolist() if op in node_of]
    return Chain(frozenset(visited), frozenset((a, b) for a, b in pairwise(visited) if a != b))


@dataclass(frozen=True, slots=True)
class PathLine:
    """Operations of one place on the path. `span` is where one of them stands in the timeline, None where it does not."""

    name: str
    family: str
    count: int
    time_ns: float
    share: float
    span: int | None


@dataclass(frozen=True, slots=True)
class PartLine:
    """Work and span of a stage, and the parallelism that it allows and that it reached."""

    name: str
    work_ns: float
    span_ns: float
    available: str
    reached: str


class PathView:
    """The temporal arrangement of one cycle in one language."""

    def __init__(self, explanation: Explanation, told: Arrangement, s: Strings, p: PageText) -> None:
        self.e, self.told, self.s, self.t = explanation, told, s, p.path

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        told = self.told
        text = self.t.sentence.format(
            count=fmt.count(len(told.path)),
            all=fmt.count(len(self.e.cycle.graph)),
            span=fmt.time(told.span_ns),
            work=fmt.time(told.work_ns),
            parallelism=fmt.significant(told.parallelism),
        )
        return (text, self.t.no_choice) if told.parallelism < _SERIAL else (text,)

    @cached_property
    def schedules(self) -> str:
        """What a number of workers would make of it."""
        lines = [
            self.t.schedule.format(workers=fmt.count(row.workers), time=fmt.time(row.makespan_ns))
            for row in self.told.schedules
        ]
        return self.t.schedules.format(list=self.t.separator.join(lines)) if lines else ""

    def lines(self, span_of_op: Mapping[int, int]) -> tuple[PathLine, ...]:
        """The path with the same place of every layer added up, its costliest places in the order of the path."""
        graph = self.e.cycle.graph
        taken = np.zeros(len(graph))
        for row in self.e.operations:
            taken[row.op] = row.time.value_ns
        names = places(graph)
        ops: dict[str, list[int]] = {}
        for op in self.told.path.tolist():
            ops.setdefault(names[op], []).append(op)
        times = {place: float(taken[mine].sum()) for place, mine in ops.items()}
        kept = set(
            sorted((place for place in times if times[place] > 0), key=lambda place: -times[place])[:_MOST_STEPS]
        )
        whole = sum(times.values())
        found = []
        for place, mine in ops.items():
            if place not in kept:
                continue
            stage, *path = place.split(" · ")
            label = name(" · ".join([wording.stage_name(stage, self.s), *path]))
            family = FAMILIES.get(graph.kinds[mine[0]].value, "other")
            span = next((span_of_op[op] for op in mine if op in span_of_op), None)
            found.append(PathLine(label, family, len(mine), times[place], times[place] / whole, span))
        return tuple(found)

    @cached_property
    def parts(self) -> tuple[PartLine, ...]:
        return tuple(self._part(part) for part in self.told.stages)

    def _part(self, part: Part) -> PartLine:
        return PartLine(
            wording.stage_name(part.stage, self.s),
            part.work_ns,
            part.span_ns,
            fmt.times(part.parallelism),
            fmt.times(part.processor_share),
        )
