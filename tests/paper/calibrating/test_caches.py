"""Caches as Linux tells them, from files that are laid out like its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cyclescope.machines.caches import CacheLevel, read_caches


def machine(root: Path, cpus: int, caches: dict[str, tuple[str, str, str, int]], *, siblings: int = 1) -> Path:
    """`caches`: by index folder its level, type, size, and how many neighbouring processors share it."""
    for cpu in range(cpus):
        topology = root / f"cpu{cpu}/topology"
        topology.mkdir(parents=True)
        first = cpu // siblings * siblings
        (topology / "thread_siblings_list").write_text(f"{first}-{first + siblings - 1}\n")
        for index, (level, kind, size, sharing) in caches.items():
            cache = root / f"cpu{cpu}/cache/{index}"
            cache.mkdir(parents=True)
            begin = cpu // sharing * sharing
            for name, text in (
                ("level", level), ("type", kind), ("size", size), ("shared_cpu_list", f"{begin}-{begin + sharing - 1}"),
            ):  # fmt: skip
                (cache / name).write_text(f"{text}\n")
    return root


@pytest.fixture
def of(monkeypatch: pytest.MonkeyPatch) -> object:
    """Makes this process believe that it may use the given processors."""

    def become(count: int) -> None:
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(count)), raising=False)

    return become


USUAL = {
    "index0": ("1", "Data", "32K", 1),
    "index1": ("1", "Instruction", "64K", 1),
    "index2": ("2", "Unified", "1024K", 1),
    "index3": ("3", "Unified", "32768K", 4),
}


def test_private_and_shared_caches_are_told_apart(tmp_path: Path, of: object) -> None:
    of(8)  # type: ignore[operator]
    assert read_caches(machine(tmp_path, 8, USUAL)) == (
        CacheLevel("L1", 32 << 10, 8),
        CacheLevel("L2", 1 << 20, 8),
        CacheLevel("L3", 32 << 20, 2),
    )


def test_only_what_this_process_may_use_counts(tmp_path: Path, of: object) -> None:
    of(2)  # type: ignore[operator]
    assert [cache.instances for cache in read_caches(machine(tmp_path, 8, USUAL))] == [2, 2, 1]


def test_hardware_threads_share_the_cache_of_their_core(tmp_path: Path, of: object) -> None:
    of(4)  # type: ignore[operator]
    caches = {"index0": ("1", "Data", "48K", 2), "index2": ("2", "Unified", "2M", 2)}
    assert read_caches(machine(tmp_path, 4, caches, siblings=2)) == (
        CacheLevel("L1", 48 << 10, 2),
        CacheLevel("L2", 2 << 20, 2),
    )


def test_of_a_second_level_that_cores_share_one_core_has_its_part(tmp_path: Path, of: object) -> None:
    of(4)  # type: ignore[operator]
    assert read_caches(machine(tmp_path, 4, {"index2": ("2", "Unified", "4M", 4)})) == (CacheLevel("L2", 1 << 20, 1),)


@pytest.mark.parametrize("size", ["", "K", "unknown", "-1K"])
def test_what_cannot_be_understood_is_left_out(tmp_path: Path, of: object, size: str) -> None:
    of(1)  # type: ignore[operator]
    assert read_caches(machine(tmp_path, 1, {"index0": ("1", "Data", size, 1)})) == ()


def test_a_system_without_such_files_tells_nothing(tmp_path: Path) -> None:
    assert read_caches(tmp_path / "nothing") == ()
