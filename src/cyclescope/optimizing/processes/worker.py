"""The process behind a trial: holds the model, makes copies of itself, and runs one plan on request.

The first process loads the model with one thread and never computes with it, so that a copy (`fork`) costs
milliseconds and shares its memory; each copy makes one plan real and may change its model, crash, or run out of memory
without any other noticing. Where the system cannot fork safely, a fresh process is started instead.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from contextlib import suppress
from io import BufferedRWPair
from pathlib import Path
from time import perf_counter_ns
from typing import NoReturn

from cyclescope.backends.base import Session
from cyclescope.core.errors import CyclescopeError, EngineError
from cyclescope.core.message import m
from cyclescope.core.plan import Plan
from cyclescope.machines.host import available_memory_bytes
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

# Of the memory that is free when a plan is opened, what it may take before it is refused more.
_MOST_OF_FREE = 0.9


def serve(path: str) -> None:
    """Answer what comes over the socket `path` until the other side goes."""
    stream = _connect(path)
    session: Session | None = None
    while (message := receive(stream)) is not None:
        try:
            if isinstance(message, Fork):
                pid = _copy(path)
                if pid == 0:
                    # The copy talks over a line of its own; this one belongs to the process that it came from.
                    stream.close()
                    serve(path)
                    _leave(0)
                answer: Message = Forked(pid)
            elif isinstance(message, Job):
                _hold(message)
                answer = Done()
            elif isinstance(message, AskExitStatus):
                answer = _fate(message.pid)
            elif isinstance(message, Open):
                session, answer = _open(message)
            else:
                if session is None:
                    raise EngineError(m("This process has no open session."))
                answer = _do(message, session)
        except CyclescopeError as error:
            answer = Failed(type(error).__name__, error.fact, error.cause, error.way_out)
        except MemoryError as error:
            answer = Failed("EngineError", m("It needs more memory than there is."), str(error), "")
        except Exception as error:
            # An engine's own trouble ends this row and nothing else.
            line = next(iter(str(error).splitlines()), "")
            answer = Failed("EngineError", m("The engine failed."), f"{type(error).__name__}: {line}"[:400], "")
        send(stream, answer)
    if session is not None:
        session.close()


def _connect(path: str) -> BufferedRWPair:
    """A line to the process that started all this, which learns from it which process this is."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.connect(path)
    errors = os.open(Path(path).with_name(f"{os.getpid()}.err"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(errors, 1)
    os.dup2(errors, 2)
    os.close(errors)
    stream = line.makefile("rwb")
    send(stream, Forked(os.getpid()))
    return stream


def _copy(path: str) -> int:
    """The process id of a copy of this process, 0 in the copy itself."""
    if sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1:
        return os.fork()
    # A second thread would be missing in a copy while the locks that it holds would not: start afresh.
    return subprocess.Popen([sys.executable, "-m", __name__, path]).pid


def _fate(pid: int) -> ExitStatus:
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return ExitStatus(False)
    if not ended:
        return ExitStatus(True)
    code = os.waitstatus_to_exitcode(status)
    return ExitStatus(False, max(0, code), max(0, -code))


def _hold(job: Job) -> None:
    from cyclescope.backends.registry import preload

    preload(job.request(Plan(threads=1)))


def _open(message: Open) -> tuple[Session, Opened]:
    from cyclescope.backends.registry import open_session

    if message.cores:
        os.sched_setaffinity(0, message.cores)
    free = message.memory_bytes or int((available_memory_bytes() or 0) * _MOST_OF_FREE)
    if free:
        _limit_memory(free)
    there = _files_in(message.job.shared)
    begin = perf_counter_ns()
    session = open_session(message.job.request(message.plan))
    # Engines do the last of their making ready in the first run.
    first = None if message.cold else session.uninstrumented(1)[0]
    ready = perf_counter_ns() - begin
    made = _files_in(message.job.shared) > there
    facts = session.workload, session.plan, session.machine, session.notes, session.edits
    return session, Opened(*facts, ready_ns=ready, again_ns=ready, made=made, first=first)


def _files_in(folder: str | None) -> int:
    return sum(1 for _ in Path(folder).rglob("*")) if folder is not None else 0


def _limit_memory(more: int) -> None:
    """Refuse this process more than `more` bytes on top of what it has mapped already."""
    with suppress(OSError, ValueError):
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        # Engines reserve address space that they never touch; what is touched stays below the limit by far.
        resource.setrlimit(resource.RLIMIT_AS, (mapped + 4 * more, mapped + 4 * more))
        resource.setrlimit(resource.RLIMIT_DATA, (mapped + more, mapped + more))


def _do(message: Message, session: Session) -> Message:
    if isinstance(message, Run):
        return RunTimes(tuple(session.uninstrumented(message.cycles)))
    if isinstance(message, Compute):
        from cyclescope.optimizing.processes.outputs import write

        write(session.results(), Path(message.into))
        return Done()
    if isinstance(message, Examine):
        from cyclescope.measuring.measure import measure_session
        from cyclescope.store.run_file import save

        save(measure_session(session, message.budget_ns), message.path)
        return Done()
    if isinstance(message, AskHeldMemory):
        unit = 1 if sys.platform == "darwin" else 1024
        return HeldMemory(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
    raise EngineError(m("This process cannot handle the message {name}.", name=type(message).__name__))


def _leave(code: int) -> NoReturn:
    """End a copy without what Python does at exit: what it would tidy up belongs to the process it came from."""
    os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
