"""What calibrating found, kept a file for each machine and engine, and found again.

A file is JSON: {"schema": "cyclescope/calibration", "version": 1, "ceilings": …} as `core.codec` encodes it. The files
stand in `$CYCLESCOPE_HOME/calibrations`, else in `cyclescope/calibrations` of `$XDG_DATA_HOME` or `~/.local/share`.
"""

from __future__ import annotations

import hashlib
import json
import math
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cyclescope.core.ceilings import Ceilings, Figure
from cyclescope.core.codec import CodecError, decode, encode
from cyclescope.core.errors import CalibrationFileError, OutputError
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text, m
from cyclescope.machines.fingerprint import Trait, changes, fingerprint, freshness_beside, traits_of
from cyclescope.store.atomic import atomic_writer
from cyclescope.store.home import home_folder

SCHEMA = "cyclescope/calibration"
VERSION = 1
_MOST_BYTES = 4_000_000  # a calibration has some ten thousand; what is larger is none of ours
_AGAIN = m("Delete it and run `cyclescope calibrate`.")


@dataclass(frozen=True, slots=True)
class StoredCalibration:
    """Ceilings and the file that they were read from."""

    path: Path
    ceilings: Ceilings


@dataclass(frozen=True, slots=True)
class StoredCalibrations:
    """Everything that is kept for one engine and device, the newest first, and the files that cannot be read."""

    kept: tuple[StoredCalibration, ...]
    broken: tuple[CalibrationFileError, ...]


def folder() -> Path | None:
    """Where calibrations are kept; None where this user has no home."""
    return home_folder("calibrations")


def keep(ceilings: Ceilings) -> Path:
    """Write `ceilings` in the place of what was kept of the same machine, in full or not at all.

    A noise that is beyond use is left out: what a machine reaches shows between disturbances too, its noise does not.
    Raises `OutputError`.
    """
    ceilings = replace(ceilings, noise=ceilings.usable_noise)
    place = folder()
    if place is None:
        raise OutputError(
            m("The calibration cannot be stored."), m("This user has no home folder."), m("Set CYCLESCOPE_HOME.")
        )
    traits = traits_of(ceilings.fingerprint)
    digest = hashlib.sha256(ceilings.fingerprint.encode()).hexdigest()[:16]
    path = place / f"{_prefix(ceilings.engine, traits.get(Trait.DEVICE, 'cpu'))}{digest}.json"
    data, _ = encode(ceilings)
    text = json.dumps({"schema": SCHEMA, "version": VERSION, "ceilings": data}, indent=1, allow_nan=False) + "\n"
    try:
        place.mkdir(parents=True, exist_ok=True)
        with atomic_writer(path) as file:
            file.write(text.encode())
    except OutputError as exc:
        raise _not_kept(path, exc.cause) from exc
    except OSError as exc:
        raise _not_kept(path, f"{exc.strerror or exc}.") from exc
    return path


def load_calibration(path: Path) -> Ceilings:
    """The ceilings in the file `path`, checked. Raises `CalibrationFileError`."""
    fact = m("{path} must be a stored calibration.", path=str(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or not 0 < status.st_size <= _MOST_BYTES:
            cause = m("The file is empty.") if status.st_size == 0 else m("It is no file of cyclescope.")
            raise CalibrationFileError(fact, cause, _AGAIN)
        document: Any = json.loads(path.read_bytes())
    except OSError as exc:
        raise CalibrationFileError(
            m("{path} cannot be read.", path=str(path)), f"{exc.strerror or exc}.", _AGAIN
        ) from exc
    except (ValueError, RecursionError) as exc:
        raise CalibrationFileError(fact, m("It is no JSON, or was cut."), _AGAIN) from exc
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise CalibrationFileError(fact, m("It is of another kind."), _AGAIN)
    version = document.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise CalibrationFileError(fact, m("Its format version is {version}.", version=repr(version)), _AGAIN)
    if version > VERSION:
        raise CalibrationFileError(
            m("{path} is too new for this cyclescope.", path=str(path)),
            m("It is in format {version}; this one reads up to format {known}.", version=version, known=VERSION),
            m("Use the cyclescope that wrote it, or run `cyclescope calibrate` with this one."),
        )
    try:
        ceilings = decode(Ceilings, document.get("ceilings"), [])
        _check(ceilings)
    except (CodecError, AttributeError, OverflowError) as exc:
        raise CalibrationFileError(m("{path} contradicts itself.", path=str(path)), f"{exc}.", _AGAIN) from exc
    return ceilings


def stored_calibrations(engine: str, device: str) -> StoredCalibrations:
    """What is kept for `engine` on `device`. A folder that cannot be read holds nothing."""
    place = folder()
    kept: list[StoredCalibration] = []
    broken: list[CalibrationFileError] = []
    paths: list[Path] = []
    if place is not None:
        with suppress(OSError):
            paths = sorted(place.glob(f"{_prefix(engine, device)}*.json"))
    for path in paths:
        try:
            kept.append(StoredCalibration(path, load_calibration(path)))
        except CalibrationFileError as error:
            broken.append(error)
    kept.sort(key=lambda found: found.ceilings.taken_at, reverse=True)
    return StoredCalibrations(tuple(kept), tuple(broken))


def nearest(found: StoredCalibrations, machine: Machine, engine: str) -> StoredCalibration | None:
    """What was taken on this very machine, else what differs from it least, the newer of equals; None if there is none."""
    now = fingerprint(machine, engine)
    return min(found.kept, key=lambda kept: len(changes(kept.ceilings.fingerprint, now)), default=None)


def clearly_quieter(ceilings: Ceilings, now: datetime | None = None) -> StoredCalibration | None:
    """What is kept of the same machine and engine where it was taken in clearly more quiet: its noise is below that of
    `ceilings` by more than both intervals. None where there is no such, or it is too old to be taken.
    """
    device = traits_of(ceilings.fingerprint).get(Trait.DEVICE, "cpu")
    for kept in stored_calibrations(ceilings.engine, device).kept:
        before, after = kept.ceilings.noise, ceilings.noise
        if not freshness_beside(kept.ceilings, ceilings, now).fresh or before is None or after is None:
            continue
        if before.high < after.low:
            return kept
    return None


def with_ceilings(machine: Machine, engine: str) -> Machine:
    """`machine` with the ceilings that are kept of it, if there are any; those of a machine that changed are not taken.

    Never raises: a calibration that cannot be read must not keep anybody from measuring.
    """
    if machine.ceilings is not None:
        return machine
    found = nearest(stored_calibrations(engine, machine.device), machine, engine)
    if found is None or found.ceilings.fingerprint != fingerprint(machine, engine):
        return machine
    return replace(machine, ceilings=found.ceilings)


def _prefix(engine: str, device: str) -> str:
    safe = "".join(c if c.isascii() and c.isalnum() else "-" for c in f"{engine}-{device}")
    return f"{safe}-"


def _not_kept(path: Path, cause: Text) -> OutputError:
    return OutputError(
        m("{path} cannot be written.", path=str(path)), cause, m("Set CYCLESCOPE_HOME to a folder where you may write.")
    )


def _check(ceilings: Ceilings) -> None:
    """Raise `CodecError` for figures that no machine can have."""
    overheads = ceilings.overheads
    figures: list[Figure | None] = [product.flops_per_s for product in ceilings.products]
    figures += [level.bytes_per_s for level in ceilings.bandwidths]
    figures += [overheads.dispatch_ns, overheads.module_call_ns, overheads.launch_ns]
    for figure in figures:
        if figure is not None and not 0 < figure.low <= figure.value <= figure.high < math.inf:
            raise CodecError(f"a figure of {figure.source!r} is impossible")
    noise = ceilings.noise
    if noise is not None and not 0 <= noise.low <= noise.value <= noise.high < math.inf:
        raise CodecError("its noise is impossible")
    counts = [(product.rows, product.threads) for product in ceilings.products]
    counts += [(1, level.threads) for level in ceilings.bandwidths]
    sizes = [level.capacity_bytes for level in ceilings.bandwidths]
    if any(rows < 1 or threads < 0 for rows, threads in counts) or any(size < 0 for size in sizes):
        raise CodecError("a shape or size in it is impossible")
