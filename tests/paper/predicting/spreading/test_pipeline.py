"""Pipelines: their timetable, their stages and what these pass on, and plans of thousands of ranks."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_generation import paper_decoder, paper_generation
from paper_layers import decoder, tower
from paper_spread import LINK, NETWORK, machine, spread
from paper_spread import plan as _plan

from cyclescope.core.collectives import CollectiveKind
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.op import OpKind
from cyclescope.core.spread import hosts_of
from cyclescope.explaining.explain import explain
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.predicting.spreading.pipelining import bubble, timetable
from cyclescope.predicting.spreading.stages import Pipeline, Units, balanced


@pytest.mark.parametrize("stages", [1, 2, 7, 64, 512])
@pytest.mark.parametrize("copies", [1, 3, 16])
def test_equal_stages_have_their_closed_forms(stages: int, copies: int) -> None:
    work, send = 5.0, 0.5
    table = timetable(np.full((stages, copies), work), np.full((stages, copies), np.nan), copies)
    assert table.whole == pytest.approx(copies * work), "stages without messages depend on nothing"
    sends = np.full((stages, copies), 0.0)
    sends[-1] = np.nan
    table = timetable(np.full((stages, copies), work), sends, copies)
    assert table.whole == pytest.approx((copies + stages - 1) * work)
    assert table.idle() / table.whole == pytest.approx(np.full(stages, bubble(stages, copies)))
    sends[:-1] = send
    table = timetable(np.full((stages, copies), work), sends, copies)
    expected = (copies + stages - 2) * (work + send) + work if stages > 1 else copies * work
    assert table.whole == pytest.approx(expected)


def test_a_step_begins_when_the_token_of_the_one_before_is_there() -> None:
    """With one microbatch a pipeline of p stages takes p times as long for each token as one stage works."""
    stages, passes = 4, 6
    table = timetable(np.full((stages, passes), 2.0), np.zeros((stages, passes)), 1)
    assert table.whole == pytest.approx(stages * passes * 2.0)
    # With as many microbatches as stages every stage works all the time, but for filling and emptying.
    table = timetable(np.full((stages, passes * stages), 2.0), np.zeros((stages, passes * stages)), stages)
    assert table.whole == pytest.approx((passes * stages + stages - 1) * 2.0)


@settings(max_examples=30, deadline=None)
@given(times=st.lists(st.floats(0.1, 10), min_size=2, max_size=9), data=st.data())
def test_the_cut_is_the_best_there_is(times: list[float], data: st.DataObject) -> None:
    stages = data.draw(st.integers(1, len(times)))
    column = np.asarray(times)
    begins = balanced(column, stages)
    assert begins[0] == 0
    assert len(set(begins)) == stages, "every stage has a layer"

    def slowest(cut: tuple[int, ...]) -> float:
        return max(float(part.sum()) for part in np.split(column, list(cut)[1:]))

    def cuts(first: int, left: int) -> list[tuple[int, ...]]:
        if not left:
            return [()]
        return [(at, *rest) for at in range(first + 1, len(times)) for rest in cuts(at, left - 1)]

    assert slowest(begins) == pytest.approx(min(slowest((0, *cut)) for cut in cuts(0, stages - 1)))


def test_stages_together_do_the_work_of_the_whole_and_pass_on_its_activations() -> None:
    whole = decoder(layers=4)
    pipeline = Pipeline(Units.of(whole), (0, 1, 3))
    parts = [pipeline.rank_graph(k).graph for k in range(3)]
    assert sum(int(part.flops.sum()) for part in parts) == int(whole.flops.sum())
    sent = [[c.message_bytes for c in part.collectives if c.kind is CollectiveKind.SEND] for part in parts]
    received = [[c.message_bytes for c in part.collectives if c.kind is CollectiveKind.RECEIVE] for part in parts]
    hidden = 4 * 2 * 5 * 128
    assert sent == [[hidden], [hidden], []]
    assert received == [[], [hidden], [hidden]]
    weights = [sum(s.bytes for s in part.tensors if s.role == "parameter") for part in parts]
    assert sum(weights) == sum(s.bytes for s in whole.tensors if s.role == "parameter")


def test_microbatches_repeat_the_work_and_not_the_weights() -> None:
    pipeline = Pipeline(Units.of(decoder(layers=2)), (0, 1))
    one, four = pipeline.rank_graph(1).graph, pipeline.rank_graph(1, 4).graph
    assert int(four.flops.sum()) == 4 * int(one.flops.sum())
    weights = [sum(s.bytes for s in graph.tensors if s.role == "parameter") for graph in (one, four)]
    assert weights[0] == weights[1]
    assert len(four.collectives) == 4 * len(one.collectives)


def test_in_a_generation_the_token_goes_back_to_the_first_stage() -> None:
    graph = paper_generation(paper_decoder(4)).graph
    units = Units.of(graph)
    pipeline = Pipeline(units, (0, units.count // 2))
    first, last = (pipeline.rank_graph(k, 2) for k in range(2))
    assert pipeline.passes == 4
    back = [c for c in first.graph.collectives if c.kind is CollectiveKind.RECEIVE]
    assert len(back) == (pipeline.passes - 1) * 2, "for each microbatch of each step but the first"
    assert len(last.sends) == len(back)
    steps = last.graph.slots.step
    assert sorted(set(steps[steps >= 0].tolist())) == [0, 1, 2, 3], "microbatches are no steps"


@pytest.mark.parametrize(("stages", "copies"), [(2, 1), (4, 2), (8, 8)])
def test_the_account_of_every_stage_closes_and_the_bubble_is_the_closed_form(stages: int, copies: int) -> None:
    cycle = spread(tower(8), _plan(pipeline=stages, microbatches=copies), machine(link=1e16))
    assert cycle.samples.prediction is not None
    found = cycle.samples.prediction.spread
    assert found is not None
    middle = len(cycle.samples.uninstrumented.wall_ns) // 2  # the prediction itself
    wall = float(cycle.samples.uninstrumented.wall_ns[middle])
    assert [stage.whole_ns for stage in found.stages] == pytest.approx([wall] * stages, rel=1e-3)
    assert found.bubble == pytest.approx(bubble(stages, copies), rel=1e-3)
    boundaries = cycle.samples.instrumented.boundaries_ns[middle]
    assert int(boundaries[-1]) == pytest.approx(wall, abs=1), "the parts of the shown rank add up to the whole"


def test_thousands_of_ranks_are_explained_in_seconds() -> None:
    begin = time.process_time()
    graph = tower(64, width=128)
    for tensor, stages, replicas in ((8, 1, 1), (8, 8, 1), (8, 16, 4), (8, 64, 8)):
        asked = _plan(tensor=tensor, pipeline=stages, data=replicas, microbatches=4 if stages > 1 else 1)
        cycle = spread(graph, asked)
        assert cycle.samples.prediction is not None
        found = cycle.samples.prediction.spread
        assert found is not None
        assert found.hosts == asked.ranks // 8
        part, message = 64 // stages, 4 * 2 * 4 * 128
        reduced = [c for c in cycle.graph.collectives if c.kind is CollectiveKind.ALL_REDUCE]
        assert len(reduced) == part * asked.microbatches
        # A ring of eight on one host; every message crosses to the next host.
        ring = 2 * 7 / 8 * message / LINK * 1e9
        send = message / NETWORK * 1e9 if stages > 1 else 0.0
        assert found.stages[0].collective_ns == pytest.approx((part * ring + send) * asked.microbatches)
        work = found.stages[0].work_ns / asked.microbatches
        each, last = work + part * ring, found.stages[-1].work_ns / asked.microbatches + part * ring
        expected = (asked.microbatches + stages - 2) * (each + send) + last if stages > 1 else each
        assert found.account.whole_ns == pytest.approx(expected, rel=1e-6)
        assert explain(cycle).findings is not None
    assert asked.ranks == 4096
    assert time.process_time() - begin < 60, "seconds, on any machine"


def test_more_stages_than_layers_and_ranks_without_a_network_are_refused() -> None:
    with pytest.raises(Unsupported, match="at most the number of layers, 8"):
        spread(tower(8), _plan(pipeline=9))
    alone = replace(machine(), interconnects=machine().interconnects[:1])
    with pytest.raises(Unsupported, match="no interconnect between hosts") as caught:
        spread(tower(8), _plan(tensor=8, pipeline=2), alone)
    assert "--machine" in str(caught.value)
    with pytest.raises(Unsupported, match="for torch only"):
        spread(tower(8), replace(_plan(tensor=2), engine="onnxruntime"))


def test_what_is_found_about_ranks_names_the_cause_and_not_its_traces() -> None:
    slow = spread(tower(8), _plan(tensor=8), machine(latency_ns=50_000))
    assert _codes(slow) == {FindingCode.TOO_SMALL_TO_SPREAD}
    large = spread(tower(8), _plan(tensor=8), machine(latency_ns=50_000), memory_bytes=10_000)
    assert _codes(large) == {FindingCode.TOO_MANY_RANKS}, "what does not fit on one device must be spread"
    waiting = spread(tower(8), _plan(pipeline=4, microbatches=2), machine(link=1e16))
    assert _codes(waiting) == {FindingCode.PIPELINE_BUBBLE}
    alone = spread(tower(8), _plan(pipeline=4), machine(link=1e16))
    assert _codes(alone) == {FindingCode.TOO_SMALL_TO_SPREAD}, "one microbatch has one stage working at a time"
    quick = spread(tower(8, width=512, batch=8, tokens=64), _plan(tensor=2), machine(link=1e14))
    assert not _codes(quick)


def _codes(cycle: Cycle) -> set[FindingCode]:
    """What is found about ranks."""
    about = {
        FindingCode.COMMUNICATION_BOUND,
        FindingCode.PIPELINE_BUBBLE,
        FindingCode.TOO_MANY_RANKS,
        FindingCode.TOO_SMALL_TO_SPREAD,
    }
    return {finding.code for finding in explain(cycle).findings} & about


def test_hosts_are_counted_from_where_ranks_begin() -> None:
    assert [hosts_of(first, 4, 8) for first in (0, 4, 6)] == [1, 1, 2]
    assert hosts_of(0, 4096, 8) == 512
    assert hosts_of(3, 100, 0) == 1


def test_collectives_are_a_kind_of_their_own() -> None:
    cycle = spread(tower(2), _plan(tensor=2))
    names = {cycle.graph.names[c.op] for c in cycle.graph.collectives}
    assert names == {"all_reduce"}
    assert {cycle.graph.kinds[c.op] for c in cycle.graph.collectives} == {OpKind.COLLECTIVE}
