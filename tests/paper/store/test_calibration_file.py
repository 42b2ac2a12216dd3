"""Calibrations on disk: kept, found again, refused, and never in the way of measuring."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from paper_ceilings import TAKEN, ceilings_of

from cyclescope.backends.paper import PAPER_MACHINE
from cyclescope.core.ceilings import Ceilings, Figure
from cyclescope.core.errors import CalibrationFileError, OutputError
from cyclescope.machines.fingerprint import Trait, TraitChange, changes, fingerprint, freshness
from cyclescope.store.calibration_file import (
    clearly_quieter,
    folder,
    keep,
    load_calibration,
    nearest,
    stored_calibrations,
    with_ceilings,
)

MACHINE = replace(PAPER_MACHINE, packages=(("torch", "2.13.0"), ("numpy", "2.0")), instruction_set="avx2")
CEILINGS = ceilings_of(MACHINE)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_what_is_kept_is_found_again_unchanged() -> None:
    path = keep(CEILINGS)
    assert load_calibration(path) == CEILINGS
    assert with_ceilings(MACHINE, "torch").ceilings == CEILINGS


def test_a_second_calibration_takes_the_place_of_the_first_and_leaves_no_other_file() -> None:
    first, second = keep(CEILINGS), keep(ceilings_of(MACHINE, value=3e9))
    assert first == second
    assert [path.name for path in first.parent.iterdir()] == [first.name]
    assert load_calibration(first) == ceilings_of(MACHINE, value=3e9)


def _with_noise(value: float, taken_at: str = TAKEN) -> Ceilings:
    noise = Figure(value, 0.8 * value, 1.2 * value, 500, "A/A")
    return replace(ceilings_of(MACHINE, taken_at=taken_at), noise=noise)


def test_a_clearly_quieter_calibration_of_the_same_machine_is_known() -> None:
    now = datetime.fromisoformat(TAKEN) + timedelta(days=1)
    path = keep(_with_noise(0.01))
    found = clearly_quieter(_with_noise(0.04), now)
    assert found is not None
    assert found.path == path
    assert clearly_quieter(_with_noise(0.014), now) is None  # the intervals touch
    assert clearly_quieter(_with_noise(0.005), now) is None
    assert clearly_quieter(replace(_with_noise(0.04), noise=None), now) is None
    assert clearly_quieter(_with_noise(0.04), now + timedelta(days=400)) is None  # what is too old is no use
    other = replace(MACHINE, cores=1)
    assert clearly_quieter(replace(_with_noise(0.04), fingerprint=fingerprint(other, "torch")), now) is None


def test_a_noise_beyond_use_is_not_kept_but_what_the_machine_reaches_is() -> None:
    kept = load_calibration(keep(_with_noise(29.9)))
    assert kept == replace(_with_noise(29.9), noise=None)
    assert load_calibration(keep(_with_noise(0.5))).noise is not None


def test_another_machine_engine_or_device_is_kept_apart() -> None:
    other = replace(MACHINE, processor="another")
    keep(CEILINGS)
    keep(ceilings_of(other, value=5e9))
    keep(ceilings_of(MACHINE, engine="onnxruntime", value=7e9))
    keep(ceilings_of(replace(MACHINE, device="cuda"), value=9e9))
    assert with_ceilings(MACHINE, "torch").ceilings == CEILINGS
    assert with_ceilings(other, "torch").ceilings == ceilings_of(other, value=5e9)
    assert with_ceilings(MACHINE, "openvino").ceilings is None


@pytest.mark.parametrize(
    ("changed", "trait"),
    [
        (replace(MACHINE, processor="another"), Trait.PROCESSOR),
        (replace(MACHINE, cores=1), Trait.CORES),
        (replace(MACHINE, memory_bytes=64 << 30), Trait.MEMORY),
        (replace(MACHINE, instruction_set="avx512f avx2"), Trait.INSTRUCTION_SET),
        (replace(MACHINE, virtual=True), Trait.VIRTUAL),
        (replace(MACHINE, packages=(("torch", "2.14.0"),)), Trait.VERSION),
    ],
)
def test_ceilings_of_a_machine_that_changed_are_found_but_not_taken(changed: object, trait: Trait) -> None:
    keep(CEILINGS)
    assert isinstance(changed, type(MACHINE))
    assert with_ceilings(changed, "torch").ceilings is None
    found = nearest(stored_calibrations("torch", "cpu"), changed, "torch")
    assert found is not None
    state = freshness(found.ceilings, changed, "torch", datetime.fromisoformat(TAKEN))
    assert [change.trait for change in state.changed] == [trait]
    assert not state.fresh


def test_what_changed_is_told_with_both_sides() -> None:
    now = replace(MACHINE, cores=1, packages=())
    assert changes(fingerprint(MACHINE, "torch"), fingerprint(now, "torch")) == (
        TraitChange(Trait.CORES, "2", "1"),
        TraitChange(Trait.VERSION, "2.13.0", ""),
    )


def test_a_kernel_that_keeps_a_little_more_memory_changes_nothing() -> None:
    keep(CEILINGS)
    assert with_ceilings(replace(MACHINE, memory_bytes=MACHINE.memory_bytes - 5_000_000), "torch").ceilings == CEILINGS


def test_nothing_of_a_name_can_make_two_lines_of_a_fingerprint() -> None:
    hostile = replace(MACHINE, processor="x\ncores=64\nvirtual=yes")
    assert changes(fingerprint(hostile, "torch"), fingerprint(MACHINE, "torch")) == (
        TraitChange(Trait.PROCESSOR, "x cores=64 virtual=yes", "paper"),
    )


@pytest.mark.parametrize(("days", "fresh"), [(0, True), (90, True), (90.1, False), (400, False)])
def test_it_is_stale_after_ninety_days(days: float, fresh: bool) -> None:
    now = datetime.fromisoformat(TAKEN) + timedelta(days=days)
    assert freshness(CEILINGS, MACHINE, "torch", now).fresh is fresh


def test_a_date_that_cannot_be_read_is_stale() -> None:
    assert not freshness(replace(CEILINGS, taken_at="yesterday"), MACHINE, "torch", datetime.now(UTC)).fresh


def test_the_one_that_differs_least_is_nearest() -> None:
    keep(ceilings_of(replace(MACHINE, cores=64, processor="other")))
    keep(ceilings_of(replace(MACHINE, cores=4)))
    found = nearest(stored_calibrations("torch", "cpu"), MACHINE, "torch")
    assert found is not None
    assert found.ceilings == ceilings_of(replace(MACHINE, cores=4))


def test_the_place_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder() == tmp_path / "home" / "calibrations"
    monkeypatch.delenv("CYCLESCOPE_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert folder() == tmp_path / "data" / "cyclescope" / "calibrations"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder() == tmp_path / ".local" / "share" / "cyclescope" / "calibrations"


def damaged(path: Path) -> dict[str, bytes]:
    """What may stand in the place of a kept file."""
    whole = path.read_bytes()
    document = json.loads(whole)

    def with_(**fields: object) -> bytes:
        return json.dumps({**document, **fields}).encode()

    impossible = json.loads(whole)
    impossible["ceilings"]["products"]["$rows"]["flops_per_s"][0]["value"] = -1.0
    return {
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "binary": b"\x80\x04\x95",
        "not utf-8": b"\xff\xfe{",
        "foreign": b'{"schema": "something/else", "version": 1}',
        "list": b"[]",
        "deep": b"[" * 100_000,
        "newer": with_(version=2),
        "no version": with_(version=None),
        "bool version": with_(version=True),
        "no ceilings": with_(ceilings=None),
        "wrong kind": with_(ceilings={**document["ceilings"], "products": 3}),
        "impossible": json.dumps(impossible).encode(),
        "not a number": whole.replace(b'"value": 1000000000.0', b'"value": NaN', 1),
        "huge": b" " * 5_000_000,
    }


KINDS = (
    "cut", "empty", "binary", "not utf-8", "foreign", "list", "deep", "newer", "no version", "bool version",
    "no ceilings", "wrong kind", "impossible", "not a number", "huge",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_none_is_refused_clearly_and_does_not_keep_anybody_from_measuring(kind: str) -> None:
    path = keep(CEILINGS)
    path.write_bytes(damaged(path)[kind])
    with pytest.raises(CalibrationFileError) as refused:
        load_calibration(path)
    assert refused.value.exit_code == 4
    assert refused.value.fact
    assert refused.value.way_out
    assert ("format 2" in str(refused.value.cause)) is (kind == "newer")
    assert with_ceilings(MACHINE, "torch") == MACHINE
    assert [error.fact for error in stored_calibrations("torch", "cpu").broken] == [refused.value.fact]


def test_a_folder_in_the_place_of_a_file_is_refused() -> None:
    path = keep(CEILINGS)
    path.unlink()
    path.mkdir()
    assert with_ceilings(MACHINE, "torch") == MACHINE
    with pytest.raises(OutputError):
        keep(CEILINGS)


def test_a_home_that_cannot_be_written_says_so_and_measuring_goes_on(home: Path) -> None:
    home.write_text("a file where the folder should be")
    with pytest.raises(OutputError) as refused:
        keep(CEILINGS)
    assert "CYCLESCOPE_HOME" in str(refused.value.way_out)
    assert with_ceilings(MACHINE, "torch") == MACHINE


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_home_is_refused(home: Path) -> None:
    home.mkdir(mode=0o500)
    with pytest.raises(OutputError):
        keep(CEILINGS)


def test_a_machine_that_has_ceilings_already_keeps_them() -> None:
    keep(CEILINGS)
    own = replace(MACHINE, ceilings=ceilings_of(MACHINE, value=3e9))
    assert with_ceilings(own, "torch") is own
