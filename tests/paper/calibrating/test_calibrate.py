"""`calibrate` on paper machines whose ceilings are planted: every figure known in advance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from paper_ceilings import BYTES, FLOPS, WANTED, probes

from cyclescope.backends.paper_probes import PAPER_CACHES, PaperProbes
from cyclescope.calibrating import calibrate as module
from cyclescope.calibrating.calibrate import calibrate, calibrate_probes
from cyclescope.core.ceilings import Ceilings, Origin
from cyclescope.core.errors import UsageError
from cyclescope.machines.caches import CacheLevel
from cyclescope.machines.fingerprint import fingerprint


def calibrated(machine: PaperProbes) -> Ceilings:
    return calibrate_probes(machine, WANTED, clock=machine.clock)


def test_every_planted_ceiling_is_found() -> None:
    machine = probes()
    found = calibrated(machine)
    assert {(p.dtype, p.rows, p.threads) for p in found.products} == {
        (dtype, rows, threads) for dtype in FLOPS for rows in (1, 16, 256) for threads in (1, 2)
    }
    for p in found.products:
        planted = FLOPS[p.dtype] * p.rows / (p.rows + 4) * p.threads
        assert p.flops_per_s.value == pytest.approx(planted, rel=1e-4)
        assert p.flops_per_s.low == pytest.approx(planted, rel=1e-4)
    for level in found.bandwidths:
        assert level.bytes_per_s.value == pytest.approx(BYTES[level.level] * level.threads, rel=1e-4)
    assert [(b.level, b.capacity_bytes) for b in found.bandwidths if b.threads == 1] == [
        *((cache.name, cache.capacity_bytes) for cache in PAPER_CACHES),
        ("memory", 0),
    ]
    overheads = found.overheads
    assert overheads.dispatch_ns is not None
    assert overheads.module_call_ns is not None
    assert (overheads.dispatch_ns.value, overheads.dispatch_ns.source) == (800, "neg")
    assert overheads.module_call_ns.value == 500
    assert overheads.launch_ns is None
    assert found.origin is Origin.MEASURED
    assert found.fingerprint == fingerprint(machine.machine, "paper")


def test_a_launch_is_measured_where_there_is_something_to_launch_on() -> None:
    found = calibrated(probes(launch_ns=4000, module_call_ns=None)).overheads
    assert found.launch_ns is not None
    assert found.launch_ns.value == 4000
    assert found.module_call_ns is None


@pytest.mark.parametrize("width", [1024, 2048, 320])
def test_of_several_shapes_the_one_that_runs_best_is_the_ceiling(width: int) -> None:
    """Every other width reaches half."""
    peak = calibrated(probes(best_width=width)).peak("float32", 1)
    assert peak is not None
    assert peak.value == pytest.approx(FLOPS["float32"] * 256 / 260, rel=1e-4)
    assert peak.source.endswith(f", {width}]")


def test_a_device_is_one_whole_whatever_the_threads() -> None:
    machine = probes(caches_here=(CacheLevel("L2", 50 << 20),), bytes_per_s={"L2": 5e12, "memory": 2e12})
    found = calibrate_probes(machine, replace(WANTED, threads=(0,), on_device=True), clock=machine.clock)
    assert {p.threads for p in found.products} == {b.threads for b in found.bandwidths} == {0}
    peak, memory = found.peak("float32", 13), found.bandwidth(1 << 30, 13)
    assert peak is not None
    assert memory is not None
    assert peak.value == pytest.approx(FLOPS["float32"] * 256 / 260, rel=1e-4)
    assert memory.bytes_per_s.value == pytest.approx(2e12, rel=1e-3)


def test_an_update_in_place_counts_where_it_moves_more_than_reading() -> None:
    levels = {(b.level, b.threads): b.bytes_per_s for b in calibrated(probes(update=1.5)).bandwidths}
    assert levels["memory", 1].value == pytest.approx(1.5 * BYTES["memory"], rel=1e-4)
    assert levels["memory", 1].source.startswith("update")
    assert levels["L1", 1].value == pytest.approx(BYTES["L1"], rel=1e-4)  # too small to be updated in a timed call
    assert levels["L1", 1].source.startswith("read")


def test_disturbances_do_not_lower_a_ceiling() -> None:
    """Two thirds of all slices take up to nine times as long."""
    found = calibrated(probes(pace=(1.0, 9.0, 1.7)))
    peak = found.peak("float32", 2)
    assert peak is not None
    assert peak.value == pytest.approx(2 * FLOPS["float32"] * 256 / 260, rel=1e-3)
    assert peak.low <= peak.value == peak.high


def test_the_interval_tells_of_disturbances() -> None:
    quiet, loud = (
        calibrated(probes()).peak("float32", 1),
        calibrated(probes(pace=(1.0, *[2.0] * 12))).peak("float32", 1),
    )
    assert quiet is not None
    assert loud is not None
    assert quiet.low == pytest.approx(quiet.value, rel=1e-4)
    assert loud.low < 0.6 * loud.value


def test_a_type_that_is_emulated_at_a_crawl_is_looked_at_once() -> None:
    machine = probes(flops_per_s={"float32": 100e9, "bfloat16": 4.9e9})
    slow = [p for p in calibrated(machine).products if p.dtype == "bfloat16"]
    assert [(p.rows, p.threads, p.flops_per_s.n) for p in slow] == [(64, 1, 1)]
    assert slow[0].flops_per_s.value == pytest.approx(4.9e9 * 64 / 68, rel=1e-3)
    just_fast_enough = calibrated(probes(flops_per_s={"float32": 100e9, "bfloat16": 5.1e9}))
    assert len([p for p in just_fast_enough.products if p.dtype == "bfloat16"]) == 6


def test_a_type_that_the_engine_does_not_know_is_left_out() -> None:
    found = calibrated(probes(flops_per_s={"float32": 100e9}))
    assert {p.dtype for p in found.products} == {"float32"}


def test_caches_that_the_machine_does_not_tell_are_found() -> None:
    found = calibrated(probes(reports_caches=False))
    assert [(b.level, b.capacity_bytes) for b in found.bandwidths if b.threads == 1] == [
        *((cache.name, cache.capacity_bytes) for cache in PAPER_CACHES),
        ("memory", 0),
    ]


def test_the_noise_of_a_silent_machine_is_nothing_and_that_of_a_loud_one_is_found() -> None:
    irregular = tuple(np.random.default_rng(3).uniform(0.9, 1.1, 997))
    silent, loud = calibrated(probes()).noise, calibrated(probes(pace=irregular)).noise
    assert silent is not None
    assert loud is not None
    assert (silent.value, silent.low, silent.high) == (0, 0, 0)
    assert 0 < loud.low <= loud.value <= loud.high < 0.2
    assert loud.n >= 6


def test_the_budget_is_kept() -> None:
    """The fake clock says how long it took: scouting and three rounds may exceed it, on this machine they do not."""
    machine = probes()
    calibrated(machine)
    assert machine.clock.now_ns() <= (WANTED.products_ns + WANTED.noise_ns) * 1.5


def test_progress_never_runs_backwards_within_a_phase() -> None:
    seen: list[tuple[str, float]] = []
    machine = probes()
    calibrate_probes(machine, WANTED, clock=machine.clock, progress=lambda phase, done: seen.append((phase, done)))
    assert list(dict.fromkeys(phase for phase, _ in seen)) == ["shapes", "measure", "A/A", "done"]
    for phase in ("shapes", "measure", "A/A"):
        parts = [done for name, done in seen if name == phase]
        assert parts == sorted(parts)
        assert 0 <= parts[0] <= parts[-1] <= 1


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> PaperProbes:
    machine = probes()
    monkeypatch.setattr(module, "open_probes", lambda device: machine)
    monkeypatch.setattr(module, "SystemClock", lambda: machine.clock)
    return machine


def test_what_is_calibrated_is_kept_and_the_probes_are_closed(
    opened: PaperProbes, home: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Ceilings] = []
    monkeypatch.setattr(module, "keep_file", kept.append)
    ceilings = calibrate(quick=True)
    assert kept == [ceilings]
    assert opened.closed
    calibrate(quick=True, keep=False)
    assert kept == [ceilings]


def test_interrupted_it_keeps_nothing_and_closes_the_probes(
    opened: PaperProbes, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Ceilings] = []
    monkeypatch.setattr(module, "keep_file", kept.append)
    opened.interrupt_after = 100
    with pytest.raises(KeyboardInterrupt):
        calibrate(quick=True)
    assert kept == []
    assert opened.closed


@pytest.mark.parametrize("threads", [(0,), (1, -2), (1_000_000,)])
def test_threads_that_cannot_be_are_refused_before_anything_is_opened(
    opened: PaperProbes, threads: tuple[int, ...]
) -> None:
    with pytest.raises(UsageError, match="must be whole numbers from 1 to 4096"):
        calibrate(threads=threads)
    assert opened.calls == 0
