"""The catalogue of known machines: what their makers state, for where there is nothing to measure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from cyclescope.core.ceilings import BandwidthCeiling, Ceilings, Figure, Origin, ProductCeiling
from cyclescope.core.collectives import CollectiveCeiling, CollectiveKind, CollectivePiece, Interconnect
from cyclescope.core.message import Series, Text, plural
from cyclescope.machines.remarks import REMARKS

READ_AT = "2026-11-24"  # when the sources were last compared with the rows
# Words of a name that do not tell two machines apart.
_NOISE = frozenset(["nvidia", "tesla", "geforce", "amd", "instinct", "intel", "aws", "r", "tm", "cpu", "processor"])
_NO_NAME = re.compile(
    r"@.*|\b\d+-core\b|\(r\)|\(tm\)"
)  # `@ 2.30GHz` is the base clock, `64-Core` follows from the model


@dataclass(frozen=True, slots=True)
class KnownMachine:
    """One row: the name, the other names of it, what it can do at best, its memory (0: not part of it), and the cores of a
    processor (0: it is a device).
    """

    name: str
    also: tuple[str, ...]
    ceilings: Ceilings
    memory_bytes: int
    cores: int = 0


def find_machine(name: str) -> Ceilings | None:
    """What the maker of the processor or device `name` states; None for an unknown name and for one that fits two.

    `name` is what PyTorch or /proc/cpuinfo says. Every word of it must be known: `NVIDIA H100 80GB HBM3` is the SXM one,
    `NVIDIA H100 PCIe` the other, and `H100` alone neither.
    """
    machine = _by_words().get(_words(name))
    return machine.ceilings if machine is not None else None


def machines_like(name: str) -> tuple[KnownMachine, ...]:
    """All rows that `name` can mean: the one whose name it is, else those that have all of its words."""
    if (exact := _by_words().get(_words(name))) is not None:
        return (exact,)
    asked = _words(name)
    if not asked:
        return ()
    return tuple(
        machine
        for machine in known_machines()
        if any(asked <= _words(known) for known in (machine.name, *machine.also))
    )


@cache
def known_machines() -> tuple[KnownMachine, ...]:
    """All rows of the catalogue, in its order."""
    text = resources.files(__package__).joinpath("machines.toml").read_text(encoding="utf-8")
    return tuple(machine_of_row(row) for row in tomllib.loads(text)["machine"])


@cache
def _by_words() -> Mapping[frozenset[str], KnownMachine]:
    return {_words(name): machine for machine in known_machines() for name in (machine.name, *machine.also)}


def _words(name: str) -> frozenset[str]:
    plain = _NO_NAME.sub(" ", name.lower())
    return frozenset(re.findall(r"[a-z0-9.+]+", plain)) - _NOISE


def machine_of_row(row: Mapping[str, Any]) -> KnownMachine:
    """A row of the catalogue, or of a file in its form, as a machine."""
    source, remark = row.get("source", ""), REMARKS.get(row.get("remark", ""), row.get("remark", ""))
    rate = row.get("bytes_per_s")
    ceilings = Ceilings(
        origin=Origin.DATASHEET,
        machine=row["name"],
        engine="",
        taken_at=READ_AT,
        products=(*_stated(row.get("flops", {}), source, remark), *_derived(row, source, remark)),
        bandwidths=() if rate is None else (BandwidthCeiling("memory", 0, 0, Figure.stated(rate, source, remark)),),
        collectives=_collectives().get(row["name"], ()),
        interconnects=tuple(map(_interconnect, row.get("interconnects", ()))),
    )
    return KnownMachine(
        row["name"], tuple(row["also"]), ceilings, int(row.get("memory_bytes", 0)), int(row.get("cores", 0))
    )


def _interconnect(link: Mapping[str, Any]) -> Interconnect:
    remark = REMARKS.get(link.get("remark", ""), link.get("remark", ""))
    latency = link.get("latency_ns")
    return Interconnect(
        link["name"],
        int(link["devices"]),
        Figure.stated(link["bytes_per_s"], link["source"], remark),
        None if latency is None else Figure.stated(latency, link["source"]),
    )


@cache
def _collectives() -> Mapping[str, tuple[CollectiveCeiling, ...]]:
    """Collectives that others measured on machines of the catalogue, by the name of the machine."""
    text = resources.files(__package__).joinpath("collectives.toml").read_text(encoding="utf-8")
    found: dict[str, tuple[CollectiveCeiling, ...]] = {}
    for row in tomllib.loads(text)["collective"]:
        pieces = tuple(CollectivePiece(int(start), *figures) for start, *figures in row["pieces"])
        kind = CollectiveKind(row["kind"])
        ceiling = CollectiveCeiling(kind, row["ranks"], row["hosts"], pieces, row["sizes"], row["source"])
        found[row["machine"]] = (*found.get(row["machine"], ()), ceiling)
    return found


def _stated(flops: Mapping[str, float], source: str, remark: Text) -> list[ProductCeiling]:
    """Peaks of a whole device. A datasheet knows nothing of shapes, so that they hold from one row on."""
    return [ProductCeiling(dtype, 1, 0, Figure.stated(value, source, remark)) for dtype, value in flops.items()]


def _derived(row: Mapping[str, Any], source: str, remark: Text) -> list[ProductCeiling]:
    """Peaks of one core and of all cores of a socket: cores · clock · FLOPs per cycle."""
    found = []
    for dtype, per_cycle in row.get("flops_per_cycle", {}).items():
        for cores in (1, row["cores"]):
            product = plural(
                "{n} core × {clock} × {flops} FLOPs a cycle",
                "{n} cores × {clock} × {flops} FLOPs a cycle",
                cores,
                clock=format(row["clock_hz"] / 1e9, ".2f") + " GHz",
                flops=per_cycle,
            )
            sources = f"{source}; {row['flops_per_cycle_source']}"
            how = Series((product, remark), "; ")
            figure = Figure.stated(cores * row["clock_hz"] * per_cycle, sources, how)
            found.append(ProductCeiling(dtype, 1, cores, figure))
    return found
