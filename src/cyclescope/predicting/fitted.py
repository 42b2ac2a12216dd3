"""What was learned of a machine under an engine: both fitted timing models, what they were fitted on, and their file.

A file is a zip of one JSON document and arrays (`regression/file.py`); nothing is unpickled. Files stand in `$CYCLESCOPE_HOME/learned`, else
in `cyclescope/learned` beside the calibrations, one for each machine, engine and version, by the digest of the fingerprint.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.errors import FittedModelError, OutputError
from cyclescope.core.message import m
from cyclescope.core.stored import ADDED_LATER
from cyclescope.core.units import Nanoseconds
from cyclescope.machines.fingerprint import TraitChange, changes
from cyclescope.predicting.learned import LearnedModel
from cyclescope.predicting.regression.file import read_fitted, write_fitted
from cyclescope.store.calibration_file import folder as calibrations

SCHEMA = "cyclescope/learned"
VERSION = 1
SUFFIX = ".learned"
_Fitted = TypeVar("_Fitted")
AGAIN = m("Delete it and run `cyclescope calibrate --learn`.")


@dataclass(frozen=True, slots=True)
class LearnedCase:
    """One workload that was learned from: how long it took, and ln(true ÷ predicted) by the plain roofline and by each fitted
    model that has not seen its family.
    """

    name: str
    family: str
    wall_ns: float
    runs: int
    roofline: float
    learned: float
    hybrid: float


@dataclass(frozen=True, slots=True)
class FamilyErrors:
    """Mean of |predicted − measured| ÷ measured over some workloads, by each model."""

    workloads: int
    roofline: float
    learned: float
    hybrid: float


def errors_of(cases: Sequence[LearnedCase]) -> FamilyErrors:
    """The errors over `cases`, at least one."""

    def mean(errors: list[float]) -> float:
        return sum(abs(math.expm1(-off)) for off in errors) / len(errors)

    return FamilyErrors(
        len(cases),
        mean([case.roofline for case in cases]),
        mean([case.learned for case in cases]),
        mean([case.hybrid for case in cases]),
    )


def errors_by_family(cases: Sequence[LearnedCase]) -> tuple[tuple[str, FamilyErrors], ...]:
    """Each family with its errors, in the order in which it first appears."""
    names = dict.fromkeys(case.family for case in cases)
    return tuple((name, errors_of([case for case in cases if case.family == name])) for name in names)


@dataclass(frozen=True, eq=False)
class FittedModels:
    """Both fitted models. `fingerprint` is that of the machine, engine and version; `ceilings` those that times were held
    against, `design` the version of the set of workloads, `repeat_error` the mean relative difference between the first and the last
    runs of the same workload, and `other_busy` the share of the cores that others used meanwhile. `machines` are the names of
    those of a cluster that measured for it, empty where it was this machine alone.
    """

    fingerprint: str
    engine: str
    taken_at: str
    version: str
    design: int
    ceilings: Ceilings
    learned: LearnedModel
    hybrid: LearnedModel
    cases: tuple[LearnedCase, ...]
    planned: int
    repeat_error: float | None = None
    other_busy: float | None = None
    machines: tuple[str, ...] = field(default=(), metadata=ADDED_LATER)


@dataclass(frozen=True, slots=True)
class StoredModels:
    """Fitted models and the file that they were read from."""

    path: Path
    models: FittedModels

    def changed(self, now: str) -> tuple[TraitChange, ...]:
        """What differs between the machine that they were learned on and the one of the fingerprint `now`."""
        return changes(self.models.fingerprint, now)


def folder() -> Path | None:
    """Where fitted models are kept; None where this user has no home."""
    place = calibrations()
    return place.parent / "learned" if place is not None else None


def place_of(fingerprint: str, engine: str, apart: str = "") -> Path | None:
    """The file of what is learned of the machine of `fingerprint`; its training data stand in a folder of the same name.

    `apart` names machines that are not like others of the same fingerprint.
    """
    place = folder()
    digest = hashlib.sha256((fingerprint + apart).encode()).hexdigest()[:16]
    return place / f"{engine}-{digest}{SUFFIX}" if place is not None else None


def required_place(fingerprint: str, engine: str, apart: str = "") -> Path:
    """The same as `place_of`. Raises `OutputError` where there is no such place."""
    place = place_of(fingerprint, engine, apart)
    if place is None:
        raise OutputError(
            m("What was learned cannot be stored."), m("This user has no home folder."), m("Set CYCLESCOPE_HOME.")
        )
    return place


def unwritable(path: Path, cause: OSError) -> OutputError:
    """What is raised where `path`, below the home of this tool, cannot be written."""
    return OutputError(
        m("{path} cannot be written.", path=str(path)),
        f"{cause.strerror or cause}.",
        m("Set CYCLESCOPE_HOME to a folder where you may write."),
    )


def keep(models: FittedModels, apart: str = "") -> Path:
    """Write `models` in the place of what was learned of the same machine before (see `place_of`). Raises `OutputError`."""
    return keep_at(required_place(models.fingerprint, models.engine, apart), models, SCHEMA, VERSION)


def keep_at(path: Path, models: object, schema: str, version: int) -> Path:
    """Write `models` to `path`, whose folder is made. Raises `OutputError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise unwritable(path, exc) from exc
    write_fitted(path, models, schema, version)
    return path


def load_models(path: Path) -> FittedModels:
    """The fitted models in the file `path`, checked. Raises `FittedModelError`."""
    return read_fitted(path, FittedModels, SCHEMA, VERSION, AGAIN)


def read_stored(
    engine: str, read: Callable[[Path, Nanoseconds], _Fitted]
) -> tuple[list[tuple[Path, _Fitted]], tuple[FittedModelError, ...]]:
    """All that was learned for `engine`, which `read` reads from a file that was changed then, and what cannot be read."""
    kept: list[tuple[Path, _Fitted]] = []
    broken: list[FittedModelError] = []
    for path in stored_paths(engine):
        try:
            kept.append((path, read(path, path.stat().st_mtime_ns)))
        except FittedModelError as error:
            broken.append(error)
        except OSError:
            continue
    return kept, tuple(broken)


def stored_paths(engine: str) -> list[Path]:
    """The files of what was learned for `engine`; a folder that cannot be read holds nothing."""
    place = folder()
    if place is not None:
        with suppress(OSError):
            return sorted(place.glob(f"{engine}-*{SUFFIX}"))
    return []


def stored_models(engine: str) -> tuple[tuple[StoredModels, ...], tuple[FittedModelError, ...]]:
    """All that was learned for `engine`, the newest first, and what cannot be read."""
    found, broken = read_stored(engine, _load)
    kept = [StoredModels(path, models) for path, models in found]
    kept.sort(key=lambda found: found.models.taken_at, reverse=True)
    return tuple(kept), broken


@lru_cache(maxsize=4)
def _load(path: Path, changed_ns: int) -> FittedModels:
    return load_models(path)


def nearest_models(kept: Sequence[StoredModels], machine: Ceilings) -> StoredModels | None:
    """What was learned on the machine of `machine`, else what differs from it least: under its very ceilings, then the newer
    of equals. None without any.
    """

    def distance(found: StoredModels) -> tuple[int, bool]:
        return len(found.changed(machine.fingerprint)), found.models.ceilings.taken_at != machine.taken_at

    return min(kept, key=distance, default=None)


def staleness(models: FittedModels, ceilings: Ceilings, now: str) -> bool:
    """Whether `models` were learned on another machine than that of the fingerprint `now`, or under other `ceilings`."""
    return bool(changes(models.fingerprint, now)) or models.ceilings.taken_at != ceilings.taken_at


def models_for(machine: Ceilings, engine: str) -> FittedModels | None:
    """What was learned of the very machine of `machine` under the ceilings that it has; None where there is no such.

    Times were learned as ratios to these ceilings: under others, measured later, they would mean something else.
    """
    for found in stored_models(engine)[0]:
        models = found.models
        if models.fingerprint == machine.fingerprint and models.ceilings.taken_at == machine.taken_at:
            return models
    return None
