"""Trial processes: whatever happens in one ends that one only, and nothing is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

from command_line import interrupted, model_folder
from forked_process import ForkedProcess
from installed import needs

from cyclescope.core.errors import EngineError, Unsupported
from cyclescope.core.plan import ModelChange, Plan
from cyclescope.optimizing.processes.messages import Job
from cyclescope.optimizing.processes.process_pool import ProcessPool
from cyclescope.optimizing.processes.worker_group import PoolPreparer
from cyclescope.optimizing.search.drift import drift

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

PLAN = Plan(threads=1, attention="")
SEGFAULT, EXIT, NO_MEMORY, HANG, RAISE = range(101, 106)
# What a child finds when it starts: an engine that misbehaves in its second run, by the seed of the plan.
_FAULTS = f"""
import os, signal, time
from cyclescope.backends import registry
_open = registry.open_session

def open_session(request):
    session = _open(request)
    seed = request.plan.seed if request.plan is not None else 0
    uninstrumented, runs = session.uninstrumented, [0]

    def faulty(cycles):
        runs[0] += 1
        if runs[0] > 1:
            if seed == {SEGFAULT}: os.kill(os.getpid(), signal.SIGSEGV)
            if seed == {EXIT}: print("last words", file=__import__("sys").stderr, flush=True); os._exit(3)
            if seed == {NO_MEMORY}: bytearray(1 << 46)
            if seed == {HANG}: time.sleep(600)
            if seed == {RAISE}: raise RuntimeError("kernel not found")
        return uninstrumented(cycles)

    session.uninstrumented = faulty
    return session

registry.open_session = open_session
"""


def processes_about(folder: Path) -> list[str]:
    """Command lines of processes that have been told about `folder`; those that have ended and wait to be counted out."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            state = re.search(r"\) (\w)", (entry / "stat").read_text())
        except (OSError, UnicodeDecodeError):
            continue
        if str(folder) in line and entry.name != str(os.getpid()) and state and state[1] != "Z":
            found.append(line)
    return found


def gone(folder: Path) -> bool:
    """Whether no process is about `folder`, soon."""
    for _ in range(100):
        if not processes_about(folder):
            return True
        time.sleep(0.1)
    return False


def _keeps_temporary_files(monkeypatch: pytest.MonkeyPatch, parent: Path) -> Path:
    place = parent / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    return _keeps_temporary_files(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(model_folder(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def pool(model: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessPool]:
    """One for all tests that end none: whatever a process of it does, the next test must find it in order. Its engine
    misbehaves where the plan's seed says so.
    """
    parent = tmp_path_factory.mktemp("shared")
    hooks = parent / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(_FAULTS)
    with pytest.MonkeyPatch.context() as monkeypatch:
        place = _keeps_temporary_files(monkeypatch, parent)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(hooks), *filter(None, [os.environ.get("PYTHONPATH")])]))
        monkeypatch.setattr(subprocess, "Popen", ForkedProcess)
        opened = ProcessPool(Job(model, tokens=8))
        with opened:
            monkeypatch.undo()  # what this process does meanwhile is not about the pool
            yield opened
    assert gone(opened.folder)
    assert list(place.glob("cyclescope-*")) == []


def test_each_fault_ends_its_own_process_and_says_so(pool: ProcessPool) -> None:
    well = pool.spawn(PLAN)
    said = {}
    for seed in (SEGFAULT, EXIT, NO_MEMORY, RAISE):
        worker = pool.spawn(replace(PLAN, seed=seed))
        with pytest.raises(EngineError) as failed:
            worker.run(1, limit_s=60)
        said[seed] = str(failed.value)
        worker.close()
    assert "SIGSEGV" in said[SEGFAULT]
    assert "exit code 3" in said[EXIT]
    assert "last words" in said[EXIT]
    assert "memory" in said[NO_MEMORY]
    assert "kernel not found" in said[RAISE]
    assert len(well.run(2)) == 2  # and the others go on
    assert len(pool.spawn(PLAN).run(1)) == 1


def test_a_plan_that_needs_more_memory_than_it_may_have_is_refused_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is the system's, and what reaches it is a real model: weights of 16 MB, once more in another format."""
    monkeypatch.setattr(subprocess, "Popen", ForkedProcess)
    folder = model_folder(tmp_path, vocab_size=8000, hidden_size=512, num_attention_heads=8)
    with ProcessPool(Job(str(folder), tokens=8)) as there:
        half = replace(PLAN, dtype="bfloat16")
        with pytest.raises(EngineError, match="memory"):
            there.spawn(half, memory_bytes=1 << 20)
        assert len(there.spawn(half).run(1)) == 1


@needs("onnxruntime")
def test_who_runs_an_engine_did_not_export_for_it(pool: ProcessPool) -> None:
    """The process that exported is gone; what is timed has only loaded the files, as whoever applies the plan does."""
    there = replace(PLAN, engine="onnxruntime", attention="engine")
    first, second = pool.spawn(there), pool.spawn(there)
    assert first.opened is not None
    assert second.opened is not None
    assert not first.opened.made
    assert first.opened.ready_ns > second.opened.ready_ns  # but what making took is counted


def test_a_process_that_hangs_is_ended(pool: ProcessPool) -> None:
    worker = pool.spawn(replace(PLAN, seed=HANG))
    begin = time.monotonic()
    with pytest.raises(EngineError, match="did not answer within 1 s"):
        worker.run(1, limit_s=1)
    assert time.monotonic() - begin < 300  # it would sleep for twice as long
    assert not Path(f"/proc/{worker.pid}/fd").exists() or _ended(worker.pid)
    assert len(pool.spawn(PLAN).run(1)) == 1


def _ended(pid: int) -> bool:
    for _ in range(50):
        try:
            state = re.search(r"\) (\w)", Path(f"/proc/{pid}/stat").read_text())
        except OSError:
            return True
        if state and state[1] == "Z":
            return True
        time.sleep(0.1)
    return False


def test_a_process_that_is_killed_from_outside_is_told_as_such(pool: ProcessPool) -> None:
    worker = pool.spawn(PLAN)
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="was killed"):
        worker.run(1)


def test_a_hanging_process_does_not_outlive_the_workshop(model: str, place: Path) -> None:
    with ProcessPool(Job(model, tokens=8)) as pool:
        worker = pool.spawn(PLAN)
        os.kill(worker.pid, signal.SIGSTOP)  # deaf to everything but SIGKILL
        folder = pool.folder
        assert processes_about(folder)
    assert gone(folder)
    assert list(place.glob("cyclescope-*")) == []


def test_a_model_that_is_not_there_leaves_nothing_behind(tmp_path: Path, place: Path) -> None:
    from cyclescope.core.errors import ModelError

    with pytest.raises(ModelError), ProcessPool(Job(str(tmp_path / "nowhere"), tokens=8)):
        raise AssertionError("it was opened")
    assert list(place.glob("cyclescope-*")) == []


def test_a_plan_that_cannot_be_is_refused_and_the_next_one_runs(pool: ProcessPool) -> None:
    with pytest.raises(Unsupported, match="Unknown model change"):
        pool.spawn(replace(PLAN, changes=(ModelChange("no-such-change"),)))
    # What a trial does to its model no other sees.
    smaller = pool.spawn(replace(PLAN, changes=(ModelChange("drop-layers", 1),)))
    whole, again = pool.spawn(PLAN), pool.spawn(PLAN)
    assert drift(whole.outputs(), again.outputs()).largest == 0.0
    assert not drift(whole.outputs(), smaller.outputs()).same


def test_several_processes_share_the_texts_in_their_order(pool: ProcessPool) -> None:
    texts = ("one", "two and three", "four", "five six seven eight", "nine")
    preparer = PoolPreparer(pool, replace(pool.job, texts=texts, tokens=None))
    alone, group = preparer.group(PLAN, 120), preparer.group(replace(PLAN, instances=2), 120)
    assert len(group.workers) == 2
    assert drift(alone.results(), group.results()).same
    runs = group.run(2)
    assert all(run.wall_ns > 0 for run in runs)
    assert runs[1].started_ns >= runs[0].started_ns + runs[0].wall_ns
    with pytest.raises(Unsupported, match="fewer texts than processes"):
        preparer.group(replace(PLAN, instances=9), 120)


def test_a_worker_examines_a_whole_cycle(pool: ProcessPool) -> None:
    worker = pool.spawn(PLAN)
    cycle = worker.cycle(100_000_000)
    assert cycle.workload.tokens_in == 8
    assert len(cycle.samples.uninstrumented)
    assert worker.held_bytes() > 10_000_000


@pytest.mark.parametrize(("phase", "budget"), [("search", "200s"), ("confirmation", "15s")])
def test_ctrl_c_tells_the_best_so_far_and_leaves_nothing(
    phase: str, budget: str, model: str, place: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    # Without engines that take their time: of the ways that PyTorch has one is faster for certain.
    asked = ("--tokens", "8", "--budget", budget, "--threads", "1", "--max-drift", "1", "--json", "--markdown", page)
    done = interrupted(phase, "optimize", model, *asked, folder=tmp_path)
    assert done.code == 130
    assert json.loads(done.out)["partial"] is True
    assert "Interrupted" in page.read_text()
    assert "Plans that ran" in page.read_text()
    assert "Traceback" not in done.err
    assert gone(place)
    assert list(place.glob("cyclescope-*")) == []


def test_whoever_ends_it_from_outside_finds_nothing_left(model: str, place: Path, tmp_path: Path) -> None:
    asked = ("--tokens", "8", "--budget", "200s", "--threads", "1")
    done = interrupted("search", "optimize", model, *asked, folder=tmp_path, by=signal.SIGTERM)
    assert done.code == 128 + signal.SIGTERM
    assert "Traceback" not in done.err
    assert gone(place)
    assert list(place.glob("cyclescope-*")) == []


def test_ctrl_c_while_it_loads_ends_at_once(model: str, place: Path, tmp_path: Path) -> None:
    done = interrupted("load", "optimize", model, "--tokens", "8", "--budget", "200s", folder=tmp_path, fresh=True)
    assert done.code == 130
    assert done.out == ""
    assert gone(place)
    assert list(place.glob("cyclescope-*")) == []
