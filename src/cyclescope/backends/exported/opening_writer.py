"""An engine made ready to write, and held against what the model itself writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from cyclescope.backends.base import OpenTimes
from cyclescope.backends.exported.asked import Asked
from cyclescope.backends.exported.shelf import folder_of, name_of, seen_right
from cyclescope.backends.exported.telling_session import TellingSession
from cyclescope.backends.exported.writer import EngineWriter, TellingWriter
from cyclescope.backends.exported.writing_session import WritingSession, written
from cyclescope.backends.torch.calls import TorchCalls
from cyclescope.backends.torch.errors import engine_errors
from cyclescope.backends.torch.generating.token_settings import asked_settings
from cyclescope.backends.torch.generating.writing import Writer
from cyclescope.backends.torch.steps import Steps
from cyclescope.core.errors import EngineError, Unsupported
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan

Build = Callable[[Any, Plan, Machine, Path], EngineWriter]
"""What `backends/<engine>/writing.py` has as `build_writer`: a writer with a model by a plan, whose files are made in a folder
unless they are there already.
"""

_CHECKED = 8  # tokens that the engine must write as the model itself does


def ready_writer(asked: Asked, folder: Path) -> EngineWriter:
    """What writes by the plan of `asked`, once its engine has been seen to write in float32 what the model itself does.

    What another process has left in `folder` of the same model with the same edits is taken as it is. Raises `Unsupported`
    and `EngineError`.
    """
    plan, model = asked.plan, asked.steps.model
    _refuse(model, plan, asked.texts)
    build_writer: Build = import_module(f"cyclescope.backends.{plan.engine}.writing").build_writer
    place = folder / f"writer-{name_of(asked.edits, [])}"

    def build(plan: Plan) -> EngineWriter:
        return build_writer(model, plan, asked.machine, place / folder_of(plan))

    def check(writer: EngineWriter) -> None:
        _refuse_other_tokens(writer, asked.steps)

    with engine_errors(f"make the model ready on {plan.engine}"):
        return seen_right(place, plan, build, check) or build(plan)


def writing_session(
    writer: EngineWriter, asked: Asked, times: OpenTimes, folder: AbstractContextManager[object]
) -> WritingSession[Any] | TorchCalls:
    """A session of the one call that there is, or of several."""
    parts = asked.workload, asked.plan, asked.machine, times
    if len(asked.calls) == 1:
        untold = writer.untold if isinstance(writer, TellingWriter) else ""
        if isinstance(writer, TellingWriter) and not untold:
            return TellingSession(writer, asked.steps, *parts, folder=folder, notes=asked.notes, edits=asked.edits)
        notes = (*asked.notes, *((untold,) if untold else ()))
        return WritingSession(writer, asked.steps, *parts, folder=folder, notes=notes, edits=asked.edits)

    def close() -> None:
        writer.close()
        folder.__exit__(None, None, None)

    run = partial(written, writer)
    return TorchCalls(asked.calls, asked.texts, *parts, asked.notes, asked.edits, run=run, close=close)


def _refuse(model: Any, plan: Plan, texts: Sequence[Sequence[int]]) -> None:
    """Raise `Unsupported` for what no engine does that writes here."""
    if plan.cache != "dynamic":
        raise Unsupported(f"{plan.engine} has a cache of its own.", "", "Leave --cache out.")
    if plan.drafting != "off" and any(len(some) > 1 for some in texts):
        raise Unsupported("Tokens are guessed where one text is written at a time.", "", "Use batch 1.")
    asked = asked_settings(model.generation_config)
    if asked:
        raise Unsupported(
            f"The model is to be generated from with {', '.join(asked)}.",
            f"{plan.engine} takes the likeliest token here.",
            "Use --engine torch.",
        )


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
