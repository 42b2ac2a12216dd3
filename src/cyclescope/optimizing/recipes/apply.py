"""`apply`: a recipe becomes files that run without cyclescope, and a run of them shows that they are what was measured."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cyclescope.backends.engines import engine_files
from cyclescope.core.edits import calibrated, files_of
from cyclescope.core.errors import CyclescopeError, OutputError
from cyclescope.core.message import Text, m
from cyclescope.core.results import Results
from cyclescope.models.standin import StandIn
from cyclescope.optimizing.processes.messages import Job
from cyclescope.optimizing.processes.process_pool import ProcessPool
from cyclescope.optimizing.processes.worker_group import PoolPreparer
from cyclescope.optimizing.recipes.apply_run import run_file
from cyclescope.optimizing.recipes.recipe import Recipe, load_recipe, save_recipe
from cyclescope.optimizing.recipes.recipe_job import files_beside, job_of, refuse_other_model
from cyclescope.optimizing.recipes.snippet import TOKENIZER_FILE, snippet
from cyclescope.optimizing.recipes.snippet_model import SnippetModel, model_for
from cyclescope.optimizing.search.drift import Drift, drift
from cyclescope.store.atomic import atomic_writer

CODE_FILE, RECIPE_FILE = "model.py", "recipe.toml"
_LIMIT_S = 900.0  # loading and compiling included
# Of different lengths, so that padding and order are part of the check.
_SAMPLES = (
    "How fast is this?",
    "A cat sat on the mat and looked at the dog.",
    "Yes.",
    "这是一个简单的例子。",
    "Text goes in, and text comes out.",
    "The sun rises in the east.",
)


@dataclass(frozen=True, slots=True)
class Applied:
    """Files that were written to `folder`, and how far their outputs on `texts` texts are from those of the plan.

    `random_weights`: the code builds the model with random weights. `notes` are what its user must know. `model_here` is
    where the model, or what is needed of it, lies on this machine, if the code would look for it on the hub.
    """

    recipe: Recipe
    folder: str
    files: tuple[str, ...]
    texts: int
    drift: Drift
    random_weights: bool
    notes: tuple[Text, ...] = ()
    model_here: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the code gives what the plan gave, but for rounding."""
        return self.drift.same


def apply(
    recipe: Recipe | str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    model: str | None = None,
    text: str | Sequence[str] | None = None,
) -> Applied:
    """Write `recipe` (or the recipe in that file) as code to `folder`, run the code, and compare it with the plan.

    `model` is a folder or name in place of the recipe's; `text` is what both are run on. A folder that holds anything
    but what this wrote before is left alone. Raises `OutputError`, `RunFileError`, `Unsupported`, and like `measure`.
    """
    found = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    given = (text,) if isinstance(text, str) else tuple(text or ())
    texts = given or _samples(found)
    beside = files_beside(found, recipe)
    source = model_for(found, model)
    code = snippet(found, source)
    place = Path(folder)
    _require_ours(place, found)
    with tempfile.TemporaryDirectory(prefix="cyclescope-") as temporary:
        exported = Path(temporary) / "exported"
        export_to = None if calibrated(found.edits) else str(exported)  # what was calibrated lies beside the recipe
        job = replace(job_of(found, model, texts), edits=found.edits, files=beside, export_to=export_to)
        reference, notes = _tried(found, job)
        for name in files_of(found.edits):
            exported.mkdir(exist_ok=True)
            shutil.copyfile(Path(beside or "") / name, exported / name)
        files = _write(place, found, code, source, exported)
        writes = found.work.tokens_out > 0
        given_back = run_file(place / CODE_FILE, source.place, texts, Path(temporary), writes=writes, limit_s=_LIMIT_S)
    moved = drift(_comparable(reference), given_back)
    named = bool(source.reference) and not Path(source.reference).is_absolute()
    here = source.place if named and source.place != source.reference else ""
    return Applied(found, str(place), files, len(texts), moved, source.config is not None, notes, here)


def _samples(recipe: Recipe) -> tuple[str, ...]:
    """As many texts as show how they are put together, and one where it was proved on one."""
    many = max(recipe.work.texts, recipe.plan.instances)
    return tuple(_SAMPLES[k % len(_SAMPLES)] for k in range(min(many, max(len(_SAMPLES), recipe.plan.instances))))


def _tried(recipe: Recipe, job: Job) -> tuple[Results, tuple[Text, ...]]:
    """What the plan gives in trial processes, and what is to be known about it."""
    with ProcessPool(job) as pool:
        group = PoolPreparer(pool).group(recipe.plan, _LIMIT_S)
        refuse_other_model(recipe, group.opened.workload)
        return group.results(), group.opened.notes


def _comparable(results: Results) -> Results:
    """What the code gives of it: token ids, else logits of texts, else a row a token."""
    if results.tokens is not None or (results.logits is not None and results.logits.ndim == 2):
        return replace(results, hidden=None, pooled=None)
    if results.hidden is None and results.logits is not None:
        return Results(results.mask, hidden=results.logits)
    return replace(results, pooled=None)


def _require_ours(folder: Path, recipe: Recipe) -> None:
    """Raise `OutputError` where `folder` is a file, or holds what this did not write."""
    way_out = m("Name a new folder with --out.")
    if folder.exists() and not folder.is_dir():
        raise OutputError(m("{path} must be a folder.", path=str(folder)), "", way_out)
    there = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if not there:
        return
    ours = {CODE_FILE, RECIPE_FILE, TOKENIZER_FILE, *engine_files(), *files_of(recipe.edits)}
    foreign = [name for name in there if name not in ours and not name.endswith(".pyc") and name != "__pycache__"]
    try:
        load_recipe(folder / RECIPE_FILE)
    except CyclescopeError:
        foreign = foreign or there
    if foreign:
        raise OutputError(
            m("{path} must be empty or hold the files of an earlier `cyclescope apply`.", path=str(folder)),
            m("It has another file: {name}.", name=foreign[0]),
            way_out,
        )


def _write(folder: Path, recipe: Recipe, code: str, source: SnippetModel, exported: Path) -> tuple[str, ...]:
    """Write all files, the code last. Raises `OutputError`."""
    contents: dict[str, bytes] = {}
    if isinstance(source.tokenizer, StandIn):
        contents[TOKENIZER_FILE] = source.tokenizer.json.encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = sorted(exported.iterdir()) if exported.is_dir() else []
        for path in kept:
            (folder / path.name).unlink(missing_ok=True)
            shutil.move(path, folder / path.name)
    except OSError as exc:
        raise OutputError(
            m("{path} cannot be written.", path=str(folder)),
            f"{exc.strerror or exc}.",
            m("Check the folder and its permissions."),
        ) from exc
    save_recipe(recipe, folder / RECIPE_FILE)
    for name, content in {**contents, CODE_FILE: code.encode()}.items():
        with atomic_writer(folder / name) as file:
            file.write(content)
    return (CODE_FILE, RECIPE_FILE, *contents, *(path.name for path in kept))
