"""How much of what a model reads: as far as the names and shapes of its tensors tell, and no further."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from cyclescope.core.workload import InputUnit

_NOT_IDS = ("mask", "type", "position", "label", "segment", "length")  # integers [batch, tokens] that are no token ids
_OF_TEXT = {"input_ids", "attention_mask", "token_type_ids"}  # what batch and length say all about
_DEEPEST = 8  # of containers in containers
_HIDDEN = -1e4  # a mask that is added to scores hides what it makes smaller than this


@dataclass(frozen=True, slots=True)
class InputDimensions:
    """`batch` × `length` of `unit`, `real` of all of them without padding; 0 for what is unknown. `shape` lists tensors."""

    unit: InputUnit
    batch: int
    length: int
    real: int
    shape: str


def tensors_in(inputs: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, torch.Tensor]]:
    """All tensors in `inputs`, also those in mappings and lists in it, with the name of the innermost that has one."""
    if isinstance(inputs, torch.Tensor):
        yield name, inputs
    elif depth < _DEEPEST and isinstance(inputs, Mapping):
        for key, value in inputs.items():
            yield from tensors_in(value, str(key), depth + 1)
    elif depth < _DEEPEST and isinstance(inputs, Sequence) and not isinstance(inputs, str | bytes):
        for value in inputs:
            yield from tensors_in(value, name, depth + 1)


def moved(value: Any, device: str, depth: int = 0) -> Any:
    """`value` with all tensors in it on `device`; itself where they are there."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if device == "cpu" or depth >= _DEEPEST:
        return value
    if isinstance(value, Mapping):
        return {key: moved(inner, device, depth + 1) for key, inner in value.items()}
    if type(value) in (list, tuple):
        return type(value)(moved(inner, device, depth + 1) for inner in value)
    return value


def dimensions_of(inputs: Mapping[str, Any], model: torch.nn.Module) -> InputDimensions:
    """What `inputs` are for `model`."""
    found = list(tensors_in(inputs))
    by_name = dict(reversed(found))  # of two with one name the outer one
    shape = ", ".join(f"{name} {'×'.join(map(str, tensor.shape)) or 'scalar'}" for name, tensor in found)
    read = _tokens(found, by_name, model) or _image(by_name, model) or _sound(by_name, model)
    if read is None:
        return InputDimensions(InputUnit.UNKNOWN, 0, 0, 0, shape)
    unit, batch, length = read
    real = batch * length
    if unit is InputUnit.TOKENS and "attention_mask" in by_name:
        real = _attended(by_name["attention_mask"], batch, length)
    return InputDimensions(unit, batch, length, real, "" if by_name.keys() <= _OF_TEXT else shape)


_Read = tuple[InputUnit, int, int]


def _tokens(found: list[tuple[str, torch.Tensor]], by_name: Mapping[str, torch.Tensor], model: Any) -> _Read | None:
    """Token ids by their name, or embeddings of tokens; or the only table of whole numbers that an embedding can take."""
    for name, dimensions in (("input_ids", 2), ("inputs_embeds", 3)):
        tensor = by_name.get(name)
        if tensor is not None and tensor.dim() == dimensions:
            return InputUnit.TOKENS, int(tensor.shape[0]), int(tensor.shape[1])
    if by_name.keys() & {"input_ids", "inputs_embeds", "pixel_values", "input_features", "input_values"}:
        return None
    ids = [tensor for name, tensor in found if _may_be_ids(name, tensor)]
    if len(ids) == 1 and any(isinstance(module, torch.nn.Embedding) for module in model.modules()):
        return InputUnit.TOKENS, int(ids[0].shape[0]), int(ids[0].shape[1])
    return None


def _may_be_ids(name: str, tensor: torch.Tensor) -> bool:
    whole = tensor.dtype in (torch.int64, torch.int32)
    return whole and tensor.dim() == 2 and not any(word in name for word in _NOT_IDS)


def _image(by_name: Mapping[str, torch.Tensor], model: Any) -> _Read | None:
    """Images [batch, channels, height, width], cut into patches as the configuration says."""
    pixels = by_name.get("pixel_values")
    if pixels is None or pixels.dim() != 4:
        return None
    config = getattr(model, "config", None)
    size = getattr(getattr(config, "vision_config", None) or config, "patch_size", None)
    sides = tuple(size) if isinstance(size, list | tuple) else (size, size)
    patches = 0
    if len(sides) == 2 and all(isinstance(side, int) and side > 0 for side in sides):
        patches = (pixels.shape[2] // sides[0]) * (pixels.shape[3] // sides[1])
    return InputUnit.PATCHES, int(pixels.shape[0]), int(patches)


def _sound(by_name: Mapping[str, torch.Tensor], model: Any) -> _Read | None:
    """Spectrograms with an axis of mel channels, as wide as the configuration says, or samples [batch, samples]."""
    config = getattr(model, "config", None)
    for name in ("input_features", "input_values"):
        sound = by_name.get(name)
        if sound is not None and sound.dim() == 3:
            keys = ("num_mel_bins", "input_feat_per_channel", "feature_size", "feature_projection_input_dim")
            mel = next((width for key in keys if isinstance(width := getattr(config, key, None), int)), None)
            frames = [int(size) for size in sound.shape[1:]]
            if mel in frames and frames[0] != frames[1]:
                frames.remove(mel)
                return InputUnit.FRAMES, int(sound.shape[0]), frames[0]
            return InputUnit.FRAMES, int(sound.shape[0]), 0
        if sound is not None and sound.dim() == 2:
            return InputUnit.SAMPLES, int(sound.shape[0]), int(sound.shape[1])
    return None


def _attended(mask: torch.Tensor, batch: int, length: int) -> int:
    """Tokens that are not padding: those that any position attends to.

    A mask is [batch, tokens], or has an axis of heads or of reading positions besides; 0 or False hides, and so does what
    is very negative. One of another shape says nothing about padding.
    """
    if mask.dim() < 2 or mask.shape[-1] != length or mask.shape[0] not in (1, batch):
        return batch * length
    added = mask.is_floating_point() and (bool((mask < 0).any()) or (mask.dim() > 2 and not bool(mask.any())))
    seen = mask > _HIDDEN if added else mask != 0
    seen = seen.flatten(1, -2).any(1) if mask.dim() > 2 else seen
    return int(seen.sum()) * (batch // mask.shape[0])
