"""What a change is given, and what it is: edits of the model, decided by its structure and weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Text, m
from cyclescope.core.plan import ModelChange


@dataclass(frozen=True, eq=False)
class Subject:
    """A model that is to be changed: its structure as it was traced, and the inputs that it will be given.

    `inputs` are the arguments of its calls, one for each, and `texts` the numbers of the texts in their rows. `original` is the model before the first change of a plan
    (None where no change asks for it), `earlier` are the changes since then.
    `write` runs the calls of one that writes and gives the token ids of each, as they were written; `tokenizer` is that of
    the texts. Both are None where there is none. `files` is the folder for files that go with edits.
    """

    model: torch.nn.Module
    graph: Graph
    inputs: Sequence[Mapping[str, Any]]
    texts: Sequence[int] = ()
    files: str | None = None
    tokenizer: Any = None
    write: Callable[[], Sequence[torch.Tensor]] | None = None
    original: torch.nn.Module | None = None
    earlier: tuple[ModelChange, ...] = ()

    def linear(self, weight: str) -> torch.nn.Linear:
        """The module of the parameter `weight`. Raises `Unsupported` unless it is a plain linear layer."""
        path = path_of(weight)
        module = self.model.get_submodule(path)
        if type(module) is not torch.nn.Linear:
            raise Unsupported(
                m("{path} is a {class_name}.", path=path, class_name=type(module).__name__),
                m("Only plain linear layers can be reduced."),
                "",
            )
        return module


@dataclass(frozen=True, slots=True)
class Edits:
    """Edits in their order (`standalone.editing` makes them), and one sentence about them."""

    edits: tuple[Edit, ...]
    said: Text


Maker = Callable[[Subject, float], Edits]
"""Decides the edits of one change by its amount. Raises `Unsupported` where there are none to be made."""


def path_of(weight: str) -> str:
    """Path of the module that the parameter `weight` belongs to."""
    return weight.rpartition(".")[0]


def numbers(indices: torch.Tensor) -> tuple[int, ...]:
    """`indices` as plain numbers."""
    return tuple(int(k) for k in indices.tolist())
