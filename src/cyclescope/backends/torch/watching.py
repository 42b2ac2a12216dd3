"""Calls of a model in somebody's own code, seen and not touched."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any

import torch

from cyclescope.backends.base import WatchedCalls
from cyclescope.backends.foreign import refuse_foreign
from cyclescope.backends.torch.keeping.objects import Kept
from cyclescope.backends.torch.stamping.recorder import own_forward
from cyclescope.core.errors import UsageError
from cyclescope.core.message import m

# At every call, so it must be little: the counters of a cache of fixed size are copied, its keys and values only where
# they are small. What a call writes into them, its repeats write again at the same places.
_MOST_COPIED_BYTES = 16_000_000


@contextmanager
def watching_calls(model: object) -> Iterator[WatchedCalls]:
    """Stamp every outermost call of `model` while open. The last input is kept by name: the objects themselves, with the
    state that they had before the call, for the call may change them (it adds to a cache).
    """
    if not isinstance(model, torch.nn.Module):
        raise UsageError(
            m("A {qualname} cannot be watched.", qualname=type(model).__qualname__),
            m("It is not a torch.nn.Module."),
            m("Give the model object."),
        )
    forward = model.forward
    parameters = inspect.signature(forward)
    calls = WatchedCalls([])
    inside = False

    def seen(*args: Any, **kwargs: Any) -> Any:
        nonlocal inside
        if inside:
            return forward(*args, **kwargs)
        given = _by_name(parameters, args, kwargs)
        refuse_foreign(given, "PyTorch")
        inside = True
        before = Kept([given], _MOST_COPIED_BYTES)
        begin = perf_counter_ns()
        try:
            return forward(*args, **kwargs)
        finally:
            calls.wall_ns.append(perf_counter_ns() - begin)
            calls.inputs, calls.rewind = given, before.restore
            inside = False

    with own_forward(model, seen):
        yield calls


def _by_name(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    try:
        bound = signature.bind(*args, **kwargs).arguments
    except TypeError:
        return dict(kwargs)
    named: dict[str, Any] = {}
    for name, value in bound.items():
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            named |= value
        elif kind is not inspect.Parameter.VAR_POSITIONAL:
            named[name] = value
    return named
