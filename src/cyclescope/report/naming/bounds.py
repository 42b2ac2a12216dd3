"""What bounds an operation, and where ceilings come from, in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.ceilings import Origin
from cyclescope.core.message import Message, Text, in_context, m
from cyclescope.explaining.lower_bounds import MAIN_MEMORY
from cyclescope.explaining.roofline import Bound

BOUNDS: Mapping[Bound, Message] = MappingProxyType(
    {
        Bound.COMPUTE: in_context("bound", "compute"),
        Bound.MEMORY: in_context("bound", "memory"),
        Bound.OVERHEAD: in_context("bound", "overhead"),
        Bound.NOTHING: in_context("bound", "no ceiling"),
    }
)
ORIGINS: Mapping[Origin, Message] = MappingProxyType(
    {Origin.MEASURED: m("ceilings, measured"), Origin.DATASHEET: m("ceilings, datasheet")}
)


def bound_name(bound: Bound, level: str) -> Text:
    """`compute`, `memory (L2)`, `main memory`, …"""
    if bound is not Bound.MEMORY or not level:
        return BOUNDS[bound]
    return level_name(level) if level == MAIN_MEMORY else m("memory ({level})", level=level)


def level_name(level: str) -> Text:
    """A level of the memory: `L2`, `main memory`."""
    return m("main memory") if level == MAIN_MEMORY else level
