"""Many predictions at once: each is that of the single point, on a processor with caches and on a device."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_trace
from cyclescope.core.ceilings import BandwidthCeiling, Ceilings, Figure, Origin, Overheads, ProductCeiling
from cyclescope.core.graph.family import Point
from cyclescope.core.graph.graph import Graph
from cyclescope.core.plan import Plan
from cyclescope.machines.catalog import find_machine
from cyclescope.predicting.analytic import AnalyticModel
from cyclescope.predicting.fast import FastFamily
from cyclescope.tracing.families import find_families

TINY = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "vocab_size": 200,
    "num_attention_heads": 8, "num_key_value_heads": 2, "max_position_embeddings": 512,
}  # fmt: skip


def figure(value: float) -> Figure:
    return Figure.stated(value, "on paper")


PROCESSOR = Ceilings(
    Origin.MEASURED, "a processor", "torch", "",
    tuple(ProductCeiling("float32", rows, n, figure(share * n * 50e9)) for n in (1, 4) for rows, share in ((1, 0.1), (64, 1))),
    tuple(
        BandwidthCeiling(name, size, n, figure(rate * n))
        for n in (1, 4)
        for name, size, rate in (("L1", 32_000, 1e11), ("L2", 300_000, 5e10), ("L3", 4_000_000, 2e10), ("memory", 0, 8e9))
    ),
    Overheads(figure(900.0), figure(2_000.0), None),
)  # fmt: skip


@pytest.mark.parametrize(("axis", "orders"), [("tokens", 1), ("cache_length", 2)])
def test_every_point_is_the_prediction_of_that_point(tmp_path: Path, axis: str, orders: int) -> None:
    (tmp_path / "config.json").write_text(json.dumps(TINY))

    def trace(point: Point) -> Graph:
        return open_trace(Request(model=str(tmp_path / "config.json"), batch=point[0], **{axis: point[1]}))  # type: ignore[arg-type]

    (family,) = find_families(trace, ("batch", axis), (1, 4), (40, 300)).pieces
    rng = np.random.default_rng(0)
    points = np.stack([rng.integers(1, 41, 60), rng.integers(4, 301, 60)], axis=1)
    fast = FastFamily.of(family, points)
    assert len(fast.groups) >= orders  # in which memory is handed out again
    device = find_machine("NVIDIA T4")
    assert device is not None
    for machine, plan in ((PROCESSOR, Plan(threads=1)), (PROCESSOR, Plan(threads=3)), (device, Plan(device="cuda"))):
        totals = fast.times(plan, machine).total_ns
        for point, total in list(zip(points.tolist(), totals.tolist(), strict=True))[:15]:
            single = AnalyticModel().predict(family.at(tuple(point)), plan, machine)
            # Sums of the same terms in another order: nothing but rounding may differ.
            assert total == pytest.approx(float(single.slot_ns.sum()), rel=1e-12)
