"""Cycles that were recorded on CUDA devices (`bench/record_cuda.py`), read by whatever this version has become."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from paper_device import Planted, device_cycle

from cyclescope.core.cycle import Cycle
from cyclescope.explaining.explain import explain
from cyclescope.machines.catalog import find_machine
from cyclescope.report.documents.cycle.document import cycle_document
from cyclescope.report.documents.figures import dump
from cyclescope.report.media.html.html import render
from cyclescope.report.media.terminal import to_text
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.store.run_file import load, save

FOLDER = Path(__file__).parents[2] / "data" / "cuda"
RECORDED = sorted(FOLDER.glob("*.cycle"))
_MOST_BYTES = 5_000_000  # test data is small


def hold(path: Path) -> Cycle:
    """What must hold of any recorded cycle."""
    assert path.stat().st_size < _MOST_BYTES
    cycle = load(path)
    assert cycle.plan.device.startswith("cuda")
    assert cycle.taken_at[:10] in path.name, "the file is dated"
    assert not cycle.workload.texts, "no text is kept"
    explanation = explain(cycle)
    told = explanation.device
    assert told is not None
    parts = float(told.busy_ns.sum() + told.unclear_ns.sum() + told.idle_ns.sum()) + told.tail_ns
    assert parts == pytest.approx(told.span_ns)
    assert 0.7 < told.of_wall.value < 1.3, "the line of the device is about as long as a cycle"
    assert told.working > 0
    assert told.held > 0
    if find_machine(cycle.machine.processor) is not None:
        assert explanation.roofline is not None
        assert explanation.roofline.on_device
    assert "Device activity" in to_text(cycle_page(explanation), 80)
    assert 'id="device"' in render(explanation)
    assert dump(cycle_document(explanation))
    return cycle


NOTHING = pytest.param(
    None, marks=pytest.mark.skip("nobody has recorded a cycle on a CUDA device yet: make record-cuda")
)


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in RECORDED] or [NOTHING])
def test_a_recorded_cycle_still_says_what_the_device_did(path: Path) -> None:
    hold(path)


def test_what_is_asked_of_them_can_be_met_and_missed(tmp_path: Path) -> None:
    cycle = device_cycle([Planted(30_000)] * 5)
    path = tmp_path / f"paper-{cycle.taken_at[:10]}.cycle"
    save(cycle, path)
    assert hold(path).samples.device is not None
    save(replace(cycle, samples=replace(cycle.samples, device=None)), path)
    with pytest.raises(AssertionError):
        hold(path)
