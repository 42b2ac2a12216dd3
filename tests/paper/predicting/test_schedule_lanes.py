"""Two lanes, host and device: by hand, and against the walk through operations one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_models import paper_bert

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.units import FloatArray
from cyclescope.predicting.schedule import on_device


def row_of(count: int) -> Graph:
    """So many operations in a row."""
    b = GraphBuilder()
    for _ in range(count):
        b.op("add", OpKind.ELEMENTWISE, [], [b.tensor((1,))])
    return b.build()


def test_a_device_that_waits_for_every_launch() -> None:
    graph = row_of(2)  # slots: before, op, between, op, behind
    line = on_device(graph.slots, np.asarray([1.0, 10.0, 2.0, 10.0, 3.0]), np.asarray([4.0, 5.0]))
    # Launched at 11 and 23; 4 of work from 11 on, 5 from 23 on, and 3 of the host behind it.
    assert line == pytest.approx([11.0, 4.0, 8.0, 5.0, 3.0])


def test_a_host_that_runs_ahead_costs_nothing() -> None:
    graph = row_of(3)
    line = on_device(graph.slots, np.asarray([0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]), np.asarray([50.0, 1.0, 1.0]))
    assert line == pytest.approx([1.0, 50.0, 0.0, 1.0, 0.0, 1.0, 0.0])


def one_by_one(graph: Graph, host: FloatArray, device: FloatArray) -> float:
    """When the device has finished, and the host after it."""
    now = end = 0.0
    for slot, op in enumerate(graph.slots.op.tolist()):
        now += host[slot]
        if op >= 0:
            end = max(end, now) + device[op]
            last = slot
    return end + float(host[last + 1 :].sum())


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_the_line_of_time_is_that_of_a_queue(seed: int) -> None:
    graph, rng = GRAPH, np.random.default_rng(seed)
    host = rng.exponential(rng.choice([1.0, 30.0]), len(graph.slots))
    device = rng.exponential(10.0, len(graph))
    line = on_device(graph.slots, host, device)
    assert line.sum() == pytest.approx(one_by_one(graph, host, device))
    assert (line >= 0).all()
    assert line[graph.slots.of_op] == pytest.approx(device)


GRAPH = paper_bert(1)
