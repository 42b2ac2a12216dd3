"""From a request to a session on an engine that runs a model from a file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np
import torch

from cyclescope.backends.base import OpenTimes, Request
from cyclescope.backends.exported.asked import ENGINE_CHANGES, Asked, asked_of, folder_for, plain
from cyclescope.backends.exported.keeping import adopt, keep, marks_of
from cyclescope.backends.exported.opening_writer import ready_writer, writing_session
from cyclescope.backends.exported.outputs import Outputs, outputs_of
from cyclescope.backends.exported.program import Arrays, Program
from cyclescope.backends.exported.samples import Samples, samples_of
from cyclescope.backends.exported.session import ExportedSession
from cyclescope.backends.exported.shelf import exported_in, folder_of, name_of, seen_right
from cyclescope.backends.exported.writing_session import WritingSession
from cyclescope.backends.registry import STEPPED
from cyclescope.backends.torch.calls import TorchCalls
from cyclescope.backends.torch.errors import engine_errors
from cyclescope.backends.torch.exporting.exporting import AttentionForm, Exported, export
from cyclescope.backends.torch.loading.heads import is_decoder
from cyclescope.backends.torch.loading.loading import in_hand, load
from cyclescope.backends.torch.results import classes_of
from cyclescope.backends.torch.steps import Inputs, Steps, arrays_of
from cyclescope.core.edits import Edit
from cyclescope.core.errors import EngineError, OutputError, Unsupported
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan, calibrates
from cyclescope.core.units import AnyArray

# Float32 on another engine adds up in another order; a larger difference than this means another model.
_MOST_APART = 1e-3


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
    loaded = load(plain(request)) if isinstance(request.model, str) else in_hand(plain(request))
    asked = asked_of(request, plan, loaded)
    writes = asked.steps.writer is not None
    if plan.drafting != "off" and not writes:
        raise Unsupported("Tokens are guessed where text is written.", "", "Leave the draft out.")
    folder = folder_for(request)
    with ExitStack() as undo:
        place = Path(undo.enter_context(folder))
        if writes:
            writer = ready_writer(asked, place)
            files = writer.files
        else:
            samples = samples_of(plain(request), loaded, asked.calls, asked.texts)
            program, kept, told = _program(_Making(engine, asked, samples, request.files), place)
            files = program.files
            asked = replace(asked, edits=asked.edits + kept, notes=asked.notes + told)
        if request.export_to is not None:
            keep_files(files, Path(request.export_to))
        undo.pop_all()
    times = OpenTimes(import_ns, perf_counter_ns() - begin)
    return writing_session(writer, asked, times, folder) if writes else _reading_session(program, asked, times, folder)


def _reading_session(
    program: Program, asked: Asked, times: OpenTimes, folder: AbstractContextManager[object]
) -> ExportedSession | TorchCalls:
    """A session of the one call that there is, or of several."""
    parts = asked.workload, asked.plan, asked.machine, times
    if len(asked.calls) > 1:

        def run(steps: Steps, inputs: Inputs) -> Outputs:
            given = program(arrays_of(inputs | steps.fixed))
            # What an engine lends is its own again with the next call.
            return outputs_of({name: a if a.flags.owndata else a.copy() for name, a in given.items()})

        def close() -> None:
            program.close()
            folder.__exit__(None, None, None)

        return TorchCalls(
            asked.calls, asked.texts, *parts, asked.notes, asked.edits, feed=Steps.arrays, run=run, close=close
        )
    config = getattr(asked.steps.model, "config", None)
    return ExportedSession(
        program,
        asked.steps,
        *parts,
        folder=folder,
        classes=classes_of(config) if asked.workload.task == "classify" else (),
        generates=is_decoder(config),
        notes=asked.notes,
        edits=asked.edits,
    )


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
    """What a program is made of. Edits that name files of an engine in the folder `files` have these run as they are; where there
    are none and the plan calibrates, they are made and kept there.
    """

    engine: Engine
    asked: Asked
    samples: Samples
    files: str | None

    @property
    def inputs(self) -> dict[str, torch.Tensor]:
        given = self.asked.steps.inputs() | self.asked.steps.fixed
        return {name: value for name, value in given.items() if isinstance(value, torch.Tensor)}

    def build(self, exported: Exported, plan: Plan, place: Path) -> Program:
        own = [change.name for change in plan.changes if change.name in ENGINE_CHANGES]
        return self.engine.build(exported, plan, self.asked.machine, place / folder_of(plan, *own), self.samples)


def _program(making: _Making, folder: Path) -> tuple[Program, tuple[Edit, ...], tuple[str, ...]]:
    """The first form of the model that can be exported and gives what the model itself gives, the edits that name what was
    calibrated, and what must be told.

    What another process has left in `folder` of the same model with the same edits is taken as it is.
    """
    asked, inputs = making.asked, making.inputs
    failures: list[EngineError] = []
    attempts = [(form, False) for form in making.engine.forms] + [(AttentionForm.SPELLED_OUT, True)]
    for form, fixed_shape in attempts:
        shape = [list(t.shape) for t in inputs.values()] if fixed_shape else []
        name = name_of(asked.edits, shape)
        place = folder / f"{form.name.lower()}-{name}"
        try:
            with engine_errors(f"make the model ready on {asked.plan.engine}"):
                make = partial(export, asked.steps.model, inputs, attention=form, fixed_shape=fixed_shape)
                exported = exported_in(place, make)
                program, kept, said = _built(making, exported, inputs, place, name)
        except EngineError as error:
            failures.append(error)
            continue
        if fixed_shape:
            said = (*said, "It could be exported for this batch and length only.")
        return program, kept, said
    raise failures[0]


def _built(
    making: _Making, exported: Exported, inputs: Mapping[str, torch.Tensor], place: Path, name: str
) -> tuple[Program, tuple[Edit, ...], tuple[str, ...]]:
    """The program of the plan, once its engine has been seen to give in float32 what the model itself gives."""
    plan, model = making.asked.plan, making.asked.steps.model

    def check(program: Program) -> None:
        refuse_other_results(plan.engine, program(arrays_of(inputs)), results_of_model(making.asked.steps, inputs))

    program = seen_right(place, plan, lambda plan: making.build(exported, plan, place), check)
    if program is not None:
        return program, (), ()
    if not calibrates(plan):
        return making.build(exported, plan, place), (), ()
    kept, marks = making.asked.kept, marks_of(model)
    if kept and making.files is not None:
        adopt(kept, Path(making.files), place / folder_of(plan), marks)
        return making.build(exported, plan, place), kept, ()
    program = making.build(exported, plan, place)
    prefix = f"{plan.engine}-{plan.quantization}-{name}"
    kept = keep(program.files, Path(making.files), prefix, marks) if making.files is not None else ()
    return program, kept, (making.samples.said,)


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
