"""The machine that a cycle is predicted on: named, calibrated or given; and what is said where it is not known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from paper_ceilings import ceilings_of

from cyclescope.backends.registry import machine_for
from cyclescope.core.ceilings import Figure
from cyclescope.core.errors import Unsupported, UsageError
from cyclescope.predicting.target import THIS, target
from cyclescope.store.calibration_file import keep


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path))


def test_a_device_of_the_catalogue() -> None:
    found = target("NVIDIA H100 PCIe", "torch")
    assert (found.machine.processor, found.device, found.notes) == ("NVIDIA H100 PCIe", "cuda", ())
    assert found.machine.memory_bytes == 80_000_000_000


def test_a_name_that_could_be_two_machines_is_the_first_of_them_and_says_so() -> None:
    found = target("h100", "torch")
    assert found.machine.processor == "NVIDIA H100 SXM"
    assert "NVIDIA H100 PCIe" in str(found.notes[0])


def test_a_processor_of_the_catalogue_has_its_cores() -> None:
    found = target("AMD EPYC 7742", "torch")
    assert (found.device, found.machine.cores) == ("cpu", 64)


def test_an_unknown_machine_is_refused_with_what_is_like_it() -> None:
    with pytest.raises(UsageError, match=r"--on must be") as refused:
        target("nvidia h10", "torch")
    assert "H100" in str(refused.value.way_out)
    with pytest.raises(UsageError) as refused:
        target("?", "torch")
    assert "NVIDIA A100" in str(refused.value.way_out)


def test_this_machine_must_be_calibrated() -> None:
    with pytest.raises(Unsupported, match="must be calibrated") as refused:
        target(THIS, "torch")
    assert "cyclescope calibrate" in str(refused.value.way_out)


def test_this_machine_as_it_was_calibrated() -> None:
    keep(ceilings_of(machine_for()))
    found = target(THIS, "torch")
    assert found.ceilings == found.machine.ceilings == ceilings_of(machine_for())
    assert found.notes == ()
    assert target(THIS, "onnxruntime").ceilings == found.ceilings  # which is probed by the reference engine only


def test_a_machine_that_changed_says_what_did() -> None:
    keep(ceilings_of(replace(machine_for(), cores=977)))
    assert "cores" in str(target(THIS, "torch").notes[0])


def test_figures_that_are_given() -> None:
    given = ceilings_of(machine_for())
    found = target(THIS, "torch", given)
    assert (found.ceilings, found.device, found.machine.cores) == (given, "cpu", 2)


def test_a_disturbed_calibration_is_told_with_every_prediction() -> None:
    noise = Figure(29.9, 1.0, 60.0, 30, "A/A")
    keep(replace(ceilings_of(machine_for()), noise=noise))
    (note,) = target(THIS, "torch").notes
    assert "was disturbed while it was calibrated" in str(note)
