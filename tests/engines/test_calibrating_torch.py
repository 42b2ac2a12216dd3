"""The probes and commands of calibration on a real PyTorch: what they do, never how fast."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import cyclescope
from cyclescope.backends.probing import Access
from cyclescope.backends.torch.probes import TorchProbes
from cyclescope.calibrating import calibrate as module
from cyclescope.calibrating.probe_plan import ProbePlan
from cyclescope.cli.main import run
from cyclescope.core.ceilings import MOST_NOISE, Figure
from cyclescope.core.errors import Unsupported
from cyclescope.core.units import NS_PER_S
from cyclescope.store.calibration_file import keep, load_calibration

SHORT = ProbePlan(("float32",), (1, 64), (1,), NS_PER_S // 10, NS_PER_S // 20, 1)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def probes() -> TorchProbes:
    return TorchProbes()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every calibration is a fraction of a second long."""
    monkeypatch.setattr(module, "probe_plan", lambda *arguments, **options: SHORT)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_product_takes_longer_the_larger_it_is(probes: TorchProbes, dtype: str) -> None:
    small, large = probes.product(dtype, 4, 64, 64, 1), probes.product(dtype, 64, 512, 512, 1)
    assert min(large(1) for _ in range(3)) > min(small(1) for _ in range(3)) > 0


def test_bytes_of_a_probe_are_those_that_its_operation_touches(probes: TorchProbes) -> None:
    read = probes.memory(Access.READ, 16 << 10, 1, private=True)
    assert read is not None
    assert read.moved_bytes % (16 << 10) == 0  # whole passes over the set
    plain, update = (probes.memory(access, 1 << 20, 1, private=False) for access in Access)
    assert plain is not None
    assert update is not None
    assert (plain.moved_bytes, update.moved_bytes) == (1 << 20, 2 << 20)
    own = probes.memory(Access.UPDATE, 1 << 20, 2, private=True)
    assert own is not None
    assert own.moved_bytes == 4 << 20  # each of two threads reads and writes its own


def test_what_is_too_small_for_a_timed_update_is_not_probed(probes: TorchProbes) -> None:
    assert probes.memory(Access.UPDATE, 16 << 10, 1, private=True) is None


def test_threads_are_those_that_are_asked_for_and_are_put_back(probes: TorchProbes) -> None:
    before = torch.get_num_threads()
    probes.product("float32", 1, 64, 64, before + 1)(1)
    assert torch.get_num_threads() == before + 1
    probes.close()
    assert torch.get_num_threads() == before


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(Unsupported, match="no device 'tpu'"):
        TorchProbes("tpu")


def test_calibrating_keeps_what_measuring_takes(short: None, home: Path) -> None:
    before = torch.get_num_threads()
    ceilings = cyclescope.calibrate()
    assert torch.get_num_threads() == before
    assert {(p.dtype, p.rows, p.threads) for p in ceilings.products} == {("float32", 1, 1), ("float32", 64, 1)}
    assert ceilings.overheads.dispatch_ns is not None
    assert ceilings.overheads.module_call_ns is not None
    assert ceilings.overheads.launch_ns is None
    linear = torch.nn.Linear(8, 8)
    cycle = cyclescope.measure(linear, inputs={"input": torch.ones(2, 8)}, budget=0.05, threads=1)
    assert cycle.machine.ceilings == replace(ceilings, noise=ceilings.usable_noise)  # as quiet as the machine is


def test_a_home_that_cannot_be_written_costs_nothing_but_a_warning(
    short: None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("CYCLESCOPE_HOME", str(home / "file"))
    with pytest.warns(UserWarning, match="cannot be written"):
        assert cyclescope.calibrate().products


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        run(list(arguments))
    written = capsys.readouterr()
    return int(ended.value.code or 0), written.out, written.err


def test_the_command_tells_keeps_and_shows(short: None, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = command(capsys, "calibrate", "--quick", "--json")
    document = json.loads(out)
    assert code == 0
    assert Path(document["path"]).is_file()
    code, out, _ = command(capsys, "calibrate", "--show", "--json")
    shown = json.loads(out)
    assert code == 0
    assert shown["fresh"] is True
    noise, kept = (figures["ceilings"].pop("noise") for figures in (document, shown))
    assert shown["ceilings"] == document["ceilings"]
    # A noise beyond use is told once and not kept.
    assert kept == noise or (kept is None and noise["value"] > MOST_NOISE)


def test_a_quieter_calibration_stays_unless_it_is_to_be_replaced(
    short: None, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = json.loads(command(capsys, "calibrate", "--quick", "--json")[1])
    path = Path(first["path"])
    quiet = load_calibration(path)
    quiet = replace(quiet, noise=Figure(1e-9, 1e-9, 1e-9, 500, "A/A"))
    keep(quiet)
    second = json.loads(command(capsys, "calibrate", "--quick", "--json")[1])
    assert (second["path"], second["quieter"]) == (None, quiet.taken_at)
    assert load_calibration(path) == quiet
    third = json.loads(command(capsys, "calibrate", "--quick", "--force", "--json")[1])
    assert (third["path"], third["quieter"]) == (str(path), None)
    assert load_calibration(path) != quiet


def test_what_cannot_be_kept_is_still_told(
    short: None, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("CYCLESCOPE_HOME", str(home / "file"))
    code, out, err = command(capsys, "calibrate", "--quick", "--json")
    assert code == 5
    assert json.loads(out)["path"] is None
    assert "CYCLESCOPE_HOME" in err


def test_doctor_says_a_line_a_topic(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cyclescope.cli.doctor._TRIAL_NS", NS_PER_S // 10)
    code, out, _ = command(capsys, "doctor", "--json")
    checks = {check["topic"]: check for check in json.loads(out)["checks"]}
    assert code == 0
    assert checks["calibration"]["outcome"] == "calibration-missing"
    assert "torch" in checks["engines"]["text"]
    assert checks["noise"]["outcome"] in ("noise-low", "noise-high")


# The command itself, which says when the probes begin: how long the imports before them take is not known.
_TELLING = """
from cyclescope.calibrating import calibrate as module
from cyclescope.cli.main import run

probing = module.calibrate_probes

def told(*arguments, **options):
    print("begun", flush=True)
    return probing(*arguments, **options)

module.calibrate_probes = told
run(["calibrate"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for one process")
def test_ctrl_c_keeps_nothing_and_ends_with_130(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _TELLING],
        env=os.environ | {"CYCLESCOPE_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "An incomplete calibration is not stored." in err
    assert list(home.rglob("*")) == []
