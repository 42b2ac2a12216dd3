"""What a recipe was proved on, as a job for the trial processes."""

from __future__ import annotations

import os
from pathlib import Path

from cyclescope.backends.base import DEFAULT_TOKENS
from cyclescope.core.edits import calibrated, files_of
from cyclescope.core.errors import RunFileError, UsageError
from cyclescope.core.message import m
from cyclescope.core.plan import calibrates
from cyclescope.core.workload import Workload
from cyclescope.optimizing.processes.messages import Job
from cyclescope.optimizing.recipes.recipe import Recipe


def job_of(
    recipe: Recipe,
    model: str | None = None,
    texts: tuple[str, ...] = (),
    tokens: int | None = None,
    batch: int | None = None,
) -> Job:
    """The work of `recipe` on these texts or made-up tokens, without its edits; `model` in place of its own.

    Without either, made-up tokens of the shape that it was proved on. Raises `UsageError` where that needs texts.
    """
    work = recipe.work
    if not texts and tokens is None:
        if work.texts > 1 or recipe.plan.instances > 1:
            raise UsageError(
                m("This recipe needs texts, since it was confirmed on several (got none)."),
                m("The grouping of the texts is a part of the plan, and a recipe stores no texts."),
                m("Give texts: --text-file FILE."),
            )
        tokens, batch = work.tokens_in or DEFAULT_TOKENS, batch or work.batch
    return Job(
        model=model or recipe.model.reference,
        texts=texts,
        tokens=tokens,
        batch=batch,
        task=recipe.model.task,
        weights="auto" if model else recipe.model.weights,
        seed=recipe.plan.seed,
        new_tokens=work.tokens_out or None,
    )


def files_beside(recipe: Recipe, place: str | os.PathLike[str] | Recipe) -> str | None:
    """The folder of the files that go with the edits of `recipe`, which lie where it was read from; None where there are
    none. Raises `RunFileError` where one is missing.
    """
    if calibrates(recipe.plan) and not calibrated(recipe.edits):
        raise RunFileError(
            m("The recipe names no file with the calibrated model."),
            m("Without the texts, the calibration cannot be repeated."),
            m("Use the recipe as `cyclescope optimize` wrote it."),
        )
    names = files_of(recipe.edits)
    if not names:
        return None
    folder = Path() if isinstance(place, Recipe) else Path(place).absolute().parent
    for name in names:
        if Path(name).name != name or not (folder / name).is_file():
            raise RunFileError(
                m("{name} is missing.", name=name),
                m("The recipe needs it in its folder, {folder}.", folder=str(folder)),
                m("Copy both files."),
            )
    return str(folder)


def refuse_other_model(recipe: Recipe, workload: Workload) -> None:
    """Raise `UsageError` where `workload` is of another model than the recipe's, or has other weights to be edited."""
    facts, known = workload.model, recipe.model
    if facts.class_name != known.class_name or facts.parameters != known.parameters:
        raise UsageError(
            m("{model} is not the model of the recipe.", model=facts.reference),
            m(
                "The recipe is for a {wanted} with {wanted_parameters} parameters; this is a {given} with "
                "{given_parameters}.",
                wanted=known.class_name,
                wanted_parameters=known.parameters,
                given=facts.class_name,
                given_parameters=facts.parameters,
            ),
            m("Run `cyclescope optimize` on this model."),
        )
    if recipe.edits and facts.weights.value != known.weights:
        raise UsageError(
            m("The weights must be those that the edits of this recipe were chosen for."),
            m(
                "The recipe was made with {then} weights, these are {now}: other heads and layers matter.",
                then=known.weights,
                now=facts.weights.value,
            ),
            m("Run `cyclescope optimize` on this model."),
        )
