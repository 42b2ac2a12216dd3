"""An engine on paper that fuses: models of four families that it runs as a whole, each at several shapes."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from paper_learning import FAMILIES, machine, stack

from cyclescope.backends.base import Request
from cyclescope.backends.paper import FakeClock, PaperSession, Script
from cyclescope.calibrating.learning.engines import ablation, harvesting, learn, observing
from cyclescope.calibrating.learning.engines.design import EngineCase, Shape
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.plan import Plan
from cyclescope.predicting.fused.kernels import kernels

ENGINE = "onnxruntime"
PLAN = Plan(engine=ENGINE, threads=1, attention="engine")
SHAPES = (Shape(1, 12), Shape(1, 40), Shape(1, 130), Shape(1, 70))
KERNEL_NS, CALL_NS, SLOWER = 4_000.0, 60_000.0, 2.5


def graph_of(configuration: dict[str, int | str], tokens: int) -> Graph:
    return stack(int(configuration["hidden"]), tokens, int(configuration["layers"]))


def wall_ns(graph: Graph) -> int:
    """How long the engine takes for a cycle: a factor on the roofline of kernels, and a time for each kernel and the call."""
    found = kernels(graph, PLAN, machine())
    return round(float(SLOWER * found.bound_ns.sum() + KERNEL_NS * len(found) + CALL_NS))


def cases(count: int = 8) -> tuple[EngineCase, ...]:
    found = []
    for number in range(count):
        family = FAMILIES[number % len(FAMILIES)]
        configuration = {"family": family, "hidden": 64 + 32 * ((number * 5) % 13), "layers": 2 + number % 3}
        found.append(EngineCase(f"{number:02}-{family}", family, configuration, SHAPES))
    return tuple(found)


@dataclass
class PaperEngineSession(PaperSession):
    """One model at one shape."""

    configuration: dict[str, int | str] | None = None

    def reshaped(self, batch: int, tokens: int, new_tokens: int) -> PaperEngineSession:
        assert self.configuration is not None
        graph = graph_of(self.configuration, tokens)
        return replace(self, script=replace(self.script, graph=graph, slot_ns=whole_ns(graph)), runs=0)


def whole_ns(graph: Graph) -> np.ndarray:
    return np.asarray([wall_ns(graph)], dtype=np.int64)


def use_paper_engine(
    monkeypatch: pytest.MonkeyPatch, clock: FakeClock, *, interrupt: str = "", refused: str = "", count: int = 8
) -> list[str]:
    """Let learning open paper models; gives the list of those opened. The model `interrupt` presses Ctrl-C in its tenth run,
    and the engine does not take the model `refused`.
    """
    opened: list[str] = []

    def configuration_of(request: Request) -> dict[str, int | str]:
        said: dict[str, int | str] = json.loads((Path(str(request.model)) / "config.json").read_text())
        return said

    def open_paper(request: Request) -> PaperEngineSession:
        name = Path(str(request.model)).name
        assert request.engine == ENGINE
        assert request.shared is not None
        assert request.tokens is not None
        if name == refused:
            raise Unsupported("The paper engine takes no such model.")
        opened.append(name)
        configuration = configuration_of(request)
        graph = graph_of(configuration, request.tokens)
        script = Script(graph, whole_ns(graph), (1.0, 1.01), interrupt_at=9 if name == interrupt else None)
        return PaperEngineSession(script, clock, plan=PLAN, configuration=configuration)

    def structure(request: Request) -> Graph:
        assert request.engine == "torch"
        assert request.tokens is not None
        return graph_of(configuration_of(request), request.tokens)

    there = SimpleNamespace(title="Paper Runtime", require=lambda: None)
    monkeypatch.setattr(harvesting, "open_session", open_paper)
    monkeypatch.setattr(harvesting, "prepare", lambda *_: None)
    monkeypatch.setattr(observing, "structure_of", structure)
    monkeypatch.setattr(learn, "engine_named", lambda _: there)
    monkeypatch.setattr(learn, "engine_cases", lambda: cases(count))
    monkeypatch.setattr(ablation, "is_there", lambda: False)  # the graph network has tests of its own
    return opened
