"""Events a second and bytes an event of each reader, interleaved, on one core; and how both grow with the trace.

Every reading is a process of its own, pinned to one core. A round is one reading by each reader; medians of the rounds are printed, of
processor time, since other jobs share the machine. Memory is the growth of the resident memory at its peak, by record of the trace.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import repeated
from readers import READERS

HERE = Path(__file__).parent
OURS = ("cyclescope", "cyclescope, not compiled")


def run(source: Path, sizes: list[int], rounds: int, python: str, most_for_peers: int, scratch: Path | None) -> None:
    """Prints a table for each size; peers run with the interpreter `python`, and on traces of at most `most_for_peers` events."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        ours: list[tuple[int, float]] = []
        for size in sizes:
            path = Path(folder) / f"{size}.json"
            records = repeated.write(source, size, path)
            print(f"\n{source.name} repeated: {records:,} records, {path.stat().st_size / 1e6:.0f} MB, {rounds} rounds")
            names = [name for name in READERS if name == OURS[0] or size <= most_for_peers]
            taken = _rounds(names, path, rounds, python)
            for name in names:
                print(_line(name, records, taken[name]))
            ours.append((records, median(t["processor_s"] for t in taken[OURS[0]])))
            path.unlink()
        for (a, first), (b, second) in pairwise(ours):
            print(
                f"{a:,} to {b:,} records: processor time grows as n to the {math.log(second / first) / math.log(b / a):.2f}"
            )


def _rounds(names: list[str], path: Path, rounds: int, python: str) -> dict[str, list[dict[str, Any]]]:
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            taken[name].append(_reading(name, path, sys.executable if name in OURS else python))
    return taken


def _reading(name: str, path: Path, python: str) -> dict[str, Any]:
    core = str(max(os.sched_getaffinity(0)))
    done = subprocess.run(
        [python, str(HERE / "one.py"), name, str(path), core], capture_output=True, text=True, check=False
    )
    try:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return {"failed": (done.stderr.strip().splitlines() or ["no output"])[-1][:100], "processor_s": math.nan}
    return found


def _line(name: str, records: int, taken: list[dict[str, Any]]) -> str:
    failed = next((t["failed"] for t in taken if "failed" in t), "")
    if failed:
        return f"  {name:26} did not read it: {failed}"
    seconds = sorted(t["processor_s"] for t in taken)
    memory = median(t["bytes"] for t in taken) / records
    read = taken[0]["records"]
    return (
        f"  {name:26} {records / median(seconds):>11,.0f} events/s ({records / seconds[-1]:,.0f} to {records / seconds[0]:,.0f})"
        f"   {memory:>6,.0f} bytes an event   {read:,} read"
    )
