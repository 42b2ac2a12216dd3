"""The command line as a user runs it: in this process for speed, or in one of its own where the process matters.

One of its own is a copy of a process that has all imports behind it, unless its start is what a test is about (`fresh`).
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from forked_process import ForkedProcess

from cyclescope.cli.main import run

# The hub's client reads it once, when it is imported: nothing here may ask the network.
os.environ["HF_HUB_OFFLINE"] = "1"

TINY: dict[str, Any] = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "vocab_size": 2000,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 40,
    "pad_token_id": 0,
}
QUICK = ("--budget", "0.05", "--threads", "1")
_TIMEOUT_S = 120


@dataclass(frozen=True)
class Done:
    """How a command ended and what it wrote; on standard error the messages, without the lines of progress beside them."""

    code: int
    out: str
    err: str
    progress: tuple[str, ...] = ()

    @staticmethod
    def of(code: int, out: str, err: str) -> Done:
        lines = err.splitlines(keepends=True)
        progress = tuple(line[1:-2] for line in lines if line.startswith("[") and line.endswith("]\n"))
        return Done(code, out, "".join(line for line in lines if line[1:-2] not in progress), progress)

    @property
    def document(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)


class CommandLine:
    """Runs commands in this process."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *arguments: str | Path) -> Done:
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            run([str(argument) for argument in arguments])
        out, err = self._capture.readouterr()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        return Done.of(code or 0, out, err)

    def succeeds(self, *arguments: str | Path) -> Done:
        done = self(*arguments)
        assert done.code == 0, done.err
        return done

    def refuses(self, code: int, *arguments: str | Path) -> str:
        """The message of a command that must fail with `code`, checked for its form."""
        return refused(self(*arguments), code)


def refused(done: Done, code: int) -> str:
    """The one message of `done` on standard error: fact, and cause or way out; nothing on standard output."""
    assert done.code == code, done
    assert done.out == ""
    lines = done.err.splitlines()
    assert lines[0].startswith("Error: "), done.err
    assert 2 <= len(lines) <= 3, done.err
    assert "Traceback" not in done.err
    return done.err


def environment(**more: str) -> dict[str, str]:
    """What a command of its own process sees: no network, no colours asked for, no width given."""
    unwanted = ("COLUMNS", "LINES", "FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "TTY_COMPATIBLE", "CYCLESCOPE_DEBUG")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return kept | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TERM": "xterm-256color"} | more


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "cyclescope", *map(str, arguments)]


def process(*arguments: str | Path, folder: Path, given: bytes = b"", fresh: bool = False, **variables: str) -> Done:
    """Run a command in a separate process, in `folder`, with pipes on all sides."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    start = subprocess.Popen if fresh else ForkedProcess
    with start(command(*arguments), cwd=folder, env=environment(**variables), **pipes) as child:
        try:
            out, err = child.communicate(given, _TIMEOUT_S)
        finally:
            child.kill()
    return Done.of(child.returncode, out.decode(), err.decode())


def interrupted(
    phase: str, *arguments: str | Path, folder: Path, by: signal.Signals = signal.SIGINT, fresh: bool = False
) -> Done:
    """Run a command with a terminal for its messages, and press Ctrl-C as soon as it says that it is in `phase`; or end it
    `by` another signal.
    """
    terminal, side = pty.openpty()
    seen = b""
    with (folder / "standard-output").open("w+b") as out:
        start = subprocess.Popen if fresh else ForkedProcess
        child = start(command(*arguments), cwd=folder, stdout=out, stderr=side, env=environment())
        os.close(side)
        pressed = False
        with contextlib.suppress(OSError):  # a terminal whose other side is closed says so with an error
            while piece := os.read(terminal, 4096):
                seen += piece
                if not pressed and phase.encode() in seen:
                    child.send_signal(by)
                    pressed = True
        os.close(terminal)
        code = child.wait(_TIMEOUT_S)
        if code == -signal.SIGINT:
            # An interrupt within `exec` of a text, as in making a dataclass, has Python end itself by the signal, whoever
            # caught it. A shell says 130 for that as well.
            code = 128 + signal.SIGINT
        assert pressed, f"{phase!r} never came: {seen!r}"
        out.seek(0)
        return Done(code, out.read().decode(), seen.decode())


def model_folder(parent: Path, **changes: Any) -> Path:
    """A folder `tiny` with the configuration of a tiny BERT and nothing else."""
    folder = parent / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({**TINY, **changes}), encoding="utf-8")
    return folder
