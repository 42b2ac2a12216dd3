"""A recipe: the plan that was found, for which model, and the proof; a TOML file that anyone can read and check."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import tomli_w

from cyclescope.backends.engines import engine_packages
from cyclescope.core.codec import CodecError, decode
from cyclescope.core.edits import Edit
from cyclescope.core.errors import OutputError, RunFileError, UsageError
from cyclescope.core.graph.structure import DECODE, ENCODE
from cyclescope.core.message import Text, m
from cyclescope.core.plan import Plan
from cyclescope.core.version import __version__
from cyclescope.optimizing.optimization import Optimization
from cyclescope.store.atomic import atomic_writer

SCHEMA = "cyclescope/recipe"
VERSION = 1
_ARCHIVE = b"PK\x03\x04"  # how a zip begins
SUFFIX = ".toml"


@dataclass(frozen=True, slots=True)
class RecipeModel:
    """The model: `reference` as it was named, its class and size, the task, and whether its weights were real.

    `longest` is the most tokens that it takes (None: no limit); `encoder_decoder`: it has both.
    """

    reference: str
    class_name: str
    parameters: int
    task: str
    weights: str
    source: str = ""
    longest: int | None = None
    encoder_decoder: bool = False


@dataclass(frozen=True, slots=True)
class RecipeWork:
    """What it was proved on: how many texts, how long the longest (tokens), and how many tokens were written."""

    goal: str
    texts: int
    tokens_in: int
    tokens_out: int = 0
    batch: int = 1


@dataclass(frozen=True, slots=True)
class MeasurementRecord:
    """How much faster than the baseline (`low` and `high`: the 99 % interval), how far the outputs moved and how
    far they were allowed to, where and when. `proved`: it ran long, side by side; not so where the search was interrupted.
    `other_load` is the share of the cores that other processes used during it (None: unknown).
    """

    speed_up: float
    low: float
    high: float
    rounds: int
    before_ms: float
    after_ms: float
    processor: str
    cores: int
    taken_at: str
    version: str = __version__
    max_drift: float = 0.0
    cosine: float | None = None
    largest_difference: float | None = None
    top1: float | None = None
    same_tokens: float | None = None
    packages: tuple[str, ...] = ()
    proved: bool = True
    other_load: float | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """`baseline` is the plan that `plan` was proved against, `edits` are what its changes came to on this model."""

    model: RecipeModel
    work: RecipeWork
    baseline: Plan
    plan: Plan
    proof: MeasurementRecord
    edits: tuple[Edit, ...] = ()


def recipe_of(optimization: Optimization) -> Recipe:
    """The recipe of the best plan. Raises `UsageError` where there is none."""
    if not optimization.best:
        raise UsageError(
            m("There is no recipe, since no plan is confirmed to be faster."),
            m("None is within the drift limit and the budget."),
            m("Allow a drift (--max-drift), or a larger budget."),
        )
    row, before = optimization.rows[optimization.best], optimization.before
    facts, machine = before.workload.model, before.machine
    assert row.ratio is not None
    drift = row.drift
    return Recipe(
        model=RecipeModel(
            facts.reference,
            facts.class_name,
            facts.parameters,
            before.workload.task,
            facts.weights.value,
            facts.source,
            facts.max_positions,
            {ENCODE, DECODE} <= set(before.graph.stages),
        ),
        work=RecipeWork(
            optimization.goal.value,
            optimization.texts,
            optimization.workload.tokens_in,
            optimization.workload.tokens_out,
            optimization.workload.batch,
        ),
        baseline=optimization.rows[0].plan,
        plan=row.plan,
        proof=MeasurementRecord(
            speed_up=1 / row.ratio.value,
            low=1 / row.ratio.high,
            high=1 / row.ratio.low,
            rounds=row.rounds,
            before_ms=row.wall_ns / row.ratio.value / 1e6,
            after_ms=row.wall_ns / 1e6,
            processor=machine.processor,
            cores=machine.cores,
            taken_at=before.taken_at,
            max_drift=optimization.max_drift,
            cosine=drift.cosine if drift else None,
            largest_difference=drift.largest if drift else None,
            top1=drift.top1 if drift else None,
            same_tokens=drift.tokens if drift else None,
            packages=tuple(
                f"{name} {version}" for name, version in machine.packages + engine_packages(row.plan.engine)
            ),
            proved=row.confirmed,
            other_load=optimization.load.other_busy,
        ),
        edits=optimization.edits,
    )


def save_recipe(recipe: Recipe, path: str | os.PathLike[str]) -> None:
    """Write `recipe` to `path`, in full or not at all. Raises `OutputError`."""
    document = {"schema": SCHEMA, "version": VERSION, **_table(recipe)}
    try:
        with atomic_writer(Path(path)) as file:
            file.write(tomli_w.dumps(document).encode())
    except OSError as exc:
        raise OutputError(
            m("{path} cannot be written.", path=str(path)),
            f"{exc.strerror or exc}.",
            m("Check the folder and its permissions."),
        ) from exc


def load_recipe(path: str | os.PathLike[str]) -> Recipe:
    """The recipe in the file `path`. Raises `RunFileError`."""
    path = Path(path)
    again = m("Name a file that `cyclescope optimize --recipe FILE` wrote.")
    no_recipe = m("{path} is not a recipe.", path=str(path))
    try:
        content = path.read_bytes()
        if content.startswith(_ARCHIVE):
            raise RunFileError(no_recipe, m("It is a zip file, like a saved run."), again)
        data = tomllib.loads(content.decode("utf-8"))
    except FileNotFoundError as exc:
        raise RunFileError(m("There is no file {path}.", path=str(path)), "", again) from exc
    except OSError as exc:
        raise RunFileError(m("{path} cannot be read.", path=str(path)), f"{exc.strerror or exc}.", again) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise RunFileError(no_recipe, m("It is not valid TOML: {error}.", error=_line(exc)), again) from exc
    if data.get("schema") != SCHEMA:
        raise RunFileError(no_recipe, m("Its schema is {schema}.", schema=repr(data.get("schema"))), again)
    version = data.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise RunFileError(no_recipe, m("Its format version is {version}.", version=repr(version)), again)
    if version > VERSION:
        raise RunFileError(
            m("{path} is too new for this version of cyclescope.", path=str(path)),
            m("Its format is {version}; this version reads formats up to {newest}.", version=version, newest=VERSION),
            m("Read it with a later version of cyclescope."),
        )
    try:
        return decode(Recipe, data, [])
    except CodecError as exc:
        raise RunFileError(m("{path} is an incomplete recipe.", path=str(path)), f"{exc}.", again) from exc


def _line(error: ValueError) -> Text:
    """What a parser says; of bytes that are no text nothing but that."""
    return m("its bytes are not UTF-8 text") if isinstance(error, UnicodeDecodeError) else str(error)


def _table(value: Any) -> dict[str, Any]:
    """A dataclass as a TOML table: what is not known or as usual is left out."""
    table: dict[str, Any] = {}
    for field in fields(value):
        item = getattr(value, field.name)
        if item is None or item == ():
            continue
        if is_dataclass(item):
            table[field.name] = _table(item)
        elif isinstance(item, tuple) and is_dataclass(item[0]):
            table[field.name] = [_table(part) for part in item]
        else:
            table[field.name] = list(item) if isinstance(item, tuple) else item
    return table
