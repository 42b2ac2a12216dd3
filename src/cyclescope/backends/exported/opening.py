"""From a request to a session on an engine that runs a model from a file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter_ns

import numpy as np
import torch

from cyclescope.backends.base import OpenTimes, Request
from cyclescope.backends.exported.outputs import arrays_of
from cyclescope.backends.exported.program import Arrays, Program
from cyclescope.backends.exported.session import ExportedSession
from cyclescope.backends.host import read_machine, usable_cores
from cyclescope.backends.torch.changes.catalogue import make_changes
from cyclescope.backends.torch.changes.change import Subject
from cyclescope.backends.torch.errors import engine_errors
from cyclescope.backends.torch.exporting import AttentionForm, Exported, export
from cyclescope.backends.torch.heads import is_decoder
from cyclescope.backends.torch.inputs import prepare
from cyclescope.backends.torch.loading import in_hand, load
from cyclescope.backends.torch.results import classes_of
from cyclescope.backends.torch.session import TorchSession
from cyclescope.backends.torch.standalone.editing import edit
from cyclescope.backends.torch.steps import Steps
from cyclescope.core.edits import Edit
from cyclescope.core.errors import EngineError, OutputError, Unsupported
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan
from cyclescope.core.units import AnyArray
from cyclescope.core.workload import Workload

# Float32 on another engine adds up in another order; a larger difference than this means another model.
_MOST_APART = 1e-3
ENGINE_CHANGES = ("unfused",)  # changes that an engine makes to the exported model, and nobody to the model itself


@dataclass(frozen=True, slots=True)
class Engine:
    """How an engine makes a program of an exported model: in which forms of attention it wants it, the best first, and
    `build`, which writes the files that it runs into a folder of its own.
    """

    forms: tuple[AttentionForm, ...]
    build: Callable[[Exported, Plan, Machine, Path], Program]


def open_exported(request: Request, plan: Plan) -> ExportedSession:
    """Export what `request` names and make it ready on `plan.engine`. Raises like `open_session`."""
    refuse(plan)
    begin = perf_counter_ns()
    engine: Engine = import_module(f"cyclescope.backends.{plan.engine}.opening").ENGINE
    import_ns = perf_counter_ns() - begin
    begin = perf_counter_ns()
    plain = replace(request, dtype=None, attention=None, plan=None, threads=None, device="cpu")
    loaded = load(plain) if isinstance(request.model, str) else in_hand(plain)
    with engine_errors("make the input"):
        steps, workload, notes = prepare(plain, loaded)
    if steps.writer is not None:
        raise Unsupported(
            f"{plan.engine} writes no text here.",
            "What is exported is one call of the model, and a generation is many with a cache between them.",
            "Use --engine torch for --new-tokens, or a task that reads.",
        )
    plan = replace(plan, threads=plan.threads or usable_cores(), attention="engine")
    machine = read_machine("cpu")
    said: tuple[str, ...] = ()
    if request.edits:
        edits = request.edits
        edit(steps.model, [(e.what, e.path, e.numbers) for e in edits])
    else:
        edits, said = _change(steps, workload, plan, machine)
    with ExitStack() as undo:
        folder = TemporaryDirectory(prefix="cyclescope-")
        undo.push(folder)
        program, told = _program(engine, steps, plan, machine, Path(folder.name), request.export_to)
        undo.pop_all()
    task = workload.task
    return ExportedSession(
        program,
        steps,
        workload,
        plan,
        machine,
        OpenTimes(import_ns, perf_counter_ns() - begin),
        folder=folder,
        classes=classes_of(getattr(steps.model, "config", None)) if task == "classify" else (),
        generates=is_decoder(getattr(steps.model, "config", None)),
        notes=(*((loaded.note,) if loaded.note else ()), *notes, *said, *told),
        edits=edits,
    )


def _change(steps: Steps, workload: Workload, plan: Plan, machine: Machine) -> tuple[tuple[Edit, ...], tuple[str, ...]]:
    """Make the changes of `plan` in the model itself, before it is exported; what they were, in edits and in words."""
    changes = tuple(change for change in plan.changes if change.name not in ENGINE_CHANGES)
    if not changes:
        return (), ()
    here = TorchSession(steps, workload, Plan(threads=plan.threads), machine, OpenTimes(None, None))
    try:
        made = make_changes(Subject(steps.model, here.trace(), [{**steps.inputs(), **steps.fixed}]), changes)
    finally:
        here.close()
    return made.edits, (made.said,)


def refuse(plan: Plan) -> None:
    """Raise `Unsupported` for what no engine of a file makes real."""
    refused = (
        (plan.device != "cpu", f"the device {plan.device!r}"),
        (plan.compiling != "off", "torch.compile"),
        (plan.drafting != "off", "drafts of what comes next"),
        (plan.decoding != "greedy", "sampling"),
        (plan.batch > 0 or plan.batching != "given" or plan.overlap, "batches of its own"),
    )
    for is_refused, what in refused:
        if is_refused:
            raise Unsupported(f"{plan.engine} has no {what} here.", "", "Use --engine torch, or leave it out.")


def _program(
    engine: Engine, steps: Steps, plan: Plan, machine: Machine, folder: Path, keep: str | None
) -> tuple[Program, tuple[str, ...]]:
    """The first form of the model that can be exported and gives what the model itself gives, and what must be told."""
    inputs = {name: t for name, t in (steps.inputs() | steps.fixed).items() if isinstance(t, torch.Tensor)}
    arrays = arrays_of(inputs)
    expected = _expected(steps, inputs)
    failures: list[EngineError] = []
    attempts = [(form, False) for form in engine.forms] + [(AttentionForm.SPELLED_OUT, True)]
    for form, fixed_shape in attempts:
        place = folder / f"{form.name.lower()}-{int(fixed_shape)}"
        place.mkdir()
        try:
            with engine_errors(f"make the model ready on {plan.engine}"):
                exported = export(steps.model, inputs, place / "model.onnx", form, fixed_shape=fixed_shape)
                program = engine.build(
                    exported, replace(plan, quantization="off", dtype="float32"), machine, place / "f32"
                )
                _refuse_other_results(plan.engine, program(arrays), expected)
                if plan.quantization != "off" or plan.dtype != "float32":
                    program.close()
                    program = engine.build(exported, plan, machine, place / "chosen")
        except EngineError as error:
            failures.append(error)
            shutil.rmtree(place, ignore_errors=True)
            continue
        if keep is not None:
            _keep(program.files, Path(keep))
        return program, ("It could be exported for this batch and length only.",) if fixed_shape else ()
    raise failures[0]


def _expected(steps: Steps, inputs: Mapping[str, torch.Tensor]) -> dict[str, AnyArray]:
    """What the model itself gives."""
    with torch.inference_mode():
        given = steps.model(**inputs)
    return {name: value.float().numpy() for name, value in given.items() if isinstance(value, torch.Tensor)}


def _refuse_other_results(engine: str, given: Arrays, expected: Arrays) -> None:
    """Raise `EngineError` where the engine's results are not those of the model."""
    for name, wanted in expected.items():
        if name not in given:
            raise EngineError(f"On {engine} the exported model gives no {name}.", "", "Use --engine torch.")
        apart = float(np.max(np.abs(given[name] - wanted), initial=0.0))
        if given[name].shape != wanted.shape or not apart <= _MOST_APART * max(
            1.0, float(np.abs(wanted).max(initial=0))
        ):
            raise EngineError(
                f"On {engine} the exported model gives other results than the model itself.",
                f"{name} differs by up to {apart:.2g}.",
                "Use --engine torch.",
            )


def _keep(files: Sequence[Path], folder: Path) -> None:
    """Copy `files` into `folder`, which is made if need be. Raises `OutputError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, folder / file.name)
    except OSError as exc:
        raise OutputError(
            f"Cannot write the exported model to {folder}.",
            f"{exc.strerror or exc}.",
            "Name a folder where you may write.",
        ) from exc
