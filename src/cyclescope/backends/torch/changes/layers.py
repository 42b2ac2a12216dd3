"""Layers that are left out: those that change their input least, or those behind an exit."""

from __future__ import annotations

from typing import Any

import torch

from cyclescope.backends.torch.changes.change import Edits, Subject
from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m


def drop_layers(subject: Subject, amount: float) -> Edits:
    """Leave out `amount` layers of the longest stack: those whose output is most like their input on the user's texts.

    Likeness is the mean cosine between what goes into a layer and what comes out (Men et al., 2024, "ShortGPT").
    """
    path, stack = longest_stack(subject.model)
    drop = int(amount)
    if drop >= len(stack):
        raise Unsupported(m("The model has {count} layers; {drop} cannot be removed.", count=len(stack), drop=drop))
    gone = change_least(subject, stack, drop)
    kept = tuple(k for k in range(len(stack)) if k not in gone)
    return Edits(
        (Edit("keep-layers", path, kept),),
        m("layers {layers} of {path} removed", layers=", ".join(map(str, gone)), path=path),
    )


def change_least(subject: Subject, stack: torch.nn.ModuleList, count: int) -> list[int]:
    """Numbers of the `count` layers whose output is most like their input."""
    likeness = _likeness(subject, stack)
    return sorted(sorted(range(len(stack)), key=lambda k: -likeness[k])[:count])


def early_exit(subject: Subject, amount: float) -> Edits:
    """Leave out what stands behind layer `amount` (counted from 1): the head reads there, as the model was trained to."""
    path, stack = longest_stack(subject.model)
    at = int(amount)
    if not 0 < at < len(stack):
        raise Unsupported(
            m("The exit must be between layer 1 and the last of {count} (got {at}).", count=len(stack), at=at)
        )
    return Edits(
        (Edit("keep-layers", path, tuple(range(at))),), m("exit after layer {at} of {layers}", at=at, layers=len(stack))
    )


def longest_stack(model: torch.nn.Module) -> tuple[str, torch.nn.ModuleList]:
    """Path and list of the longest list of equal layers. Raises `Unsupported` where there is none."""
    stacks = [
        (path, module)
        for path, module in model.named_modules()
        if isinstance(module, torch.nn.ModuleList)
        and len(module) > 1
        and len({type(layer) for layer in module}) == 1
        and any(weight.dim() > 1 for weight in module.parameters())
    ]
    if not stacks:
        raise Unsupported(m("The model has no stack of equal layers."))
    return max(stacks, key=lambda found: len(found[1]))


def _likeness(subject: Subject, stack: torch.nn.ModuleList) -> list[float]:
    """Mean cosine between input and output of each layer, over tokens and calls."""
    sums = [0.0] * len(stack)

    def watch(k: int) -> Any:
        def hook(layer: Any, given: Any, named: Any, result: Any) -> None:
            before = given[0] if given else named.get("hidden_states")
            after = result[0] if isinstance(result, tuple) else result
            if isinstance(before, torch.Tensor) and isinstance(after, torch.Tensor) and before.shape == after.shape:
                sums[k] += float(torch.nn.functional.cosine_similarity(before.float(), after.float(), dim=-1).mean())

        return hook

    handles = [layer.register_forward_hook(watch(k), with_kwargs=True) for k, layer in enumerate(stack)]
    try:
        with torch.inference_mode():
            for inputs in subject.inputs:
                subject.model(**inputs)
    finally:
        for handle in handles:
            handle.remove()
    return sums
