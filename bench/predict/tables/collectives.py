"""Tables of collectives: DEVICE/FILE.csv with the columns `collective`, `num_workers`, `devices_per_node` and `size`."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tables.outcome import Outcome, left_out, outcome

from cyclescope.core.collectives import Collective, CollectiveCeiling, CollectiveKind, collective_time, volume
from cyclescope.core.units import FloatArray
from cyclescope.predicting.spreading.collective_fit import fit_collective

_COLUMNS = {"collective", "num_workers", "devices_per_node", "size"}
_KINDS = {
    "all_reduce": CollectiveKind.ALL_REDUCE,
    "all_gather": CollectiveKind.ALL_GATHER,
    "send_recv": CollectiveKind.SEND,
}
_NS_PER_MS = 1e6
_LEAST_SIZES = 40


@dataclass(frozen=True, eq=False)
class Sizes:
    """Times [n] in nanoseconds of messages of `sizes` [n] bytes, of one collective among `ranks` on `hosts`."""

    device: str
    kind: CollectiveKind
    ranks: int
    hosts: int
    sizes: FloatArray
    ns: FloatArray

    def fitted(self, rows: FloatArray | slice, source: str) -> CollectiveCeiling:
        return fit_collective(
            self.kind, self.ranks, self.hosts, self.sizes[rows].tolist(), self.ns[rows].tolist(), source
        )


def collective_tables(folder: Path) -> Iterator[Sizes]:
    """All tables of collectives below `folder`; a size that was measured twice has the median."""
    for path in sorted(folder.rglob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if not set(reader.fieldnames or ()) >= _COLUMNS:
                continue
            groups: dict[tuple[str, int, int], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
            for row in reader:
                name = row["collective"]
                key = (name, int(row["num_workers"]), int(row["devices_per_node"]))
                groups[key][int(row["size"])].append(float(row[f"time_stats.{name}.median"]))
        for (name, ranks, each), found in sorted(groups.items()):
            if name not in _KINDS or len(found) < _LEAST_SIZES:
                left_out(path, f"{name} of {ranks} ranks is unknown or has fewer than {_LEAST_SIZES} sizes")
                continue
            sizes = sorted(found)
            times = [float(np.median(found[size])) * _NS_PER_MS for size in sizes]
            hosts = -(-ranks // each)
            yield Sizes(path.parent.name, _KINDS[name], ranks, hosts, np.asarray(sizes, float), np.asarray(times))


def collective_rows(folder: Path) -> Iterator[Outcome]:
    """Each table fitted on every second size and tested on the others; beside it one latency and one bandwidth for all sizes."""
    for table in collective_tables(folder):
        tested = np.arange(len(table.sizes)) % 2 == 1
        ceiling = table.fitted(~tested, table.device)
        asked = [Collective(0, table.kind, table.ranks, int(size), table.hosts) for size in table.sizes.tolist()]
        said = [time for each in asked if (time := collective_time((ceiling,), (), each)) is not None]
        ns, spread = np.asarray([time.ns for time in said]), np.asarray([time.spread for time in said])
        plain = np.polyfit(table.sizes[~tested], table.ns[~tested], 1)
        what = f"{table.device}, {table.kind.value}, {table.ranks} ranks on {table.hosts} hosts"
        last = ceiling.pieces[-1]
        bus = volume(table.kind, table.ranks) / last.ns_per_byte if last.ns_per_byte else float("nan")
        remark = f"{len(ceiling.pieces)} pieces, {ceiling.pieces[0].latency_ns / 1000:.1f} µs, bus {bus:.1f} GB/s"
        yield outcome(
            "collectives", what, f"{int((~tested).sum())} sizes", table.ns,
            [(np.flatnonzero(tested), ns, ns * np.exp(-spread), ns * np.exp(spread))],
            None, np.polyval(plain, table.sizes), remark,
        )  # fmt: skip
