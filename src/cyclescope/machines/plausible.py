"""What figures of machines can be, in SI units, so that one in another unit is recognized before anything rests on it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Quantity:
    """One kind of figure: the `unit` it stands in, the `least` and the `most` that a machine can have, and by what it must
    be multiplied where it stands in other `units`. Where several fit, the first is what people write most.
    """

    unit: str
    least: float
    most: float
    units: tuple[tuple[str, float], ...] = ()
    whole: bool = False

    def holds(self, value: float) -> bool:
        return math.isfinite(value) and self.least <= value <= self.most and (not self.whole or value == int(value))

    def meant(self, value: float) -> tuple[float, str] | None:
        """What `value` is if it stands in another unit, and that unit; None where it is no such figure in any."""
        found = ((value * factor, unit) for unit, factor in self.units)
        return next(((figure, unit) for figure, unit in found if self.holds(figure)), None)

    def read(self, text: str) -> float | None:
        """The figure that `text` (`900 GB/s`) states; None where it states none."""
        match = _WITH_UNIT.fullmatch(text.strip())
        if match is None:
            return None
        factors = {self.unit.lower(): 1.0, "": 1.0} | {unit.lower(): factor for unit, factor in self.units}
        factor = factors.get(match[2].strip().lower())
        return None if factor is None else float(match[1]) * factor


_WITH_UNIT = re.compile(r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*(\D*)")

# The slowest is a board of a few watts, the fastest about twice what is sold today: so a bare 3.35 is TB/s and a bare 50 GB/s.
BYTES_PER_S = Quantity("B/s", 1e9, 2e13, (("TB/s", 1e12), ("GB/s", 1e9), ("MB/s", 1e6)))
# Of one device in one direction: a network of 1 Gbit/s is a tenth of a GB/s, and a link of devices below 10 TB/s.
LINK_BYTES_PER_S = Quantity(
    "B/s", 1e7, 1e13, (("TB/s", 1e12), ("GB/s", 1e9), ("MB/s", 1e6), ("Gbit/s", 1.25e8), ("Mbit/s", 1.25e5))
)
CACHE_BYTES_PER_S = Quantity("B/s", 1e9, 1e15, (("GB/s", 1e9), ("TB/s", 1e12), ("MB/s", 1e6)))
FLOPS = Quantity("FLOP/s", 1e9, 1e17, (("TFLOP/s", 1e12), ("GFLOP/s", 1e9), ("PFLOP/s", 1e15)))
MEMORY_BYTES = Quantity("B", 1e8, 1e14, (("GB", 1e9), ("MB", 1e6), ("TB", 1e12)))
CAPACITY_BYTES = Quantity("B", 4e3, 1e11, (("MB", 1e6), ("kB", 1e3), ("GB", 1e9)))
HERTZ = Quantity("Hz", 1e8, 1e10, (("GHz", 1e9), ("MHz", 1e6)))
CORES = Quantity("", 1, 10_000, whole=True)
FLOPS_PER_CYCLE = Quantity("FLOP", 1, 1e6, whole=True)
OVERHEAD_NS = Quantity("ns", 10, 1e8, (("s", 1e9), ("ms", 1e6), ("µs", 1e3)))

# What dtypes are called elsewhere, by torch's name of them.
DTYPES: Mapping[str, str] = MappingProxyType(
    {
        "fp64": "float64", "fp32": "float32", "tf32": "tfloat32", "fp16": "float16", "half": "float16",
        "bf16": "bfloat16", "fp8": "float8_e4m3fn", "float8": "float8_e4m3fn", "double": "float64", "single": "float32",
        "i8": "int8", "int8_ops": "int8",
    }
)  # fmt: skip
SPECIAL_DTYPES = ("tfloat32",)  # a way to multiply float32, and no type of a tensor
