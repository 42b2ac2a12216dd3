"""What a datasheet says of a device: the peak of products by dtype, and the bandwidth of its memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclescope.machines.catalog import KnownMachine, known_machines

_BYTES = {"bfloat16": 2.0, "float16": 2.0, "float32": 4.0}
_SHORT = {"fp8": 1.0, "int8": 1.0, "fp4": 0.5, "nvfp4": 0.5, "int4": 0.5}


@dataclass(frozen=True, slots=True)
class Sheet:
    """FLOPs a second by dtype, and bytes a second; `source` is the file or the catalogue's row."""

    flops_per_s: dict[str, float]
    bytes_per_s: float
    source: str

    def peak(self, dtype: str) -> float:
        """The peak of `dtype`: its own, else that of the type that its name begins with, else of 16 bits scaled by width."""
        for known, value in sorted(self.flops_per_s.items(), key=lambda item: -len(item[0])):
            if dtype == known or dtype.startswith(known):
                return value
        half = next(iter(self.flops_per_s.values()))
        return half * 2.0 / bytes_of(dtype)


def bytes_of(dtype: str) -> float:
    """Bytes of one element of `dtype`: by its name, else by the number of bits in it, else two."""
    for name, size in (_BYTES | _SHORT).items():
        if dtype.startswith(name):
            return size
    bits = re.search(r"(\d+)", dtype)
    return int(bits[1]) / 8 if bits else 2.0


def sheets(folder: Path) -> dict[str, Sheet]:
    """The datasheets (NAME.yaml with `gpu:`) below `folder`, by name."""
    import yaml

    found = {}
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        gpu = data.get("gpu") if isinstance(data, dict) else None
        if not isinstance(gpu, dict) or "mem_bw" not in gpu:
            continue
        peaks = {k.removesuffix("_tc_flops"): float(v) for k, v in gpu.items() if k.endswith("_tc_flops") and v}
        if peaks:
            peaks = {"bfloat16": peaks.get("bfloat16", max(peaks.values()))} | peaks
            found[path.stem] = Sheet(peaks, float(gpu["mem_bw"]), path.name)
    return found


def sheet_of(machine: str, known: dict[str, Sheet]) -> Sheet | None:
    """The datasheet of the folder `machine`: its own, else one that begins like it, else the largest row of the catalogue that
    has all of its words; None where there is none.
    """
    named = [name for name in known if name == machine or name.startswith((f"{machine}_", f"{machine}-"))]
    if named:
        return known[min(named, key=len)]
    words = _words(machine)
    rows = [_of_catalogue(row) for row in known_machines() if words and words <= _words(row.name, *row.also)]
    stated = [sheet for sheet in rows if sheet is not None]
    return max(stated, key=lambda sheet: sheet.peak("float16"), default=None)


def no_sheet(machine: str) -> str:
    """Why nothing is predicted on `machine`."""
    return f"there is no datasheet of {machine} (NAME.yaml, or a row of the catalogue)"


def _of_catalogue(row: KnownMachine) -> Sheet | None:
    peak, memory = row.ceilings.peak("float16", 0), row.ceilings.bandwidth(1 << 60, 0)
    if peak is None or memory is None:
        return None
    return Sheet({"float16": peak.value}, memory.bytes_per_s.value, f"catalogue: {row.name}")


def _words(*names: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", " ".join(names).lower()))
