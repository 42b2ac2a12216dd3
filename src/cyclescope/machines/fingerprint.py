"""What makes a machine the same machine for its ceilings, as text that is kept beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.machine import Machine

STALE_AFTER_DAYS = 90  # drivers, firmware and neighbours on the host change unseen
_SEPARATOR, _EQUALS = "\n", "="


class Trait(StrEnum):
    """One thing that ceilings depend on."""

    PROCESSOR = "processor"
    CORES = "cores"
    QUOTA = "quota"
    MEMORY = "memory"
    INSTRUCTION_SET = "instruction set"
    VIRTUAL = "virtual"
    DEVICE = "device"
    ENGINE = "engine"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class TraitChange:
    """A trait that is not what it was; an empty side was unknown."""

    trait: Trait
    before: str
    now: str


def fingerprint(machine: Machine, engine: str) -> str:
    """`machine` under `engine`: a line `trait=value` for each trait.

    Memory is in whole GB (10^9), because a kernel keeps a little more or less of it for itself at each start.
    """
    versions = dict(machine.packages)
    traits = {
        Trait.PROCESSOR: machine.processor,
        Trait.CORES: str(machine.cores),
        Trait.MEMORY: f"{round(machine.memory_bytes / 1e9)} GB",
        Trait.INSTRUCTION_SET: machine.instruction_set,
        Trait.VIRTUAL: "yes" if machine.virtual else "no",
        Trait.DEVICE: machine.device,
        Trait.ENGINE: engine,
        Trait.VERSION: versions.get(engine, ""),
    }
    if machine.quota_cores is not None:  # not a line of every fingerprint, so that those kept before still fit
        traits[Trait.QUOTA] = f"{machine.quota_cores:g}"
    return _SEPARATOR.join(f"{trait.value}{_EQUALS}{' '.join(value.split())}" for trait, value in traits.items())


def traits_of(text: str) -> dict[Trait, str]:
    """The traits in a fingerprint; lines that are none are passed over."""
    known = {trait.value: trait for trait in Trait}
    pairs = (line.partition(_EQUALS) for line in text.split(_SEPARATOR))
    return {known[name]: value for name, _, value in pairs if name in known}


def changes(before: str, now: str) -> tuple[TraitChange, ...]:
    """What differs between two fingerprints, in the order of `Trait`."""
    old, new = traits_of(before), traits_of(now)
    return tuple(
        TraitChange(trait, old.get(trait, ""), new.get(trait, ""))
        for trait in Trait
        if old.get(trait, "") != new.get(trait, "")
    )


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far kept ceilings can be trusted here and now. `age_days` is None where their date cannot be read."""

    changed: tuple[TraitChange, ...]
    age_days: float | None

    @property
    def too_old(self) -> bool:
        return self.age_days is None or self.age_days > STALE_AFTER_DAYS

    @property
    def fresh(self) -> bool:
        return not self.changed and not self.too_old


def freshness(ceilings: Ceilings, machine: Machine, engine: str, now: datetime | None = None) -> Freshness:
    """Compare what `ceilings` were taken on with `machine` under `engine` at `now` (UTC; the present unless given)."""
    return Freshness(changes(ceilings.fingerprint, fingerprint(machine, engine)), _age_days(ceilings, now))


def freshness_beside(ceilings: Ceilings, newer: Ceilings, now: datetime | None = None) -> Freshness:
    """The same against what `newer` ceilings were taken on."""
    return Freshness(changes(ceilings.fingerprint, newer.fingerprint), _age_days(ceilings, now))


def _age_days(ceilings: Ceilings, now: datetime | None) -> float | None:
    now = now or datetime.now(UTC)
    try:
        taken = datetime.fromisoformat(ceilings.taken_at)
    except ValueError:
        return None
    return (now - (taken if taken.tzinfo else taken.replace(tzinfo=UTC))).total_seconds() / 86_400
