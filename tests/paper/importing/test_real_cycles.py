"""Real traces against what another tool says of them: equal where the rule is the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.graph.op import OpKind
from cyclescope.core.lanes import Phase
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.lanes.lanes import Lanes
from cyclescope.importing.import_trace import import_trace

TRACES = Path(__file__).parents[2] / "data" / "traces"
WITH_ANSWERS = ("h100-qwen", "mi300-bert-small")
ALL = (*WITH_ANSWERS, "b200-vllm-eager", "cpu-only-training")
# gpu_timeline.csv and GEMM.csv of TraceLens, beside its own tests.
MILLISECONDS = {
    "h100-qwen": {"busy_time": 31.905483154296874, "computation_time": 31.903115234375, "total_time": 34.8924189453125},
    "mi300-bert-small": {
        "busy_time": 0.39074853515625,
        "computation_time": 0.38834472656250,
        "total_time": 3.49597607421875,
    },
}
PRODUCTS_GFLOP = {"h100-qwen": 5515.19614048, "mi300-bert-small": 8.036168946}
PRODUCTS_US = 9001.277587890625


@cache
def imported(name: str) -> Cycle:
    return import_trace(TRACES / f"{name}.json.gz")


@cache
def explained(name: str) -> Explanation:
    return explain(imported(name))


def lanes(name: str) -> Lanes:
    found = explained(name).lanes
    assert found is not None
    return found


@pytest.mark.parametrize("name", WITH_ANSWERS)
def test_busy_and_total_time_agree_by_the_same_rule(name: str) -> None:
    whole, theirs = lanes(name).whole, MILLISECONDS[name]
    # Their times are sums of floating-point microseconds, exact to about ten nanoseconds.
    assert whole.launched_busy_ns / 1e6 == pytest.approx(theirs["busy_time"], abs=2e-5)
    assert whole.launched_compute_ns / 1e6 == pytest.approx(theirs["computation_time"], abs=2e-5)
    assert whole.launched_span_ns / 1e6 == pytest.approx(theirs["total_time"], abs=2e-5)


def test_events_without_a_launch_are_counted_and_said_first() -> None:
    whole = lanes("h100-qwen").whole
    assert (whole.works - whole.launched, whole.busy_ns) == (509, 45_647_300)
    facts = {fact.code: fact for fact in lanes("h100-qwen").samples.facts}
    assert facts["unlaunched"].count == 509
    assert facts["unlaunched"].ns / 1e6 == pytest.approx(13.742, abs=5e-4)


@pytest.mark.parametrize("name", WITH_ANSWERS)
def test_flops_of_products_agree(name: str) -> None:
    """They count the addition of a bias as one FLOP an element; here it is elementwise."""
    graph = imported(name).graph
    products = [i for i, kind in enumerate(graph.kinds) if kind is OpKind.MATMUL]
    ours = sum(int(graph.flops[i] + graph.elementwise_flops[i]) for i in products) / 1e9
    assert ours == pytest.approx(PRODUCTS_GFLOP[name], rel=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_the_accounts_close(name: str) -> None:
    found = explained(name)
    assert found.cycle.source is Source.IMPORTED
    assert found.closure.rest_ns == 0
    assert found.lanes is not None
    for device in found.lanes.devices:
        assert device.busy_ns + device.idle_ns == device.total_ns
        assert all(ns > 0 for _, ns in device.idle)
    for row in found.lanes.rows:
        parts = (row.busy_ns, row.python_ns, row.wait_ns, row.beside_ns, row.idle_ns)
        assert sum(parts) == row.total_ns
        assert min(parts) >= 0
    assert found.lanes.path is not None
    assert sum(part.ns for part in found.lanes.path.parts) == found.lanes.path.total_ns
    if found.device is not None:
        assert found.device.span_ns == pytest.approx(found.wall.value_ns)


def test_layers_are_found_by_calls_of_modules() -> None:
    for name, stage, layers in (("h100-qwen", "decode", 24), ("b200-vllm-eager", "decode", 36)):
        rows = explained(name).layers
        assert [row.stage for row in rows] == [stage] * layers


def test_work_of_the_device_is_booked_to_its_operation() -> None:
    """Their kernel time of every matrix product is ours."""
    found = explained("h100-qwen")
    assert found.device is not None
    products = [i for i, kind in enumerate(found.cycle.graph.kinds) if kind is OpKind.MATMUL]
    assert sum(found.device.busy_ns[products]) / 1e3 == pytest.approx(PRODUCTS_US, rel=1e-3)


def test_a_generation_has_a_prefill_and_decode_steps_by_its_shapes() -> None:
    cycle = imported("torch-generation")
    lanes = cycle.samples.lanes
    assert lanes is not None
    said = [(step.phase, step.sequences, step.tokens, step.run) for step in lanes.steps]
    assert said == [(Phase.PREFILL, 2, 24, -1), *((Phase.DECODE, 2, 2, run) for run in range(4))]
    assert (cycle.workload.batch, cycle.workload.tokens_in) == (2, 1)
