"""Cycles on paper, each with one cause of slowness planted in it, and healthy ones. All times are whole and known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

import numpy as np
from paper_device import Planted as DeviceOp
from paper_device import device_cycle
from paper_layers import tower
from paper_models import PAPER_BERT_WORKLOAD, paper_bert, paper_cycle, slot_times
from paper_spread import machine, plan, spread

from cyclescope.core.ceilings import BandwidthCeiling, Ceilings, Figure, Origin, Overheads, ProductCeiling
from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.samples import UninstrumentedSamples
from cyclescope.core.workload import Workload
from cyclescope.explaining.findings.finding import FindingCode

MATMUL, SOFTMAX, ACTIVATION = OpKind.MATMUL, OpKind.SOFTMAX, OpKind.ACTIVATION
ELEMENTWISE, COPY, VIEW, TEXT = OpKind.ELEMENTWISE, OpKind.COPY, OpKind.VIEW, OpKind.TEXT

# What nothing but compute limits, and nothing but memory: see the thresholds in explaining.findings.facts.
WIDE = (64, 1024)  # 256 KiB in float32
WORK = 100_000_000


class Plant:
    """Builds a graph operation by operation, each with its time; `gap_ns` of Python lie between two stamps."""

    def __init__(self, gap_ns: int = 0) -> None:
        self.b, self.gap_ns = GraphBuilder(), gap_ns
        self.op_ns: list[int] = []

    def given(self, *shape: int, role: TensorRole = TensorRole.PARAMETER) -> int:
        return self.b.tensor(shape, role=role)

    def op(
        self,
        name: str,
        kind: OpKind,
        inputs: list[int],
        ns: int,
        shape: tuple[int, ...] = WIDE,
        *,
        flops: int = 0,
        in_place: bool = False,
    ) -> int:
        """An operation of `ns` that reads its inputs once and writes `shape` in float32; a view moves nothing."""
        b = self.b
        into = b.spec(inputs[0]).storage if kind is VIEW or in_place else None
        y = b.tensor(shape) if into is None else b.tensor(shape, storage=into)
        moved = (0, 0) if kind is VIEW else (sum(b.spec(t).bytes for t in inputs), 4 * prod(shape))
        b.op(name, kind, inputs, [y], Cost(flops, 0, *moved), in_place=in_place)
        self.op_ns.append(ns)
        return y

    def linear(self, x: int, ns: int) -> int:
        """A product with weights that compute limits: 50 FLOPs a byte and more."""
        return self.op("linear", MATMUL, [x, self.given(64, 64)], ns, flops=WORK)

    def graph(self, *, generates: bool = False) -> Graph:
        return self.b.build(generates=generates, stepwise=generates)

    def cycle(
        self,
        *,
        workload: Workload = PAPER_BERT_WORKLOAD,
        generates: bool = False,
        busy: float = 2.0,
        pace: tuple[float, ...] = (1.0,),
    ) -> Cycle:
        graph = self.graph(generates=generates)
        op = graph.slots.op
        times = np.where(op >= 0, np.asarray(self.op_ns)[op], self.gap_ns)
        return first_call_of(with_busy(paper_cycle(graph, times, workload=workload, pace=pace), busy), 1.0)


def first_call_of(cycle: Cycle, factor: float) -> Cycle:
    """`cycle` after a first one that took `factor` times the median."""
    first = round(factor * float(np.median(cycle.samples.uninstrumented.wall_ns)))
    return replace(cycle, samples=replace(cycle.samples, set_up=replace(cycle.samples.set_up, first_cycle_ns=first)))


def with_busy(cycle: Cycle, cores: float) -> Cycle:
    """`cycle` with so many cores busy on average."""
    uninstrumented = cycle.samples.uninstrumented
    told = UninstrumentedSamples(
        uninstrumented.wall_ns, np.rint(uninstrumented.wall_ns * cores).astype(np.int64), uninstrumented.started_ns
    )
    return replace(cycle, samples=replace(cycle.samples, uninstrumented=told))


def with_ceilings(
    cycle: Cycle, *, flops: float = 50e9, bandwidth: float = 10e9, dispatch: float = 3_000, noise: float | None = None
) -> Cycle:
    """`cycle` on a machine whose ceilings are known: the same for all shapes, sizes and threads."""

    def figure(value: float) -> Figure:
        return Figure(value, value, value, 9, "paper")

    ceilings = Ceilings(
        Origin.MEASURED,
        "paper",
        "paper",
        "2026-01-02T03:04:05Z",
        products=(ProductCeiling("float32", 1, 0, figure(flops)),),
        bandwidths=(BandwidthCeiling("memory", 0, 0, figure(bandwidth)),),
        overheads=Overheads(dispatch_ns=figure(dispatch)),
        noise=None if noise is None else figure(noise),
    )
    return replace(cycle, machine=replace(cycle.machine, ceilings=ceilings))


def healthy(layers: int = 6) -> Cycle:
    """A BERT of 128 tokens whose operations all run at their ceilings on both cores."""
    graph = paper_bert(layers, tokens=128)
    workload = replace(PAPER_BERT_WORKLOAD, tokens_in=128, real_tokens=128)
    return first_call_of(with_busy(paper_cycle(graph, slot_times(graph), workload=workload), 1.95), 1.0)


def dispatch_bound() -> Cycle:
    """Ten tiny operations of 4 µs with 5 µs of Python around each, then one of 100 µs that computes."""
    p = Plant(gap_ns=5_000)
    x = p.given(4, role=TensorRole.INPUT)
    for _ in range(10):
        x = p.op("add", ELEMENTWISE, [x], 4_000, (4,))
    p.linear(x, 100_000)
    return p.cycle()


def launch_bound() -> Cycle:
    """Twenty kernels of 2 µs, 8 µs of host from launch to launch."""
    return first_call_of(device_cycle([DeviceOp(2_000)] * 20), 1.0)


def memory_bound_decode(steps: int = 4) -> Cycle:
    """A prefill of 100 µs, then decode steps of 200 µs, 150 of them in a product that reads 4 MB of weights for one row."""
    p = Plant()
    weights = p.given(1024, 1024)
    ids = p.given(1, 8, role=TensorRole.INPUT)
    for step in range(steps):
        with p.b.frame("", "Model"):
            for number in range(2):
                with p.b.frame(f"layers.{number}", "Layer"):
                    x = p.op("linear", MATMUL, [ids, weights], 75_000 if step else 50_000, (1, 1024), flops=2 * 1024**2)
                    if step:
                        x = p.op("layer_norm", OpKind.NORM, [x], 25_000, (1, 1024))
    return p.cycle(generates=True)


def compute_bound() -> Cycle:
    """80 µs in a product of 100 MFLOP, 20 µs elsewhere."""
    p = Plant()
    x = p.linear(p.given(*WIDE, role=TensorRole.INPUT), 80_000)
    p.op("layer_norm", OpKind.NORM, [x], 20_000)
    return p.cycle()


def scalar_activation(ns: int = 200_000, *, parts: int = 1) -> Cycle:
    """An activation of `ns` in all beside additions of 20 µs of the same size; in `parts` operations of one module."""
    p = Plant()
    x = p.given(*WIDE, role=TensorRole.INPUT)
    for _ in range(3):
        x = p.op("add", ELEMENTWISE, [x], 20_000)
    with p.b.frame("act", "OddActivation"):
        for _ in range(parts - 1):
            x = p.op("mul", ELEMENTWISE, [x], ns // parts)
        x = p.op("tanh", ACTIVATION, [x], ns - (parts - 1) * (ns // parts))
    p.linear(x, 200_000)
    return p.cycle()


def product_traffic() -> Cycle:
    """30 µs of a copy before a product, 20 µs of a bias after it, 10 µs of a copy that is near no product; 200 µs in all."""
    p = Plant()
    x = p.op("clone", COPY, [p.given(*WIDE, role=TensorRole.INPUT)], 10_000)
    x = p.op("layer_norm", OpKind.NORM, [x], 40_000)
    x = p.op("contiguous", COPY, [x], 30_000)
    x = p.linear(p.op("view", VIEW, [x], 0), 100_000)
    p.op("add", ELEMENTWISE, [x, p.given(1024)], 20_000)
    return p.cycle()


def padded(real_tokens: int = 16) -> Cycle:
    """16 of 2 × 16 tokens are padding, in 90 µs of 100 that work on tokens."""
    p = Plant()
    with p.b.frame("", "Tokenizer", stage="tokenize"):
        p.op("tokenize", TEXT, [p.given(*WIDE, role=TensorRole.INPUT)], 5_000)
    p.linear(p.given(*WIDE, role=TensorRole.INPUT), 90_000)
    p.op("add", ELEMENTWISE, [p.given(4)], 5_000, (4,))
    small = replace(PAPER_BERT_WORKLOAD, batch=2, tokens_in=16, real_tokens=real_tokens)
    return p.cycle(workload=small)


def slow_tokenizer(ns: int = 20_000) -> Cycle:
    """A fifth of 100 µs goes into the tokenizer."""
    p = Plant()
    with p.b.frame("", "Tokenizer", stage="tokenize"):
        p.op("tokenize", TEXT, [p.given(8, role=TensorRole.INPUT)], ns)
    with p.b.frame("", "Model"):
        p.linear(p.given(*WIDE, role=TensorRole.INPUT), 100_000 - ns)
    return p.cycle()


def unfused_attention() -> Cycle:
    """Products of 30 µs, and 40 µs in scale, mask and softmax between them, in a cycle of 200."""
    p = Plant()
    q, k, v = (p.linear(p.given(*WIDE, role=TensorRole.INPUT), 20_000) for _ in range(3))
    scores = p.op("matmul", MATMUL, [q, k], 30_000, (64, 64, 16), flops=WORK)
    scores = p.op("mul", ELEMENTWISE, [scores], 10_000, (64, 64, 16))
    scores = p.op("add", ELEMENTWISE, [scores, p.given(64, 16, role=TensorRole.INPUT)], 10_000, (64, 64, 16))
    weights = p.op("softmax", SOFTMAX, [scores], 20_000, (64, 64, 16))
    y = p.op("matmul", MATMUL, [p.op("dropout", VIEW, [weights], 0, (64, 64, 16)), v], 30_000, flops=WORK)
    p.linear(y, 40_000)
    return p.cycle()


def growing_cache(steps: int = 4, *, static: bool = False) -> Cycle:
    """Steps of a prefill of 100 µs and decode steps of 100 µs, 20 of them in copying keys that grow by a row of 64 kB."""
    p = Plant()
    ids = p.given(1, 8, role=TensorRole.INPUT)
    keys: dict[int, int] = {}
    for step in range(steps):
        with p.b.frame("", "Model"):
            for number in range(2):
                with p.b.frame(f"layers.{number}", "Layer"):
                    new = p.op("linear", MATMUL, [ids], 40_000 if step else 50_000, (1, 16_384), flops=WORK)
                    if number not in keys:
                        keys[number] = p.op("zeros", COPY, [], 0, (1 + steps, 16_384)) if static else new
                    elif static:
                        old = keys[number]
                        keys[number] = p.op("index_copy_", COPY, [old, new], 10_000, (1 + steps, 16_384), in_place=True)
                    else:
                        keys[number] = p.op("cat", COPY, [keys[number], new], 10_000, (1 + step, 16_384))
                    p.op("scaled_dot_product_attention", OpKind.ATTENTION, [new, keys[number]], 0, (1, 16_384))
    return p.cycle(generates=True)


def oversubscribed(threads: int = 4) -> Cycle:
    """The healthy cycle by four threads on two cores."""
    cycle = healthy()
    return replace(cycle, plan=replace(cycle.plan, threads=threads))


def idle_cores(threads: int = 1) -> Cycle:
    """The compute-bound cycle by one thread on two cores."""
    cycle = with_busy(compute_bound(), 1.0)
    return replace(cycle, plan=replace(cycle.plan, threads=threads))


def unlike_layer(factor: float = 1.5) -> Cycle:
    """One of twelve layers takes longer."""
    graph = paper_bert(12, tokens=128)
    workload = replace(PAPER_BERT_WORKLOAD, tokens_in=128, real_tokens=128)
    return with_busy(paper_cycle(graph, slot_times(graph, slow_layer=5, factor=factor), workload=workload), 1.95)


def slow_first_call(factor: float = 10.0) -> Cycle:
    """The first cycle took ten times the median."""
    return first_call_of(healthy(), factor)


def restless() -> Cycle:
    """The compute-bound cycle in repeats that differ by a fifth."""
    p = Plant()
    p.linear(p.given(*WIDE, role=TensorRole.INPUT), 100_000)
    return p.cycle(pace=(1.0, 1.2, 0.9, 1.1, 1.3, 0.8))


_WIDE = tower(8, width=512, batch=8, tokens=64)  # its products are bound by compute
PLANTED: dict[FindingCode, Callable[[], Cycle]] = {
    FindingCode.DISPATCH_BOUND: dispatch_bound,
    FindingCode.LAUNCH_BOUND: launch_bound,
    FindingCode.MEMORY_BOUND_DECODE: memory_bound_decode,
    FindingCode.COMPUTE_BOUND: compute_bound,
    FindingCode.SCALAR_ACTIVATION: scalar_activation,
    FindingCode.PRODUCT_TRAFFIC: product_traffic,
    FindingCode.PADDING: padded,
    FindingCode.SLOW_TOKENIZER: slow_tokenizer,
    FindingCode.UNFUSED_ATTENTION: unfused_attention,
    FindingCode.CACHE_REALLOCATION: growing_cache,
    FindingCode.OVERSUBSCRIPTION: oversubscribed,
    FindingCode.IDLE_CORES: idle_cores,
    FindingCode.UNLIKE_LAYER: unlike_layer,
    FindingCode.COMMUNICATION_BOUND: lambda: spread(_WIDE, plan(tensor=2), machine(link=1e9)),
    FindingCode.PIPELINE_BUBBLE: lambda: spread(
        _WIDE, plan(pipeline=4, microbatches=2), machine(link=1e16, network=1e16)
    ),
    FindingCode.TOO_MANY_RANKS: lambda: spread(_WIDE, plan(tensor=8), machine(link=4e8), memory_bytes=10_000),
    FindingCode.TOO_SMALL_TO_SPREAD: lambda: spread(_WIDE, plan(tensor=8), machine(link=4e8)),
    FindingCode.FIRST_CALL: slow_first_call,
    FindingCode.NOISE: restless,
}
