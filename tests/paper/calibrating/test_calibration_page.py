"""The page and the document of `calibrate`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from paper_calibration import CEILINGS, MACHINE, NOW, told
from paper_ceilings import TAKEN

from cyclescope.cli.ceilings import kept_of
from cyclescope.cli.main import run
from cyclescope.core.ceilings import Figure
from cyclescope.core.samples import Load
from cyclescope.machines.catalog import find_machine
from cyclescope.machines.fingerprint import Trait, freshness
from cyclescope.report.documents.calibration import calibration_document
from cyclescope.report.documents.figures import dump
from cyclescope.report.media.terminal import to_text
from cyclescope.report.naming.machine import TRAITS
from cyclescope.report.pages.calibration import Calibration, calibration_page
from cyclescope.store.calibration_file import keep


def text(found: Calibration, language: str = "en", width: int = 80) -> str:
    return to_text(calibration_page(found), width, language=language)


def test_the_page_tells_every_ceiling() -> None:
    page = " ".join(text(told()).split())
    for told_there in (
        "Matrix products reach 20.0 GFLOP/s (float32); memory reaches 30.0 GB/s; an operation takes at least 900 ns.",
        "type rows 1 thread 2 threads low end",
        "float32 1 1.00 GFLOP/s 2.00 GFLOP/s 1.80 GFLOP/s",
        "float32 64 10.0 GFLOP/s 20.0 GFLOP/s 18.0 GFLOP/s",
        "L1 32.0 kB 100 GB/s 200 GB/s 180 GB/s",
        "±1.0 % (0.80 % to 1.2 %), 500 A/A pairs",
        "operation (neg) 900 ns",
        "/kept/torch.json",
    ):
        assert told_there in page


def test_what_a_quieter_one_keeps_from_being_kept_says_so() -> None:
    page = " ".join(text(told(path=None, quieter=replace(CEILINGS, noise=Figure(0.004, 0.003, 0.005, 9, "")))).split())
    assert f"the calibration of {TAKEN} stays, because it has less noise (±0.40 %; now ±1.0 %)" in page
    assert "--force" in page
    assert "not stored" in page


def test_a_noise_beyond_use_is_told_as_a_disturbance() -> None:
    disturbed = replace(CEILINGS, noise=Figure(29.9, 1.0, 60.0, 30, "A/A"))
    assert "Two runs of the same work differed by ±2,990 %" in " ".join(text(told(ceilings=disturbed)).split())
    assert "disturbance" not in text(told())


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [80, 200])
def test_no_number_is_cut_on_a_machine_of_many_threads(language: str, width: int) -> None:
    many = tuple(
        replace(product, threads=threads)
        for threads in (1, 2, 4, 8, 16, 32, 64, 128)
        for product in CEILINGS.products[::2]
    )
    page = text(told(ceilings=replace(CEILINGS, products=many)), language, width)
    assert "…" not in page
    assert "{" not in page
    assert "1.00 GFLOP/s" in page
    assert "10.0 GFLOP/s" in page
    assert page.count("GFLOP/s") >= 2 * (2 if width == 80 else 8)


def test_a_fresh_one_is_said_to_be_and_a_stale_one_says_why() -> None:
    assert "Fresh" in text(told())
    changed = freshness(CEILINGS, replace(MACHINE, cores=1), "torch", NOW)
    page = " ".join(text(told(freshness=changed)).split())
    assert "usable cores: 2 → 1" in page
    assert "Fresh" not in page
    old = freshness(CEILINGS, MACHINE, "torch", NOW + timedelta(days=99))
    assert "100 days old" in text(told(freshness=old))


def test_others_that_ran_meanwhile_are_told() -> None:
    assert "Other processes used 40.0 % of the cores" in text(told(load=Load(0.4)))
    assert "Other processes" not in text(told(load=Load(0.01)))


def test_where_nothing_was_measured_the_maker_has_the_word() -> None:
    page = " ".join(text(Calibration("NVIDIA H100 PCIe", find_machine("NVIDIA H100 PCIe"))).split())
    assert "has not been calibrated" in page
    assert "756 TFLOP/s (bfloat16)" in page
    assert "2.00 TB/s" in page
    assert "https://" in page
    assert "has not been calibrated" in text(Calibration("unheard of", None))


def figure_of(told: dict[str, Any], scale: float = 1.0) -> Figure:
    low, high = (told["value"] if end is None else end for end in (told["low"], told["high"]))
    return Figure(told["value"] * scale, low * scale, high * scale, told["n"] or 0, told["source"])


def test_the_document_holds_the_ceilings_as_they_are_kept() -> None:
    document = json.loads(dump(calibration_document(told())))
    assert document["schema"] == "cyclescope/calibration-report/2"
    ceilings = document["ceilings"]
    for name in ("origin", "machine", "engine", "taken_at", "fingerprint"):
        assert ceilings[name] == getattr(CEILINGS, name)
    rates = [(row["dtype"], row["rows"], row["threads"], figure_of(row["rate"])) for row in ceilings["products"]]
    assert rates == [(row.dtype, row.rows, row.threads, row.flops_per_s) for row in CEILINGS.products]
    levels = [
        (row["level"], row["capacity_bytes"], row["threads"], figure_of(row["rate"])) for row in ceilings["bandwidths"]
    ]
    assert levels == [(row.level, row.capacity_bytes, row.threads, row.bytes_per_s) for row in CEILINGS.bandwidths]
    assert figure_of(ceilings["noise"]) == CEILINGS.noise
    for name in ("dispatch", "module_call", "launch"):
        there, kept = ceilings["overheads"][name], getattr(CEILINGS.overheads, f"{name}_ns")
        assert (there is None) == (kept is None)
        assert there is None or figure_of(there, 1e9).value == pytest.approx(kept.value)
    assert document["fresh"] is True
    assert document["changed"] == []
    assert json.loads(dump(calibration_document(Calibration("nothing", None))))["ceilings"] is None


def test_a_hostile_name_is_harmless() -> None:
    page = text(
        told(ceilings=replace(CEILINGS, machine="\x1b[31m[red]x[/red]"), machine="\x1b[31m[red]x[/red]"), width=200
    )
    assert "\x1b" not in page
    assert "[red]x[/red]" in page


def test_every_trait_has_a_name() -> None:
    assert set(TRAITS) == set(Trait)


def test_show_finds_what_is_kept_else_the_makers_figures(home: Path) -> None:
    assert kept_of(MACHINE, "torch").ceilings is None
    known = replace(MACHINE, processor="AMD EPYC 9654 96-Core Processor")
    assert kept_of(known, "torch").ceilings == find_machine("AMD EPYC 9654")
    path = keep(CEILINGS)
    found = kept_of(MACHINE, "torch")
    assert (found.ceilings, found.path) == (CEILINGS, path)
    path.write_bytes(b"")
    assert [error.exit_code for error in kept_of(MACHINE, "torch").broken] == [4]


def test_show_runs_without_an_engine_and_says_what_is_missing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["calibrate", "--show", "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["path"] is None


@pytest.mark.parametrize("threads", ["", "1,,2", "a", "1.5", "-1", "²"])
def test_threads_that_are_no_list_are_a_usage_error(threads: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["calibrate", "--threads", threads])
    assert ended.value.code == 2
    assert "--threads" in capsys.readouterr().err
