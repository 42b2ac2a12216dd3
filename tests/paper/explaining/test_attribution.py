"""Planted times are found again, in their place and to the nanosecond."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from core.small_graphs import few_examples, small_bert, timed_graphs
from hypothesis import given
from hypothesis import strategies as st
from paper_models import PACE, paper_cycle

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.graph import Graph
from cyclescope.core.samples import Instrumentation
from cyclescope.core.units import IntArray
from cyclescope.explaining.attribution import attribute, middle_half
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation

GRAPH = small_bert()
# Every slot takes a time of its own, so that no exchange of two slots goes unseen; thousands, so that paces stay whole.
TIMES = 1000 * (np.arange(len(GRAPH.slots)) + 1)
INSIDE, OUTSIDE = 400, 800  # what paper_cycle's stamps cost


def steady(slot_ns: IntArray = TIMES, graph: Graph = GRAPH) -> Cycle:
    """A cycle without any noise."""
    return paper_cycle(graph, slot_ns, pace=(1.0,), runs=8)


def believing(cycle: Cycle, inside_ns: float, outside_ns: float) -> Cycle:
    """The same times, read with another cost of the stamps."""
    belief = Instrumentation("script", inside_ns, outside_ns, "script", 1)
    return replace(cycle, samples=replace(cycle.samples, instrumentation=belief))


def booked(explanation: Explanation) -> dict[tuple[str, object], float]:
    """Every figure of an explanation that a planted time could move."""
    figures: dict[tuple[str, object], float] = {("op", row.op): row.time.value_ns for row in explanation.operations}
    for stage in explanation.stages:
        figures["op of stage", stage.name] = stage.op_ns
        figures["python of stage", stage.name] = stage.python_ns
    for layer in explanation.layers:
        figures["layer", (layer.stage, layer.index)] = layer.time.value_ns
        figures["python of layer", (layer.stage, layer.index)] = layer.python_ns
    return figures


def test_every_slot_of_every_run_is_found_to_the_nanosecond() -> None:
    attribution = attribute(steady())
    assert np.array_equal(attribution.runs_ns, np.tile(TIMES, (8, 1)))
    assert np.array_equal(attribution.slot_ns, TIMES)
    assert attribution.total_ns == TIMES.sum()


@pytest.mark.parametrize("slot", range(len(GRAPH.slots)))
def test_a_burnt_time_is_found_in_its_place_and_nowhere_else(slot: int) -> None:
    burnt = 12_345
    before, after = (
        booked(explain(steady(times))) for times in (TIMES, TIMES + burnt * (np.arange(len(TIMES)) == slot))
    )
    slots = GRAPH.slots
    op, stage, layer = int(slots.op[slot]), slots.stage[slot], int(slots.layer[slot])
    expected: set[tuple[str, object]] = (
        {("op", op), ("op of stage", stage)} if op >= 0 else {("python of stage", stage)}
    )
    if layer >= 0:
        expected |= {("layer", (stage, layer))} | (set() if op >= 0 else {("python of layer", (stage, layer))})
    moved = {place: after[place] - before[place] for place in before if after[place] != before[place]}
    assert moved == dict.fromkeys(expected, burnt)


def test_without_a_known_cost_nothing_is_taken_off() -> None:
    cycle = steady()
    attribution = attribute(replace(cycle, samples=replace(cycle.samples, instrumentation=None)))
    assert not attribution.stamp_cost_ns.any()
    assert np.array_equal(attribution.slot_ns, TIMES + GRAPH.slots.stamp_cost_ns(INSIDE, OUTSIDE))


def test_a_slot_shorter_than_a_cost_believed_too_high_has_no_time_rather_than_less_than_none() -> None:
    short = np.full(len(TIMES), 100)
    attribution = attribute(believing(steady(short), 10 * INSIDE, 10 * OUTSIDE))
    assert not attribution.slot_ns.any()
    assert (attribution.runs_ns < 0).all()  # the facts are kept as they are


def test_a_run_that_something_else_disturbed_moves_nothing() -> None:
    calm = attribute(paper_cycle(GRAPH, TIMES, pace=(1.0,), runs=9)).slot_ns
    disturbed = attribute(paper_cycle(GRAPH, TIMES, pace=(1.0, 1.0, 1.0, 1.0, 10.0, 1.0, 1.0, 1.0, 0.5), runs=9))
    assert len(disturbed.typical) == 5
    assert np.array_equal(disturbed.slot_ns, calm)


def test_no_stamped_run_gives_no_time_to_any_slot() -> None:
    attribution = attribute(paper_cycle(GRAPH, TIMES, instrumented=False))
    assert attribution.runs_ns.shape == (0, len(TIMES))
    assert (attribution.total_ns, attribution.slot_ns.tolist()) == (0.0, [0.0] * len(TIMES))
    assert [(e.value_ns, e.n) for e in attribution.estimates(GRAPH.slots.op, len(GRAPH))] == [(0.0, 0)] * len(GRAPH)


@pytest.mark.parametrize(
    ("totals", "kept"),
    [
        ([], []),
        ([7], [0]),
        ([9, 1], [0, 1]),
        ([9, 1, 5], [0, 1, 2]),
        ([40, 10, 30, 20], [2, 3]),
        ([5, 5, 5, 5, 5], [1, 2, 3]),
        ([8, 1, 7, 2, 6, 3, 5, 4], [4, 5, 6, 7]),
    ],
)
def test_the_middle_half_keeps_its_order(totals: list[int], kept: list[int]) -> None:
    assert middle_half(np.asarray(totals, dtype=np.int64)).tolist() == kept


@given(st.lists(st.integers(0, 100), min_size=1, max_size=60))
def test_the_middle_half_is_at_least_one_run_and_none_beyond_those_left_out(totals: list[int]) -> None:
    kept = middle_half(np.asarray(totals, dtype=np.int64)).tolist()
    assert len(kept) == len(totals) - 2 * (len(totals) // 4) >= 1
    left_out = sorted(totals[i] for i in range(len(totals)) if i not in kept)
    inside = [totals[i] for i in kept]
    cut = len(totals) // 4
    assert all(low <= min(inside) for low in left_out[:cut])
    assert all(high >= max(inside) for high in left_out[cut:])


def test_an_estimate_adds_up_its_slots_and_ignores_those_of_no_group() -> None:
    group = np.full(len(TIMES), -1)
    group[[0, 2]], group[5] = 1, 0
    first, second, empty = attribute(steady()).estimates(group, 3)
    assert (first.value_ns, first.low_ns, first.high_ns, first.n) == (6000.0, 6000.0, 6000.0, 8)
    assert (second.value_ns, second.low_ns, second.high_ns) == (4000.0, 4000.0, 4000.0)
    assert (empty.value_ns, empty.low_ns, empty.high_ns, empty.n) == (0.0, 0.0, 0.0, 8)


def test_an_interval_is_that_of_the_order_statistics_of_all_runs() -> None:
    """Nine runs: the second smallest to the second largest (ranks 1 and 7 of 0 … 8)."""
    pace = (1.0, 1.1, 0.9, 1.2, 0.8, 1.3, 0.7, 1.4, 0.6)
    (whole,) = attribute(paper_cycle(GRAPH, TIMES, pace=pace, runs=9)).estimates(
        np.zeros(len(TIMES), dtype=np.int64), 1
    )
    total = TIMES.sum()
    assert whole.value_ns == pytest.approx(total)
    assert (whole.low_ns, whole.high_ns) == (pytest.approx(0.7 * total), pytest.approx(1.3 * total))


@few_examples
@given(timed_graphs(), st.lists(st.sampled_from(PACE), min_size=1, max_size=5), st.integers(1, 9))
def test_groups_add_up_to_the_whole_and_intervals_hold_their_values(
    timed: tuple[Graph, IntArray], pace: list[float], runs: int
) -> None:
    graph, times = timed
    attribution = attribute(paper_cycle(graph, times, pace=tuple(pace), runs=runs))
    group = np.arange(len(times)) % 3
    estimates = attribution.estimates(group, 3)
    assert sum(e.value_ns for e in estimates) == pytest.approx(attribution.total_ns)
    assert all(0 <= e.low_ns <= e.value_ns <= e.high_ns for e in estimates)
