"""What has been made of a model for an engine, kept in a folder for every process that needs the same, such as a trial."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from cyclescope.backends.artifacts.exported_model import AttentionForm, Exported
from cyclescope.core.codec import decode, encode
from cyclescope.core.edits import Edit
from cyclescope.core.errors import EngineError
from cyclescope.core.message import Text
from cyclescope.core.plan import Plan, Quantization


class Closing(Protocol):
    """What an engine has made ready."""

    def close(self) -> None: ...


P = TypeVar("P", bound=Closing)
_READY = "ready"  # written last: a folder without it was left in the middle of its making
_REFUSED = "refused.json"
_FACTS = "exported.json"


@dataclass(frozen=True, slots=True)
class _Refusal:
    """The stored reason why something could not be made."""

    fact: Text
    cause: Text
    way_out: Text

    @property
    def error(self) -> EngineError:
        return EngineError(self.fact, self.cause, self.way_out)


def name_of(edits: Iterable[Edit], shape: Sequence[Sequence[int]]) -> str:
    """A short name for a model with `edits`, exported for one `shape` only or for all (none named)."""
    data = json.dumps([[edit.what, edit.path, edit.numbers] for edit in edits] + [list(shape)])
    return hashlib.sha256(data.encode()).hexdigest()[:12]


def build_once(folder: Path, make: Callable[[], None]) -> None:
    """Have `make` fill `folder`, unless that was done before. One that was left half made is made again; what could not be
    made is not tried again, and raises the same `EngineError`.
    """
    if (folder / _READY).exists():
        return
    if (folder / _REFUSED).exists():
        raise decode(_Refusal, json.loads((folder / _REFUSED).read_text(encoding="utf-8")), []).error
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        make()
    except EngineError as error:
        data, _ = encode(_Refusal(error.fact, error.cause, error.way_out))
        (folder / _REFUSED).write_text(json.dumps(data), encoding="utf-8")
        raise
    (folder / _READY).touch()


def exported_once(folder: Path, make: Callable[[Path], Exported]) -> Exported:
    """The exported model in `folder`, by `make`, which is given the file's path, unless it is there already."""
    path = folder / "model.onnx"

    def export() -> None:
        made = make(path)
        facts = {
            "inputs": made.inputs,
            "outputs": made.outputs,
            "attention": made.attention.value,
            "fixed_shape": made.fixed_shape,
            "scopes": made.scopes,
        }
        (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")

    build_once(folder, export)
    facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    scopes = {name: tuple((path, kind) for path, kind in scope) for name, scope in facts["scopes"].items()}
    return Exported(
        path,
        tuple(facts["inputs"]),
        tuple(facts["outputs"]),
        AttentionForm(facts["attention"]),
        bool(facts["fixed_shape"]),
        scopes,
    )


def folder_of(plan: Plan, *own: str) -> str:
    """Name of the folder with the files of an engine for `plan` and `own` changes of its; threads, precision and the like are
    no part of a file.
    """
    return "-".join((plan.engine, plan.quantization, *own))


def verified_once(place: Path, plan: Plan, build: Callable[[Plan], P], check: Callable[[P], None]) -> P | None:
    """Have it noted in `place` that what the engine of `plan` builds there in float32 passed `check`, which raises where it
    does not. What was built for that, if it is what `plan` wants.
    """
    checked = place / f"checked-on-{plan.engine}"
    plain = replace(plan, quantization=Quantization.OFF, dtype="float32")
    if plain != plan and checked.exists():
        return None
    built = build(plain)
    if not checked.exists():
        check(built)
        checked.touch()
    if plain == plan:
        return built
    built.close()
    return None
