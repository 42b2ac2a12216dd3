"""Runs the code of a recipe as its user will, and takes what comes out as results."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cyclescope.core.errors import EngineError
from cyclescope.core.message import m
from cyclescope.core.results import Results, joined
from cyclescope.core.units import AnyArray


def run_file(file: Path, place: str, texts: Sequence[str], into: Path, *, writes: bool, limit_s: float) -> Results:
    """What `python FILE --model PLACE TEXT…` gives. `into` is where it may write. Raises `EngineError` where it fails."""
    saved = into / "outputs.npz"
    command = [sys.executable, file.name, "--save", str(saved)]
    if place:
        command += ["--model", place]
    if writes:
        command.append("--exactly")
    # In a session of its own, so that the processes that it starts can be ended with it.
    child = subprocess.Popen(
        [*command, "--", *texts],
        cwd=file.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _, errors = child.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired as exc:
        raise EngineError(
            m("{file} did not end within {limit} s.", file=str(file), limit=round(limit_s)), m("It was stopped.")
        ) from exc
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
    if child.returncode:
        last = next((line for line in reversed(errors.decode(errors="replace").splitlines()) if line.strip()), "")
        raise EngineError(
            m("{file} does not run.", file=str(file)), last.strip()[:400], m("Run it by hand to see its whole output.")
        )
    return results_of_arrays(_arrays(saved), writes=writes)


def _arrays(path: Path) -> list[AnyArray]:
    """The arrays that the code saved, in the order of the texts. Raises `EngineError`."""
    try:
        with np.load(path, allow_pickle=False) as found:
            return [found[f"text{k}"] for k in range(len(found.files))]
    except (OSError, ValueError, KeyError) as exc:
        raise EngineError(m("The outputs that the code saved cannot be read."), str(exc)) from exc


def results_of_arrays(arrays: Sequence[AnyArray], *, writes: bool) -> Results:
    """One array a text as results: token ids where it `writes`, a row a token, or a row of classes."""
    parts = []
    for array in arrays:
        if writes:
            parts.append(Results(np.ones((1, 1), dtype=np.int64), tokens=array[None].astype(np.int64)))
        elif array.ndim == 2:
            parts.append(Results(np.ones((1, len(array)), dtype=np.int64), hidden=array[None]))
        else:
            parts.append(Results(np.ones((1, 1), dtype=np.int64), logits=array[None]))
    return joined(parts)
