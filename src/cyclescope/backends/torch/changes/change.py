"""What a change is given, and the tuple of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from cyclescope.core.errors import Unsupported
from cyclescope.core.graph import Graph


@dataclass(frozen=True, eq=False)
class Subject:
    """A model that is to be changed: its structure as it was traced, and the inputs that it will be given.

    `inputs` are the arguments of its calls, one for each.
    """

    model: torch.nn.Module
    graph: Graph
    inputs: Sequence[Mapping[str, Any]]

    def linear(self, weight: str) -> torch.nn.Linear:
        """The module of the parameter `weight`. Raises `Unsupported` unless it is a plain linear layer."""
        path = weight.rpartition(".")[0]
        module = self.model.get_submodule(path)
        if type(module) is not torch.nn.Linear:
            raise Unsupported(
                f"{path} is a {type(module).__name__}.", "Only plain linear layers can be made smaller.", ""
            )
        return module

    def replace(self, path: str, module: torch.nn.Module) -> None:
        """Put `module` in the place of the one at `path`."""
        parent, _, name = path.rpartition(".")
        setattr(self.model.get_submodule(parent), name, module)


Maker = Callable[[Subject, float], str]
"""Changes the model by an amount and says in one sentence what it did. Raises `Unsupported` where it cannot."""


def keep_outputs(linear: torch.nn.Linear, kept: torch.Tensor) -> None:
    """Leave only the outputs `kept` [n] of a linear layer."""
    linear.weight = torch.nn.Parameter(linear.weight.detach()[kept].contiguous(), requires_grad=False)
    if linear.bias is not None:
        linear.bias = torch.nn.Parameter(linear.bias.detach()[kept].contiguous(), requires_grad=False)
    linear.out_features = len(kept)


def keep_inputs(linear: torch.nn.Linear, kept: torch.Tensor) -> None:
    """Leave only the inputs `kept` [n] of a linear layer."""
    linear.weight = torch.nn.Parameter(linear.weight.detach()[:, kept].contiguous(), requires_grad=False)
    linear.in_features = len(kept)
