"""What a plan is made of, beside the one it came from: each part by name, and the plan without it."""

from __future__ import annotations

from dataclasses import fields, replace

from cyclescope.core.plan import Plan

_FACTS = ("seed", "device", "decoding")  # never changed by a strategy


def ablations(plan: Plan, baseline: Plan) -> tuple[tuple[str, Plan], ...]:
    """Name of each part of `plan` that `baseline` has not, with `plan` without it. A change of the model is a part."""
    parts: list[tuple[str, Plan]] = []
    for field in fields(Plan):
        mine, theirs = getattr(plan, field.name), getattr(baseline, field.name)
        if field.name in _FACTS or mine in (theirs, "engine"):  # what an engine brings is no part of its own
            continue
        if field.name == "changes":
            parts += [
                (change.name, replace(plan, changes=tuple(c for c in plan.changes if c != change)))
                for change in plan.changes
                if change not in baseline.changes
            ]
            continue
        without = replace(plan, **{field.name: theirs})
        if field.name == "engine" and plan.attention == "engine":
            without = replace(without, attention=baseline.attention)
        parts.append((field.name, without))
    return tuple(parts)
