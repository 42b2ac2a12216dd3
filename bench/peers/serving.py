"""What every peer here shares: it is told a job, makes itself ready, and then runs as many cycles as it is asked for.

Lines of JSON over the standard streams; arrays in files, nothing pickled. Whatever a library prints goes to the standard
error. A peer is a script that ends in `serve(build)`: `build(job)` makes everything ready and gives the cycle, what a
user's own loop would call: text (or token ids) in, result out. Everything that is done once stands before it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter_ns, process_time_ns
from typing import Any

import numpy as np

# Some engines tell their makers that they were imported; the import falls back to a stub without this package.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Job:
    """`model` is a folder as `save_pretrained` leaves it. The input is `texts`, each a call of its own, or `inputs`, a file
    of arrays for one call. `new_tokens` > 0: that many are written. `kept` is a folder for files worth making once.
    """

    model: str
    threads: int
    kept: str
    texts: tuple[str, ...] = ()
    inputs: str = ""
    new_tokens: int = 0


Outputs = Mapping[str, Any]  # hidden, pooled, logits or tokens, by name; whatever turns into an array


@dataclass(frozen=True)
class Ready:
    """`cycle` runs every call and gives their raw results; `read` names those of one call. `said` is for the table."""

    cycle: Callable[[], Sequence[Any]]
    read: Callable[[Any], Outputs]
    said: str = ""


def inputs_of(job: Job) -> dict[str, Any]:
    """The arrays of a job that has no texts."""
    with np.load(job.inputs, allow_pickle=False) as file:
        return dict(file)


def serve(build: Callable[[Job], Ready]) -> None:
    """Answer on the standard streams until the other side goes."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")

    def answer(**what: Any) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    told = json.loads(sys.stdin.readline())
    begin = perf_counter_ns()
    try:
        ready = build(Job(**{**told, "texts": tuple(told["texts"])}))
        ready.cycle()
    except Exception as error:
        line = next((text for text in str(error).splitlines() if text.strip()), "")
        answer(failed=f"{type(error).__name__}: {line}"[:300])
        return
    answer(ready_ns=perf_counter_ns() - begin, said=ready.said, versions=_versions())
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if asked["do"] == "run":
                answer(runs=_run(ready, asked["cycles"]))
            elif asked["do"] == "results":
                _write(ready, Path(asked["into"]))
                answer(done=True)
            else:
                answer(bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        except Exception as error:
            answer(failed=f"{type(error).__name__}: {error}"[:300])


def _run(ready: Ready, cycles: int) -> list[tuple[int, int, int]]:
    """When each cycle began, its wall time and its processor time, in nanoseconds."""
    runs = []
    for _ in range(cycles):
        cpu, begin = process_time_ns(), perf_counter_ns()
        result = ready.cycle()
        end = perf_counter_ns()
        runs.append((begin, end - begin, process_time_ns() - cpu))
        del result
    return runs


def _write(ready: Ready, into: Path) -> None:
    """The results of one cycle, an array a file: `<call>.<name>.npy`."""
    for number, given in enumerate(ready.cycle()):
        for name, value in ready.read(given).items():
            np.save(into / f"{number}.{name}.npy", np.asarray(value), allow_pickle=False)


def _versions() -> dict[str, str]:
    """Of the packages that this process has imported."""
    found = {}
    for name in ("torch", "transformers", "onnxruntime", "openvino", "nncf", "ctranslate2"):
        if name in sys.modules:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
    return found
