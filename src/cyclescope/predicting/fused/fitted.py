"""What was learned of an engine that fuses: its timing models, their errors by workload, and their file.

A file is a zip of one JSON document and arrays, like that of the reference engine; nothing is unpickled. It belongs to one
machine, one version of the engine and one calibration.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import median

from cyclescope.backends.registry import machine_for
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.errors import FittedModelError
from cyclescope.core.message import Text, m
from cyclescope.machines.fingerprint import TraitChange, changes, fingerprint
from cyclescope.predicting.fitted import keep_at, read_stored, required_place, stored_paths
from cyclescope.predicting.fused.models import FusedAnalytic, FusedLearned, FusedNetwork
from cyclescope.predicting.regression.file import read_fitted

SCHEMA = "cyclescope/learned-engine"
VERSION = 1
ROOFLINE = "roofline"


@dataclass(frozen=True, slots=True)
class EngineCycle:
    """One workload that was learned from: how long it took, and ln(true ÷ predicted) by each of `FittedEngine.kinds` that has
    not seen its family.
    """

    name: str
    family: str
    wall_ns: float
    runs: int
    errors: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A model that the engine does not take, and why."""

    name: str
    why: Text


@dataclass(frozen=True, eq=False)
class FittedEngine:
    """The timing models of one engine on one machine. `fingerprint` is that of the machine under the engine and its version,
    `ceilings` those that times were held against. `kinds` are the timing models whose errors `cycles` have, the plain roofline first.
    `repeat_error` is the mean relative difference between the first and the last runs of a workload, `other_busy` the share
    of the cores that others used meanwhile. `network` and `hybrid` are None where no graph network was trained.
    """

    fingerprint: str
    engine: str
    taken_at: str
    version: str
    design: int
    ceilings: Ceilings
    analytic: FusedAnalytic
    learned: FusedLearned
    network: FusedNetwork | None
    hybrid: FusedNetwork | None
    kinds: tuple[str, ...]
    cycles: tuple[EngineCycle, ...]
    planned: int
    refused: tuple[Refused, ...] = ()
    repeat_error: float | None = None
    other_busy: float | None = None

    def models(self) -> Iterator[FusedAnalytic | FusedLearned | FusedNetwork]:
        """All timing models that there are."""
        yield self.analytic
        yield self.learned
        yield from (model for model in (self.network, self.hybrid) if model is not None)

    def mean_errors(self, family: str | None = None) -> tuple[float, ...]:
        """Mean of |predicted − measured| ÷ measured by each of `kinds`, over all cycles or those of one family.

        Of timing models it is that about the median error of all cycles, by which a prediction is moved; the roofline is plain.
        """
        of = [cycle for cycle in self.cycles if family in (None, cycle.family)]
        found = []
        for k, kind in enumerate(self.kinds):
            middle = 0.0 if kind == ROOFLINE else median(cycle.errors[k] for cycle in self.cycles)
            found.append(sum(abs(math.expm1(middle - cycle.errors[k])) for cycle in of) / max(1, len(of)))
        return tuple(found)

    @property
    def families(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cycle.family for cycle in self.cycles))


def again(engine: str) -> Text:
    """The command that learns it anew."""
    return m("Delete it and run `cyclescope calibrate --learn --engine {engine}`.", engine=engine)


@dataclass(frozen=True, slots=True)
class StoredEngine:
    """What was learned of an engine, its file (None: it could not be written), and what has changed since: `changed` of the
    machine and the engine, `recalibrated` the ceilings that times were held against.
    """

    path: Path | None
    fitted: FittedEngine
    changed: tuple[TraitChange, ...] = ()
    recalibrated: bool = False

    @property
    def stale(self) -> bool:
        return bool(self.changed) or self.recalibrated


def keep(fitted: FittedEngine) -> Path:
    """Write `fitted` in the place of what was learned of the same engine and machine before. Raises `OutputError`."""
    return keep_at(required_place(fitted.fingerprint, fitted.engine), fitted, SCHEMA, VERSION)


def load_engine(path: Path, engine: str) -> FittedEngine:
    """What the file `path` holds, checked. Raises `FittedModelError`."""
    return read_fitted(path, FittedEngine, SCHEMA, VERSION, again(engine))


def stored_engine(engine: str, machine: Ceilings) -> tuple[StoredEngine | None, tuple[FittedModelError, ...]]:
    """What was learned of `engine` on the machine of the ceilings `machine`, the least changed and of equals the newest, and
    what cannot be read.
    """
    now = fingerprint(machine_for(engine), engine)
    kept, broken = read_stored(engine, lambda path, changed_ns: _load(path, engine, changed_ns))
    found = [
        StoredEngine(path, fitted, changes(fitted.fingerprint, now), fitted.ceilings.taken_at != machine.taken_at)
        for path, fitted in kept
    ]
    found.sort(key=lambda each: each.fitted.taken_at, reverse=True)
    return min(found, key=lambda each: (len(each.changed), each.recalibrated), default=None), broken


@lru_cache(maxsize=4)
def _load(path: Path, engine: str, changed_ns: int) -> FittedEngine:
    return load_engine(path, engine)


def engine_for(machine: Ceilings, engine: str) -> FittedEngine | None:
    """What was learned of `engine` on the very machine of `machine`, under the ceilings that it has and the version that
    is installed; None where there is no such.
    """
    if not stored_paths(engine):
        return None
    found, _ = stored_engine(engine, machine)
    same = found is not None and not found.stale and found.fitted.ceilings.fingerprint == machine.fingerprint
    return found.fitted if found is not None and same else None
