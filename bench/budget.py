"""Wall time ÷ budget of the commands that take one, on short and on long cycles: the bound is 1.2.

    python bench/budget.py [--command NAME …] [--model NAME …] [--budget 30s] [--beside-busy] [--gemma FOLDER] [--json FILE]

Every pair of a command and a model runs in a separate process; the clock begins when loading has ended (of `optimize`
with the call, since its loading counts; `calibrate` has the budget of its probes and no model). `--beside-busy` keeps one
more process busy meanwhile. The models are MiniLM; BERT-base on 8 × 512 tokens and GPT-2 writing 256 tokens, both with
random weights; and Gemma 3 270M writing 32 tokens, from the folder given with `--gemma` (without it, it is left out).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cyclescope.cli.duration import seconds

BOUND = 1.2
COMMANDS = ("measure", "compare", "optimize", "calibrate")
MODELS = ("minilm", "bert-base", "gpt2", "gemma")
_TEXT = "The history of the steam engine begins"
_DRIFT = 0.2
_LIMIT = 6  # times the budget and loading, after which a process is ended and counted as such
_LOADING_S = 240.0
_QUICK_CALIBRATION_S = 9.0  # what `calibrate --quick` says that it takes


@dataclass(frozen=True)
class Row:
    """One command on one model. `ratio` is None where it failed; `why` then says how."""

    command: str
    model: str
    budget_s: float
    loading_s: float
    wall_s: float
    ratio: float | None
    why: str = ""


class Started:
    """Progress that notes when loading has ended."""

    def __init__(self) -> None:
        self.begun_s = time.perf_counter()
        self.loaded_s: float | None = None

    def __call__(self, phase: str, done: float) -> None:
        if phase == "load":
            self.loaded_s = None
        elif self.loaded_s is None:
            self.loaded_s = time.perf_counter()


def options(model: str, gemma: str) -> tuple[str, dict[str, Any]]:
    """The reference of a model, and what is asked of it."""
    if model == "minilm":
        return "minilm", {"text": _TEXT}
    if model == "bert-base":
        return "bert-base-uncased", {"weights": "random", "tokens": 512, "batch": 8}
    if model == "gpt2":
        return "gpt2", {"weights": "random", "text": _TEXT, "new_tokens": 256}
    return gemma, {"text": _TEXT, "new_tokens": 32}


def run_one(command: str, model: str, budget_s: float, gemma: str) -> Row:
    """Run it here."""
    import cyclescope

    reference, asked = options(model, gemma)
    started = Started()
    threads = 1  # as many as are left beside a busy core of two
    if command == "measure":
        cyclescope.measure(reference, budget=budget_s, progress=started, threads=threads, **asked)
    elif command == "compare":
        b = {"dtype": "bfloat16"}
        cyclescope.measure_pair(reference, reference, b=b, budget=budget_s, progress=started, threads=threads, **asked)
    elif command == "optimize":
        cyclescope.optimize(reference, budget=budget_s, max_drift=_DRIFT, threads=threads, **asked)
        started.loaded_s = started.begun_s
    else:
        cyclescope.calibrate(quick=True, keep=False, progress=started)
        budget_s = _QUICK_CALIBRATION_S
    end_s = time.perf_counter()
    begun_s = started.loaded_s if started.loaded_s is not None else started.begun_s
    wall_s = end_s - begun_s
    return Row(command, model, budget_s, begun_s - started.begun_s, wall_s, wall_s / budget_s)


def run_apart(command: str, model: str, budget_s: float, gemma: str) -> Row:
    """Run it in a separate process, which is ended where it does not end by itself."""
    arguments = [sys.executable, __file__, "--one", command, model, str(budget_s), "--gemma", gemma]
    try:
        done = subprocess.run(
            arguments, capture_output=True, text=True, timeout=_LIMIT * budget_s + _LOADING_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Row(command, model, budget_s, 0.0, 0.0, None, "did not end")
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return Row(command, model, budget_s, 0.0, 0.0, None, lines[-1] if lines else "failed")
    return Row(**json.loads(done.stdout.strip().splitlines()[-1]))


@contextmanager
def busy() -> Iterator[None]:
    """One process that computes all the time."""
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        child.kill()
        child.wait()


@contextmanager
def at_rest() -> Iterator[None]:
    yield


def table(rows: Sequence[Row]) -> str:
    lines = [
        "| command | model | budget | loading | wall | wall ÷ budget |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        ratio = row.why if row.ratio is None else f"{row.ratio:.2f}" + (" over" if row.ratio > BOUND else "")
        lines.append(
            f"| {row.command} | {row.model} | {row.budget_s:g} s | {row.loading_s:.1f} s | {row.wall_s:.1f} s | {ratio} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", action="append", choices=COMMANDS)
    parser.add_argument("--model", action="append", choices=MODELS)
    parser.add_argument("--budget", type=seconds, default=30.0)
    parser.add_argument("--beside-busy", action="store_true")
    parser.add_argument("--gemma", default="")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=3, metavar=("COMMAND", "MODEL", "SECONDS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        command, model, budget_s = given.one
        print(json.dumps(asdict(run_one(command, model, float(budget_s), given.gemma))))
        return 0
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    models = [m for m in given.model or MODELS if m != "gemma" or given.gemma]
    pairs = [
        (command, model)
        for command in given.command or COMMANDS
        for model in (["none"] if command == "calibrate" else models)
    ]
    rows: list[Row] = []
    with busy() if given.beside_busy else at_rest():
        for command, model in pairs:
            rows.append(run_apart(command, model, given.budget, given.gemma))
            print(f"  load {os.getloadavg()[0]:.1f}  {table(rows[-1:]).splitlines()[-1]}", file=sys.stderr, flush=True)
            if given.json:
                given.json.write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")
    print(table(rows))
    return 0 if all(row.ratio is not None and row.ratio <= BOUND for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
