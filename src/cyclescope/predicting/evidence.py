"""How far timing models were off on unseen cycles, as `bench/predict/evidence.py` found: what intervals rest on where nothing was learned."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import chain
from typing import Any

import numpy as np

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.message import Text, listed, m
from cyclescope.core.plan import Plan
from cyclescope.core.prediction import COVERAGE
from cyclescope.predicting.intervals import error_quantiles
from cyclescope.predicting.timing_model import KeptOutErrors

# What rows of the file may say that they are about, by code, so that it can be translated.
ON: Mapping[str, Text] = {
    "whole-models-of-another-machine": m("whole models measured on another machine of the same kind"),
    "layers-by-other-engines": m("layers of five decoders without their attention, run by kernels of other engines"),
}
NO_ERRORS = KeptOutErrors((), (), "", "")
_OTHER_DTYPE = 1.5  # by how much wider an interval is for a dtype that no evidence is in


@dataclass(frozen=True, slots=True)
class Evidence:
    """The errors of one timing model on one kind of machine. `groups` are those of whole cycles by what they are of (a model
    on a device; an architecture), each with equally many where there are enough; `dtypes` are those that were measured, and
    `wider` by what factor an interval is wider since no whole cycles of the engine were.
    """

    errors: KeptOutErrors
    groups: Mapping[str, tuple[float, ...]]
    dtypes: tuple[str, ...]
    wider: float = 1.0

    def outside(self, plan: Plan) -> tuple[float, tuple[Text, ...]]:
        """How much wider an interval must be for what was not measured, and what that is."""
        said: list[Text] = []
        if self.wider > 1:
            said.append(m("whole cycles: the errors are those of parts of them, run by another engine"))
        if plan.dtype not in self.dtypes:
            said.append(m("{dtype}: the errors are those of {known}", dtype=plan.dtype, known=listed(self.dtypes)))
        return self.wider * (1.0 if plan.dtype in self.dtypes else _OTHER_DTYPE), tuple(said)


def evidence_for(timing_model: str, plan: Plan, machine: Ceilings) -> Evidence | None:
    """The errors of `timing_model` on machines of this kind: as their figures are known, on such a device, by that engine.

    None where there is no evidence: no interval follows then.
    """
    return all_evidence().get((timing_model, plan.engine, plan.device.partition(":")[0], machine.origin.value))


@cache
def all_evidence() -> Mapping[tuple[str, str, str, str], Evidence]:
    """Everything in the file, by timing model, engine, device and origin of the figures."""
    text = resources.files(__package__).joinpath("evidence.toml").read_text(encoding="utf-8")
    return dict(map(_row, tomllib.loads(text).get("evidence", [])))


def held_by_others(name: str, groups: Mapping[str, tuple[float, ...]]) -> float:
    """The share of the errors of group `name` that the interval from all other groups holds."""
    others = tuple(chain.from_iterable(errors for other, errors in groups.items() if other != name))
    low, high = error_quantiles(others, np.asarray([(1 - COVERAGE) / 2, (1 + COVERAGE) / 2]))
    errors = np.asarray(groups[name])
    return float(((low <= errors) & (errors <= high)).mean())


def _row(row: Mapping[str, Any]) -> tuple[tuple[str, str, str, str], Evidence]:
    groups = {group["of"]: tuple(map(float, group["cycles"])) for group in row["group"]}
    errors = KeptOutErrors(
        tuple(chain.from_iterable(groups.values())),
        tuple(map(float, row["operations"])),
        ON[row["on"]],
        row["source"],
        row.get("repeat_error"),
    )
    return (row["timing_model"], row["engine"], row["device"], row["origin"]), Evidence(
        errors, groups, tuple(row["dtypes"]), float(row.get("wider", 1.0))
    )
