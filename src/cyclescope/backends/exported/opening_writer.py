"""An engine made ready to write, and held against what the model itself writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from cyclescope.backends.base import OpenTimes
from cyclescope.backends.exported.shelf import name_of
from cyclescope.backends.exported.telling_session import TellingSession
from cyclescope.backends.exported.writer import EngineWriter, TellingWriter
from cyclescope.backends.exported.writing_session import WritingSession, written
from cyclescope.backends.torch.calls import TorchCalls
from cyclescope.backends.torch.errors import engine_errors
from cyclescope.backends.torch.steps import Steps
from cyclescope.backends.torch.writing import Writer
from cyclescope.core.edits import Edit
from cyclescope.core.errors import EngineError, Unsupported
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan
from cyclescope.core.workload import Workload

Build = Callable[[Any, Plan, Machine, Path], EngineWriter]
"""What `backends/<engine>/writing.py` has as `build_writer`: a writer with a model by a plan, whose files are made in a folder
unless they are there already.
"""

_CHECKED = 8  # tokens that the engine must write as the model itself does
# Settings of `generate` that change which token follows, with the values that leave it alone.
_NEUTRAL: dict[str, tuple[object, ...]] = {
    "repetition_penalty": (1.0,),
    "encoder_repetition_penalty": (1.0,),
    "no_repeat_ngram_size": (0,),
    "encoder_no_repeat_ngram_size": (0,),
    "guidance_scale": (1.0,),
    "bad_words_ids": (),
    "sequence_bias": (),
    "suppress_tokens": (),
    "begin_suppress_tokens": (),
    "forced_bos_token_id": (),
    "forced_eos_token_id": (),
    "exponential_decay_length_penalty": (),
}


def ready_writer(
    calls: Sequence[Steps],
    texts: Sequence[Sequence[int]],
    edits: tuple[Edit, ...],
    plan: Plan,
    machine: Machine,
    folder: Path,
) -> EngineWriter:
    """What writes the texts of `calls` by `plan`, once its engine has been seen to write in float32 what the model itself does.

    What another process has left in `folder` of the same model with the same edits is taken as it is. Raises `Unsupported`
    and `EngineError`.
    """
    steps = calls[0]
    model: Any = steps.model
    _refuse(model, plan, texts)
    build = _build_of(plan.engine)
    place = folder / f"writer-{name_of(edits, [])}"
    checked = place / f"checked-on-{plan.engine}"
    usual = plan.quantization == "off" and plan.dtype == "float32"
    with engine_errors(f"make the model ready on {plan.engine}"):
        if usual or not checked.exists():
            plain = replace(plan, quantization="off", dtype="float32")
            writer = build(model, plain, machine, place / _folder_of(plain))
            if not checked.exists():
                _refuse_other_tokens(writer, steps)
                checked.touch()
            if usual:
                return writer
            writer.close()
        return build(model, plan, machine, place / _folder_of(plan))


def writing_session(
    writer: EngineWriter,
    calls: Sequence[Steps],
    texts: Sequence[Sequence[int]],
    workload: Workload,
    plan: Plan,
    machine: Machine,
    times: OpenTimes,
    *,
    folder: AbstractContextManager[object],
    notes: Sequence[str],
    edits: tuple[Edit, ...],
) -> WritingSession[Any] | TorchCalls:
    """A session of the one call that there is, or of several."""
    if len(calls) == 1:
        parts = calls[0], workload, plan, machine, times
        if not isinstance(writer, TellingWriter):
            return WritingSession(writer, *parts, folder=folder, notes=notes, edits=edits)
        if writer.untold:
            return WritingSession(writer, *parts, folder=folder, notes=(*notes, writer.untold), edits=edits)
        return TellingSession(writer, *parts, folder=folder, notes=notes, edits=edits)

    def close() -> None:
        writer.close()
        folder.__exit__(None, None, None)

    def run(steps: Steps, inputs: dict[str, Any]) -> torch.Tensor:
        return written(writer, steps, inputs)

    return TorchCalls(calls, texts, workload, plan, machine, times, notes, edits, run=run, close=close)


def _build_of(engine: str) -> Build:
    try:
        build: Build = import_module(f"cyclescope.backends.{engine}.writing").build_writer
    except ModuleNotFoundError:
        raise Unsupported(
            f"{engine} writes no text here.",
            "What is exported is one call of the model, and a generation is many with a cache between them.",
            "Use --engine torch for --new-tokens, or a task that reads.",
        ) from None
    return build


def _refuse(model: Any, plan: Plan, texts: Sequence[Sequence[int]]) -> None:
    """Raise `Unsupported` for what no engine does that writes here."""
    if plan.cache != "dynamic":
        raise Unsupported(f"{plan.engine} has a cache of its own.", "", "Leave --cache out.")
    if plan.drafting != "off" and any(len(some) > 1 for some in texts):
        raise Unsupported("Tokens are guessed where one text is written at a time.", "", "Use batch 1.")
    for name, values in _NEUTRAL.items():
        asked = getattr(model.generation_config, name, None)
        if asked is not None and asked not in values:
            raise Unsupported(
                f"The model is to be generated from with {name}.",
                f"{plan.engine} takes the likeliest token here.",
                "Use --engine torch.",
            )


def _folder_of(plan: Plan) -> str:
    """Name of the folder with the files of an engine for `plan`; threads, precision and the like are no part of a file."""
    return f"{plan.engine}-{plan.quantization}"


def _refuse_other_tokens(writer: EngineWriter, steps: Steps) -> None:
    """Raise `EngineError` where the first tokens of the engine are not those of the model."""
    assert steps.writer is not None
    few = Writer(steps.model, min(_CHECKED, steps.writer.new_tokens), sample=False, cache="dynamic")
    inputs = steps.inputs()
    with torch.inference_mode():
        wanted = few(inputs)
    given = written(writer, replace(steps, writer=few), inputs)
    if not torch.equal(given[:, -few.new_tokens :], wanted[:, -few.new_tokens :]):
        raise EngineError(
            f"On {writer.engine} the model writes other tokens than by itself.",
            f"They differ within the first {few.new_tokens}, in float32.",
            "Use --engine torch.",
        )
