"""Rows of `src/cyclescope/machines/collectives.toml`, from tables of collectives that others measured.

    python bench/predict/collective_rows.py --data DIR --of a100_dgx="NVIDIA A100 SXM 80 GB" --source URL > FILE

`--of` names the machine of the catalogue that was measured in a folder of DIR; `{folder}` in URL is the folder.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tables.collectives import collective_tables


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--of", action="append", required=True, metavar="FOLDER=MACHINE")
    parser.add_argument("--source", required=True)
    asked = parser.parse_args()
    machines = dict(each.partition("=")[::2] for each in asked.of)
    for table in collective_tables(asked.data):
        if table.device not in machines:
            print(f"{table.device}: left out, because --of names no machine for it", file=sys.stderr)
            continue
        ceiling = table.fitted(slice(None), asked.source.format(folder=table.device))
        pieces = ", ".join(
            f"[{p.from_bytes}, {p.latency_ns:.1f}, {p.ns_per_byte:.6g}, {p.spread:.3f}]" for p in ceiling.pieces
        )
        print(f'\n[[collective]]\nmachine = "{machines[table.device]}"\nkind = "{ceiling.kind.value}"')
        print(f"ranks = {ceiling.ranks}\nhosts = {ceiling.hosts}\nsizes = {ceiling.sizes}\npieces = [{pieces}]")
        print(f'source = "{ceiling.source}"')
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
