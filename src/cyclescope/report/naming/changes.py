"""Changes between two cycles in words: the part that changed, how often it occurs, and its times."""

from __future__ import annotations

from cyclescope.core.message import Message, Series, Text, in_context, m
from cyclescope.explaining.changes import PartChange, Presence
from cyclescope.report import format as fmt
from cyclescope.report.naming.kinds import KINDS
from cyclescope.report.naming.stages import place_name, stage_name

ONLY_IN = {Presence.ONLY_A: m("only in A"), Presence.ONLY_B: m("only in B")}


def part_name(change: PartChange, between: Message) -> Text:
    """A stage, a layer, a kind of work, or a place with its operation. `between` names what runs between operations."""
    stage = stage_name(change.stage) if change.stage else ""
    if change.layer is not None:
        return in_context("layer of a stage", "{stage} {layer}", stage=stage, layer=change.layer)
    if change.kind is not None and not stage:
        return KINDS[change.kind]
    if change.kind is not None:
        here = place_name(change.place)
        return m("{a} → {b}", a=here, b=place_name(change.renamed)) if change.renamed else here
    if change.name == change.stage:
        return stage
    return Series((stage, between), " · ")


def often(change: PartChange) -> str:
    """How many operations a group has: ` × 12`, or ` × 12 → 6` where the two cycles differ in it."""
    if max(change.operations_a, change.operations_b) < 2:
        return ""
    if change.presence is not Presence.BOTH or change.operations_a == change.operations_b:
        return f" × {fmt.count(max(change.operations_a, change.operations_b))}"
    return f" × {fmt.count(change.operations_a)} → {fmt.count(change.operations_b)}"


def ratio_cell(change: PartChange) -> Text:
    """B ÷ A, or which of the two cycles has the part."""
    if change.presence is not Presence.BOTH:
        return ONLY_IN[change.presence]
    return fmt.ratio(change.ratio) if change.ratio else fmt.UNKNOWN
