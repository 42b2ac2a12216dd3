"""A trace on paper, with every figure known: steps, ties, the account of a device by cause, the critical path, ranks and export."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paper_trace import STEPS, paper_trace

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.lanes import EventKind, Phase
from cyclescope.core.workload import ModelFacts, Weights
from cyclescope.explaining.comparison import compare
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.lanes.accounts import Idle
from cyclescope.explaining.lanes.intervals import union
from cyclescope.explaining.lanes.lanes import Lanes
from cyclescope.explaining.lanes.path import Edge, Part
from cyclescope.importing.cycle import imported_cycle
from cyclescope.importing.nesting import _walked, order_of, parents
from cyclescope.importing.overlay import Overlay
from cyclescope.importing.structure.repetition import repetition
from cyclescope.importing.structure.steps import Step, what_a_name_says, with_phases
from cyclescope.report.documents.cycle.document import cycle_document
from cyclescope.report.exports.lanes import tracks
from cyclescope.report.exports.perfetto import to_perfetto
from cyclescope.report.media.html.html import to_html
from cyclescope.report.naming.answer import answer
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.store.run_file import load, save

US = 1000


@cache
def cycle() -> Cycle:
    return imported_cycle(paper_trace(), "paper")


@cache
def explanation() -> Explanation:
    return explain(cycle())


def lanes() -> Lanes:
    found = explanation().lanes
    assert found is not None
    return found


def test_steps_that_repeat_are_samples_of_one_graph() -> None:
    assert len(cycle().samples.uninstrumented) == STEPS
    assert cycle().graph.names == (
        "copy_", "mm", "silu", "mm", "silu", "c10d::allreduce_", "cudaGraphLaunch", "cudaStreamSynchronize",
    )  # fmt: skip
    assert [(row.stage, row.index) for row in explanation().layers] == [("encode", 0), ("encode", 1)]


def test_flops_follow_from_shapes_and_are_unknown_without() -> None:
    graph = cycle().graph
    assert graph.flops.tolist() == [0, 128, 0, 128, 0, 0, 0, 0]
    assert {graph.names[i] for i in graph.unpriced} == {"silu", "cudaGraphLaunch"}
    assert graph.kinds[1] is OpKind.MATMUL


def test_kernels_of_a_captured_graph_are_booked_to_its_launch() -> None:
    device = explanation().device
    assert device is not None
    # Of its 170 µs the first 20 µs run beside the communication, which began before.
    assert device.busy_ns.tolist() == [20 * US, 60 * US, 20 * US, 60 * US, 10 * US, 140 * US, 150 * US, 0]
    facts = {fact.code: fact.count for fact in cycle().samples.lanes.facts if cycle().samples.lanes}  # type: ignore[union-attr]
    assert facts["captured"] == 2 * 2 * STEPS


def test_the_account_of_a_device_names_every_cause() -> None:
    account = lanes().devices[0]
    step = {
        Idle.HOST: 30 + 20 + 20,  # to the ends of the launches of the copy, of the first product and of the second
        Idle.LAUNCH: 10 + 10 + 10,
        Idle.QUEUE: 10,
        Idle.END: 30,
    }
    assert account.total_ns == STEPS * 600 * US
    assert dict(account.idle) == {cause: STEPS * US * us for cause, us in step.items()}
    assert account.compute_ns == STEPS * US * (60 + 20 + 60 + 10 + 170)
    assert account.copy_ns == STEPS * US * 20
    assert account.all_communication_ns == STEPS * US * 140
    assert account.communication_ns == STEPS * US * 120  # the last 20 µs are hidden behind the captured graph
    assert account.busy_ns + account.idle_ns == account.total_ns


def test_the_critical_path_crosses_host_and_device() -> None:
    path = lanes().path
    assert path is not None
    assert path.total_ns == 600 * US == sum(part.ns for part in path.parts)
    assert dict(path.edges) == {Edge.THREAD: 2, Edge.LAUNCH: 1, Edge.SYNC: 1, Edge.STREAM: 1}
    assert path.of(Part.KERNEL) == 170 * US
    assert path.of(Part.LAUNCH) == 80 * US  # the captured graph was asked for at 320 and began at 400
    assert path.of(Part.SYNC) == 10 * US


def test_the_slowest_rank_is_named() -> None:
    ranks = lanes().ranks
    assert ranks is not None
    assert [row.rank for row in ranks.rows] == [0, 1]
    assert ranks.slowest == 1
    assert (ranks.collectives, ranks.comparable, ranks.apart_ns) == (STEPS, True, 40.0 * US)
    assert [row.last for row in ranks.rows] == [0, STEPS]
    assert ranks.skew == pytest.approx(40 / 480)


def test_what_was_lost_stands_first() -> None:
    said = str(answer(explanation()))
    assert said.index("no launch in the trace") < said.index("A step takes")
    document = json.loads(cycle_document(explanation()).model_dump_json())
    keys = list(document)
    assert keys.index("imported") < keys.index("answer")
    assert [fact["code"] for fact in document["imported"]["facts"]][:2] == ["unlaunched", "captured"]


def test_names_from_a_trace_are_escaped() -> None:
    html = to_html(cycle_page(explanation()))
    assert "<script>alert" not in html
    assert len(html.encode()) < 2_000_000


def test_an_imported_cycle_is_kept_in_a_file(tmp_path: Path) -> None:
    save(cycle(), tmp_path / "run.cycle")
    again = load(tmp_path / "run.cycle")
    assert str(answer(explain(again))) == str(answer(explanation()))
    found = explain(again).lanes
    assert found is not None
    assert found.devices == lanes().devices


def test_an_export_nests_and_loses_nothing() -> None:
    events = json.loads(to_perfetto(explanation()))["traceEvents"]
    open_events: dict[tuple[int, int], list[str]] = {}
    last: dict[tuple[int, int], float] = {}
    for event in events:
        key = (event["pid"], event["tid"])
        if event["ph"] in "BE":
            assert event["ts"] >= last.get(key, 0.0)
            last[key] = event["ts"]
        if event["ph"] == "B":
            open_events.setdefault(key, []).append(event["name"])
        elif event["ph"] == "E":
            assert open_events[key].pop() == event["name"]
    assert not any(open_events.values())
    trace = paper_trace()
    wanted = Counter(trace.name_of(i) for i in range(len(trace.events)))
    there = Counter(event["name"] for event in events if event["ph"] == "B" and event["pid"] > 1)
    assert there == wanted


def test_two_imported_cycles_are_compared() -> None:
    comparison = compare(cycle(), imported_cycle(paper_trace(1), "other"))
    assert comparison.ratio.value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("execute_context_1(888_788544)_generation_0(0)", ("prefill", 1, 888)),
        ("execute_context_0(0)_generation_4(4)", ("decode", 4, 4)),
        ("decode step 3", ("decode", 0, 0)),
        ("ProfilerStep#3", ("", 0, 0)),
    ],
)
def test_a_step_says_its_phase(name: str, said: tuple[str, int, int]) -> None:
    phase, sequences, tokens = what_a_name_says(name)
    assert (phase.value, sequences, tokens) == said


@pytest.mark.parametrize(
    ("shapes", "phases"),
    [
        ([(2, 9), (2, 1), (2, 1)], "prefill decode decode"),
        ([(1, 1), (1, 1)], "decode decode"),
        ([(1, 9), (1, 1), (1, 5), (1, 1)], "prefill decode prefill decode"),
        ([(4, 128)], "unknown"),
        ([(1, 1)], "unknown"),
        ([(2, 8), (2, 8)], "unknown unknown"),
        ([(0, 0), (1, 1), (0, 0)], "unknown unknown unknown"),
    ],
)
def test_steps_that_no_name_tells_apart_have_the_phase_of_their_lengths(
    shapes: list[tuple[int, int]], phases: str
) -> None:
    steps = [Step(f"call {k}", k, k + 1) for k in range(len(shapes))]
    found = with_phases(steps, shapes)
    assert [step.phase or "unknown" for step in found] == phases.split()
    for step, (sequences, length) in zip(found, shapes, strict=True):
        assert (step.sequences, step.tokens) == ((sequences, sequences * length) if step.phase else (0, 0))
    named = [Step("decode 7", 0, 1, Phase.DECODE, 3, 3), *steps]
    assert with_phases(named, [(1, 9), *shapes])[0] == named[0]


def test_layers_are_found_by_repetition() -> None:
    names = np.asarray([9, *[1, 2, 2, 3] * 5, 8, 7])
    assert repetition(names) == (1, 4, 5)
    assert repetition(np.arange(40)) is None


_SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=30)


@given(_SPANS)
def test_nesting_in_columns_is_that_of_a_walk(spans: list[tuple[int, int]]) -> None:
    begin = np.asarray([a for a, _ in spans], dtype=np.int64)
    end = begin + np.asarray([b for _, b in spans], dtype=np.int64)
    order = order_of(np.zeros(len(spans), dtype=np.int64), begin, end)
    begin, end = begin[order], end[order]
    found, walked = parents(begin, end), _walked(begin, end)
    inside = begin < end  # what takes no time may lie in either of two that meet there
    assert found[inside].tolist() == walked[inside].tolist()


@given(_SPANS, _SPANS)
def test_covered_time_is_that_of_every_nanosecond(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    def columns(spans: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
        begin = np.asarray([a for a, _ in spans], dtype=np.int64)
        return begin, begin + np.asarray([b for _, b in spans], dtype=np.int64)

    whole = union(*columns(first))
    busy = {t for a, b in first for t in range(a, a + b)}
    assert whole.total_ns == len(busy)
    begin, end = columns(second)
    assert whole.covered_ns(begin, end).tolist() == [len(busy & set(range(a, a + b))) for a, b in second]


def test_crossing_events_get_a_track_of_their_own() -> None:
    samples = cycle().samples.lanes
    assert samples is not None
    assert not tracks(samples)[samples.of_kind(EventKind.OPERATION)].any()


def test_a_model_is_laid_over_and_what_does_not_match_is_said() -> None:
    build = GraphBuilder()
    with build.frame("", "Model"):
        build.op("to", OpKind.COPY)
        for layer in range(2):
            with build.frame(f"blocks.{layer}", "Block"):
                with build.frame(f"blocks.{layer}.proj", "Linear"):
                    build.op("mm", OpKind.MATMUL, cost=Cost(flops=128 * (1 + layer)))
                with build.frame(f"blocks.{layer}.act", "SiLU"):
                    build.op("silu", OpKind.ACTIVATION, cost=Cost(elementwise_flops=99, read_bytes=8, written_bytes=8))
    facts = ModelFacts("mine", "Model", "mine", 10, 40, Weights.RANDOM, "")
    found = imported_cycle(paper_trace(), "paper", lambda cycle: Overlay(build.build(), facts, "embed"))

    graph = found.graph
    assert [graph.location(i).module for i in range(1, 5)] == [
        "blocks.0.proj", "blocks.0.act", "blocks.1.proj", "blocks.1.act",
    ]  # fmt: skip
    assert graph.elementwise_flops[2] == 99
    assert {graph.names[i] for i in graph.unpriced} == {"cudaGraphLaunch"}
    said = [str(note) for note in graph.notes]
    assert said[0].startswith("The graph of mine is laid over the trace: 4 of its 5 operations")
    assert said[1] == "1 operation of the model is not in the trace: to × 1."
    assert said[2].startswith("4 operations of the trace are not in the model: ")
    assert said[3].startswith("1 product has another size")
    assert explain(found).closure.rest_ns == 0
