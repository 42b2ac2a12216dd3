"""Stages and places of a cycle in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.message import Message, Series, Text, in_context
from cyclescope.explaining.places import Place

STAGES: Mapping[str, Message] = MappingProxyType(
    {
        "tokenize": in_context("stage", "tokenize"),
        "prepare": in_context("stage", "prepare"),
        "receive": in_context("stage", "receive"),
        "sample": in_context("stage", "sample"),
        "embed": in_context("stage", "embed"),
        "encode": in_context("stage", "encode"),
        "decode": in_context("stage", "decoder"),  # "decode" is a phase of a generation
        "head": in_context("stage", "head"),
        "read out": in_context("stage", "read out"),
        "model": in_context("stage", "model"),
    }
)
_MOST_PATH, _PATH_HEAD = 60, 20


def stage_name(stage: str) -> Text:
    """`encode 2` in words; a stage that has none keeps its name."""
    base, _, number = stage.rpartition(" ")
    if number.isdigit() and base in STAGES:
        return Series((STAGES[base], number), " ")
    return STAGES.get(stage, stage)


def layer_name(stage: str, layer: int) -> Text:
    """`encode 3`."""
    return Series((stage_name(stage), str(layer)), " ")


def place_name(place: Place, count: int = 1) -> Text:
    """`encode · attention.self.query (linear) × 12`: stage, path within the layer, operation, how often."""
    where = Series((stage_name(place.stage), *([shortened(place.path)] if place.path else [])), " · ")
    operation = f" ({place.operation})" if place.operation else ""
    return Series((where, f"{operation} × {count}" if count > 1 else operation))


def location_name(stage: str, module: str, operation: str) -> Text:
    """`encode · encoder.layer.3.intermediate (gelu)`: stage, module, operation."""
    return Series((Series((stage_name(stage), module), " · "), f" ({operation})"))


def shortened(path: str) -> str:
    """A module's path in a length that a table can bear; its end, which says what it is, stays longest."""
    return path if len(path) <= _MOST_PATH else f"{path[:_PATH_HEAD]}…{path[_PATH_HEAD + 1 - _MOST_PATH :]}"
