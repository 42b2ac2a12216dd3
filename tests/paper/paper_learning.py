"""Small models on paper whose slots follow a planted law, and a machine that learns it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from paper_predictions import ceilings

from cyclescope.backends.base import Request
from cyclescope.backends.paper import PAPER_MACHINE, FakeClock, PaperSession, Script
from cyclescope.calibrating.learning import harvesting
from cyclescope.calibrating.learning.design import TrainingCase
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.plan import Plan
from cyclescope.core.units import IntArray
from cyclescope.machines.fingerprint import fingerprint

PLAN = Plan(engine="torch", threads=1)
MACHINE = replace(PAPER_MACHINE, packages=(("torch", "1.0"),))
FAMILIES = ("alpha", "beta", "gamma", "delta")


def machine() -> Ceilings:
    """The paper machine, calibrated under the reference engine."""
    return replace(ceilings(), engine="torch", fingerprint=fingerprint(MACHINE, "torch"))


def stack(hidden: int, tokens: int, layers: int, prefix: str = "Paper") -> Graph:
    """Layers of a product with a weight, a view and an addition."""
    b = GraphBuilder()
    x = b.tensor((tokens, hidden), role=TensorRole.INPUT)
    size = tokens * hidden * 4
    with b.frame("", f"{prefix}Model"):
        for number in range(layers):
            w = b.tensor((hidden, hidden), role=TensorRole.PARAMETER)
            with b.frame(f"layers.{number}", f"{prefix}Layer"):
                y = b.tensor((tokens, hidden))
                weight = hidden * hidden * 4
                cost = Cost(2 * tokens * hidden * hidden, 0, size + weight, size)
                b.op("linear", OpKind.MATMUL, [w, x], [y], cost)
                v = b.tensor((1, tokens, hidden), storage=b.spec(y).storage)
                b.op("view", OpKind.VIEW, [y], [v])
                z = b.tensor((tokens, hidden))
                b.op("add", OpKind.ELEMENTWISE, [v, x], [z], Cost(0, tokens * hidden, 2 * size, size))
                x = z
    return b.build()


def law_ns(graph: Graph) -> IntArray:
    """How long each slot takes: products far from the peak where they have few rows, and two paces of Python."""
    slots = graph.slots
    ns = 1500.0 + 700.0 * slots.frame_stamps
    for op, slot in enumerate(slots.of_op.tolist()):
        if graph.kinds[op] is OpKind.MATMUL:
            rows = graph.tensors[graph.writes(op)[0]].shape[0]
            ns[slot] = 4000.0 + graph.flops[op] / 40.0 * (1.0 + 30.0 / rows)
        elif graph.kinds[op] is OpKind.ELEMENTWISE:
            ns[slot] = 2500.0 + graph.written_bytes[op] / 4.0
        else:
            ns[slot] = 1800.0
    return np.rint(ns).astype(np.int64)


def cases(count: int = 16) -> tuple[TrainingCase, ...]:
    """Workloads of four families, of sizes that lie between each other."""
    found = []
    for number in range(count):
        family = FAMILIES[number % len(FAMILIES)]
        hidden = 64 + 32 * ((number * 5) % 13)
        tokens = 8 + 11 * ((number * 7) % 9)
        configuration = {"family": family, "hidden": hidden, "layers": 2 + number % 2}
        found.append(TrainingCase(f"{number:02}-{family}", family, configuration, tokens, 1, 0))
    return tuple(found)


def use_paper(monkeypatch: pytest.MonkeyPatch, clock: FakeClock, interrupt: str = "") -> list[str]:
    """Let harvesting open paper models by their configuration; gives the list of those opened. The model of the case
    `interrupt` presses Ctrl-C in its fifth run.
    """
    opened: list[str] = []

    def open_paper(request: Request) -> PaperSession:
        folder = Path(str(request.model))
        said = json.loads((folder / "config.json").read_text())
        assert request.tokens is not None
        graph = stack(said["hidden"], request.tokens, said["layers"], said["family"].capitalize())
        opened.append(folder.name)
        script = Script(graph, law_ns(graph), pace=(1.0, 1.01), interrupt_at=4 if folder.name == interrupt else None)
        return PaperSession(script, clock, plan=PLAN, machine=replace(MACHINE, ceilings=machine()))

    monkeypatch.setattr(harvesting, "open_session", open_paper)
    return opened
