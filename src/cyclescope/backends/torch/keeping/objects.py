"""The state of some objects of the user's, and of all that hangs on them: found once, put back at any time."""

from __future__ import annotations

import io
import logging
import weakref
from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch

from cyclescope.backends.base import Request
from cyclescope.backends.torch.keeping.places import (
    Array,
    AttributeState,
    Members,
    RandomState,
    StateSlot,
    TruncationState,
    Values,
    random_state,
)
from cyclescope.backends.torch.keeping.places import SequenceState as Items

# What cannot change, or is no state of a model: nothing is looked for behind it.
_ENDS = (
    type(None), bool, int, float, complex, str, bytes, range, type, ModuleType, FunctionType, BuiltinFunctionType,
    MethodType, Enum, io.IOBase, logging.Logger, weakref.ref, torch.dtype, torch.device, torch.Size,
)  # fmt: skip
_PLAIN = frozenset((type(None), bool, int, float, str))  # most of what there is, and soon told
# Objects of these packages run on their own, or keep what is theirs: nothing of them is put back.
_LEFT_ALONE = frozenset(
    ("torch", "threading", "_thread", "concurrent", "asyncio", "multiprocessing", "queue", "socket", "subprocess", "ctypes",
     "functools", "contextlib", "weakref", "logging", "cyclescope")
)  # fmt: skip
_LONG = 100_000  # items; what is longer holds data and no objects with a state
_MOST_OBJECTS = 1_000_000
# Copies of values, smallest first: state is small, and what is large is more often weights in another form.
MOST_COPIED_BYTES = 256_000_000


@dataclass(frozen=True, slots=True)
class StateDifference:
    """Parts of a place that are not what they were."""

    place: StateSlot
    parts: Sequence[Hashable]

    def restore(self) -> None:
        self.place.restore(self.parts)


class Kept:
    """The state of `roots` and of all that hangs on them. Of tensors that are no parameters it copies the values, at most
    `most_bytes` of them.
    """

    def __init__(self, roots: Iterable[Any], most_bytes: int = MOST_COPIED_BYTES) -> None:
        self.roots = list(roots)  # held, so that an identity stays that of the same object
        self._places: dict[int, StateSlot] = {}
        self.has_inference_tensors = False
        self._walk()
        self._copy_values(most_bytes)

    def differences(self) -> list[StateDifference]:
        """What is not as it was."""
        found = ((place, place.differences()) for place in self._places.values())
        return [StateDifference(place, parts) for place, parts in found if parts]

    def place(self, target: object) -> StateSlot | None:
        """The place of `target`; None where it was not there."""
        return self._places.get(id(target))

    def restore(self) -> None:
        """Put everything back."""
        for difference in self.differences():
            difference.restore()
        for place in self._places.values():
            if isinstance(place, TruncationState | RandomState):
                place.restore(())

    def _walk(self) -> None:
        seen: set[int] = set()
        rest = list(self.roots)
        while rest and len(seen) < _MOST_OBJECTS:
            found = rest.pop()
            if type(found) in _PLAIN or isinstance(found, _ENDS) or id(found) in seen:
                continue
            seen.add(id(found))
            place, behind = _place_of(found)
            if place is not None:
                self._places[id(place.target)] = place
            if len(behind) <= _LONG:
                rest += behind

    def _copy_values(self, most_bytes: int) -> None:
        tensors = [place for place in self._places.values() if isinstance(place, Values)]
        self.has_inference_tensors = any(place.target.is_inference() for place in tensors)
        sizes = sorted(
            (place.target.nbytes, k)
            for k, place in enumerate(tensors)
            if not isinstance(place.target, torch.nn.Parameter)
        )
        for size, k in sizes:
            most_bytes -= size
            if most_bytes < 0:
                return
            tensors[k].copy_values()


def _place_of(found: Any) -> tuple[StateSlot | None, Sequence[Any]]:
    """The place that `found` is, and what hangs on it."""
    if isinstance(found, torch.Tensor):
        return _tensor_place(found), ()
    if isinstance(found, dict):
        return AttributeState(found), list(dict.values(found))
    if isinstance(found, list | deque):
        return Items(found), list(found)
    if isinstance(found, set):
        return Members(found), list(found)
    if isinstance(found, tuple | frozenset):
        return None, list(found)
    if isinstance(found, np.ndarray):
        return (Array(found) if found.flags.writeable and not found.dtype.hasobject else None), ()
    generator = random_state(found)
    if generator is not None:
        return generator, ()
    package = type(found).__module__.partition(".")[0]
    if package == "tokenizers" and hasattr(found, "enable_truncation"):
        return TruncationState(found), ()
    attributes = getattr(found, "__dict__", None)
    if not isinstance(attributes, dict) or (package in _LEFT_ALONE and not isinstance(found, torch.nn.Module)):
        return None, ()
    return AttributeState(attributes), list(attributes.values())


def _tensor_place(tensor: torch.Tensor) -> Values | None:
    """The place of a tensor; None where it has no memory of its own: on the meta device, sparse, or made of others."""
    try:
        return Values(tensor) if tensor.layout is torch.strided and not tensor.is_meta else None
    except (RuntimeError, NotImplementedError):
        return None


@contextmanager
def keeping_objects(requests: Iterable[Request]) -> Iterator[None]:
    """While open, the objects in `requests` may change: models, tokenizers, inputs; afterwards they are as they were."""
    roots = [part for request in requests for part in (request.model, request.tokenizer, request.inputs)]
    if all(isinstance(root, _ENDS) for root in roots):
        yield
        return
    kept = Kept(roots)
    try:
        yield
    finally:
        kept.restore()
