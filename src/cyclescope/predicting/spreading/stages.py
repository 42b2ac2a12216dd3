"""The stages of a pipeline: which operations each has, what they pass on, and the graph of one rank of a stage.

A stage has consecutive layers, and what stands between layers goes with the next of them; what follows from the inputs alone
(positions, masks) is computed on every stage. A message holds what later operations need and no earlier message
brought: so an encoder's output goes to each stage of a decoder once, and the token that the last stage
chose goes back to the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cyclescope.core.collectives import Collective, CollectiveKind
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.message import m
from cyclescope.core.spread import hosts_of
from cyclescope.core.units import FloatArray, IntArray
from cyclescope.predicting.spreading.rebuild import Rebuilding

EVERY = -1  # the stage of an operation that all of them run
_GIVEN = (TensorRole.INPUT, TensorRole.BUFFER)


@dataclass(frozen=True, eq=False)
class Units:
    """The layers of a graph in their order, and the one that each operation goes with [operations] (`EVERY`: with all of them).
    `of_pass` [operations] numbers the passes through the model: a prefill, then each decode step.
    """

    graph: Graph
    count: int
    of_op: IntArray
    of_pass: IntArray

    @staticmethod
    def of(graph: Graph) -> Units:
        layer, stage = graph.op_layer, graph.op_stage.numbers
        known: dict[tuple[int, int], int] = {}
        unit = np.full(len(graph), EVERY, dtype=np.int64)
        for i in np.flatnonzero(layer >= 0).tolist():
            unit[i] = known.setdefault((int(stage[i]), int(layer[i])), len(known))
        begins = np.asarray(graph.loose.step_begins[1:], dtype=np.int64)
        passes: IntArray = np.searchsorted(begins, np.arange(len(graph)), side="right")
        alone = _from_inputs(graph)
        last = np.full(int(passes.max(initial=0)) + 1, max(0, len(known) - 1), dtype=np.int64)
        upcoming = last.copy()
        for i in range(len(graph) - 1, -1, -1):  # what stands in no layer goes with the next one of its pass
            p = int(passes[i])
            if unit[i] >= 0:
                upcoming[p] = unit[i]
            elif not alone[i]:
                unit[i] = upcoming[p]
        return Units(graph, len(known), unit, passes)

    def times(self, op_ns: FloatArray) -> FloatArray:
        """What each layer takes [layers], where `op_ns` [operations] is what each operation takes."""
        own = self.of_op >= 0
        return np.bincount(self.of_op[own], op_ns[own], minlength=self.count).astype(np.float64)


def _from_inputs(graph: Graph) -> list[bool]:
    """For each operation [operations] whether it stands in no layer and follows from the inputs alone."""
    given = {t for t, spec in enumerate(graph.tensors) if spec.role in _GIVEN}
    layer = graph.op_layer.tolist()
    reads, writes = graph.operands
    found = []
    for i in range(len(graph)):
        alone = layer[i] < 0 and all(t in given for t in reads[i]) and graph.kinds[i] is not OpKind.COLLECTIVE
        found.append(bool(alone))
        given.update(writes[i]) if alone else given.difference_update(writes[i])
    return found


def balanced(times: FloatArray, stages: int) -> tuple[int, ...]:
    """The first layer of each of `stages` stages, such that the slowest stage is as fast as it can be."""
    count = len(times)
    total = np.concatenate([[0.0], np.cumsum(times)])
    best = total[1:].copy()  # of the first k + 1 layers in so many stages as were cut so far
    cuts: list[IntArray] = []
    for stage in range(1, stages):
        after = np.full(count, np.inf)
        cut = np.zeros(count, dtype=np.int64)
        for k in range(stage, count):
            slowest = np.maximum(best[stage - 1 : k], total[k + 1] - total[stage : k + 1])
            at = int(slowest.argmin())
            after[k], cut[k] = slowest[at], stage + at
        best = after
        cuts.append(cut)
    begins = []
    k = count - 1
    for cut in reversed(cuts):
        begins.append(int(cut[k]))
        k = begins[-1] - 1
    return (0, *reversed(begins))


@dataclass(frozen=True, eq=False)
class Pipeline:
    """The graph of one rank of tensor parallelism, cut before the layers `begins` into stages.

    `tensor` ranks share each stage, and a host has `devices_per_host` devices (0: no end).
    """

    units: Units
    begins: tuple[int, ...]
    tensor: int = 1
    devices_per_host: int = 0

    @property
    def stages(self) -> int:
        return len(self.begins)

    @cached_property
    def of_op(self) -> IntArray:
        """Stage of each operation [operations], `EVERY` for those that all of them run."""
        unit = self.units.of_op
        stage: IntArray = np.searchsorted(np.asarray(self.begins), unit, side="right") - 1
        return np.where(unit < 0, EVERY, stage)

    @property
    def passes(self) -> int:
        return int(self.units.of_pass.max(initial=0)) + 1

    @cached_property
    def messages(self) -> list[list[tuple[int, ...]]]:
        """The tensors that arrive at each stage at the beginning of each pass [passes][stages]; at the first from the last."""
        graph, of_op, of_pass = self.units.graph, self.of_op.tolist(), self.units.of_pass.tolist()
        found: list[list[dict[int, None]]] = [[{} for _ in self.begins] for _ in range(self.passes)]
        held: list[set[int]] = [set() for _ in self.begins]
        maker: dict[int, tuple[int, int]] = {}  # stage and pass that wrote a tensor last
        reads, writes = graph.operands
        for i in range(len(graph)):
            stage, number = of_op[i], of_pass[i]
            for t in reads[i] if stage != EVERY else ():
                source, since = maker.get(t, (EVERY, 0))
                if source in (EVERY, stage) or t in held[stage]:
                    continue
                if source > stage and since == number:
                    raise Unsupported(
                        m("This model cannot be cut into stages."),
                        m("A layer needs what a later one makes."),
                        m("Use --tensor or --data."),
                    )
                begin = source + 1 if source < stage else 0
                for hop in range(begin, stage + 1):
                    if t not in held[hop]:
                        found[number][hop][t] = None
                        held[hop].add(t)
            for t in writes[i]:
                maker[t] = (stage, number)
                for k, has in enumerate(held):
                    if k != stage:
                        has.discard(t)
        return [[tuple(tensors) for tensors in arrivals] for arrivals in found]

    def hosts(self, stage: int) -> int:
        """Hosts between a stage and the one before (of the first: the last), 1 where they are in one."""
        before = (stage - 1) % self.stages
        here, there = (self.tensor * k // max(1, self.devices_per_host) for k in (stage, before))
        return 1 if self.devices_per_host <= 0 or here == there else 2

    def tensor_hosts(self, stage: int) -> int:
        return hosts_of(stage * self.tensor, self.tensor, self.devices_per_host)

    def rank_graph(self, stage: int, copies: int = 1) -> RankGraph:
        """What a rank of `stage` runs for `copies` microbatches."""
        if self.stages == copies == 1:
            return RankGraph(self.units.graph, 1, self.units.of_pass, {}, {})
        return _RankBuilder(self, stage, copies).build()


@dataclass(frozen=True, eq=False)
class RankGraph:
    """The graph of one rank; `piece` [operations] numbers the stretches of work between messages: pass · copies + copy.
    `receives` and `sends` are the operations that begin and end each stretch, by its number.
    """

    graph: Graph
    copies: int
    piece: IntArray
    receives: dict[int, int]
    sends: dict[int, int]


@dataclass
class _RankBuilder:
    pipeline: Pipeline
    stage: int
    copies: int

    def build(self) -> RankGraph:
        pipeline, stage = self.pipeline, self.stage
        graph = pipeline.units.graph
        own = np.flatnonzero((pipeline.of_op == stage) | (pipeline.of_op == EVERY))
        passes = pipeline.units.of_pass[own]
        first_call = graph.loose.step_begins[0] if graph.loose.step_begins else 0
        self.made = Rebuilding(graph, self.copies)
        self.piece: list[int] = []
        self.receives: dict[int, int] = {}
        self.sends: dict[int, int] = {}
        for number in range(pipeline.passes):
            ops = own[passes == number]
            ready = ops[ops < first_call] if number == 0 else ops[:0]
            for copy in range(self.copies):  # what all do before the first call of the model
                self._take(ready, number, copy)
            for copy in range(self.copies):
                self._pass(ops[len(ready) :], number, copy)
        return RankGraph(self.made.build(), self.copies, np.asarray(self.piece), self.receives, self.sends)

    def _pass(self, ops: IntArray, number: int, copy: int) -> None:
        pipeline, stage = self.pipeline, self.stage
        working = ops[pipeline.of_op[ops] == stage]
        arriving = pipeline.messages[number][stage]
        if arriving and len(working):
            self.receives[number * self.copies + copy] = len(self.made.rows)
            self._message(CollectiveKind.RECEIVE, int(working[0]), arriving, pipeline.hosts(stage), number, copy)
        self._take(ops, number, copy)
        following = (stage + 1) % pipeline.stages
        later = number + (following == 0)
        leaving = pipeline.messages[later][following] if later < pipeline.passes else ()
        if leaving and len(working) and following != stage:
            self.sends[number * self.copies + copy] = len(self.made.rows)
            self._message(CollectiveKind.SEND, int(working[-1]), leaving, pipeline.hosts(following), number, copy)

    def _take(self, ops: IntArray, number: int, copy: int) -> None:
        made, old = self.made, self.pipeline.units.graph
        collectives = self._collectives
        for i in ops.tolist():
            if i in collectives:
                reads, writes = ([made.tensor(t, copy) for t in ts] for ts in (old.reads(i), old.writes(i)))
                frame = int(old.op_frame[i])
                call = collectives[i]
                made.collective(
                    call.kind,
                    frame,
                    reads,
                    writes,
                    ranks=call.ranks,
                    hosts=self.pipeline.tensor_hosts(self.stage),
                    copy=copy,
                )
            else:
                made.take(i, copy)
            self.piece.append(number * self.copies + copy)

    @cached_property
    def _collectives(self) -> Mapping[int, Collective]:
        return {call.op: call for call in self.pipeline.units.graph.collectives}

    def _message(
        self, kind: CollectiveKind, beside: int, tensors: Sequence[int], hosts: int, number: int, copy: int
    ) -> None:
        """A message in the outermost call around the operation `beside`."""
        graph = self.pipeline.units.graph
        frame = int(graph.op_frame[beside])
        while frame > 0 and graph.frames[frame].parent > 0:
            frame = graph.frames[frame].parent
        numbers = [self.made.tensor(t, copy) for t in tensors]
        reads, writes = ((), numbers) if kind is CollectiveKind.RECEIVE else (numbers, ())
        self.made.collective(kind, frame, reads, writes, ranks=2, hosts=hosts, copy=copy)
        self.piece.append(number * self.copies + copy)
