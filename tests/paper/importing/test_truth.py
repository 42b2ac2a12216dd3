"""Real traces are read to the figures that another tool found in them: TraceLens, in the reports that it keeps beside its own tests."""

from __future__ import annotations

import json
from functools import cache
from gzip import decompress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cyclescope.core.units import BoolArray
from cyclescope.importing import timeline
from cyclescope.importing.counts import Defect
from cyclescope.importing.reading import read
from cyclescope.importing.trace import Kind, Trace

TRACES = Path(__file__).parents[2] / "data" / "traces"
H100, MI300, B200, CPU = "h100-qwen", "mi300-bert-small", "b200-vllm-eager", "cpu-only-training"

# gpu_timeline.csv, in milliseconds.
BUSY_MS = {H100: 31.905483154296874, MI300: 0.39074853515625}
TOTAL_MS = {H100: 34.8924189453125, MI300: 3.49597607421875}
COPYING_MS = {H100: 0.002367919921875, MI300: 0.00240380859375}
# ops_summary.csv: name, how many, microseconds.
OPERATIONS = {
    H100: [
        ("aten::mul", 220, 6752.89990234375), ("aten::mm", 96, 6668.681640625), ("aten::copy_", 197, 5101.934814453125),
        ("aten::_flash_attention_forward", 24, 2722.704345703125), ("aten::add", 145, 2607.51513671875),
        ("aten::addmm", 72, 2329.075927734375), ("aten::cat", 49, 2017.782958984375), ("aten::pow", 49, 1300.794921875),
        ("aten::silu", 24, 925.11474609375), ("aten::mean", 49, 743.327392578125), ("aten::neg", 48, 587.3271484375),
    ],
    MI300: [
        ("aten::addmm", 26, 174.130859375), ("aten::_flash_attention_forward", 4, 113.65576171875),
        ("aten::native_layer_norm", 10, 39.51904296875), ("aten::gelu", 5, 21.7236328125), ("aten::add", 9, 19.3154296875),
        ("aten::index_select", 3, 9.05810546875), ("aten::all", 1, 4.3291015625), ("aten::eq", 1, 4.0478515625),
        ("aten::add_", 1, 2.56494140625), ("aten::_local_scalar_dense", 1, 2.40380859375),
    ],
}  # fmt: skip


def path_of(name: str) -> Path:
    return TRACES / f"{name}.json.gz"


@cache
def trace_of(name: str) -> Trace:
    return read(path_of(name))


def their_union_ms(name: str, rows: BoolArray) -> float:
    """Time at work as TraceLens adds it up: in floats, of microseconds as they stand in the file, which round to a quarter of a ns."""
    trace = trace_of(name)
    start = trace.start_ns - (json.loads(decompress(path_of(name).read_bytes())).get("baseTimeNanoseconds") or 0)
    begin = ((trace.events.begin_ns[rows] + start) / 1000.0).tolist()
    duration = (trace.events.duration_ns[rows] / 1000.0).tolist()
    merged: list[tuple[float, float]] = []
    for first, last in sorted((b, b + d) for b, d in zip(begin, duration, strict=True)):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return sum(last - first for first, last in merged) / 1000


@pytest.mark.parametrize("name", [H100, MI300])
def test_busy_time_is_theirs_to_every_digit_by_their_arithmetic(name: str) -> None:
    assert their_union_ms(name, timeline.launched(trace_of(name))) == BUSY_MS[name]


@pytest.mark.parametrize("name", [H100, MI300])
def test_the_timeline_of_what_was_launched_is_theirs(name: str) -> None:
    """Ours is exact in nanoseconds; theirs is off by the rounding of floats, at most a quarter of a nanosecond a span."""
    trace = trace_of(name)
    rows = timeline.launched(trace)
    found = timeline.timeline(trace, rows)

    assert found.total_ns / 1e6 == pytest.approx(TOTAL_MS[name], abs=1e-6)
    assert found.busy_ns / 1e6 == pytest.approx(BUSY_MS[name], abs=0.25e-6 * int(rows.sum()))
    assert found.copying_ns / 1e6 == pytest.approx(COPYING_MS[name], abs=1e-6)
    assert found.idle_ns == found.total_ns - found.busy_ns


@pytest.mark.parametrize("name", [H100, MI300])
def test_the_sums_of_operations_are_theirs(name: str) -> None:
    sums = timeline.sums_by_operation(trace_of(name))

    for operation, number, microseconds in OPERATIONS[name]:
        assert sums[operation].operations == number
        assert sums[operation].busy_ns / 1e3 == pytest.approx(microseconds, abs=0.25e-3 * 2 * number)


def test_what_they_drop_is_counted_and_kept() -> None:
    """509 pieces of work were launched before the recording began; TraceLens leaves them out without saying so."""
    trace = trace_of(H100)
    (orphans,) = (count for count in trace.reading.counts if count.defect is Defect.ORPHAN)
    at_work = timeline.work(trace)

    assert (orphans.events, orphans.time_ns) == (509, 13_741_827)
    assert timeline.timeline(trace, at_work).busy_ns == 45_647_300
    assert round(45_647_300 - orphans.time_ns, -4) == round(
        timeline.timeline(trace, timeline.launched(trace)).busy_ns, -4
    )


def test_spans_that_overlap_without_nesting_are_counted() -> None:
    """81 in all: 7 on threads, and 74 on streams of the device."""
    reading = trace_of(B200).reading

    assert (reading.count(Defect.CROSSING), reading.count(Defect.OVERLAPPING)) == (7, 74)


def test_a_trace_without_any_device_is_read() -> None:
    trace = trace_of(CPU)

    assert len(trace.events) == 2467
    assert {Kind(k) for k in np.unique(trace.events.kind)} == {Kind.OPERATION, Kind.ANNOTATION}
    assert trace.reading.sources[0].records == 2467
    assert timeline.timeline(trace, timeline.work(trace)).total_ns == 0


def test_a_whole_microsecond_is_no_crossing() -> None:
    """Older profilers cut times off to microseconds, so that a child can end 1 µs after its parent."""
    assert trace_of(CPU).reading.count(Defect.CROSSING) == 0


def test_lanes_are_in_order_of_time() -> None:
    for name in (H100, MI300, B200, CPU):
        events = trace_of(name).events
        assert all(a <= b for a, b in pairwise(events.begin_ns.tolist()))
        assert events.begin_ns[0] == 0
        assert (events.duration_ns >= 0).all()
