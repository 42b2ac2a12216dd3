"""Places of the model against their ceilings, with what they compute and move: what the drawing has points of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.core.graph.op import OpKind
from cyclescope.core.units import NS_PER_S
from cyclescope.explaining.explanation import GroupRow
from cyclescope.explaining.roofline import Bound, RooflineRow


@dataclass(frozen=True, slots=True)
class RooflinePoint:
    """One place that took time: its `entry` in the roofline, and its kind, FLOPs and bytes, added up over its operations."""

    entry: RooflineRow
    kind: OpKind
    flops: int
    bytes: int

    @property
    def time_ns(self) -> float:
        return self.entry.time_ns

    @property
    def has_ceiling(self) -> bool:
        return self.entry.bound is not Bound.NOTHING

    @property
    def flops_per_s(self) -> float:
        return self.flops / self.entry.time_ns * NS_PER_S

    @property
    def bytes_per_s(self) -> float:
        return self.bytes / self.entry.time_ns * NS_PER_S

    @property
    def intensity(self) -> float:
        """FLOPs a byte; 0 where nothing is moved."""
        return self.flops / self.bytes if self.bytes else 0.0


def roofline_points(entries: Sequence[RooflineRow], groups: Sequence[GroupRow]) -> tuple[RooflinePoint, ...]:
    """Every place that took time, the costliest first. `entries` and `groups` are about the same places."""
    known = {row.name: row for row in groups}
    found = [
        RooflinePoint(entry, row.kind, row.cost.flops, row.cost.read_bytes + row.cost.written_bytes)
        for entry in entries
        if entry.time_ns > 0 and (row := known.get(entry.name)) is not None
    ]
    return tuple(sorted(found, key=lambda point: -point.time_ns))
