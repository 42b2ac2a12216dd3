"""Sums that must agree, the answer, the places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from core.small_graphs import build, call, few_examples, small_bert, timed_graphs
from hypothesis import given
from paper_models import paper_bert, paper_cycle, slot_times

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.samples import UninstrumentedSamples
from cyclescope.core.units import IntArray
from cyclescope.explaining.closure import PYTHON, UNEXPLAINED
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Answer
from cyclescope.explaining.places import Place, places


@few_examples
@given(timed_graphs())
def test_every_way_to_add_up_gives_the_same_sum(timed_graph: tuple[Graph, IntArray]) -> None:
    graph, times = timed_graph
    found = explain(paper_cycle(graph, times, pace=(1.0,), runs=3))
    ops_ns = int(times[graph.slots.op >= 0].sum())
    for rows in (found.operations, found.kinds, found.places):
        assert sum(row.time.value_ns for row in rows) == ops_ns
    assert sum(row.op_ns for row in found.stages) == ops_ns
    assert sum(row.time.value_ns for row in found.stages) == times.sum()
    assert sum(row.python_ns for row in found.stages) == times.sum() - ops_ns
    assert sum(row.share for row in found.stages) == pytest.approx(1.0)
    account = found.closure.rows
    assert sum(row.time_ns for row in account if row.name == PYTHON) == times.sum() - ops_ns
    for stage in found.stages:
        assert sum(row.time_ns for row in account if row.stage == stage.name) == stage.time.value_ns
    in_layers = int(times[graph.slots.layer >= 0].sum())
    assert sum(row.time.value_ns for row in found.layers) == in_layers


@few_examples
@given(timed_graphs())
def test_every_way_to_add_up_work_gives_the_same_work(timed_graph: tuple[Graph, IntArray]) -> None:
    graph, times = timed_graph
    found = explain(paper_cycle(graph, times, pace=(1.0,), runs=1))
    for rows in (found.stages, found.operations, found.kinds, found.places):
        assert sum((row.cost for row in rows), Cost()) == graph.total
    for groups in (found.kinds, found.places):
        assert sum(row.count for row in groups) == len(graph)
    assert sum(row.operations for row in found.stages) == len(graph)


def test_the_stages_of_a_bert_stand_in_order_of_time_with_their_own_work() -> None:
    graph = paper_bert(2)
    found = explain(paper_cycle(graph, pace=(1.0,)))
    assert [row.name for row in found.stages] == ["tokenize", "embed", "encode", "head"]
    per_layer = 24 * 16 * 768**2 + 4 * 16 * 16 * 768  # eight products of hidden by hidden, and attention
    assert [row.cost.flops for row in found.stages] == [0, 0, 2 * per_layer, 2 * 768**2]
    assert [row.cost.flops for row in found.layers] == [per_layer, per_layer]


def test_a_slow_layer_is_found_and_named() -> None:
    graph = paper_bert(4)
    layers = explain(paper_cycle(graph, slot_times(graph, slow_layer=2, factor=2.0), pace=(1.0,))).layers
    assert [(row.stage, row.index, row.module, row.class_name) for row in layers] == [
        ("encode", i, f"encoder.layer.{i}", "BertLayer") for i in range(4)
    ]
    usual = layers[0].time.value_ns
    # Every slot is rounded to a nanosecond before it is doubled.
    assert [row.time.value_ns / usual for row in layers] == pytest.approx([1.0, 1.0, 2.0, 1.0], rel=1e-4)


def test_operations_kinds_and_places_list_the_costliest_first() -> None:
    found = explain(paper_cycle(paper_bert(2), pace=(1.0,)))
    for rows in (found.operations, found.kinds, found.places):
        times = [row.time.value_ns for row in rows]
        assert times == sorted(times, reverse=True)
    assert found.kinds[0].kind is OpKind.MATMUL


def test_a_place_is_the_same_in_every_layer() -> None:
    graph = paper_bert(3)
    counts = {row.name: row.count for row in explain(paper_cycle(graph)).places}
    assert counts["encode · attention.self.query · linear"] == 3
    assert counts["encode · attention.self · transpose"] == 9
    assert counts["head · pooler.dense · linear"] == 1
    assert counts["tokenize · tokenize"] == 1
    assert counts["embed · embeddings · embedding"] == 1


def test_a_shared_layer_that_is_called_again_and_again_has_one_place_for_each_part() -> None:
    shared = [call("group.0", call("group.0.inner", call("group.0.inner.ffn", 100))) for _ in range(3)]
    assert places(build(call("", call("embed", 9), *shared)))[1:] == (Place("encode", "inner.ffn", "linear"),) * 3


def test_the_answer_names_the_heaviest_stage_its_layers_and_the_heaviest_kind() -> None:
    found = explain(paper_cycle(paper_bert(3), pace=(1.0,)))
    encode = next(row for row in found.stages if row.name == "encode")
    matmul = next(row for row in found.kinds if row.kind is OpKind.MATMUL)
    python = sum(row.python_ns for row in found.stages) / found.closure.attributed_ns
    assert found.answer == Answer("encode", encode.share, 3, OpKind.MATMUL, matmul.share, python)


def test_without_a_stamped_run_there_is_no_answer() -> None:
    found = explain(paper_cycle(small_bert(), instrumented=False))
    assert found.answer == Answer("", 0.0, 0, OpKind.OTHER, 0.0, 0.0)
    assert (found.spans, found.closure.rows) == ((), ())
    assert {row.share for row in found.stages} == {0.0}


def test_wall_processor_time_and_minimum_are_those_of_the_plain_runs() -> None:
    cycle = paper_cycle(small_bert())
    uninstrumented = UninstrumentedSamples(np.asarray([30, 10, 20]), np.asarray([60, 20, 41]), np.asarray([0, 30, 40]))
    found = explain(replace(cycle, samples=replace(cycle.samples, uninstrumented=uninstrumented)))
    assert (found.wall.value_ns, found.cpu.value_ns, found.minimum_ns) == (20.0, 41.0, 10.0)
    assert found.closure.rows[-1].name == UNEXPLAINED
