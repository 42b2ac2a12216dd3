"""Reading traces: how fast beside the peers, what is found in any folder of traces, and whether damage can crash it.

    python bench/import --folder DIR                     every file: recognised, counted, dropped, how long
    python bench/import --speed TRACE [--sizes N …] [--rounds N] [--peers PYTHON] [--most-for-peers N] [--scratch DIR]
    python bench/import --fuzz DIR [--seconds S] [--seed N]

`--speed` repeats a real trace of the PyTorch profiler with shifted ids and times. Peers run where PYTHON (default: this one) has them:
json, orjson, HolisticTraceAnalysis, TraceLens. Perfetto's trace processor is a program that its Python package downloads at the first use, so it
is no part of this.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--folder", type=Path)
    what.add_argument("--speed", type=Path)
    what.add_argument("--fuzz", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=sys.executable)
    parser.add_argument("--most-for-peers", type=int, default=200_000)
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.folder:
        import folder

        return min(folder.run(given.folder), 1)
    if given.fuzz:
        import fuzz

        return min(fuzz.run(given.fuzz, given.seconds, given.seed), 1)
    import speed

    speed.run(given.speed, given.sizes, given.rounds, given.peers, given.most_for_peers, given.scratch)
    return 0


if __name__ == "__main__":
    sys.exit(main())
