"""A paper device with eight in a host, and cycles of plans that are spread over many of them."""

from __future__ import annotations

from dataclasses import replace

from paper_models import PAPER_BERT_WORKLOAD
from paper_predictions import MACHINE

from cyclescope.core.ceilings import BandwidthCeiling, Ceilings, Figure, Origin, ProductCeiling
from cyclescope.core.collectives import Interconnect
from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.graph import Graph
from cyclescope.core.plan import Plan
from cyclescope.predicting.analytic import AnalyticModel
from cyclescope.predicting.spreading.cycle import spread_cycle
from cyclescope.predicting.target import Target

FLOPS, BYTES, LINK, NETWORK = 1e12, 1e11, 1e11, 1e10


def _stated(value: float) -> Figure:
    return Figure.stated(value, "a datasheet on paper")


def machine(*, link: float = LINK, network: float = NETWORK, latency_ns: float = 0.0) -> Ceilings:
    """Eight devices a host."""
    return Ceilings(
        Origin.DATASHEET, "Paper Device", "", "2026-01-01",
        (ProductCeiling("float32", 1, 0, _stated(FLOPS)),),
        (BandwidthCeiling("memory", 0, 0, _stated(BYTES)),),
        interconnects=(
            Interconnect("link", 8, _stated(link), _stated(latency_ns)),
            Interconnect("network", 0, _stated(network), _stated(latency_ns)),
        ),
    )  # fmt: skip


def spread(graph: Graph, asked: Plan, ceilings: Ceilings | None = None, memory_bytes: int = 10**9) -> Cycle:
    """The cycle of `graph`, one microbatch, by `asked` on a paper device."""
    known = ceilings or machine()
    there = replace(MACHINE, processor="Paper Device", device="cuda", memory_bytes=memory_bytes, ceilings=known)
    target = Target(there, known, "cuda")
    cycle = spread_cycle(graph, PAPER_BERT_WORKLOAD, asked, target, lambda _: AnalyticModel())
    return replace(cycle, taken_at="2026-01-02T00:00:00Z", version="0.0.0")


def plan(**degrees: int) -> Plan:
    """A plan on a device."""
    return Plan(device="cuda", **degrees)  # type: ignore[arg-type]
