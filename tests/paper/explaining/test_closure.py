"""The account: it closes exactly on paper, and where it cannot, what is left has a known size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from core.small_graphs import few_examples, small_bert, timed_graphs
from hypothesis import given
from paper_models import paper_bert, paper_cycle, slot_times

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.samples import Instrumentation, UninstrumentedSamples
from cyclescope.core.statistics import Ratio
from cyclescope.core.units import IntArray
from cyclescope.explaining.attribution import attribute
from cyclescope.explaining.closure import NATIVE, OPERATIONS, PYTHON, TEXT, UNEXPLAINED, close
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import AccountRow, Closure
from cyclescope.report.documents.cycle.document import cycle_document
from cyclescope.report.media.terminal import to_text
from cyclescope.report.pages.cycle import cycle_page

GRAPH = small_bert()
TIMES = 1000 * (np.arange(len(GRAPH.slots)) + 1)
# A stamp pair costs 400 + 800 ns in paper cycles; every operation and every stamped frame has one.
PAIRS = len(GRAPH) + sum(frame.timed for frame in GRAPH.frames)
STAMPS_NS = 1200 * PAIRS


def closure_of(cycle: Cycle) -> Closure:
    return close(cycle, attribute(cycle))


def believing(inside_ns: float, outside_ns: float) -> Cycle:
    cycle = paper_cycle(GRAPH, TIMES, pace=(1.0,), runs=8)
    belief = Instrumentation("script", inside_ns, outside_ns, "script", 1)
    return replace(cycle, samples=replace(cycle.samples, instrumentation=belief))


@pytest.mark.parametrize("graph", [GRAPH, paper_bert(2)], ids=["small", "bert"])
def test_a_steady_cycle_closes_without_any_rest(graph: Graph) -> None:
    times = slot_times(graph)
    closure = closure_of(paper_cycle(graph, times, pace=(1.0,), runs=8))
    assert (closure.wall.value_ns, closure.attributed_ns, closure.rest_ns) == (times.sum(), times.sum(), 0.0)
    assert closure.ratio == Ratio(1.0, 1.0, 1.0, 8)
    assert closure.closes


def test_a_noisy_cycle_closes_without_any_rest_if_its_noise_is_even() -> None:
    """The mean of the middle half of 0.9, 1, 1, 1.1 is their median."""
    closure = closure_of(paper_cycle(GRAPH, TIMES, pace=(0.9, 1.0, 1.1, 1.0), runs=16))
    assert (closure.rest_ns, closure.ratio.value) == (0.0, 1.0)
    assert closure.ratio.low < 1.0 < closure.ratio.high


def test_what_the_stamps_cost_is_told_and_what_they_did_to_the_wall() -> None:
    closure = closure_of(paper_cycle(GRAPH, TIMES, pace=(1.0,), runs=8))
    assert closure.instrumentation_ns == STAMPS_NS
    assert closure.instrumentation_ratio.value == (TIMES.sum() + STAMPS_NS) / TIMES.sum()


@pytest.mark.parametrize(("inside", "outside"), [(400, 804), (300, 800), (500, 900), (396, 700)])
def test_a_wrong_cost_of_the_stamps_shows_up_as_a_rest_of_exactly_that_size(inside: int, outside: int) -> None:
    error = (inside + outside - 1200) * PAIRS
    closure = closure_of(believing(inside, outside))
    assert closure.rest_ns == error
    assert closure.ratio.value == (TIMES.sum() - error) / TIMES.sum()
    assert closure.rows[-1] == AccountRow(UNEXPLAINED, "", error, error / TIMES.sum())


def test_the_account_is_closed_up_to_three_percent_and_open_beyond() -> None:
    share = TIMES.sum() / PAIRS  # nanoseconds a pair that are a whole wall
    assert closure_of(believing(400, 800 + 0.0299 * share)).closes
    assert not closure_of(believing(400, 800 + 0.0301 * share)).closes
    assert not closure_of(believing(400, 800 - 0.0301 * share)).closes


def test_the_rows_stand_in_the_order_of_the_stages_and_the_rest_comes_last() -> None:
    closure = closure_of(paper_cycle(paper_bert(2), pace=(1.0,)))
    assert [(row.stage, row.name) for row in closure.rows] == [
        ("tokenize", TEXT),
        ("tokenize", PYTHON),
        *((stage, what) for stage in ("embed", "encode", "head") for what in (OPERATIONS, PYTHON)),
        ("", UNEXPLAINED),
    ]


def test_text_and_operations_of_one_stage_are_rows_apart() -> None:
    b = GraphBuilder()
    with b.frame("", "Model"):
        b.op("linear", OpKind.MATMUL, (), [b.tensor((1,))])
        b.op("decode", OpKind.TEXT, (), [b.tensor((1,))])
    closure = closure_of(paper_cycle(b.build(), np.asarray([1, 1, 50, 1, 70, 1, 1]) * 1000, pace=(1.0,)))
    assert [(row.name, row.time_ns) for row in closure.rows] == [
        (TEXT, 70_000), (OPERATIONS, 50_000), (PYTHON, 5_000), (UNEXPLAINED, 0.0),
    ]  # fmt: skip


def test_without_a_stamped_run_there_is_a_wall_and_no_account() -> None:
    closure = closure_of(paper_cycle(GRAPH, TIMES, pace=(1.0,), runs=8, instrumented=False))
    assert (closure.wall.value_ns, closure.attributed_ns, closure.rest_ns) == (TIMES.sum(), 0.0, TIMES.sum())
    assert (closure.rows, closure.ratio.n) == ((), 0)
    assert not closure.closes


def test_without_a_plain_run_there_is_no_account_either() -> None:
    cycle = paper_cycle(GRAPH, TIMES, pace=(1.0,), runs=8)
    closure = closure_of(replace(cycle, samples=replace(cycle.samples, uninstrumented=UninstrumentedSamples.empty())))
    assert (closure.wall.n, closure.wall.value_ns, closure.rows) == (0, 0.0, ())
    assert (closure.attributed_ns, closure.rest_ns) == (TIMES.sum(), -TIMES.sum())


def test_a_wall_of_nothing_can_hold_no_share() -> None:
    cycle = paper_cycle(GRAPH, TIMES, pace=(1.0,), runs=8)
    none = np.zeros(8, dtype=np.int64)
    closure = closure_of(
        replace(cycle, samples=replace(cycle.samples, uninstrumented=UninstrumentedSamples(none, none, none)))
    )
    assert (closure.wall.value_ns, closure.rows, closure.ratio.n) == (0.0, (), 0)


@few_examples
@given(timed_graphs())
def test_any_cycle_closes_exactly_and_its_rows_add_up_to_the_wall(timed: tuple[Graph, IntArray]) -> None:
    graph, times = timed
    closure = closure_of(paper_cycle(graph, times, pace=(1.0,), runs=3))
    assert (closure.rest_ns, closure.ratio.value, closure.attributed_ns) == (0.0, 1.0, times.sum())
    assert sum(row.time_ns for row in closure.rows) == times.sum()
    assert sum(row.share_of_wall for row in closure.rows) == pytest.approx(1.0)


def test_native_code_is_a_row_of_its_own_and_no_python() -> None:
    """A stretch between operations that was seen to be native moves out of Python's row, and nothing else changes."""
    cycle = paper_cycle(GRAPH, TIMES, pace=(1.0,), runs=8)
    known = cycle.samples.instrumentation
    assert known is not None
    between = np.flatnonzero(GRAPH.slots.op < 0)
    slot = int(between[np.argmax(TIMES[between])])
    operation = int(np.flatnonzero(GRAPH.slots.op >= 0)[0])  # never one: a file could say so
    told = replace(known, native=(slot, operation, len(TIMES) + 5))
    seen = replace(cycle, samples=replace(cycle.samples, instrumentation=told))
    before, after = closure_of(cycle), closure_of(seen)
    assert after.ratio == before.ratio
    stage = GRAPH.slots.stage
    where = stage.names[int(stage.numbers[slot])]
    (row,) = [row for row in after.rows if row.name == NATIVE]
    assert (row.stage, row.time_ns) == (where, TIMES[slot])

    def python(closure: Closure) -> float:
        return sum(row.time_ns for row in closure.rows if row.name == PYTHON)

    assert python(before) - python(after) == TIMES[slot]
    assert explain(seen).answer.python_share == pytest.approx(explain(cycle).answer.python_share - row.share_of_wall)
    (of_stage,) = [row for row in explain(seen).stages if row.name == where]
    assert of_stage.native_ns == TIMES[slot]
    assert of_stage.op_ns + of_stage.python_ns + of_stage.native_ns == pytest.approx(of_stage.time.value_ns)
    layer = int(GRAPH.slots.layer[slot])
    of_layer = {(row.stage, row.index): row.native_ns for row in explain(seen).layers if row.native_ns}
    assert of_layer == ({(where, layer): TIMES[slot]} if layer >= 0 else {})
    document = cycle_document(explain(seen))
    assert sum(stage.native_s for stage in document.stages) == pytest.approx(TIMES[slot] / 1e9)
    assert not any(row.native_ns for row in (*explain(cycle).stages, *explain(cycle).layers))
    page = " ".join(to_text(cycle_page(explain(seen))).split())
    assert "native code, not traced" in page
    assert "▒▒ native code, not traced" in page
    assert "▒" not in to_text(cycle_page(explain(cycle)))
    assert "native code between operations that could not be traced" in page
