"""Real models against planted ceilings: which memory their weights come from, and what bounds their products."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from architectures import folder
from command_line import model_folder

from cyclescope.core.ceilings import BandwidthCeiling, Ceilings, Figure, Origin, Overheads, ProductCeiling
from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.explaining.explain import explain
from cyclescope.explaining.generation import Phase
from cyclescope.explaining.roofline import Bound, Roofline
from cyclescope.measuring.measure import measure

MB = 1_000_000


def planted(l3_bytes: int, flops_per_s: float = 1e11) -> Ceilings:
    def figure(value: float) -> Figure:
        return Figure(value, value, value, 20, "planted")

    return Ceilings(
        origin=Origin.MEASURED,
        machine="planted",
        engine="torch",
        taken_at="2026-01-02T00:00:00Z",
        products=(ProductCeiling("float32", 1, 1, figure(flops_per_s)),),
        bandwidths=(
            BandwidthCeiling("L2", 1 << 20, 1, figure(1e11)),
            BandwidthCeiling("L3", l3_bytes, 1, figure(5e10)),
            BandwidthCeiling("memory", 0, 1, figure(1e10)),
        ),
        overheads=Overheads(dispatch_ns=figure(500.0)),
    )


def told(cycle: Cycle, ceilings: Ceilings) -> Roofline:
    found = explain(replace(cycle, machine=replace(cycle.machine, ceilings=ceilings))).roofline
    assert found is not None
    return found


def weight_bytes(cycle: Cycle) -> int:
    """Bytes of the weights that products read."""
    graph, seen = cycle.graph, {}
    for i in range(len(graph)):
        if graph.kinds[i] is OpKind.MATMUL:
            for spec in (graph.tensors[t] for t in graph.reads(i)):
                if spec.role is TensorRole.PARAMETER:
                    seen[spec.storage] = spec.bytes
    return sum(seen.values())


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Cycle:
    """Its products have weights of 22 MB."""
    widths = {"hidden_size": 384, "num_attention_heads": 6, "intermediate_size": 1536}
    model = model_folder(tmp_path_factory.mktemp("bert"), num_hidden_layers=3, **widths)
    return measure(str(model), tokens=8, threads=1, budget=0.2)


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Cycle:
    """Its products have weights of 18 MB."""
    model = folder(tmp_path_factory.mktemp("gpt2"), "GPT2Config", n_embd=384, n_layer=2, n_head=6, vocab_size=2000)
    return measure(model, task="generate", tokens=8, new_tokens=4, threads=1, budget=0.2)


def test_weights_larger_than_the_cache_come_from_memory_in_every_cycle(bert: Cycle) -> None:
    found = told(bert, planted(4 * MB))
    weights = weight_bytes(bert)

    assert weights > 20 * MB
    assert weights <= found.memory_bytes.sum() <= 1.1 * weights
    products = [i for i, kind in enumerate(bert.graph.kinds) if kind is OpKind.MATMUL]
    assert {found.levels[i] for i in products} == {"memory"}


def test_weights_that_fit_into_the_cache_stay_there(bert: Cycle) -> None:
    found = told(bert, planted(10_000 * MB))

    assert found.memory_bytes.sum() == 0
    assert "memory" not in found.levels


def test_few_tokens_are_bound_by_memory_and_a_slow_machine_by_compute(bert: Cycle) -> None:
    fast, slow = told(bert, planted(4 * MB, 1e13)), told(bert, planted(4 * MB, 1e9))
    products = [i for i, kind in enumerate(bert.graph.kinds) if kind is OpKind.MATMUL]

    assert {fast.bounds[i] for i in products} == {Bound.MEMORY}
    assert {slow.bounds[i] for i in products} == {Bound.COMPUTE}
    # 8 tokens: every FLOP is told of, and the tensors are what the formulas say.
    assert slow.compute_ns.sum() == pytest.approx(bert.graph.flops.sum())


def test_every_decode_step_reads_the_weights_again(gpt2: Cycle) -> None:
    found = told(gpt2, planted(4 * MB))
    phases = {use.phase: use for use in found.phases}
    weights = weight_bytes(gpt2)

    assert set(phases) == {Phase.PREFILL, Phase.DECODE}
    assert weights <= phases[Phase.PREFILL].memory_bytes <= 1.1 * weights
    assert 3 * weights <= phases[Phase.DECODE].memory_bytes <= 1.1 * 3 * weights


def test_no_real_operation_has_a_floor_that_is_no_number(bert: Cycle, gpt2: Cycle) -> None:
    for cycle in (bert, gpt2):
        found = told(cycle, planted(4 * MB))
        assert np.isfinite(found.floor_ns).all()
        assert found.gap_ns + np.minimum(found.time_ns, found.floor_ns) == pytest.approx(found.time_ns)
        views = [i for i, kind in enumerate(cycle.graph.kinds) if kind is OpKind.VIEW]
        assert found.floor_ns[views].sum() == 0
