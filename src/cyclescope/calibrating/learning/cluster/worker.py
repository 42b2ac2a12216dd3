"""The process that measures on a machine of a cluster: asked over its standard input, answers on its standard output.

    python -m cyclescope.calibrating.learning.cluster.worker FOLDER

It runs beside no thread of a cluster's framework, as a learning from the command line does. Where its input ends, as when the node
is taken away, it ends too, in the middle of a measurement.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from cyclescope.calibrating.learning.cluster.messages import (
    Calibrate,
    Calibrated,
    Describe,
    Described,
    Failed,
    Measure,
    Measured,
    Question,
    Reply,
    from_line,
)
from cyclescope.calibrating.learning.design import VERSION as DESIGN
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.clock import SystemClock
from cyclescope.core.errors import CyclescopeError
from cyclescope.core.lines import to_line
from cyclescope.core.message import m
from cyclescope.core.version import __version__


def describe(engine: str) -> Described:
    """What this machine is under `engine`; no framework is loaded."""
    from cyclescope.backends.registry import machine_for
    from cyclescope.machines.fingerprint import fingerprint

    return Described(fingerprint(machine_for(engine), engine), __version__, DESIGN)


def described_line(engine: str) -> tuple[str, dict[str, bytes]]:
    """What `describe` says, as one line of JSON, and no files: what a slot answers in the same way."""
    return to_line(describe(engine)), {}


def answer(question: Question, folder: Path) -> Reply:
    """Do what is asked; measured cycles are left in `folder`. Errors of the tree become a `Failed`."""
    try:
        if isinstance(question, Describe):
            return describe(question.engine)
        if isinstance(question, Calibrate):
            return Calibrated(_ceilings(question))
        return _measured(question, folder)
    except CyclescopeError as error:
        return Failed(error.fact, error.cause)
    except MemoryError:
        return Failed(m("It needs more memory than there is."))
    except Exception as error:
        # An engine's own trouble ends this request and nothing else.
        line = next(iter(str(error).splitlines()), "")
        return Failed(m("The engine failed."), f"{type(error).__name__}: {line}"[:400])


def _ceilings(asked: Calibrate) -> Ceilings:
    from cyclescope.backends.registry import machine_for
    from cyclescope.calibrating.calibrate import calibrate
    from cyclescope.machines.fingerprint import freshness
    from cyclescope.store.calibration_file import nearest, stored_calibrations

    machine = machine_for(asked.engine)
    kept = nearest(stored_calibrations(asked.engine, machine.device), machine, asked.engine)
    if kept is not None and freshness(kept.ceilings, machine, asked.engine).fresh:
        return kept.ceilings
    return calibrate(quick=asked.quick, threads=asked.threads)


def _measured(asked: Measure, folder: Path) -> Measured:
    from cyclescope.backends.registry import keeping
    from cyclescope.calibrating.learning.harvesting import harvest

    with keeping():
        kept = harvest([case.case() for case in asked.cases], folder, asked.budget_ns, SystemClock())
    return Measured(tuple(path.stem for path in kept))


def _lines(folder: Path) -> Iterator[str]:
    """Lines of standard input. A thread waits for them, so that its end is seen in the middle of a measurement: then nobody
    is left who would take `folder` away.
    """
    queue: SimpleQueue[str] = SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            queue.put(line)
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    Thread(target=read, name="cyclescope requests", daemon=True).start()
    while True:
        yield queue.get()


def serve(folder: Path) -> None:
    """Answer line by line. What libraries print goes to standard error, so that it cannot be taken for an answer."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in _lines(folder):
        question = from_line(line)
        if isinstance(question, Describe | Calibrate | Measure):
            print(to_line(answer(question, folder)), file=out, flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
