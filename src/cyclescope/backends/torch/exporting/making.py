"""A program of an engine, made of an exported model and held against what the model itself gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from cyclescope.backends.artifacts.cache import exported_once, folder_of, name_of, verified_once
from cyclescope.backends.artifacts.calibrated_files import install_artifacts, keep
from cyclescope.backends.artifacts.exported_model import AttentionForm, Exported
from cyclescope.backends.artifacts.program import Program
from cyclescope.backends.artifacts.samples import CalibrationInputs
from cyclescope.backends.errors import engine_errors
from cyclescope.backends.torch.exporting.checking import refuse_other_results, results_of_model
from cyclescope.backends.torch.exporting.exporting import export
from cyclescope.backends.torch.exporting.resolving import ENGINE_CHANGES, ResolvedRequest
from cyclescope.backends.torch.exporting.runtime import Runtime
from cyclescope.backends.torch.exporting.weight_fingerprint import weight_fingerprint
from cyclescope.backends.torch.steps import arrays_of
from cyclescope.core.edits import Edit
from cyclescope.core.errors import EngineError, Unsupported
from cyclescope.core.message import Text, m
from cyclescope.core.plan import REFERENCE_ENGINE, Plan, calibrates
from cyclescope.core.workload import InputUnit


@dataclass(frozen=True, slots=True)
class ExportJob:
    """What a program is made of. Edits that name files of an engine in the folder `files` have these run as they are; where there
    are none and the plan calibrates, they are made and kept there.
    """

    runtime: Runtime
    resolved: ResolvedRequest
    samples: CalibrationInputs
    files: str | None

    @property
    def inputs(self) -> dict[str, torch.Tensor]:
        """The tensors that the model is called with. Raises `Unsupported` for an input that is none, which a file cannot take."""
        given = dict(self.resolved.steps.inputs()) | self.resolved.steps.fixed
        for name, value in given.items():
            if not isinstance(value, torch.Tensor):
                engine = self.resolved.plan.engine
                raise Unsupported(
                    m("{engine} takes tensors only.", engine=engine),
                    m("The input {name} is a {kind}.", name=repr(name), kind=type(value).__name__),
                    m("Use --engine {engine}, which runs the model itself.", engine=REFERENCE_ENGINE),
                )
        return given

    def build(self, exported: Exported, plan: Plan, place: Path) -> Program:
        own = [change.name for change in plan.changes if change.name in ENGINE_CHANGES]
        folder = place / folder_of(plan, *own)
        return self.runtime.build(exported, plan, self.resolved.machine, folder, self.samples)


def make_program(making: ExportJob, folder: Path) -> tuple[Program, tuple[Edit, ...], tuple[Text, ...]]:
    """The first form of the model that can be exported and gives what the model itself gives, the edits that name what was
    calibrated, and notes.

    What another process has left in `folder` of the same model with the same edits is reused.
    """
    resolved, inputs = making.resolved, making.inputs
    failures: list[EngineError] = []
    known = (
        resolved.workload.unit is InputUnit.TOKENS
    )  # else nothing tells which axes are those of a batch and of a length
    forms = making.runtime.forms
    attempts = [(form, not known) for form in forms]
    if known or AttentionForm.SPELLED_OUT not in forms:
        attempts.append((AttentionForm.SPELLED_OUT, True))
    for form, fixed_shape in attempts:
        shape = [list(t.shape) for t in inputs.values()] if fixed_shape else []
        name = name_of(resolved.edits, shape)
        place = folder / f"{form.name.lower()}-{name}"
        try:
            with engine_errors(m("prepare the model on {engine}", engine=resolved.plan.engine)):
                make = partial(export, resolved.steps.model, inputs, attention=form, fixed_shape=fixed_shape)
                exported = exported_once(place, make)
                program, kept, said = _built(making, exported, inputs, place, name)
        except EngineError as error:
            failures.append(error)
            continue
        if not known:
            said = (*said, m("It was exported for exactly the shapes of the given inputs."))
        elif fixed_shape:
            said = (*said, m("It could be exported for this batch size and length only."))
        return program, kept, said
    raise failures[0]


def _built(
    making: ExportJob, exported: Exported, inputs: Mapping[str, torch.Tensor], place: Path, name: str
) -> tuple[Program, tuple[Edit, ...], tuple[Text, ...]]:
    """The program of the plan, once its engine has been seen to give in float32 what the model itself gives."""
    resolved = making.resolved
    plan, model = resolved.plan, resolved.steps.model

    def check(program: Program) -> None:
        refuse_other_results(plan.engine, program(arrays_of(inputs)), results_of_model(resolved.steps, inputs))

    program = verified_once(place, plan, lambda plan: making.build(exported, plan, place), check)
    if program is not None:
        return program, (), ()
    if not calibrates(plan):
        return making.build(exported, plan, place), (), ()
    kept, fingerprint = resolved.kept, weight_fingerprint(model)
    if kept and making.files is not None:
        install_artifacts(kept, Path(making.files), place / folder_of(plan), fingerprint)
        return making.build(exported, plan, place), kept, ()
    program = making.build(exported, plan, place)
    prefix = f"{plan.engine}-{plan.quantization}-{name}"
    kept = keep(program.files, Path(making.files), prefix, fingerprint) if making.files is not None else ()
    return program, kept, (making.samples.said,)
