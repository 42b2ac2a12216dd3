"""The sliders of the page have the timing model of `predict`: a slider and the setting of the same name give the same time."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from paper_models import PAPER_BERT_WORKLOAD as WORKLOAD
from paper_models import paper_bert
from paper_predictions import ERRORS, MACHINE, PLAN, TOKENIZER, ceilings

from cyclescope.core.ceilings import Ceilings, Figure
from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.graph import Graph
from cyclescope.core.plan import Plan
from cyclescope.explaining.explain import explain
from cyclescope.predicting.analytic import AnalyticModel
from cyclescope.predicting.prediction import predicted_cycle
from cyclescope.predicting.settings import Setting, Settings, changed_machine
from cyclescope.report.drawings.whatif import what_if_drawing

SCRIPT = Path(__file__).parents[2] / "js" / "whatif_lines.js"
# Errors whose median is not zero, so that a prediction is moved.
MOVED = replace(ERRORS, cycles=tuple(error + 0.3 for error in ERRORS.cycles))
CHANGES: tuple[dict[str, float], ...] = (
    {},
    {"bandwidth": 2.0},
    {"flops": 4.0},
    {"bandwidth": 0.25, "flops": 8.0},
    {"overhead": 0.5},
    {"overhead": 2.0, "flops": 0.5},
    {"overhead": 0.0},
    {"threads": 2},
    {"threads": 2, "bandwidth": 2.0, "flops": 2.0, "overhead": 0.3},
)


def predicted(graph: Graph, plan: Plan, known: Ceilings, change: dict[str, float]) -> Cycle:
    """What `predict --set …` gives."""
    threads = int(change.get("threads", plan.threads))
    factors = Settings(tuple(Setting(name, value) for name, value in change.items() if name != "threads"))
    machine, changed = changed_machine(replace(MACHINE, ceilings=known), known, factors)
    plan, model = replace(plan, threads=threads), AnalyticModel(MOVED, TOKENIZER)
    durations = replace(model.predict(graph, plan, changed), widening=1.0)
    return predicted_cycle(graph, WORKLOAD, plan, machine, model, durations)


def wall(cycle: Cycle) -> float:
    return explain(cycle).wall.value_ns


def by_script(data: dict[str, Any], changes: tuple[dict[str, float], ...], threads: int) -> list[tuple[float, float]]:
    """Total and floor of each of `changes`, by the page's script."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("Node.js must be on the path, and is not; `make test` installs it or says how")
    settings = [
        {
            "threads": change.get("threads", threads),
            "bandwidth": change.get("bandwidth", 1),
            "peak": change.get("flops", 1),
            "overhead": change.get("overhead", 1),
        }
        for change in changes
    ]
    asked = json.dumps({"data": data, "settings": settings}, default=str)
    done = subprocess.run([node, str(SCRIPT)], input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [tuple(pair) for pair in json.loads(done.stdout)]


def data_of(cycle: Cycle) -> dict[str, Any]:
    explanation = explain(cycle)
    assert explanation.roofline is not None
    return what_if_drawing(explanation, explanation.roofline).data


@pytest.mark.parametrize("graph", [paper_bert(2), paper_bert(12, hidden=64)], ids=["short", "deep"])
def test_a_slider_is_the_setting_of_its_name_on_a_processor(graph: Graph) -> None:
    data = data_of(predicted(graph, PLAN, ceilings(), {}))
    assert data["lanes"] == "added"
    found = by_script(data, CHANGES, PLAN.threads)
    for change, (total, _) in zip(CHANGES, found, strict=True):
        assert total == pytest.approx(wall(predicted(graph, PLAN, ceilings(), change)), rel=1e-4), change
    assert len({round(total) for total, _ in found}) > 6


def launching(launch_ns: float) -> Ceilings:
    """The paper machine as a device that takes so long to launch an operation."""
    known = ceilings()
    figure = Figure(launch_ns, launch_ns, launch_ns, 20, "probe on paper")
    return replace(
        known,
        products=tuple(replace(row, threads=0) for row in known.products if row.threads == 1),
        bandwidths=tuple(replace(row, threads=0) for row in known.bandwidths if row.threads == 1),
        overheads=replace(
            known.overheads, launch_ns=figure if launch_ns else None, dispatch_ns=None, module_call_ns=None
        ),
    )


@pytest.mark.parametrize("launch_ns", [0.0, 2_000.0, 40_000.0, 1_000_000.0])
def test_a_slider_is_the_setting_of_its_name_on_a_device(launch_ns: float) -> None:
    graph, plan, known = paper_bert(2), replace(PLAN, device="cuda", threads=0), launching(launch_ns)
    data = data_of(predicted(graph, plan, known, {}))
    assert (data["lanes"], data["threads"]) == ("overlapped", [])
    assert (data["order"] is None) == (launch_ns == 0)
    changes = tuple(change for change in CHANGES if "threads" not in change)
    if not launch_ns:
        changes = tuple(change for change in changes if "overhead" not in change)
    for change, (total, _) in zip(changes, by_script(data, changes, 0), strict=True):
        assert total == pytest.approx(wall(predicted(graph, plan, known, change)), rel=1e-4), change


def test_launches_overlap_with_work() -> None:
    graph, plan = paper_bert(2), replace(PLAN, device="cuda", threads=0)
    without, hidden, waited = (wall(predicted(graph, plan, launching(ns), {})) for ns in (0.0, 10.0, 1_000_000.0))
    assert hidden == pytest.approx(without, rel=0.01)
    launches = len(graph)
    assert waited < 1.36 * (1_000_000 * launches + without)
    assert waited > 1_000_000 * launches * 0.5


def learned(cycle: Cycle) -> Cycle:
    """The same times, said by a timing model that does not take operations at their ceilings."""
    said = cycle.samples.prediction
    assert said is not None
    return replace(cycle, samples=replace(cycle.samples, prediction=replace(said, timing_model="learned")))


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_predicted_at_its_ceilings_is_its_own_floor(change: dict[str, float]) -> None:
    cycle = predicted(paper_bert(2), PLAN, ceilings(), {})
    found = explain(cycle).roofline
    assert found is not None
    data = data_of(cycle)
    assert data["at_ceilings"]
    ((total, floor),) = by_script(data, (change,), PLAN.threads)
    assert floor == pytest.approx(total - found.python_ns * change.get("overhead", 1), rel=1e-6)


@pytest.mark.parametrize("change", CHANGES[1:6])
def test_the_floor_is_that_of_the_changed_ceilings(change: dict[str, float]) -> None:
    graph = paper_bert(2)
    (_, (_, floor)) = by_script(data_of(learned(predicted(graph, PLAN, ceilings(), {}))), ({}, change), 1)
    changed = explain(learned(predicted(graph, PLAN, ceilings(), change))).roofline
    assert changed is not None
    text = float(changed.time_ns[[b.value == "nothing" for b in changed.bounds]].sum())
    bounds = [changed.compute_ns, changed.memory_ns, changed.overhead_ns]
    assert floor == pytest.approx(sum(map(max, zip(*bounds, strict=True))) + text, rel=1e-4)
