"""Places that hold something which a run of a model may change: attributes, lists, tensors; each with its way back."""

from __future__ import annotations

import random
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Protocol

import numpy as np
import torch

_ABSENT = object()


class StateSlot(Protocol):
    """One place as it was found. Of its `target` the parts that differ have keys; None where it has no parts."""

    target: Any

    def differences(self) -> list[Hashable]:
        """The parts that are not what they were."""
        ...

    def restore(self, parts: Iterable[Hashable]) -> None:
        """Put back those `parts`."""
        ...


class AttributeState:
    """A dictionary, or the attributes of an object. What it holds is compared by identity."""

    def __init__(self, target: dict[Any, Any]) -> None:
        self.target = target
        # Subclasses forbid this and that; their data is that of the class beneath.
        self._kind: Any = OrderedDict if isinstance(target, OrderedDict) else dict
        self._before = dict(self._kind.items(target))

    def differences(self) -> list[Hashable]:
        now, before = dict(self._kind.items(self.target)), self._before
        if now.keys() == before.keys() and all(map(_same, now.values(), map(before.__getitem__, now))):
            return []
        return [key for key in now.keys() | before.keys() if now.get(key, _ABSENT) is not before.get(key, _ABSENT)]

    def restore(self, parts: Iterable[Hashable]) -> None:
        kind, target = self._kind, self.target
        for key in parts:
            if key in self._before:
                kind.__setitem__(target, key, self._before[key])
            elif kind.__contains__(target, key):
                kind.__delitem__(target, key)
        if list(kind.keys(target)) != list(self._before) and kind.keys(target) == self._before.keys():
            kind.clear(target)  # hooks run in their order
            for key, value in self._before.items():
                kind.__setitem__(target, key, value)


class SequenceState:
    """A list or a queue, whose items are compared by identity."""

    def __init__(self, target: list[Any] | deque[Any]) -> None:
        self.target = target
        self._before = list(target)

    def differences(self) -> list[Hashable]:
        same = len(self.target) == len(self._before) and all(map(_same, self.target, self._before))
        return [] if same else [None]

    def restore(self, parts: Iterable[Hashable]) -> None:
        self.target.clear()
        self.target.extend(self._before)


class Members:
    """A set."""

    def __init__(self, target: set[Any]) -> None:
        self.target = target
        self._before = set(target)

    def differences(self) -> list[Hashable]:
        return [] if set.__eq__(self.target, self._before) else [None]

    def restore(self, parts: Iterable[Hashable]) -> None:
        self.target.clear()
        self.target.update(self._before)


class Array:
    """The numbers in an array."""

    def __init__(self, target: np.ndarray[Any, Any]) -> None:
        self.target = target
        self._before = target.copy()

    def differences(self) -> list[Hashable]:
        return [] if np.array_equal(self.target, self._before) else [None]

    def restore(self, parts: Iterable[Hashable]) -> None:
        np.copyto(self.target, self._before)


class Values:
    """A tensor: which memory it lies in, and its values where `copy_values` was called."""

    def __init__(self, target: torch.Tensor) -> None:
        self.target = target
        self._memory = target.detach()
        self._lay = _lies(target)
        self._copy: torch.Tensor | None = None
        self._version = _version(target)

    def copy_values(self) -> None:
        self._copy = self._memory.clone()

    def differences(self) -> list[Hashable]:
        if _lies(self.target) != self._lay:
            return [None]
        if self._copy is not None:
            return [] if torch.equal(self.target, self._copy) else [None]
        return [] if _version(self.target) == self._version else [None]

    def restore(self, parts: Iterable[Hashable]) -> None:
        # A tensor that was made in inference mode takes values there only, any other keeps its kind everywhere.
        with torch.inference_mode(self.target.is_inference() or torch.is_inference_mode_enabled()), torch.no_grad():
            if _lies(self.target) != self._lay:
                self.target.data = self._memory
            if self._copy is not None:
                self.target.copy_(self._copy)


class RandomState:
    """A generator of random numbers that somebody holds."""

    def __init__(self, target: Any, read: Callable[[], Any], write: Callable[[Any], object]) -> None:
        self.target = target
        self._read, self._write = read, write
        self._before = read()

    def differences(self) -> list[Hashable]:
        return []  # no run begins where another began: what is drawn differs from run to run, as it does for its user

    def restore(self, parts: Iterable[Hashable]) -> None:
        self._write(self._before)


class TruncationState:
    """How a fast tokenizer fills up and cuts texts: each call of it leaves what that call was asked for."""

    def __init__(self, target: Any) -> None:
        self.target = target
        self._before = (target.padding, target.truncation)

    def differences(self) -> list[Hashable]:
        return []

    def restore(self, parts: Iterable[Hashable]) -> None:
        padding, truncation = self._before
        if padding != self.target.padding:
            self.target.no_padding() if padding is None else self.target.enable_padding(**padding)
        if truncation != self.target.truncation:
            self.target.no_truncation() if truncation is None else self.target.enable_truncation(**truncation)


def random_state(target: Any) -> RandomState | None:
    """The place of a generator; None where `target` is none."""
    if isinstance(target, torch.Generator):
        return RandomState(target, target.get_state, target.set_state)
    if isinstance(target, random.Random):
        return RandomState(target, target.getstate, target.setstate)
    if isinstance(target, np.random.RandomState):
        return RandomState(target, target.get_state, target.set_state)
    if isinstance(target, np.random.Generator):
        bits = target.bit_generator
        return RandomState(target, lambda: bits.state, lambda state: setattr(bits, "state", state))
    return None


def _same(left: object, right: object) -> bool:
    return left is right


def _version(tensor: torch.Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _lies(tensor: torch.Tensor) -> tuple[Any, ...]:
    return tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype
