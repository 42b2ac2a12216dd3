"""Wall time ÷ budget of the commands that take one, on short and on long cycles: the bound is 1.2.

    python bench/budget.py [--only measure,compare,optimize,calibrate] [--model minilm,bert-base,gpt2,gemma]
                           [--budget 30s] [--beside-busy] [--gemma FOLDER] [--append FILE]
    python bench/budget.py --table FILE

Every pair of a command and a model runs in a separate process. Loading is apart: the clock begins when it has ended
(`calibrate` has the budget of its probes, and no model). `--beside-busy` keeps one more process busy meanwhile, and runs
models on the cores that are left. `--append` adds each row to a file of JSON lines, so that a table can be measured in
pieces; `--table` prints the newest row of each pair of such a file. The models are MiniLM; BERT-base on 8 × 512 tokens and
GPT-2 writing 256 tokens, both with random weights; and Gemma 3 270M writing 32 tokens, from the folder given with `--gemma`
(without it, it is left out).
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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cyclescope.cli.duration import seconds
from cyclescope.core.errors import UsageError

BOUND = 1.2
COMMANDS = ("measure", "compare", "optimize", "calibrate")
MODELS = ("minilm", "bert-base", "gpt2", "gemma")
NO_MODEL = "none"
_TEXT = "The history of the steam engine begins"
_DRIFT = 0.2
_LIMIT = 6  # times the budget and loading, after which a process is ended and counted as such
_LOADING_S = 240.0
_BUDGETS_S = {"measure": 30.0, "compare": 30.0, "optimize": 60.0}
_QUICK_CALIBRATION_S = 9.0  # what `calibrate --quick` says that it takes
_PHASES_SHOWN = 4


@dataclass(frozen=True)
class Row:
    """One command on one model. `ratio` is None where it failed; `why` says how, or why a budget was refused. `phases` are the longest, in seconds."""

    command: str
    model: str
    budget_s: float
    loading_s: float
    wall_s: float
    ratio: float | None
    why: str = ""
    beside_busy: bool = False
    day: str = ""
    phases: tuple[tuple[str, float], ...] = ()


class Timeline:
    """Progress that notes when each phase began."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, float]] = [("load", time.perf_counter())]

    def __call__(self, phase: str, done: float) -> None:
        if phase != self.phases[-1][0]:
            self.phases.append((phase, time.perf_counter()))

    def durations_s(self, end_s: float) -> dict[str, float]:
        """Seconds of each phase, all of its turns together."""
        found: dict[str, float] = {}
        ends = [begin for _, begin in self.phases[1:]] + [end_s]
        for (phase, begin), end in zip(self.phases, ends, strict=True):
            found[phase] = found.get(phase, 0.0) + end - begin
        return found


def options(model: str, gemma: str) -> tuple[str, dict[str, Any]]:
    """The reference of a model, and what is asked of it."""
    if model == "minilm":
        return "minilm", {"text": _TEXT}
    if model == "bert-base":
        return "bert-base-uncased", {"weights": "random", "tokens": 512, "batch": 8}
    if model == "gpt2":
        return "gpt2", {"weights": "random", "text": _TEXT, "new_tokens": 256}
    return gemma, {"text": _TEXT, "new_tokens": 32}


def run_one(command: str, model: str, budget_s: float, gemma: str, threads: int | None) -> Row:
    """Run it here. A budget that is refused was not kept in vain: the row says so beside the time that it took."""
    timeline = Timeline()
    refused = ""
    try:
        run_command(command, model, budget_s, gemma, threads, timeline)
    except UsageError as error:
        refused = str(error.fact)
    if command == "calibrate":
        budget_s = _QUICK_CALIBRATION_S
    took_s = timeline.durations_s(time.perf_counter())
    loading_s = took_s.pop("load", 0.0)
    wall_s = sum(took_s.values())
    longest = sorted(((name, round(s, 1)) for name, s in took_s.items()), key=lambda each: -each[1])
    phases = tuple(longest[:_PHASES_SHOWN])
    return Row(command, model, budget_s, loading_s, wall_s, wall_s / budget_s, why=refused, phases=phases)


def run_command(command: str, model: str, budget_s: float, gemma: str, threads: int | None, timeline: Timeline) -> None:
    """Run the command, as a user of Python would."""
    import cyclescope

    reference, asked = options(model, gemma)
    if command == "measure":
        cyclescope.measure(reference, budget=budget_s, progress=timeline, threads=threads, **asked)
    elif command == "compare":
        b = {"dtype": "bfloat16"}
        cyclescope.measure_pair(reference, reference, b=b, budget=budget_s, progress=timeline, threads=threads, **asked)
    elif command == "optimize":
        cyclescope.optimize(reference, budget=budget_s, max_drift=_DRIFT, progress=timeline, threads=threads, **asked)
    else:
        cyclescope.calibrate(quick=True, keep=False, progress=timeline)


def run_apart(command: str, model: str, budget_s: float, gemma: str, *, beside_busy: bool) -> Row:
    """Run it in a separate process, which is ended where it does not end by itself."""
    arguments = [sys.executable, __file__, "--one", command, model, str(budget_s), "--gemma", gemma]
    if beside_busy:
        arguments.append("--beside-busy")
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    try:
        done = subprocess.run(
            arguments, capture_output=True, text=True, timeout=_LIMIT * budget_s + _LOADING_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Row(command, model, budget_s, 0.0, 0.0, None, "did not end", beside_busy, day)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return Row(command, model, budget_s, 0.0, 0.0, None, lines[-1] if lines else "failed", beside_busy, day)
    return read_row(done.stdout.strip().splitlines()[-1], beside_busy=beside_busy, day=day)


def read_row(line: str, **known: Any) -> Row:
    """The row in a line of JSON."""
    facts = {**json.loads(line), **known}
    return Row(**{**facts, "phases": tuple((name, s) for name, s in facts["phases"])})


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
        "| command | model | beside | budget | loading | wall | wall ÷ budget | longest phases | day |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | --- | --- |",
    ]
    for row in rows:
        ratio = row.why if row.ratio is None else f"{row.ratio:.2f}" + (" over" if row.ratio > BOUND else "")
        if row.ratio is not None and row.why:
            ratio = f"{ratio}. {row.why}"
        phases = ", ".join(f"{name} {s:.1f} s" for name, s in row.phases)
        beside = "a busy core" if row.beside_busy else "at rest"
        lines.append(
            f"| {row.command} | {row.model} | {beside} | {row.budget_s:g} s | {row.loading_s:.1f} s | {row.wall_s:.1f} s "
            f"| {ratio} | {phases} | {row.day} |"
        )
    return "\n".join(lines)


def newest(path: Path) -> list[Row]:
    """The last row of each pair in a file of JSON lines, in the order of commands and models."""
    rows = [read_row(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    last = {(row.beside_busy, row.command, row.model): row for row in rows}
    models = (*MODELS, NO_MODEL)
    return sorted(
        last.values(), key=lambda row: (row.beside_busy, COMMANDS.index(row.command), models.index(row.model))
    )


def _chosen(known: Sequence[str], given: str) -> list[str]:
    names = given.split(",")
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"must be of {', '.join(known)} (got {name})")
    return names


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=lambda given: _chosen(COMMANDS, given), default=list(COMMANDS))
    parser.add_argument("--model", type=lambda given: _chosen(MODELS, given), default=list(MODELS))
    parser.add_argument("--budget", type=seconds)
    parser.add_argument("--beside-busy", action="store_true")
    parser.add_argument("--gemma", default="")
    parser.add_argument("--append", type=Path)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--one", nargs=3, metavar=("COMMAND", "MODEL", "SECONDS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        command, model, budget_s = given.one
        threads = max(1, (os.cpu_count() or 2) - 1) if given.beside_busy else None
        print(json.dumps(asdict(run_one(command, model, float(budget_s), given.gemma, threads))))
        return 0
    if given.table:
        rows = newest(given.table)
        print(table(rows))
        return 0 if all(row.ratio is not None and row.ratio <= BOUND for row in rows) else 1
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    models = [m for m in given.model if m != "gemma" or given.gemma]
    pairs = [(command, model) for command in given.only for model in ([NO_MODEL] if command == "calibrate" else models)]
    rows = []
    with busy() if given.beside_busy else at_rest():
        for command, model in pairs:
            budget_s = given.budget or _BUDGETS_S.get(command, _QUICK_CALIBRATION_S)
            rows.append(run_apart(command, model, budget_s, given.gemma, beside_busy=given.beside_busy))
            print(f"  load {os.getloadavg()[0]:.1f}  {table(rows[-1:]).splitlines()[-1]}", file=sys.stderr, flush=True)
            if given.append:
                with given.append.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(rows[-1])) + "\n")
    print(table(rows))
    return 0 if all(row.ratio is not None and row.ratio <= BOUND for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
