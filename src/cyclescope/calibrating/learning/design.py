"""What is measured to learn a machine: small whole models, spread over widths, lengths, vocabularies and families.

Each has layers of full width but few of them, and so many weights that they come from main memory in every cycle, as
those of a real model do. Every workload has a model of its own: so many more shapes of products are seen.
Sizes follow an additive recurrence with the golden ratio of so many dimensions (Roberts, The unreasonable effectiveness of quasirandom
sequences, 2018): any first part of it is spread evenly, so that an interrupted measurement has seen a bit of everything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclescope.calibrating.learning.families import FAMILIES

VERSION = 1  # of the design; what was measured by another one is not gone on with
_DIMENSIONS = 4


@dataclass(frozen=True, slots=True)
class TrainingCase:
    """One workload to learn from: `new_tokens` 0 is one forward pass, else prefill and so many decode steps less one."""

    name: str
    family: str
    configuration: Mapping[str, Any]
    tokens: int
    batch: int
    new_tokens: int
    attention: str = "sdpa"

    def write(self, folder: Path) -> Path:
        """The folder below `folder` that now holds the model's `config.json`."""
        place = folder / self.name
        place.mkdir(parents=True, exist_ok=True)
        (place / "config.json").write_text(json.dumps(self.configuration))
        return place


@dataclass(frozen=True, slots=True)
class _Place:
    """One place of the design: a family, how long its input may be, how many texts there are, and how it attends.

    `batches` are taken in turn: the kernel of a product with a few rows is another for almost each number of them.
    """

    family: str
    tokens: tuple[int, int]
    batches: tuple[int, ...] = (1,)
    new_tokens: int = 0
    attention: str = "sdpa"


# In the order in which they tell most: a decode step and a forward pass of the two common families, then what else there is.
_PLACES = (
    _Place("bert", (24, 256)),
    _Place("llama", (16, 256), new_tokens=4),
    _Place("gpt2", (16, 384), new_tokens=4),
    _Place("bert", (16, 192), attention="eager"),
    _Place("t5", (16, 128), new_tokens=4),
    _Place("mixtral", (16, 192), new_tokens=3),
    _Place("lfm2", (16, 192), new_tokens=4),
    _Place("bert", (8, 64), (4, 12, 8)),
    _Place("llama", (16, 512)),
    _Place("bart", (16, 128), new_tokens=4),
    _Place("gpt2", (4, 48), (6, 3, 12), new_tokens=4),
    _Place("bert", (128, 512)),
    _Place("llama", (4, 48), (4, 2, 8), new_tokens=4, attention="eager"),
)
_ROUNDS = 3


def training_cases() -> tuple[TrainingCase, ...]:
    """All workloads of the design, the most telling first."""
    cases = []
    for number in range(_ROUNDS * len(_PLACES)):
        place = _PLACES[number % len(_PLACES)]
        # Steps of the recurrence within a place: taken across places, its period would meet theirs.
        at = point(1 + number // len(_PLACES) + _ROUNDS * (number % len(_PLACES)))
        low, high = place.tokens
        tokens = between(at[0], low, high)
        configuration = FAMILIES[place.family](at[1], at[2], at[3])
        batch = place.batches[number // len(_PLACES) % len(place.batches)]
        name = f"{number:02}-{place.family}-{batch}x{tokens}" + (f"+{place.new_tokens}" if place.new_tokens else "")
        cases.append(TrainingCase(name, place.family, configuration, tokens, batch, place.new_tokens, place.attention))
    return tuple(cases)


def point(number: int) -> tuple[float, ...]:
    """Point `number` of the recurrence, each coordinate from 0 up to 1."""
    root = 2.0
    for _ in range(60):  # x^(d+1) = x + 1
        root = (1 + root) ** (1 / (_DIMENSIONS + 1))
    return tuple((0.5 + number * root ** -(axis + 1)) % 1.0 for axis in range(_DIMENSIONS))


def between(at: float, low: int, high: int) -> int:
    """The whole number that stands at `at` of the way from `low` to `high` on the scale of logarithms."""
    return round(float(low * (high / low) ** at))
