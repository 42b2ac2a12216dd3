"""A model as an ONNX file, in the forms that engines want it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cyclescope.backends.artifacts.program import Scope


class AttentionForm(StrEnum):
    """How attention stands in the file: one operation of the domain com.microsoft, or operations of ONNX alone."""

    FUSED = "fused"
    SPELLED_OUT = "spelled out"


@dataclass(frozen=True, slots=True)
class Exported:
    """An ONNX file (its weights beside it), the names of what goes in and out, and where each value comes from.

    `scopes` has the modules around each named value. `fixed_shape`: it takes no other shape than that of its example.
    """

    path: Path
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attention: AttentionForm
    fixed_shape: bool
    scopes: Mapping[str, Scope]
