"""Processes that begin where all imports are done: copies of one that has loaded the framework, for tests that start many.

Loading torch and transformers takes longer than what most of these processes do. A copy has its own arguments, folder,
environment, session and standard streams, ends through Python's own exit, and is a child of the test's process, so that all of
`subprocess` works on it. The processes that it starts by `subprocess` or `multiprocessing` are copies as well. What it has not
is a start of its own: tests about that use a fresh process.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import importlib
import json
import multiprocessing.util
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BufferedReader, BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from typing import Any

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2): whose descendants become its children when their parent ends
_MOST_BYTES, _MOST_FILES = 1 << 20, 32  # of a request
_ROOM = 1 << 14  # bytes of a command line
# What a copy must find as the process that it came from has read it at its own start.
_SETTLED = {
    "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
}
_WARMING = (
    "from cyclescope.backends.base import Request\n"
    "from cyclescope.backends.registry import open_session\n"
    "from cyclescope.core.plan import Plan\n"
    "import cyclescope.cli.parser, cyclescope.optimizing.processes.worker\n"
    "open_session(Request(model='bert-tiny', tokens=4, plan=Plan(threads=1))).close()\n"
)


_fresh = subprocess.Popen  # of which tests may put the class below in place
_spawn = multiprocessing.util.spawnv_passfds


class ForkedProcess(subprocess.Popen[Any]):
    """`subprocess.Popen` of `python -m …`, `python -c …` or `python FILE …` without a start."""

    def _execute_child(self, args: Any, *settings: Any) -> None:
        names = [
            "executable",
            "preexec_fn",
            "close_fds",
            "pass_fds",
            "cwd",
            "env",
            "startupinfo",
            "creationflags",
            "shell",
            "p2cread",
            "p2cwrite",
            "c2pread",
            "c2pwrite",
            "errread",
            "errwrite",
            "restore_signals",
            "gid",
            "gids",
            "uid",
            "umask",
            "start_new_session",
        ]
        asked = dict(zip(names, settings, strict=False))
        if args[0] != sys.executable:
            super()._execute_child(args, *settings)
            return
        given = [asked[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        fds = [own if own != -1 else standard for standard, own in enumerate(given)]
        environment = asked["env"] if asked["env"] is not None else os.environ
        folder = asked["cwd"] or os.getcwd()
        self.pid = _copied(args[1:], dict(enumerate(fds)), environment, folder, alone=asked["start_new_session"])
        self._child_created = True
        # The ends of pipes that were made for the child; what the caller opened is the caller's to close.
        pipes = (("p2cread", "p2cwrite"), ("c2pwrite", "c2pread"), ("errwrite", "errread"))
        devnull = getattr(self, "_devnull", None)
        for end in {asked[own] for own, other in pipes if asked[other] != -1 and asked[own] != -1} | {devnull} - {None}:
            os.close(end)


def _copied(
    arguments: Sequence[Any], fds: Mapping[int, int], environment: Mapping[str, str], folder: Any, *, alone: bool
) -> int:
    """The process id of a copy that does what `python *arguments` does, with the files `fds` under the numbers that are keys."""
    request = {
        "arguments": [os.fspath(argument) for argument in arguments],
        "files": list(fds),
        "folder": os.fspath(folder),
        "environment": dict(environment),
        "alone": bool(alone),
    }
    line = _server()
    socket.send_fds(line, [json.dumps(request).encode()], list(fds.values()))
    return int(line.recv(64))


_line: socket.socket | None = None


def _server() -> socket.socket:
    """A line to the process that is copied, which ends when this one does."""
    global _line
    if _line is None:
        _adopt()
        _line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            _fresh(
                [sys.executable, __file__, str(theirs.fileno()), " " * _ROOM],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **_SETTLED},
                start_new_session=True,
            )
        assert _line.recv(64) == b"ready"
    return _line


def _adopt() -> None:
    """From now on copies become children of this process."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def _serve(line: socket.socket) -> dict[str, Any] | None:
    """Make copies until the other side goes; in a copy: what it is to do."""
    while True:
        data, fds, _, _ = socket.recv_fds(line, _MOST_BYTES, _MOST_FILES)
        if not data:
            return None
        request: dict[str, Any] = json.loads(data)
        reading, writing = os.pipe()
        between = os.fork()
        if between == 0:
            if copy := os.fork():
                os.write(writing, str(copy).encode())
                os._exit(0)
            for fd in (line.detach(), reading, writing):
                os.close(fd)
            _place(dict(zip(request["files"], fds, strict=True)))
            return request
        for fd in (writing, *fds):
            os.close(fd)
        os.waitpid(between, 0)  # from now on the copy is a child of whoever asked
        line.send(os.read(reading, 64))
        os.close(reading)


def _place(files: Mapping[int, int]) -> None:
    """Have open files under the numbers that are keys, and under no other."""
    above = max((*files, *files.values())) + 1
    held = {wanted: fcntl.fcntl(fd, fcntl.F_DUPFD, above) for wanted, fd in files.items()}
    for fd in files.values():
        os.close(fd)
    for wanted, fd in held.items():
        os.dup2(fd, wanted)
        os.close(fd)


def _have_copies(files: Sequence[int]) -> dict[str, Any] | None:
    """Have the processes that this one starts be copies, of a process beside it that is as new as this one, but has not its open
    `files`. In a copy: what it is to do.
    """
    global _line
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        for fd in files:
            os.close(fd)
        for standard in range(3):
            assert os.open(os.devnull, os.O_RDWR) == standard
        request = _serve(theirs)
        if request is None:
            os._exit(0)
        return request
    theirs.close()
    _line = ours
    _adopt()
    subprocess.Popen = ForkedProcess  # type: ignore[misc]
    multiprocessing.util.spawnv_passfds = _spawned
    return None


def _spawned(path: Any, arguments: Sequence[Any], fds: Sequence[int]) -> int:
    """What `multiprocessing` starts a process by; its tracker of resources, which loads nothing, is a fresh one."""
    if any(b"resource_tracker" in os.fsencode(argument) for argument in arguments):
        return _spawn(path, arguments, fds)
    given = [os.fsdecode(argument) for argument in arguments]
    files = {fd: fd for fd in (0, 1, 2, *fds)}
    return _copied(given[given.index("-c") :], files, os.environ, os.getcwd(), alone=False)


def _become(request: dict[str, Any]) -> None:
    """Run what is asked for as Python would from its command line."""
    while True:
        if request["alone"]:
            os.setsid()
        if (further := _have_copies(request["files"])) is None:
            break
        request = further
    _show([sys.executable, *request["arguments"]])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _open_streams()
    kind, *rest = request["arguments"]
    if kind == "-m":
        sys.path.insert(0, os.getcwd())
        _read_path()
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.path.insert(0, "")
        _read_path()
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
    else:
        file = os.path.abspath(kind)
        sys.path.insert(0, os.path.dirname(file))
        _read_path()
        sys.argv = [kind, *rest]
        runpy.run_path(file, run_name="__main__")


def _show(arguments: Sequence[str]) -> None:
    """Have the system tell these as the arguments of this process, as it does of a fresh one."""
    start, end = map(int, Path("/proc/self/stat").read_text().rpartition(")")[2].split()[45:47])
    line = b"\0".join(map(os.fsencode, arguments))[: end - start - 1]
    ctypes.memmove(start, line.ljust(end - start, b"\0"), end - start)


def _read_path() -> None:
    """Folders of `PYTHONPATH` that were not there at the start, and the `sitecustomize` that may be in one of them."""
    named = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path not in sys.path]
    if named:
        sys.path[1:1] = named
        sys.modules.pop("sitecustomize", None)
        with suppress(ModuleNotFoundError):
            importlib.import_module("sitecustomize")


def _open_streams() -> None:
    """Standard streams as Python opens them at its start, by the environment of now."""
    raw = bool(os.environ.get("PYTHONUNBUFFERED"))
    encoding = os.environ.get("PYTHONIOENCODING", "").partition(":")[0] or "utf-8"
    out, errors = (FileIO(fd, "w", closefd=False) for fd in (1, 2))
    if not raw:
        out, errors = BufferedWriter(out), BufferedWriter(errors)
    sys.stdin = sys.__stdin__ = TextIOWrapper(BufferedReader(FileIO(0, closefd=False)), encoding)
    sys.stdout = sys.__stdout__ = TextIOWrapper(out, encoding, line_buffering=out.isatty(), write_through=raw)
    sys.stderr = sys.__stderr__ = TextIOWrapper(errors, encoding, "backslashreplace", line_buffering=True)


def _watched(event: str, arguments: tuple[Any, ...]) -> None:
    """Nothing that is imported here may listen or call anywhere: what a copy does of it, it has done already."""
    if _loading and event in ("socket.connect", "socket.getaddrinfo", "socket.bind", "socket.sendto"):
        print("opened", event, arguments, file=sys.stderr, flush=True)
        os._exit(99)


_loading = True

if __name__ == "__main__":
    sys.addaudithook(_watched)
    if kept := os.environ.get("CYCLESCOPE_TESTS_EXPORTS"):
        importlib.import_module("kept_exports").keep_exports(kept)
    sys.path.remove(str(Path(__file__).parent))
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        exec(_WARMING)
        _loading = False
        assert len(os.listdir("/proc/self/task")) == 1, "a copy would miss its other threads"
        gc.freeze()  # a collection in a copy would touch, and so copy, all that it shares
        listening.send(b"ready")
        wanted = _serve(listening)
    if wanted is not None:
        _become(wanted)
