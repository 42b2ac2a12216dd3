"""A run is written in full or not at all: full disks, missing rights and interruptions leave the old file as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from saved_cycles import small_cycle

from cyclescope.core.codec import encode
from cyclescope.core.errors import OutputError
from cyclescope.store.atomic import atomic_writer
from cyclescope.store.run_file import load, save

NOBODY = 65534
# Saves a cycle in a separate process, after `{before}`, and prints what the error says.
SAVE = """
import sys
sys.path.insert(0, {tests!r})
from saved_cycles import small_cycle
from cyclescope.core.errors import OutputError
from cyclescope.store.run_file import save
cycle = small_cycle(runs=2000, seed=1)
{before}
try:
    save(cycle, {path!r})
except OutputError as error:
    print(error)
else:
    print("saved")
"""


def save_elsewhere(path: Path, before: str) -> str:
    script = SAVE.format(tests=str(Path(__file__).parent), before=before, path=str(path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    command = [mount, "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this system does not let root mount")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_said_and_the_old_run_stays(small_disk: Path) -> None:
    path = small_disk / "run.cycle"
    save(small_cycle(), path)
    before = path.read_bytes()
    with pytest.raises(OutputError) as caught:
        save(small_cycle(runs=2000, seed=1), path)
    assert str(path) in str(caught.value.fact)
    assert "No space left" in str(caught.value.cause)
    assert "--out" in str(caught.value.way_out)
    assert path.read_bytes() == before
    assert os.listdir(small_disk) == ["run.cycle"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
@pytest.mark.parametrize("limit", [0, 100, 20_000])
def test_a_file_that_may_not_grow_leaves_the_old_run(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "run.cycle"
    save(small_cycle(), path)
    before = path.read_bytes()
    said = save_elsewhere(
        path, f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))"
    )
    assert "cannot be written" in said
    assert "File too large" in said
    assert "--out" in said
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["run.cycle"]


def test_the_limited_process_can_save_without_its_limit(tmp_path: Path) -> None:
    assert save_elsewhere(tmp_path / "run.cycle", "") == "saved\n"
    assert encode(load(tmp_path / "run.cycle"))[0] == encode(small_cycle(runs=2000, seed=1))[0]


def as_nobody(act: Callable[[], None]) -> str:
    """Run `act` as a user without rights, in a fork, and give back what its error says."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            act()
            said = "saved"
        except OutputError as error:
            said = str(error)
        except BaseException as error:
            said = f"another error: {error!r}"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that another user can reach (pytest makes its own for the owner only)."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    return tmp_path


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs another user")
def test_a_folder_without_rights_is_said(open_folder: Path) -> None:
    cycle = small_cycle()
    folder = open_folder / "closed"
    folder.mkdir(mode=0o555)
    said = as_nobody(lambda: save(cycle, folder / "run.cycle"))
    assert "Permission denied" in said
    assert "--out" in said
    assert os.listdir(folder) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs another user")
def test_a_file_that_is_not_to_be_written_is_not_replaced(open_folder: Path) -> None:
    cycle = small_cycle(seed=1)
    folder = open_folder / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    path = folder / "run.cycle"
    save(small_cycle(), path)
    path.chmod(0o444)
    before = path.read_bytes()
    assert "Permission denied" in as_nobody(lambda: save(cycle, path))
    assert path.read_bytes() == before
    assert os.listdir(folder) == ["run.cycle"]
    path.unlink()
    assert as_nobody(lambda: save(cycle, path)) == "saved"


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="Make the folder"):
        save(small_cycle(), tmp_path / "nowhere" / "run.cycle")


def test_a_folder_or_a_device_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="directory"):
        save(small_cycle(), tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="not an ordinary file"):
        save(small_cycle(), pipe)
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, MemoryError])
def test_an_interruption_leaves_the_old_file(tmp_path: Path, failure: type[BaseException]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write_and_fail() -> None:
        with atomic_writer(path) as file:
            file.write(b"half of the new")
            raise failure

    with pytest.raises(failure):
        write_and_fail()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_the_new_content_is_not_there_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with atomic_writer(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_the_longest_file_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("r" * 249 + ".cycle")
    save(small_cycle(), path)
    assert load(path).plan == small_cycle().plan
