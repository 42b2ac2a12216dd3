"""Each finding by itself: its numbers are those that were planted, its threshold is where it is said to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from paper_device import Planted as DeviceOp
from paper_device import device_cycle
from paper_models import PAPER_BERT_WORKLOAD
from planted import (
    ACTIVATION,
    COPY,
    ELEMENTWISE,
    MATMUL,
    PLANTED,
    SOFTMAX,
    WIDE,
    WORK,
    Plant,
    compute_bound,
    dispatch_bound,
    growing_cache,
    healthy,
    idle_cores,
    launch_bound,
    memory_bound_decode,
    oversubscribed,
    padded,
    product_traffic,
    scalar_activation,
    slow_first_call,
    slow_tokenizer,
    unfused_attention,
    unlike_layer,
    with_busy,
    with_ceilings,
)

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.samples import Load
from cyclescope.explaining.explain import explain
from cyclescope.explaining.findings.finding import EvidenceName, Finding, FindingCode, Location

E, F = EvidenceName, FindingCode


def find(cycle: Cycle, code: FindingCode) -> Finding | None:
    """The finding of that code; there is never more than one of these."""
    of_code = [finding for finding in explain(cycle).findings if finding.code is code]
    assert len(of_code) <= 1
    return of_code[0] if of_code else None


def must(cycle: Cycle, code: FindingCode) -> Finding:
    finding = find(cycle, code)
    assert finding is not None
    return finding


def numbers(finding: Finding) -> dict[EvidenceName, float]:
    return {each.name: each.value for each in finding.evidence}


def told(share: float, gain: float, finding: Finding) -> None:
    assert (finding.share, finding.gain) == pytest.approx((share, gain))


# ---- dispatch


def test_dispatch_is_the_python_and_the_small_operations() -> None:
    finding = must(dispatch_bound(), F.DISPATCH_BOUND)
    told(100 / 200, 100 / 200, finding)
    assert numbers(finding) == pytest.approx(
        {E.PYTHON: 60 / 200, E.MEAN_GAP: 60_000 / 11, E.SMALL: 40 / 200, E.OPERATIONS: 10, E.MEAN_TIME: 4_000}
    )


def test_a_device_that_starves_is_told_by_its_launches_and_not_by_dispatch() -> None:
    finding = must(launch_bound(), F.LAUNCH_BOUND)
    # 7 µs to the first launch, 8 from one to the next, 2 for the last kernel; the device works 40 of these 161.
    told(121 / 161, 121 / 161, finding)
    assert numbers(finding) == pytest.approx(
        {E.OPERATIONS: 20, E.STARVED: 20, E.MEAN_WAIT: 121_000 / 20, E.MEAN_TIME: 2_000, E.HOST_WAITS: 0}
    )
    assert find(launch_bound(), F.DISPATCH_BOUND) is None


@pytest.mark.parametrize(("kernel_ns", "seen"), [(5_900, True), (6_100, False)])
def test_launches_are_told_from_a_quarter_of_the_cycle(kernel_ns: int, seen: bool) -> None:
    ops = [DeviceOp(kernel_ns)] * 500  # 8 µs from launch to launch: a quarter of waiting is at 6 µs
    assert (find(device_cycle(ops), F.LAUNCH_BOUND) is not None) == seen


def test_a_device_that_waits_for_text_is_not_launch_bound() -> None:
    text = DeviceOp(0, dispatch_ns=1_000_000, kind=OpKind.TEXT)
    assert find(device_cycle([text, *[DeviceOp(20_000)] * 20]), F.LAUNCH_BOUND) is None


def test_with_ceilings_an_operation_is_small_where_its_dispatch_is_the_ceiling() -> None:
    slow, quick = (must(with_ceilings(dispatch_bound(), dispatch=ns), F.DISPATCH_BOUND) for ns in (2_100_000, 3_000))
    assert numbers(slow)[E.OPERATIONS] == 11  # the product of 100 MFLOP too
    assert numbers(quick)[E.OPERATIONS] == 10


def test_the_python_of_the_tokenizer_is_not_dispatch() -> None:
    p = Plant(gap_ns=10_000)
    with p.b.frame("", "Tokenizer", stage="tokenize"):
        for _ in range(20):
            p.op("tokenize", OpKind.TEXT, [], 1_000)
    with p.b.frame("", "Model"):
        p.linear(p.given(*WIDE), 300_000)
    cycle = p.cycle()
    python = sum(row.python_ns for row in explain(cycle).stages)
    assert python > 0.25 * explain(cycle).closure.attributed_ns
    assert find(cycle, F.DISPATCH_BOUND) is None


@pytest.mark.parametrize(("gap_ns", "seen"), [(26_000, True), (24_000, False)])
def test_dispatch_is_told_from_a_quarter_on(gap_ns: int, seen: bool) -> None:
    p = Plant(gap_ns=gap_ns // 2)
    p.linear(p.given(*WIDE), 100_000 - gap_ns)
    assert (find(p.cycle(), F.DISPATCH_BOUND) is not None) == seen


# ---- decode


def test_decode_that_waits_for_memory() -> None:
    finding = must(memory_bound_decode(), F.MEMORY_BOUND_DECODE)
    share, moved = 450 / 700, 2 * (4 * 1024**2 + 32 + 4096)  # 32: the ids, as the plant reads them
    told(share, share * 3 / 4, finding)  # 8 bits instead of 32
    known = numbers(finding)
    assert known[E.OF_DECODE] == pytest.approx(450 / 600)
    assert known[E.BYTES_A_STEP] == moved
    assert known[E.REACHED_BANDWIDTH] == pytest.approx(moved / 150e-6)
    assert finding.place.stage == "decode"


def test_with_ceilings_the_bandwidth_is_held_against_them() -> None:
    """At 100 GB/s a step's bytes take 84 µs rather than 150; with weights of 8 bits a quarter of that."""
    finding = must(with_ceilings(memory_bound_decode(), bandwidth=100e9, flops=1e12), F.MEMORY_BOUND_DECODE)
    moved = numbers(finding)[E.BYTES_A_STEP]
    assert numbers(finding)[E.BANDWIDTH_CEILING] == pytest.approx(100e9)
    told(450 / 700, 3 * (150_000 - moved / 100 / 4) / 700_000, finding)


def test_decode_of_many_sequences_at_a_time_computes() -> None:
    p = Plant()
    weights, ids = p.given(1024, 1024), p.given(64, 8, role=TensorRole.INPUT)
    for step in range(4):
        with p.b.frame("", "Model"):
            for number in range(2):
                with p.b.frame(f"layers.{number}", "Layer"):
                    p.op("linear", MATMUL, [ids, weights], 75_000, (64, 1024), flops=128 * 1024**2 + step)
    assert find(p.cycle(generates=True), F.MEMORY_BOUND_DECODE) is None


def test_an_encoder_never_waits_for_its_decode() -> None:
    p = Plant()
    p.op("linear", MATMUL, [p.given(1, 8), p.given(1024, 1024)], 100_000, (1, 1024), flops=2 * 1024**2)
    assert find(p.cycle(), F.MEMORY_BOUND_DECODE) is None


# ---- compute


def test_products_are_held_against_their_ceiling() -> None:
    """100 MFLOP in 80 µs are 1.25 TFLOP/s."""
    uninstrumented = must(compute_bound(), F.COMPUTE_BOUND)
    told(0.8, 0.0, uninstrumented)
    assert numbers(uninstrumented) == pytest.approx({E.REACHED_FLOPS: 1.25e12})
    held = must(with_ceilings(compute_bound(), flops=2.5e12, bandwidth=1e12), F.COMPUTE_BOUND)
    told(0.8, 0.4, held)
    assert numbers(held) == pytest.approx({E.REACHED_FLOPS: 1.25e12, E.FLOPS_CEILING: 2.5e12, E.OF_CEILING: 0.5})


def test_at_the_ceiling_no_gain_is_promised_but_the_bound_is_told() -> None:
    at_it = must(with_ceilings(compute_bound(), flops=1.26e12, bandwidth=1e12), F.COMPUTE_BOUND)
    told(0.8, 0.0, at_it)
    beyond = must(with_ceilings(compute_bound(), flops=1e12, bandwidth=1e12), F.COMPUTE_BOUND)
    assert numbers(beyond)[E.OF_CEILING] == 1.0


def test_products_that_wait_for_memory_are_not_bound_by_compute() -> None:
    assert find(with_ceilings(compute_bound(), flops=1e15), F.COMPUTE_BOUND) is None


# ---- activation


def test_an_activation_far_from_its_bandwidth() -> None:
    finding = must(scalar_activation(), F.SCALAR_ACTIVATION)
    told(200 / 460, 180 / 460, finding)
    assert finding.subject == "tanh"
    assert numbers(finding) == pytest.approx(
        {
            E.TIMES_FLOOR: 10.0,
            E.MEAN_TIME: 200_000,
            E.OPERATIONS: 1,
            E.REACHED_BANDWIDTH: 2 * 256 * 1024 / 200e-6,
            E.USUAL_BANDWIDTH: 2 * 256 * 1024 / 20e-6,
        }
    )
    assert finding.place == Location("model", None, 3)


def test_with_ceilings_the_memory_is_the_measure() -> None:
    """512 KiB at 26.2 GB/s take 20 µs."""
    finding = must(with_ceilings(scalar_activation(), bandwidth=512 * 1024 / 20e-6, flops=1e12), F.SCALAR_ACTIVATION)
    told(200 / 460, 180 / 460, finding)
    assert numbers(finding)[E.BANDWIDTH_CEILING] == pytest.approx(512 * 1024 / 20e-6)


@pytest.mark.parametrize(("ns", "seen"), [(121_000, True), (119_000, False)])
def test_six_passes_are_too_many(ns: int, seen: bool) -> None:
    assert (find(scalar_activation(ns), F.SCALAR_ACTIVATION) is not None) == seen


def test_an_activation_spelled_out_in_a_module_counts_as_one_and_bears_its_name() -> None:
    finding = must(scalar_activation(200_000, parts=8), F.SCALAR_ACTIVATION)
    assert finding.subject == "OddActivation"
    assert numbers(finding)[E.OPERATIONS] == 1
    # Its own multiplications belong to the measure as well: seven of 25 µs, three additions of 20.
    assert numbers(finding)[E.TIMES_FLOOR] == pytest.approx(8.0)


def test_an_activation_with_nothing_to_hold_it_against_is_left_alone() -> None:
    p = Plant()
    p.op("tanh", ACTIVATION, [p.given(*WIDE)], 500_000)
    p.op("add", ELEMENTWISE, [p.given(4, 4)], 5_000, (4, 4))
    assert find(p.cycle(), F.SCALAR_ACTIVATION) is None


# ---- traffic


def test_copies_and_biases_around_products_add_up() -> None:
    finding = must(product_traffic(), F.PRODUCT_TRAFFIC)
    told(50 / 200, 50 / 200, finding)
    moved = 2 * 2 * 256 * 1024 + 4 * 1024
    assert numbers(finding) == pytest.approx({E.COPIES: 30 / 200, E.BIASES: 20 / 200, E.OPERATIONS: 2, E.MOVED: moved})
    assert finding.place == Location("model", None, 2)


def test_a_residual_and_a_copy_far_from_products_are_no_traffic() -> None:
    p = Plant()
    x = p.op("layer_norm", OpKind.NORM, [p.op("clone", COPY, [p.given(*WIDE)], 50_000)], 10_000)
    y = p.linear(x, 50_000)
    p.op("add", ELEMENTWISE, [y, x], 50_000)
    assert find(p.cycle(), F.PRODUCT_TRAFFIC) is None


# ---- padding


def test_padding_costs_its_part_of_the_work_on_tokens() -> None:
    finding = must(padded(), F.PADDING)
    told(0.5 * 90 / 100, 0.5 * 90 / 100, finding)
    assert numbers(finding) == {E.PADDED: 0.5, E.REAL_TOKENS: 16, E.LONGEST: 16}


@pytest.mark.parametrize(("real_tokens", "seen"), [(28, True), (29, False)])
def test_padding_is_told_from_a_tenth_of_the_tokens_on(real_tokens: int, seen: bool) -> None:
    assert (find(padded(real_tokens), F.PADDING) is not None) == seen


def test_padding_costs_nothing_where_everything_is_dispatch() -> None:
    half = replace(PAPER_BERT_WORKLOAD, batch=2, tokens_in=16, real_tokens=16)
    cycle = dispatch_bound()
    tiny = Plant(gap_ns=5_000)
    tiny.op("add", ELEMENTWISE, [tiny.given(4)], 4_000, (4,))
    assert find(replace(cycle, workload=half), F.PADDING) is not None
    assert find(tiny.cycle(workload=half), F.PADDING) is None


def test_padding_that_an_engine_takes_out_is_no_finding() -> None:
    cycle = padded()
    for change in ({"engine": "ctranslate2"}, {"batching": "packed"}):
        assert find(replace(cycle, plan=replace(cycle.plan, **change)), F.PADDING) is None


def test_decode_steps_have_no_padding() -> None:
    cycle = memory_bound_decode()
    padded_prompt = replace(cycle.workload, batch=2, tokens_in=8, real_tokens=8)
    told(0.5 * 100 / 700, 0.5 * 100 / 700, must(replace(cycle, workload=padded_prompt), F.PADDING))


# ---- tokenizer


def test_a_slow_tokenizer_is_named() -> None:
    finding = must(slow_tokenizer(), F.SLOW_TOKENIZER)
    told(0.2, 0.2, finding)
    assert finding.subject == PAPER_BERT_WORKLOAD.model.tokenizer
    assert numbers(finding) == {E.TIME: 20_000, E.A_TOKEN: 20_000 / 16}
    assert find(slow_tokenizer(9_000), F.SLOW_TOKENIZER) is None


# ---- attention


def test_attention_spelled_out_is_its_products_and_what_lies_between() -> None:
    finding = must(unfused_attention(), F.UNFUSED_ATTENTION)
    told(100 / 200, 40 / 200, finding)
    scores = 4 * 64 * 64 * 16
    # Two products, scale, mask and softmax; the dropout only passes its memory on.
    assert numbers(finding) == pytest.approx({E.BETWEEN: 0.2, E.SCORES: scores, E.OPERATIONS: 5, E.TIME: 100_000})


def test_with_ceilings_the_products_may_lose_what_is_no_arithmetic() -> None:
    """100 MFLOP at 5 TFLOP/s take 20 µs of each product's 30."""
    finding = must(with_ceilings(unfused_attention(), flops=5e12), F.UNFUSED_ATTENTION)
    told(100 / 200, (40 + 2 * 10) / 200, finding)


def test_a_softmax_over_experts_is_no_attention() -> None:
    p = Plant()
    routed = p.linear(p.given(*WIDE), 50_000)
    chosen = p.op("softmax", SOFTMAX, [routed], 50_000)
    p.linear(chosen, 50_000)
    assert find(p.cycle(), F.UNFUSED_ATTENTION) is None


def test_a_softmax_at_the_end_is_no_attention() -> None:
    p = Plant()
    scores = p.op("matmul", MATMUL, [p.given(*WIDE, role=TensorRole.INPUT)], 50_000, flops=WORK)
    p.op("softmax", SOFTMAX, [scores], 50_000)
    assert find(p.cycle(), F.UNFUSED_ATTENTION) is None


# ---- cache


def test_a_growing_cache_is_copied_whole() -> None:
    finding = must(growing_cache(), F.CACHE_REALLOCATION)
    told(60 / 400, 60 / 400, finding)
    row = 65_536
    by_step = [2 * 2 * (step + 1) * row for step in (1, 2, 3)]  # two layers; the whole is read and written
    assert numbers(finding) == pytest.approx(
        {E.OF_DECODE: 60 / 300, E.BYTES_A_STEP: np.mean(by_step), E.LAST_STEP: by_step[-1], E.TIME: 60_000}
    )
    assert finding.place.stage == "decode"


def test_a_cache_that_is_written_in_place_is_not() -> None:
    assert find(growing_cache(static=True), F.CACHE_REALLOCATION) is None


def test_the_copies_of_the_cache_are_told_once() -> None:
    """They stand right before attention, and are no traffic around products."""
    assert find(growing_cache(), F.PRODUCT_TRAFFIC) is None


# ---- threads


def test_more_threads_than_cores() -> None:
    finding = must(oversubscribed(4), F.OVERSUBSCRIPTION)
    assert finding.share > 0.95
    assert finding.gain == 0
    assert numbers(finding) == pytest.approx({E.THREADS: 4, E.CORES: 2, E.BUSY: 1.95}, rel=1e-3)
    assert find(oversubscribed(2), F.OVERSUBSCRIPTION) is None


def test_threads_of_all_processes_count() -> None:
    cycle = healthy()
    shared = replace(cycle, plan=replace(cycle.plan, threads=1, instances=3))
    assert numbers(must(shared, F.OVERSUBSCRIPTION))[E.THREADS] == 3


@pytest.mark.parametrize("make", [oversubscribed, idle_cores])
def test_the_threads_of_a_device_are_no_matter_of_cores(make: object) -> None:
    assert callable(make)
    cycle = make()
    codes = {f.code for f in explain(replace(cycle, plan=replace(cycle.plan, device="cuda"))).findings}
    assert not codes & {F.OVERSUBSCRIPTION, F.IDLE_CORES}


def test_cores_without_a_thread() -> None:
    finding = must(idle_cores(), F.IDLE_CORES)
    told(0.8, 0.4, finding)
    assert numbers(finding) == pytest.approx({E.THREADS: 1, E.CORES: 2, E.BUSY: 1.0})
    assert find(compute_bound(), F.IDLE_CORES) is None


def test_threads_that_wait() -> None:
    """1.2 cores busy over a cycle of which a fifth runs on one: 1.25 in the products."""
    finding = must(with_busy(compute_bound(), 1.2), F.IDLE_CORES)
    told(0.8, 0.8 * (1 - 1.25 / 2), finding)
    assert numbers(finding)[E.BUSY] == pytest.approx(1.25)
    assert find(with_busy(compute_bound(), 1.4), F.IDLE_CORES) is None


def test_threads_that_wait_for_other_work_are_not_idle() -> None:
    cycle = with_busy(compute_bound(), 1.2)
    disturbed = replace(cycle, samples=replace(cycle.samples, load=Load(other_busy=0.4)))
    assert find(disturbed, F.IDLE_CORES) is None


def test_small_products_leave_no_core_idle() -> None:
    cycle = dispatch_bound()
    assert find(replace(cycle, plan=replace(cycle.plan, threads=1)), F.IDLE_CORES) is not None
    p = Plant()
    p.op("linear", MATMUL, [p.given(4, 4)], 50_000, (4, 4), flops=100)
    tiny = p.cycle()
    assert find(replace(tiny, plan=replace(tiny.plan, threads=1)), F.IDLE_CORES) is None


# ---- layers


def test_the_slow_layer_is_named_with_its_excess() -> None:
    cycle = unlike_layer()
    finding = must(cycle, F.UNLIKE_LAYER)
    layers = explain(cycle).layers
    excess = layers[5].time.value_ns - layers[0].time.value_ns
    told(layers[5].share, excess / explain(cycle).closure.attributed_ns, finding)
    assert (finding.place.stage, finding.place.layer, finding.subject) == ("encode", 5, "BertLayer")
    assert numbers(finding)[E.FACTOR] == pytest.approx(1.5, rel=1e-4)


@pytest.mark.parametrize("factor", [1.1, 0.5])
def test_a_little_slower_or_much_faster_is_no_finding(factor: float) -> None:
    assert find(unlike_layer(factor), F.UNLIKE_LAYER) is None


def stack(*extra_ns: int) -> Cycle:
    """Layers of a product of 50 µs, and where it is not 0 an operation more of that time."""
    p = Plant()
    x = p.given(*WIDE, role=TensorRole.INPUT)
    for number, ns in enumerate(extra_ns):
        with p.b.frame(f"layers.{number}", "Layer"):
            x = p.linear(x, 50_000)
            if ns:
                x = p.op("sort", OpKind.REDUCTION, [x], ns)
    return p.cycle()


def test_the_operation_that_only_one_layer_has_is_where_to_look() -> None:
    cycle = stack(0, 0, 0, 30_000, 0, 0)
    finding = must(cycle, F.UNLIKE_LAYER)
    told(80 / 330, 30 / 330, finding)
    assert cycle.graph.names[finding.place.op] == "sort"
    assert numbers(finding)[E.AT_OPERATION] == 30_000


def test_two_sorts_of_layers_are_not_odd() -> None:
    assert find(stack(30_000, 0, 30_000, 0, 0, 0), F.UNLIKE_LAYER) is None
    assert find(stack(30_000, 0), F.UNLIKE_LAYER) is None


# ---- what informs


def test_what_the_first_call_costs() -> None:
    finding = must(slow_first_call(10.0), F.FIRST_CALL)
    told(0.0, 0.0, finding)
    assert numbers(finding)[E.TIMES_STEADY] == pytest.approx(10.0)
    assert find(slow_first_call(1.9), F.FIRST_CALL) is None


def test_other_work_on_the_cores_is_noise() -> None:
    cycle = healthy()
    loud, quiet = (replace(cycle, samples=replace(cycle.samples, load=Load(other_busy=b))) for b in (0.3, 0.1))
    assert numbers(must(loud, F.NOISE)) == {E.OTHER_LOAD: 0.3}
    assert find(quiet, F.NOISE) is None


def test_the_same_findings_at_every_reading() -> None:
    for plant in PLANTED.values():
        cycle = plant()
        assert explain(cycle).findings == explain(cycle).findings
