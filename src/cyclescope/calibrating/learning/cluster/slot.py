"""The slot of one machine: holds the process that measures there, and brings its answers with their files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from cyclescope.calibrating.learning.cluster.messages import Failed, Measured, from_line
from cyclescope.calibrating.learning.harvesting import SUFFIX
from cyclescope.core.lines import to_line
from cyclescope.core.message import Text, m

_GRACE_S = 5.0
# Ray sets it to the processors of a slot as it counts them; how many threads run is what a calibration is about.
_OF_RAY = "OMP_NUM_THREADS"
_ROOT = Path(__file__).parents[4]  # where this package lies: a process that is started from here must find it too


class Slot:
    """One process that measures; started when it is first asked, and again where it died."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cyclescope-")
        self._process: subprocess.Popen[str] | None = None

    def ask(self, question: str) -> tuple[str, dict[str, bytes]]:
        """The answer to `question`, both lines of JSON, and the files that come with it."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        line = ""
        with suppress(OSError):
            process.stdin.write(question + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        if not line.endswith("\n"):
            return to_line(self._died(process)), {}
        reply = from_line(line)
        return line, self._files(reply) if isinstance(reply, Measured) else {}

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            environment = {name: value for name, value in os.environ.items() if name != _OF_RAY}
            before = os.environ.get("PYTHONPATH")
            environment["PYTHONPATH"] = f"{_ROOT}{os.pathsep}{before}" if before else str(_ROOT)
            with self._errors.open("w") as errors:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "cyclescope.calibrating.learning.cluster.worker", self._folder.name],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    encoding="utf-8",
                    env=environment,
                )
        return self._process

    @property
    def _errors(self) -> Path:
        return Path(self._folder.name) / "errors"

    def _died(self, process: subprocess.Popen[str]) -> Failed:
        """Why there is no answer."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
        process.kill()
        code = process.wait()
        if code == -signal.SIGKILL:
            return Failed(m("The measuring process was killed."), m("Most likely the system ran out of memory."))
        if code < 0:
            return Failed(
                m("The engine ended its process by signal {signal}.", signal=signal.Signals(-code).name), self._last()
            )
        return Failed(m("The engine ended its process with exit code {code}.", code=code), self._last())

    def _last(self) -> Text:
        lines = self._errors.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip()[:400] for line in reversed(lines) if line.strip()), "")

    def _files(self, reply: Measured) -> dict[str, bytes]:
        found = {}
        for name in reply.names:
            path = Path(self._folder.name) / f"{name}{SUFFIX}"
            found[name] = path.read_bytes()
            path.unlink()
        return found
