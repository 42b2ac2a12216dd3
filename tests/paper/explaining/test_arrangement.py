"""The arrangement of whole cycles whose answers are known by construction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from core.small_graphs import small_bert
from paper_generation import LAYERS, paper_decoder, paper_generation
from paper_models import paper_bert, paper_cycle

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.arrangement import Arrangement, WorkPart
from cyclescope.explaining.explain import explain
from cyclescope.explaining.path_summary import PathSegment

UNIT, GAP = 1_000, 300  # a view, an addition, …; and Python between two operations
LINEAR = 10 * UNIT


def arranged(cycle: Cycle) -> Arrangement:
    told = explain(cycle).arrangement
    assert told is not None
    return told


def timed(graph: Graph, op_ns: Callable[[int], int]) -> Cycle:
    """A cycle in which every run is the same, operation i takes `op_ns(i)` and every gap `GAP`."""
    slots = graph.slots
    times = np.asarray([GAP if op < 0 else op_ns(int(op)) for op in slots.op], dtype=np.int64)
    return paper_cycle(graph, times, pace=(1.0,))


def bert(layers: int, query: int = LINEAR, key: int = LINEAR, value: int = LINEAR) -> Cycle:
    graph = paper_bert(layers)
    special = {"query": query, "key": key, "value": value}

    def op_ns(i: int) -> int:
        part = graph.location(i).module.rpartition(".")[2]
        return special.get(part, LINEAR if graph.names[i] == "linear" else UNIT)

    return timed(graph, op_ns)


# One layer: 6 products, 3 views, attention, merge, 2 additions, 2 norms, gelu. Two products and two views run beside.
LAYER_WORK, LAYER_SPAN = 6 * LINEAR + 10 * UNIT, 4 * LINEAR + 8 * UNIT


def test_query_key_and_value_fork_and_the_residual_waits() -> None:
    told = arranged(bert(2))
    assert told.layers == (
        WorkPart("encode", 0, LAYER_WORK, LAYER_SPAN, None),
        WorkPart("encode", 1, LAYER_WORK, LAYER_SPAN, None),
    )
    encode = next(part for part in told.stages if part.stage == "encode")
    assert (encode.work_ns, encode.span_ns) == (2 * LAYER_WORK, 2 * LAYER_SPAN)
    assert encode.parallelism == LAYER_WORK / LAYER_SPAN
    assert sum(part.work_ns for part in told.stages) == told.work_ns
    assert sum(part.span_ns for part in told.stages) == told.span_ns


def test_the_path_takes_the_longest_branch_and_the_others_have_the_difference_as_slack() -> None:
    cycle = bert(1, query=LINEAR, key=3 * LINEAR, value=2 * LINEAR)
    told, graph = arranged(cycle), cycle.graph
    slack = {graph.location(i).module.rpartition(".")[2]: ns for i, ns in enumerate(told.slack_ns.tolist())}
    assert (slack["query"], slack["key"], slack["value"]) == (2 * LINEAR, 0, LINEAR)
    parts = [graph.location(i).module.rpartition(".")[2] for i in told.path.tolist()]
    assert "key" in parts
    assert "query" not in parts
    assert "value" not in parts
    assert (told.slack_ns[told.path] == 0).all()


def test_schedules_of_the_fork() -> None:
    told = arranged(bert(1))
    assert [schedule.workers for schedule in told.schedules] == [2, 4, 8]
    two, four, eight = (schedule.makespan_ns for schedule in told.schedules)
    assert (four, eight) == (told.span_ns, told.span_ns)
    assert two == told.span_ns + LINEAR, "two of the three products side by side, the third after them"


def test_the_machines_cores_are_among_the_workers() -> None:
    cycle = bert(1)
    told = arranged(replace(cycle, machine=replace(cycle.machine, cores=3)))
    assert [schedule.workers for schedule in told.schedules] == [2, 3, 4, 8]


def test_python_is_left_out_and_put_back_by_amdahl() -> None:
    cycle = bert(2)
    told = arranged(cycle)
    assert told.python_ns == GAP * int((cycle.graph.slots.op < 0).sum())
    assert told.reachable(told.work_ns) == 1
    assert told.reachable(0) == (told.python_ns + told.work_ns) / told.python_ns
    assert told.reachable(told.span_ns) < told.parallelism


def stretches(told: Arrangement) -> list[PathSegment]:
    return [stretch for turn in told.chain for stretch in turn.stretches]


def test_layers_fold_into_one_stretch_whichever_branch_is_the_longest() -> None:
    graph = paper_bert(6)

    def op_ns(i: int) -> int:
        site = graph.location(i)
        branch = ("query", "key", "value")[(site.layer or 0) % 3]
        return 2 * LINEAR if site.module.endswith(branch) else UNIT

    told = arranged(timed(graph, op_ns))
    assert [(s.stage, s.first_layer, s.last_layer, s.repeats) for s in stretches(told)] == [
        ("tokenize", None, None, 1),
        ("embed", None, None, 1),
        ("encode", 0, 5, 6),
        ("head", None, None, 1),
    ]
    branches = stretches(told)[2].links[0]
    assert tuple(map(str, branches.places)) == tuple(
        f"encode · attention.self.{p} · linear" for p in ("query", "key", "value")
    )
    assert branches.time_ns == 6 * 2 * LINEAR
    assert sum(turn.time_ns for turn in told.chain) == pytest.approx(told.span_ns, rel=1e-12)


def test_a_layer_unlike_the_others_stands_by_itself() -> None:
    told = arranged(timed(small_bert(4), lambda i: LINEAR))
    assert [(s.first_layer, s.last_layer) for s in stretches(told) if s.stage == "encode"] == [(0, 3)]
    graph = paper_bert(3)
    cycle = bert(3)
    first = next(i for i in range(len(graph)) if graph.location(i).layer == 1)
    names = tuple(f"other_{i}" if graph.location(i).layer == 1 else name for i, name in enumerate(graph.names))
    told = arranged(replace(cycle, graph=replace(graph, names=names)))
    assert first > 0
    assert [(s.first_layer, s.last_layer) for s in stretches(told) if s.stage == "encode"] == [(0, 0), (1, 1), (2, 2)]


def test_the_steps_of_a_generation_follow_each_other_and_fold_into_rounds() -> None:
    cycle = paper_generation(paper_decoder(6))
    told = arranged(cycle)
    rounds = {turn.times: turn for turn in told.chain if turn.times > 1}
    assert rounds, "the decode steps are alike"
    (turn,) = rounds.values()
    decode = next(s for s in turn.stretches if s.stage == "decode")
    assert decode.repeats == turn.times * LAYERS
    for part in told.stages:
        # By themselves the operations of a step would not wait for the step before; a token does.
        assert part.parallelism < 4, part


def test_without_a_stamped_pass_there_is_no_arrangement() -> None:
    assert explain(paper_cycle(paper_bert(1), instrumented=False)).arrangement is None


def test_independent_layers_can_all_run_at_once() -> None:
    """Siblings that read the same input: what an ensemble or two towers are."""
    graph = small_bert(3)
    first = next(i for i in range(len(graph)) if graph.location(i).layer == 0)
    source = graph.reads(first)[0]
    inputs = graph.inputs.copy()
    for i in range(len(graph)):
        layer = graph.location(i).layer
        if layer is not None and graph.location(i - 1).layer != layer:
            inputs[graph.input_offsets[i]] = source
    told = arranged(timed(replace(graph, inputs=inputs), lambda i: LINEAR))
    encode = next(part for part in told.stages if part.stage == "encode")
    assert encode.parallelism == 3
    assert {(part.layer, part.parallelism) for part in told.layers} == {(0, 1.0), (1, 1.0), (2, 1.0)}
