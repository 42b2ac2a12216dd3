"""A peer as a variant of `cyclescope.optimizing.search.trial.Turns`: a process of its own, asked over a pipe."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cyclescope.backends.base import UninstrumentedRun
from cyclescope.core.errors import EngineError
from cyclescope.core.results import Results, joined

_FOLDER = Path(__file__).resolve().parent.parent / "peers"
_READY_S = 600.0  # torch.compile may take minutes where others work too
_ANSWER_S = 600.0


class PeerVariant:
    """Implements `cyclescope.optimizing.search.trial.Variant`. Raises `EngineError` with the peer's own words."""

    def __init__(self, script: str, job: Mapping[str, Any], log: Path) -> None:
        threads = str(job["threads"])
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "TOKENIZERS_PARALLELISM": "false",
            "HF_HUB_OFFLINE": "1",
        }
        self._log = log
        self._rest = b""
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, str(_FOLDER / f"{script}.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                start_new_session=True,
            )
        try:
            told = self._ask(dict(job), _READY_S)
        except BaseException:
            self.close()
            raise
        self.ready_ns = int(told["ready_ns"])
        self.said = str(told["said"])
        self.versions: dict[str, str] = told["versions"]

    def run(self, cycles: int) -> Sequence[UninstrumentedRun]:
        return [UninstrumentedRun(*run) for run in self._ask({"do": "run", "cycles": cycles}, _ANSWER_S)["runs"]]

    def results(self) -> Results:
        with tempfile.TemporaryDirectory() as folder:
            self._ask({"do": "results", "into": folder}, _ANSWER_S)
            parts: dict[int, dict[str, Any]] = {}
            for path in sorted(Path(folder).glob("*.npy")):
                number, name = path.stem.split(".")
                parts.setdefault(int(number), {})[name] = np.load(path, allow_pickle=False)
        return joined([_results(parts[number]) for number in sorted(parts)])

    def held_bytes(self) -> int:
        return int(self._ask({"do": "held"}, _ANSWER_S)["bytes"])

    def close(self) -> None:
        for stop in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, stop)
                self._process.wait(5)
                break
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self._process.wait()

    def _ask(self, what: Mapping[str, Any], limit_s: float) -> Any:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(what).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._gone() from error
        answer = json.loads(self._line(limit_s))
        if "failed" in answer:
            raise EngineError(answer["failed"])
        return answer

    def _line(self, limit_s: float) -> bytes:
        assert self._process.stdout is not None
        pipe, until = self._process.stdout.fileno(), time.monotonic() + limit_s
        while b"\n" not in self._rest:
            ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                self.close()
                raise EngineError(f"It did not answer within {limit_s:.0f} s.")
            more = os.read(pipe, 1 << 16)
            if not more:
                raise self._gone()
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _gone(self) -> EngineError:
        self.close()
        lines = self._log.read_text(errors="replace").splitlines()
        last = next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")
        return EngineError(f"Its process ended with code {self._process.returncode}.", last)


def _results(arrays: Mapping[str, Any]) -> Results:
    """One call's results; no input here is padded, so its mask hides nothing."""
    first = next(iter(arrays.values()))
    shape = first.shape[:2] if first.ndim > 1 else (1, len(first))
    if "hidden" in arrays:
        shape = arrays["hidden"].shape[:2]
    return Results(
        np.ones(shape, dtype=np.int64), arrays.get("hidden"), arrays.get("pooled"), None, arrays.get("tokens")
    )
