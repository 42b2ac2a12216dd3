"""What the kernel's counters say about others, and what is said where they say nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from cyclescope.core.samples import Load
from cyclescope.machines import load
from cyclescope.machines.load import LoadMeter
from cyclescope.machines.quota import read_quota

STAT, VMSTAT, CGROUP = "/proc/stat", "/proc/vmstat", "/sys/fs/cgroup/cpu.stat"
Files = dict[str, list[str]]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """A machine of four cores and a hundred ticks a second, whose counters and clocks are set by calling it."""
    state = SimpleNamespace(files={}, at=0.0, own=0.0)
    monkeypatch.setattr(load, "_lines", lambda path: state.files.get(path, []))
    clocks = SimpleNamespace(monotonic=lambda: state.at, process_time=lambda: state.own)
    monkeypatch.setattr(load, "time", clocks)
    monkeypatch.setattr(load, "read_quota", lambda: read_quota(tmp_path))
    stat = tmp_path / CGROUP.lstrip("/")
    stat.parent.mkdir(parents=True)
    monkeypatch.setattr(load, "os", SimpleNamespace(cpu_count=lambda: 4, sysconf=lambda name: 100))

    def become(files: Files, at: float = 0.0, own: float = 0.0) -> None:
        state.files, state.at, state.own = files, at, own
        stat.write_text("\n".join(files.get(CGROUP, [])), encoding="utf-8")

    return become


def stat(
    user: int = 0, nice: int = 0, system: int = 0, idle: int = 0, wait: int = 0, irq: int = 0, steal: int = 0
) -> Files:
    return {STAT: [f"cpu  {user} {nice} {system} {idle} {wait} {irq} 0 {steal} 0 0", "cpu0 1 2 3 4 5 6 7 8 9 10"]}


def test_others_are_what_was_busy_beyond_our_own_processor_time(machine: Callable[..., None]) -> None:
    """Ten seconds of four cores: 12 s busy, 4 s of them ours, so others took 8 of 40."""
    machine(stat(user=1000, idle=5000), at=100.0, own=3.0)
    meter = LoadMeter()
    machine(stat(user=1900, system=300, idle=7800), at=110.0, own=7.0)
    assert meter.read() == Load(other_busy=pytest.approx(0.2), swapped=False, throttled_ns=None)


def test_stolen_time_and_interrupts_are_load_by_others_and_waiting_is_not(machine: Callable[..., None]) -> None:
    machine(stat(), at=0.0)
    meter = LoadMeter()
    machine(stat(nice=100, irq=100, steal=200, idle=10_000, wait=10_000), at=10.0)
    assert meter.read().other_busy == pytest.approx(4 / 40)


@pytest.mark.parametrize(("busy_ticks", "own", "share"), [(100, 9.0, 0.0), (100_000, 0.0, 1.0)])
def test_the_share_of_others_lies_between_nothing_and_all(
    busy_ticks: int, own: float, share: float, machine: Callable[..., None]
) -> None:
    """The kernel's ticks are coarse: less than our own time may have been counted, or more than there was."""
    machine(stat(), at=0.0)
    meter = LoadMeter()
    machine(stat(user=busy_ticks), at=10.0, own=own)
    assert meter.read().other_busy == share


def test_a_stretch_too_short_for_the_kernels_ticks_tells_nothing(machine: Callable[..., None]) -> None:
    machine(stat(), at=0.0)
    meter = LoadMeter()
    machine(stat(user=10), at=0.1)
    assert meter.read().other_busy is None


@pytest.mark.parametrize("line", ["pswpin", "pswpout"])
def test_a_single_swapped_page_is_swapping(line: str, machine: Callable[..., None]) -> None:
    before = {VMSTAT: ["nr_free_pages 5", "pswpin 10", "pswpout 20", "pswpinned 3"]}
    after = {VMSTAT: [row.replace("0", "1") if row.startswith(f"{line} ") else row for row in before[VMSTAT]]}
    machine(before)
    meter = LoadMeter()
    assert not meter.read().swapped
    machine(after)
    assert meter.read().swapped


def test_the_time_that_a_limit_held_us_back_is_told_in_nanoseconds(machine: Callable[..., None]) -> None:
    machine({CGROUP: ["usage_usec 1", "nr_throttled 9", "throttled_usec 1000"]})
    meter = LoadMeter()
    machine({CGROUP: ["throttled_usec 3500"]})
    assert meter.read().throttled_ns == 2_500_000


def test_a_system_without_these_counters_tells_nothing(machine: Callable[..., None]) -> None:
    machine({})
    meter = LoadMeter()
    machine({}, at=10.0, own=1.0)
    assert meter.read() == Load(other_busy=None, swapped=False, throttled_ns=None)


@pytest.mark.parametrize("files", [{STAT: ["intr 5"]}, {VMSTAT: ["nr_free_pages 5"]}, {CGROUP: ["usage_usec 1"]}])
def test_files_without_the_lines_that_count_tell_nothing(files: Files, machine: Callable[..., None]) -> None:
    machine(files)
    meter = LoadMeter()
    machine(files, at=10.0)
    assert meter.read() == Load(None, False, None)


def test_counters_that_appear_or_vanish_meanwhile_tell_nothing(machine: Callable[..., None]) -> None:
    full = stat(user=5) | {VMSTAT: ["pswpin 1"], CGROUP: ["throttled_usec 1"]}
    for before, after in ((full, {}), ({}, full)):
        machine(before)
        meter = LoadMeter()
        machine(after, at=10.0)
        assert meter.read() == Load(None, False, None)


def test_a_file_that_is_not_there_or_not_text_has_no_lines(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("counters")
    (folder / "binary").write_bytes(b"\xff\xfe\x00")
    (folder / "text").write_text("one\ntwo\n", encoding="utf-8")
    assert load._lines(str(folder / "missing")) == []
    assert load._lines(str(folder)) == []
    assert load._lines(str(folder / "binary")) == []
    assert load._lines(str(folder / "text")) == ["one", "two"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_processes_do_that_were_started_here_is_own_work() -> None:
    """A child that runs, its own child, and one that has ended: none of them is load by others."""
    burn = "import time\nwhile time.process_time() < 0.3: pass\n"
    both = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\n{burn}print('done', flush=True)\ninput()"
    before = load._family_s()
    subprocess.run([sys.executable, "-c", burn], check=True)
    ended = load._family_s()
    assert ended - before >= 0.28  # the kernel counts hundredths
    with subprocess.Popen(
        [sys.executable, "-c", both], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "done\n"
        assert load._family_s() - ended >= 0.56
        child.communicate("\n")
    assert load._family_s() - ended >= 0.56


def test_own_work_of_children_counts_only_where_it_is_asked_for(
    machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    family = [1.0]
    monkeypatch.setattr(load, "_family_s", lambda: family[0])
    machine(stat(), at=0.0)
    meters = LoadMeter(), LoadMeter(with_children=True)
    family[0] = 9.0
    machine(stat(user=1000), at=10.0)
    assert [meter.read().other_busy for meter in meters] == [pytest.approx(10 / 40), pytest.approx(2 / 40)]


def test_this_machines_own_counters_can_be_read() -> None:
    found = LoadMeter().read()
    assert found.other_busy is None or 0.0 <= found.other_busy <= 1.0
    assert found.throttled_ns is None or found.throttled_ns >= 0
