"""Where trials run: one process that holds the model, and a copy of it for every plan that is tried."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from io import BufferedRWPair
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from cyclescope.backends import engines
from cyclescope.backends.base import UninstrumentedRun
from cyclescope.core import errors
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import CyclescopeError, EngineError
from cyclescope.core.message import m
from cyclescope.core.plan import Plan
from cyclescope.core.results import Results
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.optimizing.processes.messages import (
    AskExitStatus,
    AskHeldMemory,
    Compute,
    Done,
    Examine,
    ExitStatus,
    Failed,
    Fork,
    Forked,
    HeldMemory,
    Job,
    Message,
    Open,
    Opened,
    Run,
    RunTimes,
    receive,
    send,
)
from cyclescope.optimizing.processes.outputs import read
from cyclescope.store.run_file import load

_START_S = 120.0  # importing a framework and loading a model
_GRACE_S = 5.0
_LOOKS = 50
_Answer = TypeVar("_Answer")


class Worker:
    """One process with one plan. Every call raises an error of the tree, `EngineError` where the process is gone."""

    def __init__(self, pid: int, line: socket.socket, home: ProcessPool) -> None:
        self.pid = pid
        self.opened: Opened | None = None
        self._line = line
        self._stream: BufferedRWPair = line.makefile("rwb")
        self._home = home
        self._gone = False

    def run(self, cycles: int, limit_s: float = 600.0) -> Sequence[UninstrumentedRun]:
        """Run `cycles` uninstrumented cycles."""
        return self.ask(Run(cycles), RunTimes, limit_s).runs

    def start(self, cycles: int) -> None:
        """Begin to run `cycles` uninstrumented cycles without waiting for them; `finish` gives them."""
        self._send(Run(cycles))

    def finish(self, limit_s: float = 600.0) -> Sequence[UninstrumentedRun]:
        return self._answer(RunTimes, limit_s).runs

    def outputs(self, limit_s: float = _START_S) -> Results:
        """What comes out."""
        folder = Path(tempfile.mkdtemp(dir=self._home.folder))
        self.ask(Compute(str(folder)), Done, limit_s)
        return read(folder)

    def cycle(self, budget_ns: Nanoseconds) -> Cycle:
        """A whole measured cycle, within `budget_ns`."""
        path = self._home.folder / f"{self.pid}.cycle"
        self.ask(Examine(str(path), budget_ns), Done, _START_S + 10 * budget_ns / NS_PER_S)
        return load(path)

    def held_bytes(self) -> int:
        """The most memory that the process has held."""
        return self.ask(AskHeldMemory(), HeldMemory, _GRACE_S * 4).bytes

    def ask(self, message: Message, wanted: type[_Answer], limit_s: float) -> _Answer:
        """Send `message` and wait for its answer, `limit_s` seconds at most."""
        self._send(message)
        return self._answer(wanted, limit_s)

    def close(self) -> None:
        """Let the process end."""
        if self._gone:
            return
        self._gone = True
        self._stream.close()
        self._line.close()
        self._home.forget(self)

    def _send(self, message: Message) -> None:
        try:
            send(self._stream, message)
        except OSError as exc:
            raise self._ended() from exc

    def _answer(self, wanted: type[_Answer], limit_s: float) -> _Answer:
        self._line.settimeout(limit_s)
        try:
            answer = receive(self._stream)
        except TimeoutError as exc:
            self._home.kill(self.pid)
            self.close()
            raise EngineError(
                m("The trial process did not answer within {seconds} s.", seconds=round(limit_s)),
                m("It was stopped."),
                m("Allow a larger budget."),
            ) from exc
        except OSError:
            answer = None
        if answer is None:
            raise self._ended()
        if isinstance(answer, Failed):
            raise _error(answer)
        if not isinstance(answer, wanted):
            raise EngineError(m("The trial process answered with the message {name}.", name=type(answer).__name__))
        return answer

    def _ended(self) -> EngineError:
        """Why the process is gone."""
        exit_status = self._home.exit_status(self.pid)
        last = self._home.last_stderr_line(self.pid)
        self.close()
        if exit_status.signal == signal.SIGKILL:
            return EngineError(m("The trial process was killed."), m("Most likely the system ran out of memory."))
        if exit_status.signal:
            name = signal.Signals(exit_status.signal).name
            return EngineError(m("The engine ended its process by signal {signal}.", signal=name), last)
        return EngineError(m("The engine ended its process with exit code {code}.", code=exit_status.code), last)


class ProcessPool:
    """Open as long as plans of one job are tried; a context manager. Ends every process when it is left."""

    def __init__(self, job: Job) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="cyclescope-")
        self.folder = Path(self._temporary.name)
        # What one trial has made, as the weights of a student, is there for the next of the same plan.
        self.files = Path(job.files or self.folder / "files")
        self.job = replace(job, files=str(self.files), shared=str(self.folder / "shared"))
        self._workers: list[Worker] = []
        self._pids: set[int] = set()
        self._listener: socket.socket | None = None
        self._first: subprocess.Popen[bytes] | None = None
        self._holder: Worker | None = None

    def __enter__(self) -> ProcessPool:
        path = self.folder / "line"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        # Libraries that make threads at import would keep the process from being copied.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        # What a trial leaves behind that was ended goes with our folder.
        environment["TMPDIR"] = str(self.folder)
        for engine in engines.ENGINES:
            environment = {**engine.variables(), **environment}
        self._first = subprocess.Popen(
            [sys.executable, "-m", "cyclescope.optimizing.processes.worker", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # Ctrl-C is for us to handle
        )
        try:
            self._holder = self._accept(self._first.pid)
            self._holder.ask(self.job, Done, _START_S)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def spawn(
        self,
        plan: Plan,
        cores: tuple[int, ...] = (),
        memory_bytes: int = 0,
        limit_s: float = _START_S,
        job: Job | None = None,
        *,
        cold: bool = False,
    ) -> Worker:
        """A process in which `plan` is ready to run, within `limit_s`, for the pool's job or for a share of it; `cold`: no
        cycle was run yet. Raises an error of the tree if it cannot be.

        A user of a recipe runs files that exist already: where files had to be made, another
        process loads them. What an export leaves in a process is memory and time that are not those of the plan.
        """
        begin = time.monotonic()
        worker = self._opened(plan, cores, memory_bytes, limit_s, job, cold)
        first = worker.opened
        if first is None or not first.made or (job or self.job).export_to is not None:
            return worker
        worker.close()
        took_s = time.monotonic() - begin
        worker = self._opened(plan, cores, memory_bytes, max(limit_s - took_s, took_s), job, cold)
        if worker.opened is not None:
            worker.opened = replace(worker.opened, ready_ns=first.ready_ns + worker.opened.ready_ns)
        return worker

    def _opened(
        self, plan: Plan, cores: tuple[int, ...], memory_bytes: int, limit_s: float, job: Job | None, cold: bool
    ) -> Worker:
        assert self._holder is not None
        pid = self._holder.ask(Fork(), Forked, _GRACE_S * 4).pid
        worker = self._accept(pid)
        self._workers.append(worker)
        try:
            worker.opened = worker.ask(Open(job or self.job, plan, cores, memory_bytes, cold), Opened, limit_s)
        except CyclescopeError:
            worker.close()
            raise
        return worker

    def close(self) -> None:
        """End every process and remove what they wrote."""
        for worker in list(self._workers):
            worker.close()
        if self._holder is not None:
            self._holder.close()
            self._holder = None
        if self._first is not None:
            # Copies that hang in an engine share the session of the first process.
            for stop in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(self._first.pid, stop)
                except ProcessLookupError:
                    break
            self._first.wait(_GRACE_S)
            self._first = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self._temporary.cleanup()

    def exit_status(self, pid: int) -> ExitStatus:
        """How process `pid` ended, as far as can be told."""
        first = self._first
        if first is not None and pid == first.pid:
            code = first.wait(_GRACE_S)
            return ExitStatus(False, max(0, code), max(0, -code))
        for _ in range(_LOOKS):
            ended = (
                self._holder.ask(AskExitStatus(pid), ExitStatus, _GRACE_S)
                if self._holder is not None
                else ExitStatus(False)
            )
            if not ended.running:
                break
            time.sleep(_GRACE_S / _LOOKS)  # its line is closed a moment before it has ended
        return ended

    def last_stderr_line(self, pid: int) -> str:
        """The last line that process `pid` wrote to its standard error."""
        try:
            lines = (self.folder / f"{pid}.err").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return next((line.strip()[:400] for line in reversed(lines) if line.strip()), "")

    def kill(self, pid: int) -> None:
        if pid in self._pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return

    def forget(self, worker: Worker) -> None:
        if worker in self._workers:
            self._workers.remove(worker)

    def _accept(self, pid: int) -> Worker:
        """The line on which process `pid` has called."""
        assert self._listener is not None
        self._listener.settimeout(_START_S)
        while True:
            try:
                line, _ = self._listener.accept()
            except TimeoutError as exc:
                raise EngineError(m("A trial process did not start."), self.last_stderr_line(pid)) from exc
            worker = Worker(pid, line, self)
            line.settimeout(_GRACE_S)
            hello = receive(worker._stream)
            if isinstance(hello, Forked):
                worker.pid = hello.pid
                self._pids.add(hello.pid)
                return worker
            line.close()


def _error(failed: Failed) -> CyclescopeError:
    """The error that the process met, as one of ours."""
    kind = getattr(errors, failed.kind, EngineError)
    if not (isinstance(kind, type) and issubclass(kind, CyclescopeError)):
        kind = EngineError
    error: CyclescopeError = kind(failed.fact, failed.cause, failed.way_out)
    return error
