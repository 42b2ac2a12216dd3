"""Edits of a model in memory: rows and columns of linear layers, activations, thin factors, layers and tokens that stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch


def edit(model: Any, edits: Iterable[tuple[str, str, Sequence[int]]], files: str | None = None) -> Any:
    """Make `edits` (what, path of a module, numbers) to `model` in their order, and return it.

    `files` is the folder of the files that edits name.
    """
    for what, path, numbers in edits:
        if what == "load-weights":
            _load_weights(model, files, path)
            continue
        module = model.get_submodule(path)
        if what == "keep-outputs":
            _keep_outputs(module, torch.tensor(numbers))
        elif what == "keep-inputs":
            _keep_inputs(module, torch.tensor(numbers))
        elif what == "tanh-gelu":
            _replace(model, path, torch.nn.GELU(approximate="tanh"))
        elif what == "exact-gelu":
            _replace(model, path, torch.nn.GELU())
        elif what == "relu":
            _replace(model, path, torch.nn.ReLU())
        elif what == "factor":
            _replace(model, path, _factored(module, numbers[0]))
        elif what == "keep-layers":
            _keep_layers(model, path, numbers)
        elif what == "keep-tokens":
            _replace(model, path, KnownTokens(module, numbers))
        else:
            raise ValueError(f"unknown edit {what!r}")
    return model


def _replace(model: Any, path: str, module: torch.nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(model.get_submodule(parent), name, module)


def _keep_outputs(linear: torch.nn.Linear, kept: torch.Tensor) -> None:
    linear.weight = torch.nn.Parameter(linear.weight.detach()[kept].contiguous(), requires_grad=False)
    if linear.bias is not None:
        linear.bias = torch.nn.Parameter(linear.bias.detach()[kept].contiguous(), requires_grad=False)
    linear.out_features = len(kept)


def _keep_inputs(linear: torch.nn.Linear, kept: torch.Tensor) -> None:
    linear.weight = torch.nn.Parameter(linear.weight.detach()[:, kept].contiguous(), requires_grad=False)
    linear.in_features = len(kept)


def _factored(linear: torch.nn.Linear, rank: int) -> torch.nn.Sequential:
    """The weight matrix W projected onto its first left singular vectors U: W ≈ U (Uᵀ W).

    They are the eigenvectors of W Wᵀ, or the right ones those of Wᵀ W: whichever is smaller takes less time than the
    whole decomposition.
    """
    weight = linear.weight.detach().double()
    kind = linear.weight.dtype
    if weight.shape[0] <= weight.shape[1]:
        left = torch.linalg.eigh(weight @ weight.T).eigenvectors[:, -rank:]
        thin, wide = left.T @ weight, left
    else:
        right = torch.linalg.eigh(weight.T @ weight).eigenvectors[:, -rank:]
        thin, wide = right.T, weight @ right
    first = torch.nn.Linear(linear.in_features, rank, bias=False, dtype=kind)
    second = torch.nn.Linear(rank, linear.out_features, bias=linear.bias is not None, dtype=kind)
    first.weight = torch.nn.Parameter(thin.to(kind).contiguous(), requires_grad=False)
    second.weight = torch.nn.Parameter(wide.to(kind).contiguous(), requires_grad=False)
    if linear.bias is not None:
        second.bias = torch.nn.Parameter(linear.bias.detach().clone(), requires_grad=False)
    return torch.nn.Sequential(first, second)


def _keep_layers(model: Any, path: str, kept: Sequence[int]) -> None:
    """Leave the layers numbered `kept`, and tell the configuration how many there are."""
    stack = model.get_submodule(path)
    _replace(model, path, torch.nn.ModuleList(stack[k] for k in kept))
    config: Any = getattr(model, "config", None)
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    kinds = getattr(text, "layer_types", None)
    if isinstance(kinds, list) and len(kinds) == len(stack):
        with suppress(AttributeError):  # some configurations work it out by themselves
            text.layer_types = [kinds[k] for k in kept]
    for name in ("num_hidden_layers", "num_layers", "n_layer", "n_layers"):
        if getattr(text, name, None) == len(stack):
            setattr(text, name, len(kept))
    for number, k in enumerate(kept):
        for part in stack[k].modules():
            if isinstance(getattr(part, "layer_idx", None), int):
                part.layer_idx = number  # its place in the cache of keys and values


def _load_weights(model: Any, files: str | None, name: str) -> None:
    """Take the weights that the file `name` (safetensors) has from there, and leave the others."""
    from safetensors.torch import load_file

    if files is None or Path(name).name != name:
        raise ValueError(f"no folder for the weights {name!r}")
    unknown = model.load_state_dict(load_file(Path(files) / name), strict=False).unexpected_keys
    if unknown:
        raise ValueError(f"{name} has weights that the model has not: {unknown[0]}")


class KnownTokens(torch.nn.Module):
    """A head with the rows of some tokens only. Every other token comes out as impossible, so that ids stay what they
    are; to write that costs as many numbers as there are tokens, where computing them costs that times the width.
    """

    kept: torch.Tensor

    def __init__(self, head: torch.nn.Linear, kept: Sequence[int]) -> None:
        super().__init__()
        here = torch.tensor(kept, device=head.weight.device)
        self.tokens = head.out_features
        self.register_buffer("kept", here, persistent=False)
        # Rows of their own: a head that is tied to the embedding must leave that whole.
        self.rows = torch.nn.Linear(head.in_features, len(kept), bias=head.bias is not None, dtype=head.weight.dtype)
        self.rows.weight = torch.nn.Parameter(head.weight.detach()[here].contiguous(), requires_grad=False)
        if head.bias is not None:
            self.rows.bias = torch.nn.Parameter(head.bias.detach()[here].contiguous(), requires_grad=False)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        some: torch.Tensor = self.rows(hidden)
        return some.new_full((*some.shape[:-1], self.tokens), -torch.inf).index_copy(-1, self.kept, some)
