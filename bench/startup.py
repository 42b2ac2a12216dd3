"""What a person waits for: the help, and the first number, each beside the least that anyone could write.

    python bench/startup.py [--rounds N] [--first-rounds N]

Every round runs each command once, in a separate process, in turn and in the opposite order the next time. Printed is
the time from the start of the process to its end (help) or to the first byte on its standard output (first number):
the median of the rounds, and the ratio of medians with its 95 % interval. The hand-written script does what a user
does who wants one number: import, load, one forward pass under a clock. Ours takes that and half a second of repeats,
the trace, the stamped pass and the account.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from time import perf_counter_ns

import numpy as np

from cyclescope.core.statistics import median_ratio
from cyclescope.models.packaged import require_minilm

Command = Sequence[str]

BY_HAND = """
import sys, time, torch
from transformers import AutoModel
model = AutoModel.from_pretrained(sys.argv[1]).eval()
ids = torch.randint(1000, 30000, (1, 16))
with torch.inference_mode():
    begin = time.perf_counter()
    model(input_ids=ids, attention_mask=torch.ones_like(ids))
    print(time.perf_counter() - begin)
"""


def wall_ns(command: Command, *, to_first_byte: bool) -> int:
    """From the start of the process to its end, or to the first byte that it prints. Raises if it fails."""
    begin = perf_counter_ns()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.read(1)
        first = perf_counter_ns() - begin
        child.stdout.read()
        complaint = child.stderr.read().decode(errors="replace")
    whole = perf_counter_ns() - begin
    if child.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed:\n{complaint}")
    return first if to_first_byte else whole


def interleaved(commands: Mapping[str, Command], rounds: int, *, to_first_byte: bool) -> dict[str, list[int]]:
    """Walls of each command [rounds], after one round that only warms the disk's cache."""
    walls: dict[str, list[int]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        order = list(commands) if turn % 2 else list(reversed(commands))
        for name in order:
            wall = wall_ns(commands[name], to_first_byte=to_first_byte)
            if turn:
                walls[name].append(wall)
    return walls


def tell(title: str, walls: Mapping[str, Sequence[int]], ours: str) -> None:
    print(f"\n{title}")
    for name, times in walls.items():
        line = f"  {name:44} {np.median(times) / 1e6:9.1f} ms"
        if name != ours:
            ratio = median_ratio(np.asarray(walls[ours]), np.asarray(times))
            line += f"   ours ÷ this {ratio.value:6.2f} [{ratio.low:.2f} – {ratio.high:.2f}] n={ratio.n}"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15, help="of the help")
    parser.add_argument("--first-rounds", type=int, default=6, help="of the first number")
    chosen = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    python = sys.executable
    cyclescope = [python, "-m", "cyclescope"]
    helps = {
        "cyclescope --help": [*cyclescope, "--help"],
        "python -c pass": [python, "-c", "pass"],
        'python -c "import typer, rich"': [python, "-c", "import typer, rich"],
    }
    tell("Help, whole process", interleaved(helps, chosen.rounds, to_first_byte=False), "cyclescope --help")
    measure = "measure minilm --tokens 16 --budget 0.5"
    firsts = {
        measure: [*cyclescope, *measure.split(), "--json"],
        "by hand: import, load, one forward": [python, "-c", BY_HAND, str(require_minilm())],
    }
    tell("First number", interleaved(firsts, chosen.first_rounds, to_first_byte=True), measure)


if __name__ == "__main__":
    main()
