"""The machine that a cycle is predicted on: this one as it was calibrated, one of the catalogue, or figures that are given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches

from cyclescope.backends.registry import machine_for
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.errors import Unsupported, UsageError
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text, listed, m
from cyclescope.core.plan import REFERENCE_ENGINE
from cyclescope.machines.catalog import KnownMachine, known_machines, machines_like
from cyclescope.machines.fingerprint import Trait, changes, fingerprint, traits_of
from cyclescope.predicting.fitted import stored_models
from cyclescope.store.calibration_file import nearest, stored_calibrations

THIS = "this"
DEVICE = "cuda"  # what a plan calls a device of the catalogue: all of them are GPUs


@dataclass(frozen=True, slots=True)
class Target:
    """The machine of a predicted cycle with its `ceilings`, the `device` of its plan, and what a reader must know."""

    machine: Machine
    ceilings: Ceilings
    device: str
    notes: tuple[Text, ...] = ()


def target(on: str, engine: str, given: Ceilings | Target | None = None) -> Target:
    """The machine named `on`: `this`, one of which timing models were learned, or a row of the catalogue; or the one whose
    figures are `given`.

    Raises `UsageError` for a name that is unknown and `Unsupported` where this machine was not calibrated.
    """
    if isinstance(given, Target):
        return given
    if given is not None:
        return given_target(given)
    if on == THIS:
        return _this(engine)
    return _learned(on, engine) or _catalogued(on)


def given_target(ceilings: Ceilings, memory_bytes: int = 0, cores: int = 0) -> Target:
    """A machine of which `ceilings` are all that is known, or nearly; it is a processor if its figures are by threads."""
    device = "cpu" if cores or any(product.threads for product in ceilings.products) else DEVICE
    machine = Machine(
        processor=ceilings.machine,
        cores=cores or (max((p.threads for p in ceilings.products), default=0) if device == "cpu" else 0),
        memory_bytes=memory_bytes,
        system="",
        python="",
        device=device,
        ceilings=ceilings,
    )
    return Target(machine, ceilings, device)


def _this(engine: str) -> Target:
    """This machine with what is kept of it, for `engine` or else for the reference engine."""
    machine = machine_for(engine)
    reference = machine_for()
    for calibrated, seen in {engine: machine, REFERENCE_ENGINE: reference}.items():
        found = nearest(stored_calibrations(calibrated, machine.device), seen, calibrated)
        if found is None:
            continue
        differs = changes(found.ceilings.fingerprint, fingerprint(seen, calibrated))
        notes: list[Text] = []
        if differs:
            changed = listed(change.trait.value for change in differs)
            notes.append(
                m(
                    "This machine has changed since it was calibrated ({changed}): run `cyclescope calibrate` again.",
                    changed=changed,
                )
            )
        if found.ceilings.noise is None:  # every calibration measures it; one beyond use is not kept
            notes.append(
                m(
                    "This machine was disturbed while it was calibrated, so that its ceilings may be too low: run `cyclescope calibrate` again when it is idle."
                )
            )
        return Target(replace(machine, ceilings=found.ceilings), found.ceilings, machine.device, tuple(notes))
    raise Unsupported(
        m("This machine must be calibrated before a cycle can be predicted on it."),
        m("Its ceilings are unknown."),
        m("Run `cyclescope calibrate`, or name a machine of the catalogue with --on."),
    )


def _learned(name: str, engine: str) -> Target | None:
    """The machine of a cluster that was learned under `name`, from the newest of what was; None where there is none."""
    for found in stored_models(engine)[0]:
        if name.lower() not in {machine.lower() for machine in found.models.machines}:
            continue
        ceilings = found.models.ceilings
        traits = traits_of(found.models.fingerprint)
        cores, memory = traits.get(Trait.CORES, ""), traits.get(Trait.MEMORY, "").split(" ")[0]
        machine = Machine(
            processor=ceilings.machine,
            cores=int(cores) if cores.isdecimal() else 0,
            memory_bytes=int(memory) * 10**9 if memory.isdecimal() else 0,
            system="",
            python="",
            instruction_set=traits.get(Trait.INSTRUCTION_SET, ""),
            packages=((engine, traits.get(Trait.VERSION, "")),),
            virtual=traits.get(Trait.VIRTUAL, "") == "yes",
            ceilings=ceilings,
        )
        return Target(machine, ceilings, machine.device)
    return None


def _catalogued(name: str) -> Target:
    rows = machines_like(name)
    if not rows:
        raise _unknown(name)
    row = rows[0]
    notes: tuple[Text, ...] = ()
    if len(rows) > 1:
        others = listed(other.name for other in rows[1:])
        notes = (m("{name} could also be {others}; this is {chosen}.", name=name, others=others, chosen=row.name),)
    return replace(target_of_row(row), notes=notes)


def target_of_row(row: KnownMachine) -> Target:
    """A machine of the catalogue, or of a file in its form."""
    return given_target(row.ceilings, row.memory_bytes, row.cores)


def _unknown(name: str) -> UsageError:
    names = {known.lower(): machine.name for machine in known_machines() for known in (machine.name, *machine.also)}
    near = dict.fromkeys(names[found] for found in get_close_matches(name.lower(), names, 5, 0.5))
    return UsageError(
        m("--on must be `this`, a machine that was learned, or one of the catalogue (got {name}).", name=name),
        "",
        m("Did you mean {names}?", names=listed(near))
        if near
        else m("Known are {known}.", known=listed(r.name for r in known_machines())),
    )
