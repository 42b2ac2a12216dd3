"""What is measured to learn an engine that runs a model as a whole: few models, each at many shapes.

To make a model ready is what costs there (an export takes seconds), and to run it at another shape costs nothing. So a
model stands for several lengths and batches, and no model for a single one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclescope.calibrating.learning.design import TrainingCase, between, point
from cyclescope.calibrating.learning.families import FAMILIES

VERSION = 1  # of the design; what was measured by another one is not gone on with


@dataclass(frozen=True, slots=True)
class Shape:
    """`batch` × `tokens` tokens go in, and `new_tokens` of each text are written (0: one forward pass)."""

    batch: int
    tokens: int
    new_tokens: int = 0

    @property
    def name(self) -> str:
        return f"{self.batch}x{self.tokens}" + (f"+{self.new_tokens}" if self.new_tokens else "")


@dataclass(frozen=True, slots=True)
class EngineCase:
    """One model to learn from, at its `shapes`; they all write, or none does."""

    name: str
    family: str
    configuration: Mapping[str, Any]
    shapes: tuple[Shape, ...]

    def of_shape(self, shape: Shape) -> TrainingCase:
        """The workload of this model at `shape`; the folder of the model is the same for all of them."""
        return TrainingCase(self.name, self.family, self.configuration, shape.tokens, shape.batch, shape.new_tokens)

    def write(self, folder: Path) -> Path:
        """The folder below `folder` that now holds the model's `config.json`."""
        return self.of_shape(self.shapes[0]).write(folder)


@dataclass(frozen=True, slots=True)
class _Place:
    """One place of the design; a `width` is that of `families`, in place of one that is spread."""

    family: str
    new_tokens: int = 0
    width: float | None = None


_NARROW = -0.25  # below all others: a model whose weights stay in the last cache


# In the order in which they tell most, so that an interrupted learning has seen something of everything.
_PLACES = (
    _Place("bert"), _Place("llama"), _Place("gpt2", 4), _Place("t5"), _Place("lfm2"), _Place("bert"), _Place("llama", 4),
    _Place("gpt2"), _Place("bart"), _Place("bert", width=_NARROW), _Place("bert"), _Place("gpt2", 4), _Place("llama"),
    _Place("t5"),
)  # fmt: skip
# Batch, and the least and the most tokens of each text: from a single short one to all that a processor is given at once.
_READING = ((1, 8, 32), (1, 32, 128), (1, 128, 512), (2, 16, 128), (4, 8, 64), (8, 16, 128), (1, 48, 256), (16, 8, 48))
_WRITING = ((1, 8, 48), (1, 48, 256), (1, 256, 512), (4, 8, 64), (8, 8, 48))


def engine_cases() -> tuple[EngineCase, ...]:
    """All models of the design with their shapes, the most telling first."""
    cases = []
    for number, place in enumerate(_PLACES):
        _, width, form, vocabulary = point(1 + number)
        configuration = FAMILIES[place.family](width if place.width is None else place.width, form, vocabulary)
        ranges = _WRITING if place.new_tokens else _READING
        shapes = tuple(
            Shape(batch, between(point(1 + 5 * number + k)[0], low, high), place.new_tokens)
            for k, (batch, low, high) in enumerate(ranges)
        )
        written = "+" if place.new_tokens else ""
        cases.append(EngineCase(f"{number:02}-{place.family}{written}", place.family, configuration, shapes))
    return tuple(cases)
