"""Processes that begin where all imports are done: copies of one that has loaded the framework, for tests that start many.

Loading torch and transformers takes longer than what most of these processes do. A copy has its own arguments, folder,
environment, session and standard streams, ends through Python's own exit, and is a child of the test's process, so that all of
`subprocess` works on it. What it has not is a start of its own: tests about that use a fresh process.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from functools import cache
from io import BufferedReader, BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from typing import Any

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2): whose descendants become its children when their parent ends
_MOST_BYTES = 1 << 20
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
        assert args[0] == sys.executable, args
        given = [asked[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        request = {
            "arguments": [os.fspath(argument) for argument in args[1:]],
            "folder": os.fspath(asked["cwd"] or os.getcwd()),
            "environment": dict(asked["env"] if asked["env"] is not None else os.environ),
            "alone": bool(asked["start_new_session"]),
        }
        line = _server()
        fds = [own if own != -1 else standard for standard, own in enumerate(given)]
        socket.send_fds(line, [json.dumps(request).encode()], fds)
        self.pid = int(line.recv(64))
        self._child_created = True
        # The ends of pipes that were made for the child; what the caller opened is the caller's to close.
        pipes = (("p2cread", "p2cwrite"), ("c2pwrite", "c2pread"), ("errwrite", "errread"))
        devnull = getattr(self, "_devnull", None)
        for end in {asked[own] for own, other in pipes if asked[other] != -1 and asked[own] != -1} | {devnull} - {None}:
            os.close(end)


@cache
def _server() -> socket.socket:
    """A line to the process that is copied, which ends when this one does."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        _fresh(
            [sys.executable, __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, **_SETTLED},
            start_new_session=True,
        )
    assert ours.recv(64) == b"ready"
    return ours


def _serve(line: socket.socket) -> dict[str, Any] | None:
    """Make copies until the other side goes; in a copy: what it is to do."""
    while True:
        data, fds, _, _ = socket.recv_fds(line, _MOST_BYTES, 3)
        if not data:
            return None
        reading, writing = os.pipe()
        between = os.fork()
        if between == 0:
            if copy := os.fork():
                os.write(writing, str(copy).encode())
                os._exit(0)
            line.close()
            os.close(reading)
            os.close(writing)
            for standard, fd in enumerate(fds):
                os.dup2(fd, standard)
            for fd in fds:
                os.close(fd)
            request: dict[str, Any] = json.loads(data)
            return request
        for fd in (writing, *fds):
            os.close(fd)
        os.waitpid(between, 0)  # from now on the copy is a child of whoever asked
        line.send(os.read(reading, 64))
        os.close(reading)


def _become(request: dict[str, Any]) -> None:
    """Run what is asked for as Python would from its command line."""
    if request["alone"]:
        os.setsid()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _open_streams()
    kind, *rest = request["arguments"]
    if kind == "-m":
        sys.path.insert(0, os.getcwd())
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.path.insert(0, "")
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
    else:
        file = os.path.abspath(kind)
        sys.path.insert(0, os.path.dirname(file))
        sys.argv = [kind, *rest]
        runpy.run_path(file, run_name="__main__")


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


if __name__ == "__main__":
    sys.path.remove(str(Path(__file__).parent))
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        exec(_WARMING)
        assert len(os.listdir("/proc/self/task")) == 1, "a copy would miss its other threads"
        gc.freeze()  # a collection in a copy would touch, and so copy, all that it shares
        listening.send(b"ready")
        wanted = _serve(listening)
    if wanted is not None:
        _become(wanted)
