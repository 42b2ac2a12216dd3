"""From a request to a session on an engine that runs a model from a file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter_ns
from typing import Any

import numpy as np
import torch

from cyclescope.backends.base import OpenTimes, Request
from cyclescope.backends.exported.keeping import adopt, keep, marks_of
from cyclescope.backends.exported.opening_writer import ready_writer, writing_session
from cyclescope.backends.exported.outputs import Outputs, arrays_of, outputs_of
from cyclescope.backends.exported.program import Arrays, Program
from cyclescope.backends.exported.samples import Samples, samples_of
from cyclescope.backends.exported.session import ExportedSession
from cyclescope.backends.exported.shelf import exported_in, name_of
from cyclescope.backends.exported.writing_session import WritingSession
from cyclescope.backends.host import read_machine, usable_cores
from cyclescope.backends.registry import STEPPED
from cyclescope.backends.torch.calls import TorchCalls
from cyclescope.backends.torch.changes.catalogue import make_changes
from cyclescope.backends.torch.changes.change import Subject
from cyclescope.backends.torch.errors import engine_errors
from cyclescope.backends.torch.exporting import AttentionForm, Exported, export
from cyclescope.backends.torch.heads import is_decoder
from cyclescope.backends.torch.loading import in_hand, load
from cyclescope.backends.torch.planning import calls_for
from cyclescope.backends.torch.results import classes_of
from cyclescope.backends.torch.session import TorchSession
from cyclescope.backends.torch.standalone.editing import edit
from cyclescope.backends.torch.steps import Inputs, Steps
from cyclescope.core.edits import Edit, calibrated
from cyclescope.core.errors import EngineError, OutputError, Unsupported
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan, calibrates
from cyclescope.core.units import AnyArray
from cyclescope.core.workload import Workload

# Float32 on another engine adds up in another order; a larger difference than this means another model.
_MOST_APART = 1e-3
ENGINE_CHANGES = ("unfused",)  # changes that an engine makes to the exported model, and nobody to the model itself


@dataclass(frozen=True, slots=True)
class Engine:
    """How an engine makes a program of an exported model: in which forms of attention it wants it, the best first, and
    `build`, which writes the files that it runs into a folder of its own, unless they are there already. A plan with
    scales that are measured beforehand finds inputs for that in `Samples`.
    """

    forms: tuple[AttentionForm, ...]
    build: Callable[[Exported, Plan, Machine, Path, Samples], Program]


def open_exported(request: Request, plan: Plan) -> ExportedSession | WritingSession[Any] | TorchCalls:
    """Export what `request` names and make it ready on `plan.engine`. Raises like `open_session`."""
    refuse(plan)
    begin = perf_counter_ns()
    engine: Engine = import_module(f"cyclescope.backends.{plan.engine}.opening").ENGINE
    import_ns = perf_counter_ns() - begin
    begin = perf_counter_ns()
    plain = replace(request, dtype=None, attention=None, plan=None, threads=None, device="cpu")
    loaded = load(plain) if isinstance(request.model, str) else in_hand(plain)
    with engine_errors("make the input"):
        calls, texts, workload, notes = calls_for(plain, loaded, plan)
    steps = calls[0]
    if plan.drafting != "off" and steps.writer is None:
        raise Unsupported("Tokens are guessed where text is written.", "", "Leave the draft out.")
    plan = replace(plan, threads=plan.threads or usable_cores(), attention="engine")
    machine = read_machine("cpu")
    said: tuple[str, ...] = ()
    kept = calibrated(request.edits)
    if request.edits:
        edits = tuple(e for e in request.edits if e not in kept)
        edit(steps.model, [(e.what, e.path, e.numbers) for e in edits], request.files)
    else:
        edits, said = change_model(calls, texts, workload, plan, machine, request.files)
    with ExitStack() as undo:
        folder: AbstractContextManager[str] = (
            nullcontext(request.shared) if request.shared else TemporaryDirectory(prefix="cyclescope-")
        )
        place = Path(undo.enter_context(folder))
        if steps.writer is not None:
            writer = ready_writer(calls, texts, edits, plan, machine, place)
            if request.export_to is not None:
                keep_files(writer.files, Path(request.export_to))
            undo.pop_all()
            remarks = (*((loaded.note,) if loaded.note else ()), *notes, *said)
            times = OpenTimes(import_ns, perf_counter_ns() - begin)
            parts = calls, texts, workload, plan, machine, times
            return writing_session(writer, *parts, folder=folder, notes=remarks, edits=edits)
        making = _Making(
            engine, steps, edits, plan, machine, samples_of(plain, loaded, calls, texts), kept, request.files
        )
        program, kept, told = _program(making, place, request.export_to)
        edits += kept
        undo.pop_all()
    task = workload.task
    times = OpenTimes(import_ns, perf_counter_ns() - begin)
    remarks = (*((loaded.note,) if loaded.note else ()), *notes, *said, *told)
    if len(calls) > 1:

        def run(steps: Steps, inputs: Inputs) -> Outputs:
            given = program(arrays_of(inputs | steps.fixed))
            # What an engine lends is its own again with the next call.
            return outputs_of({name: a if a.flags.owndata else a.copy() for name, a in given.items()})

        def close() -> None:
            program.close()
            folder.__exit__(None, None, None)

        return TorchCalls(calls, texts, workload, plan, machine, times, remarks, edits, run=run, close=close)
    return ExportedSession(
        program,
        steps,
        workload,
        plan,
        machine,
        times,
        folder=folder,
        classes=classes_of(getattr(steps.model, "config", None)) if task == "classify" else (),
        generates=is_decoder(getattr(steps.model, "config", None)),
        notes=remarks,
        edits=edits,
    )


def change_model(
    calls: Sequence[Steps],
    texts: Sequence[Sequence[int]],
    workload: Workload,
    plan: Plan,
    machine: Machine,
    files: str | None,
) -> tuple[tuple[Edit, ...], tuple[str, ...]]:
    """Make the changes of `plan` in the model itself, before it is exported; what they were, in edits and in words."""
    changes = tuple(change for change in plan.changes if change.name not in ENGINE_CHANGES)
    if not changes:
        return (), ()
    here = TorchSession(calls[0], workload, Plan(threads=plan.threads), machine, OpenTimes(None, None))
    try:
        inputs = [{**steps.inputs(), **steps.fixed} for steps in calls]
        order = [number for some in texts for number in some]
        subject = Subject(calls[0].model, here.trace(), inputs, order, files=files)
        made = make_changes(subject, changes)
    finally:
        here.close()
    return made.edits, (made.said,)


def refuse(plan: Plan) -> None:
    """Raise `Unsupported` for what no engine of a file makes real."""
    looks_up = plan.drafting == "prompt-lookup" and plan.engine in STEPPED
    refused = (
        (plan.device != "cpu", f"the device {plan.device!r}"),
        (plan.compiling != "off", "torch.compile"),
        (plan.drafting != "off" and not looks_up, "drafts of what comes next"),
        (plan.decoding != "greedy", "sampling"),
        (plan.batching == "packed", "packed texts"),
    )
    for is_refused, what in refused:
        if is_refused:
            raise Unsupported(f"{plan.engine} has no {what} here.", "", "Use --engine torch, or leave it out.")


@dataclass(frozen=True, slots=True)
class _Making:
    """What a program is made of. `kept` are edits that name files of an engine in the folder `files`, which are run as they
    are; where there are none and the plan calibrates, they are made and kept there.
    """

    engine: Engine
    steps: Steps
    edits: tuple[Edit, ...]
    plan: Plan
    machine: Machine
    samples: Samples
    kept: tuple[Edit, ...]
    files: str | None

    @property
    def inputs(self) -> dict[str, torch.Tensor]:
        given = self.steps.inputs() | self.steps.fixed
        return {name: value for name, value in given.items() if isinstance(value, torch.Tensor)}

    def build(self, exported: Exported, plan: Plan, place: Path) -> Program:
        return self.engine.build(exported, plan, self.machine, place / _folder_of(plan), self.samples)


def _program(making: _Making, folder: Path, keep_in: str | None) -> tuple[Program, tuple[Edit, ...], tuple[str, ...]]:
    """The first form of the model that can be exported and gives what the model itself gives, the edits that name what was
    calibrated, and what must be told.

    What another process has left in `folder` of the same model with the same edits is taken as it is.
    """
    inputs = making.inputs
    failures: list[EngineError] = []
    attempts = [(form, False) for form in making.engine.forms] + [(AttentionForm.SPELLED_OUT, True)]
    for form, fixed_shape in attempts:
        shape = [list(t.shape) for t in inputs.values()] if fixed_shape else []
        name = name_of(making.edits, shape)
        place = folder / f"{form.name.lower()}-{name}"
        try:
            with engine_errors(f"make the model ready on {making.plan.engine}"):
                make = partial(export, making.steps.model, inputs, attention=form, fixed_shape=fixed_shape)
                exported = exported_in(place, make)
                program, kept, said = _built(making, exported, inputs, place, name)
        except EngineError as error:
            failures.append(error)
            continue
        if keep_in is not None:
            keep_files(program.files, Path(keep_in))
        if fixed_shape:
            said = (*said, "It could be exported for this batch and length only.")
        return program, kept, said
    raise failures[0]


def _built(
    making: _Making, exported: Exported, inputs: Mapping[str, torch.Tensor], place: Path, name: str
) -> tuple[Program, tuple[Edit, ...], tuple[str, ...]]:
    """The program of the plan, once its engine has been seen to give in float32 what the model itself gives."""
    plan = making.plan
    checked = place / f"checked-on-{plan.engine}"
    usual = plan.quantization == "off" and plan.dtype == "float32"
    if usual or not checked.exists():
        program = making.build(exported, replace(plan, quantization="off", dtype="float32"), place)
        if not checked.exists():
            refuse_other_results(plan.engine, program(arrays_of(inputs)), results_of_model(making.steps, inputs))
            checked.touch()
        if usual:
            return program, (), ()
        program.close()
    if not calibrates(plan):
        return making.build(exported, plan, place), (), ()
    marks = marks_of(making.steps.model)
    if making.kept and making.files is not None:
        adopt(making.kept, Path(making.files), place / _folder_of(plan), marks)
        return making.build(exported, plan, place), making.kept, ()
    program = making.build(exported, plan, place)
    prefix = f"{plan.engine}-{plan.quantization}-{name}"
    kept = keep(program.files, Path(making.files), prefix, marks) if making.files is not None else ()
    return program, kept, (making.samples.said,)


def _folder_of(plan: Plan) -> str:
    """Name of the folder with the files of an engine for `plan`; threads, precision and the like are no part of a file."""
    own = "-".join(change.name for change in plan.changes if change.name in ENGINE_CHANGES)
    return "-".join(part for part in (plan.engine, plan.quantization, own) if part)


def results_of_model(steps: Steps, inputs: Mapping[str, torch.Tensor]) -> dict[str, AnyArray]:
    """What the model itself gives."""
    with torch.inference_mode():
        given = steps.model(**inputs)
    return {name: value.float().numpy() for name, value in given.items() if isinstance(value, torch.Tensor)}


def refuse_other_results(engine: str, given: Arrays, expected: Arrays) -> None:
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


def keep_files(files: Sequence[Path], folder: Path) -> None:
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
