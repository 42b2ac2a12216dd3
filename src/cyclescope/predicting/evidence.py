"""How far timing models were off on unseen cycles, as `bench/predict` found: what intervals rest on where nothing was learned."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.message import Text, m
from cyclescope.core.plan import Plan
from cyclescope.predicting.timing_model import KeptOutErrors

# What rows of the file may say that they are about, by code, so that it can be translated.
ON: Mapping[str, Text] = {
    "whole-models-of-another-machine": m("whole models measured on another machine of the same kind"),
}
NO_ERRORS = KeptOutErrors((), (), "", "")


def evidence_for(timing_model: str, plan: Plan, machine: Ceilings) -> KeptOutErrors:
    """The errors of `timing_model` on machines of this kind: as their figures are known, on such a device, by that engine.

    `NO_ERRORS` where there is no evidence: no interval follows then.
    """
    return _errors().get((timing_model, plan.engine, plan.device.partition(":")[0], machine.origin.value), NO_ERRORS)


@cache
def _errors() -> Mapping[tuple[str, str, str, str], KeptOutErrors]:
    text = resources.files(__package__).joinpath("evidence.toml").read_text(encoding="utf-8")
    return dict(map(_row, tomllib.loads(text).get("evidence", [])))


def _row(row: Mapping[str, Any]) -> tuple[tuple[str, str, str, str], KeptOutErrors]:
    errors = KeptOutErrors(
        tuple(map(float, row["cycles"])),
        tuple(map(float, row["operations"])),
        ON[row["on"]],
        row["source"],
        row.get("repeat_error"),
    )
    return (row["timing_model"], row["engine"], row["device"], row["origin"]), errors
