"""Kept ceilings go into every cycle that is measured on the same machine, and stay what they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from paper_ceilings import ceilings_of
from paper_models import paper_bert

from cyclescope.backends.paper import PAPER_MACHINE, PaperSession, Script
from cyclescope.core.cycle import Cycle
from cyclescope.core.machine import Machine
from cyclescope.explaining.explain import explain
from cyclescope.machines.catalog import find_machine
from cyclescope.measuring.measure import measure_session
from cyclescope.store.calibration_file import keep
from cyclescope.store.run_file import load, save

GRAPH = paper_bert()
CEILINGS = ceilings_of(PAPER_MACHINE, engine="paper")


def measured(machine: Machine = PAPER_MACHINE) -> Cycle:
    session = PaperSession(Script(GRAPH, np.full(len(GRAPH.slots), 1000, dtype=np.int64)), machine=machine)
    return measure_session(session, 50_000_000, clock=session.clock)


def test_a_measured_cycle_carries_what_is_kept_of_its_machine(home: Path) -> None:
    assert measured().machine.ceilings is None
    keep(CEILINGS)
    assert measured().machine.ceilings == CEILINGS


def test_a_machine_that_changed_carries_none(home: Path) -> None:
    keep(CEILINGS)
    assert measured(replace(PAPER_MACHINE, cores=64)).machine.ceilings is None


@pytest.mark.parametrize("damage", [b"", b"{", b"\x00" * 99])
def test_a_calibration_that_cannot_be_read_is_no_reason_not_to_measure(home: Path, damage: bytes) -> None:
    keep(CEILINGS).write_bytes(damage)
    assert measured().machine.ceilings is None


def test_an_old_run_keeps_its_own_ceilings_and_never_takes_those_of_today(home: Path, tmp_path: Path) -> None:
    without, own = tmp_path / "without.cycle", tmp_path / "with.cycle"
    save(measured(), without)
    keep(CEILINGS)
    save(measured(), own)
    keep(ceilings_of(PAPER_MACHINE, engine="paper", value=5e9))
    assert load(without).machine.ceilings is None
    assert load(own).machine.ceilings == CEILINGS


def test_a_cycle_of_a_known_device_without_ceilings_is_told_against_its_maker(home: Path) -> None:
    device = replace(PAPER_MACHINE, processor="NVIDIA H100 PCIe", device="cuda:0")
    cycle = measured(device)
    roofline = explain(replace(cycle, plan=replace(cycle.plan, device="cuda:0"))).roofline
    assert roofline is not None
    assert roofline.ceilings == find_machine("NVIDIA H100 PCIe")
