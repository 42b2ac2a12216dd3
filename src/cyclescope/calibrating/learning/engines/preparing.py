"""Making models ready for an engine in processes that end: an export holds memory and the interpreter, and cores lie idle.

    python -m cyclescope.calibrating.learning.engines.preparing ENGINE THREADS FOLDER NAME…

makes the models of the design with these names ready and leaves their files in FOLDER, where opening them again finds them.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cyclescope.backends.base import Request
from cyclescope.backends.registry import keeping, open_session
from cyclescope.calibrating.learning.engines.design import EngineCase, engine_cases
from cyclescope.core.errors import CyclescopeError
from cyclescope.core.progress import Notify, silent
from cyclescope.machines.host import usable_cores

_MOST_PROCESSES = 4  # each holds a framework and a model
_LOOK_S = 0.2
_EXPORTS, _MODELS, _DONE = "exports", "models", "tried"


def request_of(case: EngineCase, folder: Path, engine: str, threads: int | None = None) -> Request:
    """What to open for `case` at its first shape; files of models and of the engine are below `folder`."""
    shape = case.shapes[0]
    shared = folder / _EXPORTS / case.name
    shared.mkdir(parents=True, exist_ok=True)
    return Request(
        str(case.write(folder / _MODELS)),
        tokens=shape.tokens,
        batch=shape.batch,
        new_tokens=shape.new_tokens or None,
        task="auto" if shape.new_tokens else "embed",
        weights="random",
        threads=threads,
        engine=engine,
        shared=str(shared),
    )


def prepare(
    cases: Sequence[EngineCase], folder: Path, engine: str, progress: Notify = silent, threads: int | None = None
) -> None:
    """Leave in `folder` what `engine` needs of `cases`, several models at a time.

    What fails here fails again when the model is opened, which says why.
    """
    missing = [case for case in cases if not _done(folder, case).exists()]
    if not missing:
        return
    count = min(len(missing), usable_cores(), _MOST_PROCESSES)
    command = [sys.executable, "-m", __name__, engine, str(threads or 0), str(folder)]
    running = [
        subprocess.Popen(
            [*command, *(case.name for case in missing[start::count])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for start in range(count)
    ]
    try:
        while any(process.poll() is None for process in running):
            progress("ready", sum(_done(folder, case).exists() for case in cases) / len(cases))
            time.sleep(_LOOK_S)
    finally:
        for process in running:
            if process.poll() is None:
                process.terminate()
            process.wait()


def _done(folder: Path, case: EngineCase) -> Path:
    return folder / _EXPORTS / case.name / _DONE


def main(arguments: Sequence[str]) -> int:
    engine, threads, folder = arguments[0], int(arguments[1]), Path(arguments[2])
    names = set(arguments[3:])
    for case in engine_cases():
        if case.name not in names:
            continue
        with suppress(CyclescopeError), keeping():
            open_session(request_of(case, folder, engine, threads or None)).close()
        _done(folder, case).touch()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
