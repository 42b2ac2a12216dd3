"""How often equal things are told apart, and how much two runs of one thing differ.

    python bench/ab.py turns [--runs 100] [--budget 2]
    python bench/ab.py apart [--processes 15] [--budget 2]

`turns` compares a model with itself, measured in turns, both loaded anew every time. `apart` measures it in processes
of its own and compares all pairs of them, as two saved runs are compared. Printed are the verdicts other than
inconclusive, of which each is a false alarm: at most 2 of 100 are allowed. For pairs apart also what differs between
runs: how far the ratios of medians lie from 1, which is where `core.ratios.BETWEEN_RUNS` comes from.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cyclescope import compare, load, measure_pair
from cyclescope.core.cycle import Cycle
from cyclescope.explaining.comparison import Comparison, Verdict


def in_turns(options: argparse.Namespace) -> list[Comparison]:
    """A model against itself, in turns, so many times."""
    made = []
    for number in range(options.runs):
        pair = measure_pair(
            options.model, options.model, tokens=options.tokens, threads=options.threads, budget=options.budget
        )
        made.append(compare(*pair))
        ratio = made[-1].ratio
        print(f"{number + 1:4} {ratio.value:.4f} [{ratio.low:.4f} – {ratio.high:.4f}] {made[-1].verdict.value}")
    return made


def processes(options: argparse.Namespace) -> list[Cycle]:
    """A model measured in processes of its own, one after the other."""
    command = [sys.executable, "-m", "cyclescope", "measure", options.model, "--json"]
    command += ["--tokens", str(options.tokens), "--threads", str(options.threads), "--budget", str(options.budget)]
    cycles = []
    with TemporaryDirectory() as folder:
        for number in range(options.processes):
            path = Path(folder) / f"{number}.cycle"
            subprocess.run([*command, "--out", str(path)], check=True, capture_output=True)
            cycles.append(load(path))
            walls, load_by_others = cycles[-1].samples.uninstrumented.wall_ns, cycles[-1].samples.load.other_busy
            print(f"{number + 1:4} median {np.median(walls) / 1e6:.3f} ms, n {len(walls)}, others {load_by_others}")
    return cycles


def tell_verdicts(made: Sequence[Comparison]) -> None:
    verdicts = Counter(comparison.verdict for comparison in made)
    why = Counter(str(comparison.why) for comparison in made)
    told_apart = len(made) - verdicts[Verdict.INCONCLUSIVE]
    print(f"told apart: {told_apart} of {len(made)} ({dict(why)})")


def tell_spread(cycles: Sequence[Cycle]) -> None:
    medians = [float(np.median(cycle.samples.uninstrumented.wall_ns)) for cycle in cycles]
    logs = [abs(np.log(b / a)) for a, b in combinations(medians, 2)]
    parts = ", ".join(f"{q} % of pairs within {np.exp(np.percentile(logs, q)) - 1:.1%}" for q in (50, 90, 99))
    print(f"between runs: {parts}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("how", choices=("turns", "apart"))
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--budget", type=float, default=2.0)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--processes", type=int, default=15)
    options = parser.parse_args()
    if options.how == "turns":
        tell_verdicts(in_turns(options))
        return
    cycles = processes(options)
    quiet = [cycle for cycle in cycles if (cycle.samples.load.other_busy or 0.0) <= 0.1]
    for name, chosen in (("all", cycles), ("without load by others", quiet)):
        print(f"{name}: {len(chosen)} runs")
        if len(chosen) > 1:
            tell_spread(chosen)
            tell_verdicts([compare(a, b) for a, b in combinations(chosen, 2)])


if __name__ == "__main__":
    main()
