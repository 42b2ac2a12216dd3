"""The device's line of time against a queue on paper: kernels, launch gaps and waiting are what was planted."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_device import LATENCY_NS, Planted, chain, device_cycle, device_samples, run
from planted import with_ceilings

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.op import OpKind
from cyclescope.core.samples import DeviceSamples
from cyclescope.explaining.device import DeviceLine, Pace, device_line
from cyclescope.explaining.explain import explain
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.explaining.places import places
from occupancy import occupancy

COSTS = {"mark_host_ns": 1_500, "mark_device_ns": 700}
# Kernels of 2 µs behind 8 µs of host each: the device starves. Kernels of 90 µs: it never does.
STARVED = [Planted(2_000 + 100 * i) for i in range(20)]
FED = [Planted(90_000 + 100 * i) for i in range(20)]


def line(cycle: Cycle) -> DeviceLine:
    told = device_line(cycle, places(cycle.graph))
    assert told is not None
    return told


def kernels(ops: list[Planted]) -> list[int]:
    return [op.kernel_ns for op in ops]


@pytest.mark.parametrize("costs", [{}, COSTS], ids=["marks cost nothing", "marks cost"])
@pytest.mark.parametrize("ops", [STARVED, FED], ids=["starved", "fed"])
def test_kernels_are_told_from_launches_to_the_nanosecond(ops: list[Planted], costs: dict[str, int]) -> None:
    told = line(device_cycle(ops, **costs))
    assert told.busy_ns.tolist() == kernels(ops)
    assert told.unclear_share == 0


def test_without_held_runs_a_starved_device_tells_no_kernel_from_its_launch() -> None:
    told = line(device_cycle(STARVED, held=0))
    assert told.busy_ns.tolist() == [0] * 20
    # What lies between the marks: the host up to the launch, then the longer of kernel and host.
    assert told.unclear_ns.tolist() == [4_000 + max(kernel, 1_000) for kernel in kernels(STARVED)]
    assert told.pace is Pace.UNCLEAR


def test_a_fed_device_needs_no_held_runs_once_the_host_is_ahead() -> None:
    told = line(device_cycle(FED, held=0))
    assert told.busy_ns[2:].tolist() == kernels(FED)[2:]
    assert told.unclear_ns[0] == 4_000 + 90_000, "the first kernel waited for its launch"


def test_marks_that_cost_nothing_leave_the_very_gaps() -> None:
    told = line(device_cycle(STARVED))
    # Before a kernel: Python and dispatch of its operation, and what the host still did in the operation before.
    gaps = [3_000 + 4_000, *(8_000 - min(a.kernel_ns, 8_000) for a, _ in pairwise(STARVED))]
    assert told.idle_ns.sum() + told.tail_ns == sum(gaps)
    assert told.marks_ns == 0
    assert told.span_ns == run(STARVED)[2]
    assert told.queue_ns.tolist() == [0] * 20
    assert (told.working, told.starved, told.pace) == (20, 20, Pace.HOST)
    assert not told.waits.any(), "the device waits for the host, and never the host for the device"


def test_what_marks_cost_is_taken_off() -> None:
    told, truth = line(device_cycle(STARVED, **COSTS)), line(device_cycle(STARVED))
    longer = device_samples(STARVED, **COSTS).last_ns[0]
    assert longer > 1.3 * truth.span_ns, "marks make the run longer by a third and more"
    assert told.span_ns + told.marks_ns == longer
    assert abs(told.span_ns / truth.span_ns - 1) < 0.05
    assert (np.abs(told.idle_ns - truth.idle_ns) <= 2 * COSTS["mark_host_ns"]).all()


def test_a_device_that_is_fed_idles_only_before_its_first_kernel_and_the_host_waits_at_the_end() -> None:
    told = line(device_cycle(FED))
    assert told.idle_ns[0] == 3_000 + 4_000
    assert not told.idle_ns[1:].any()
    assert told.tail_ns == 0
    assert told.pace is Pace.DEVICE
    assert told.starved <= 2
    assert told.queue_ns[-1] > 1_000_000, "the host is a millisecond ahead by then"
    ahead = sum(kernels(FED)) + 7_000 - 8_000 * 20
    assert told.end_wait_ns == ahead + LATENCY_NS
    assert not told.waits.any()
    assert told.waited_ns == 0


def test_an_operation_that_waits_for_the_device_is_found_and_what_it_takes_is_unclear() -> None:
    ops = [*FED[:10], Planted(1_000, waits=True), *FED[10:]]
    told = line(device_cycle(ops))
    assert np.flatnonzero(told.waits).tolist() == [10]
    begin, end, _, boundaries, _ = run(ops)
    assert told.waited_ns == boundaries[22] - boundaries[21]
    assert told.unclear_ns[10] == end[10] - begin[10]
    assert told.busy_ns[:10].tolist() == kernels(FED[:10])
    # After it the device has nothing to do until the host has launched again.
    assert told.idle_ns[11] > 0


def test_the_host_has_its_text_stages_and_views_launch_nothing() -> None:
    text = Planted(0, dispatch_ns=100_000, kind=OpKind.TEXT)
    view = Planted(0, dispatch_ns=500, after_ns=0, kind=OpKind.VIEW)
    cycle = device_cycle([text, STARVED[0], view, STARVED[1]])
    told = line(cycle)
    assert told.busy_ns.tolist() == [0, 2_000, 0, 2_100]
    slots = cycle.graph.slots
    by_slot = told.attribution.slot_ns
    assert by_slot[slots.of_op[0]] == told.idle_ns[0] >= 100_000, "the text's own slot holds its time"
    assert by_slot[slots.of_op[1:]].tolist() == [2_000, 0, 2_100]
    assert by_slot.sum() == pytest.approx(told.span_ns)
    unheld = line(device_cycle([text, STARVED[0], view], held=0))
    assert unheld.unclear_ns[[0, 2]].tolist() == [0, 0], "even where the host was never ahead"


def test_the_median_of_the_runs_counts() -> None:
    slower = [replace(op, kernel_ns=op.kernel_ns * 2) for op in STARVED]
    runs = [device_samples(ops, free=2, held=1) for ops in (STARVED, STARVED, slower)]
    joined = DeviceSamples(
        *(
            np.concatenate([getattr(r, name) for r in runs])
            for name in ("begin_ns", "end_ns", "last_ns", "boundaries_ns", "returned_ns", "held")
        ),
        mark_host_ns=0.0,
        mark_device_ns=0.0,
    )
    told = line(device_cycle(STARVED, joined))
    assert told.busy_ns.tolist() == kernels(STARVED)
    assert (told.runs, told.held) == (6, 3)


OPS = st.lists(
    st.builds(
        Planted,
        kernel_ns=st.integers(0, 200_000),
        python_ns=st.integers(0, 20_000),
        dispatch_ns=st.integers(1, 20_000),
        after_ns=st.integers(0, 5_000),
        waits=st.booleans(),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=80, deadline=None)
@given(OPS, st.integers(0, 3_000), st.integers(0, 2_000))
def test_the_account_of_the_device_closes_whatever_happens(ops: list[Planted], host: int, device: int) -> None:
    samples = device_samples(ops, mark_host_ns=host, mark_device_ns=device)
    told = line(device_cycle(ops, samples))
    assert told.span_ns + told.marks_ns == pytest.approx(int(samples.last_ns[0]))
    for column in (told.busy_ns, told.unclear_ns, told.idle_ns, told.queue_ns):
        assert (column >= 0).all()
    assert (told.busy_ns <= kernels(ops)).all(), "no more work than there was"
    assert told.attribution.slot_ns.sum() == pytest.approx(told.span_ns)
    for rows in (told.stages, told.places):
        total = sum(row.busy_ns + row.unclear_ns + row.idle_ns for row in rows)
        assert total + told.tail_ns == pytest.approx(told.span_ns)
    # An independent sweep over the intervals between marks sees the device idle as long between operations.
    swept = occupancy(samples.begin_ns[0], samples.end_ns[0], np.zeros(len(ops), dtype=np.int64))
    assert told.work_ns <= swept.union_ns + 1e-6


@settings(max_examples=50, deadline=None)
@given(OPS)
def test_every_kernel_is_known_where_nothing_waits(ops: list[Planted]) -> None:
    ops = [replace(op, waits=False) for op in ops]
    told = line(device_cycle(ops))
    assert told.busy_ns.tolist() == kernels(ops)
    assert told.span_ns == run(ops)[2]


def test_streams_that_overlap_count_once() -> None:
    samples = device_samples(FED[:2])
    samples = replace(
        samples,
        begin_ns=np.tile([1_000, 2_000], (6, 1)),
        end_ns=np.tile([9_000, 5_000], (6, 1)),
        last_ns=np.full(6, 10_000),
    )
    told = line(device_cycle(FED[:2], samples))
    assert told.span_ns == 10_000
    assert told.work_ns == 8_000
    swept = occupancy(samples.begin_ns[0], samples.end_ns[0], np.asarray([0, 1]), within=(0, 10_000))
    assert swept.union_ns == told.work_ns


def test_no_marks_no_line() -> None:
    cycle = device_cycle(STARVED)
    assert explain(replace(cycle, samples=replace(cycle.samples, device=None))).device is None
    held = device_samples(STARVED, free=0)
    assert explain(replace(cycle, samples=replace(cycle.samples, device=held))).device is None


def test_roofline_and_findings_speak_of_the_device_and_not_of_launches() -> None:
    cycle = with_ceilings(device_cycle(STARVED, **COSTS))
    told = explain(cycle)
    assert told.device is not None
    assert told.roofline is not None
    assert told.roofline.time_ns.tolist() == kernels(STARVED)
    assert told.roofline.overhead_ns.tolist() == [0] * 20, "what a launch takes is in the gaps"
    assert told.roofline.python_ns == pytest.approx(told.device.idle_total_ns)
    assert told.roofline.on_device
    assert FindingCode.LAUNCH_BOUND in {finding.code for finding in told.findings}
    fed = explain(with_ceilings(device_cycle(FED, **COSTS)))
    assert FindingCode.LAUNCH_BOUND not in {finding.code for finding in fed.findings}


def test_the_host_s_account_is_what_it_was() -> None:
    cycle = device_cycle(STARVED)
    without = explain(replace(cycle, samples=replace(cycle.samples, device=None)))
    told = explain(cycle)
    assert [row.time for row in told.stages] == [row.time for row in without.stages]
    assert told.closure.rows == without.closure.rows


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("begin_ns", np.zeros((6, 3), dtype=np.int64)),
        ("end_ns", np.full((6, 20), -1, dtype=np.int64)),
        ("last_ns", np.zeros(5, dtype=np.int64)),
        ("boundaries_ns", np.zeros((6, 7), dtype=np.int64)),
        ("returned_ns", np.zeros(6)),
        ("held", np.full(6, 2, dtype=np.int64)),
        ("mark_host_ns", float("nan")),
        ("mark_device_ns", -1.0),
    ],
)
def test_marks_that_contradict_each_other_are_refused(column: str, value: object) -> None:
    graph, samples = chain(STARVED), device_samples(STARVED)
    samples.self_check(len(graph.slots), len(graph))
    with pytest.raises(ValueError, match=r"mark|device|stamps"):
        replace(samples, **{column: value}).self_check(len(graph.slots), len(graph))  # type: ignore[arg-type]
