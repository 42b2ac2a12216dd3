"""Cycles at the edge: text stages of several operations, calls without any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from core.small_graphs import build, call
from paper_models import paper_cycle

from cyclescope.core.op import OpKind
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import StepCode
from explaining.test_timeline import check_nesting, spans_of


def test_a_stage_of_text_with_two_operations_nests() -> None:
    check_nesting(spans_of(build(call("", 1, 1, stage="tokenize"), call("", 1, 1))))


def test_a_cycle_of_calls_without_operations_is_explained() -> None:
    assert explain(paper_cycle(build(call("a")), np.asarray([5, 5, 5]))).answer.stage == ""


def test_more_threads_are_advised_only_where_there_are_more_cores() -> None:
    graph = build(call("encoder.layer.0", 1), call("encoder.layer.1", 1))
    times = np.where(graph.slots.op >= 0, 100_000, 1000)
    cycle = paper_cycle(replace(graph, kinds=(OpKind.MATMUL,) * len(graph)), times)
    for threads, code in ((1, StepCode.MATMUL_BOUND), (2, StepCode.MATMUL_ON_ALL_CORES)):
        told = explain(replace(cycle, plan=replace(cycle.plan, threads=threads)))
        found = {step.code for step in told.next_steps} & {StepCode.MATMUL_BOUND, StepCode.MATMUL_ON_ALL_CORES}
        assert found == {code}
