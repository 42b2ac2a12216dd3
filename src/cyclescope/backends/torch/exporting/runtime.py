"""What the opening of an exported model must know about the engine that runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclescope.backends.artifacts.exported_model import AttentionForm, Exported
from cyclescope.backends.artifacts.program import Program
from cyclescope.backends.artifacts.samples import CalibrationInputs
from cyclescope.backends.artifacts.writer import EngineWriter
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan

BuildWriter = Callable[[Any, Plan, Machine, Path], EngineWriter]
"""A writer with a transformers model by a plan, whose files are made in a folder unless they are there already."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """How an engine makes a program of an exported model: in which forms of attention it wants it, the best first, and
    `build`, which writes the files that it runs into a folder of its own, unless they are there already. A plan with
    scales that are measured beforehand finds inputs for that in `CalibrationInputs`. `build_writer` is None for an engine that
    generates no text.
    """

    forms: tuple[AttentionForm, ...]
    build: Callable[[Exported, Plan, Machine, Path, CalibrationInputs], Program]
    build_writer: BuildWriter | None = None
