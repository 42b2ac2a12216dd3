"""Copies of a process that has its imports behind it are to tests what fresh processes are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from forked_process import ForkedProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
_LOADED = "import sys; print('torch' in sys.modules)"


def given_by(arguments: list[str], folder: Path, **variables: str) -> str:
    """What a copy prints that does what `python *arguments` does."""
    environment = {**os.environ, **variables}
    child = ForkedProcess(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out, errors = child.communicate(timeout=60)
    assert child.returncode == 0, errors
    return str(out)


def test_it_has_its_imports_behind_it_and_arguments_of_its_own(tmp_path: Path) -> None:
    told = given_by(["-c", f"{_LOADED}; print(sys.argv[1:])", "a", "b c"], tmp_path)
    assert told.splitlines() == ["True", "['a', 'b c']"]


def test_the_system_tells_its_own_command_line(tmp_path: Path) -> None:
    code = "print(open('/proc/self/cmdline').read().rstrip(chr(0)).split(chr(0)))"
    assert given_by(["-c", code, "x" * 99], tmp_path) == f"{[sys.executable, '-c', code, 'x' * 99]}\n"


def test_what_it_starts_is_a_copy_too_and_its_own_child(tmp_path: Path) -> None:
    inner = f"{_LOADED}; import os; print(os.getppid())"
    code = (
        "import os, subprocess, sys\nprint(os.getpid(), flush=True)\n"
        f"sys.exit(subprocess.run([sys.executable, '-c', {inner!r}]).returncode)"
    )
    outer, loaded, parent = given_by(["-c", code], tmp_path).split()
    assert loaded == "True"
    assert parent == outer


def test_what_multiprocessing_spawns_is_a_copy_too(tmp_path: Path) -> None:
    (tmp_path / "several.py").write_text(
        "import multiprocessing, sys\nfrom concurrent.futures import ProcessPoolExecutor\n"
        "ALREADY = 'torch' in sys.modules\n"
        "def told(k): return k, ALREADY, __name__\n"
        "if __name__ == '__main__':\n"
        "    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context('spawn')) as pool:\n"
        "        print(list(pool.map(told, range(2))))\n"
    )
    assert given_by(["several.py"], tmp_path) == "[(0, True, '__mp_main__'), (1, True, '__mp_main__')]\n"


def test_folders_of_python_s_path_are_read_as_at_a_start(tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text("print('customized')")
    (hooks / "only_here.py").write_text("")
    assert given_by(["-c", "import only_here"], tmp_path, PYTHONPATH=str(hooks)) == "customized\n"


def test_nothing_is_left_when_it_has_ended(tmp_path: Path) -> None:
    code = "import subprocess, sys; print(subprocess.run([sys.executable, '-c', 'import os; print(os.getpgid(0))']).returncode)"
    child = ForkedProcess(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, start_new_session=True, text=True
    )
    out, _ = child.communicate(timeout=60)
    assert out.split() == [str(child.pid), "0"]
    for _ in range(100):
        if not _members(child.pid):
            return
        time.sleep(0.05)
    raise AssertionError(_members(child.pid))


def _members(group: int) -> list[str]:
    """Processes of a session that have not ended."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == group and fields[0] != "Z":
            found.append(entry.parent.name)
    return found
