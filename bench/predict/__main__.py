"""Predictions of times that others measured: fitted on one part of a folder of tables, tested on the other.

    python bench/predict --data DIR [--row NAME …] [--seeds 5] [--points 150] [--most 6000]
    python bench/predict --engine ENGINE --truths DIR [--seconds 420] [--round 2] [--only NAME] [--report]

DIR holds tables of vidur, aiconfigurator or Hardware-Aware Transformers in the folders of those projects. Parquet files
are read with pyarrow (`pip install pyarrow`), fits need scikit-learn (`pip install 'cyclescope[predict]'`).

The second form is about an engine of this machine that fuses, and about no tables: see `engines.py`.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tables.collectives import collective_rows
from tables.gpu import attention_rows, product_rows
from tables.layers import layer_rows
from tables.networks import network_rows
from tables.outcome import table
from tables.reading import read_tables
from tables.sheet import sheets

from cyclescope.core.errors import CyclescopeError

_ROWS = ("layers", "gemm", "attention", "networks", "collectives")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of tables")
    parser.add_argument("--engine", help="predict this engine on this machine, in place of tables")
    parser.add_argument(
        "--truths", type=Path, help="of --engine: folder of what was measured, outside of the repository"
    )
    parser.add_argument("--seconds", type=float, default=420.0, help="of --engine: begin no model after so long")
    parser.add_argument("--each", type=float, default=2.0, help="of --engine: seconds of measuring for each workload")
    parser.add_argument("--round", type=int, choices=(1, 2), default=1, help="of --engine")
    parser.add_argument("--only", default="", help="of --engine: models whose name has this")
    parser.add_argument("--report", action="store_true", help="of --engine: predict what was measured")
    parser.add_argument("--row", choices=_ROWS, action="append", help="only these kinds of tables")
    parser.add_argument("--seeds", type=int, default=5, help="repetitions of every random choice")
    parser.add_argument("--points", type=int, default=150, help="rows of an unseen device that may be measured")
    parser.add_argument("--most", type=int, default=6000, help="rows of a table that are looked at")
    asked = parser.parse_args()
    if asked.engine:
        if asked.truths is None:
            parser.error("--engine needs --truths DIR")
        return _of_engine(asked)
    if asked.data is None:
        parser.error("one of --data and --engine is needed")
    wanted = asked.row or _ROWS
    try:
        found, known = read_tables(asked.data), sheets(asked.data)
    except CyclescopeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    outcomes = []
    begin = time.monotonic()
    kinds = {
        "layers": lambda: layer_rows(found.layers, known, asked.seeds),
        "gemm": lambda: product_rows(found.products, known, asked.points, asked.seeds, asked.most),
        "networks": lambda: network_rows(found.networks, asked.seeds),
        "collectives": lambda: collective_rows(asked.data),
        "attention": lambda: attention_rows(found.attention, known, asked.points, asked.seeds, asked.most),
    }
    for kind in wanted:
        for one in kinds[kind]():
            outcomes.append(one)
            print(
                f"{time.monotonic() - begin:6.0f} s  {one.row}: {one.what}  {one.mean:.2%}  ({one.remark})", flush=True
            )
    if not outcomes:
        print("Nothing could be predicted: every table was left out, or is of another kind.", file=sys.stderr)
        return 2
    print()
    print(table(outcomes))
    return 0


def _of_engine(asked: argparse.Namespace) -> int:
    from engines import measure_missing, report

    asked.truths.mkdir(parents=True, exist_ok=True)
    try:
        if asked.report:
            report(asked.truths, asked.engine)
        else:
            measure_missing(asked.truths, asked.engine, asked.round, asked.seconds, asked.each, asked.only)
    except CyclescopeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
