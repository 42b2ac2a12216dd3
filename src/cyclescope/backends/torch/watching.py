"""Calls of a model in somebody's own code, seen and not touched."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import perf_counter_ns
from typing import Any

import torch

from cyclescope.backends.base import WatchedCalls
from cyclescope.backends.foreign import refuse_foreign
from cyclescope.backends.torch.keeping.objects import Kept
from cyclescope.backends.torch.stamping.recorder import own_forward
from cyclescope.core.errors import UsageError
from cyclescope.core.message import Text, m

# At every call, so it must be little: the counters of a cache of fixed size are copied, its keys and values only where
# they are small. What a call writes into them, its repeats write again at the same places.
_MOST_COPIED_BYTES = 16_000_000


@contextmanager
def watching_calls(model: object) -> Iterator[WatchedCalls]:
    """Stamp every outermost call of `model` while open, or of a model inside it that its `generate` calls in its place. The
    last input is kept by name: the objects themselves, with the state that they had before the call, for the call may
    change them (it adds to a cache).
    """
    if not isinstance(model, torch.nn.Module):
        raise _refused(model, m("It is not a torch.nn.Module."), m("Give the model object."))
    if isinstance(model, torch.jit.ScriptModule):
        raise _refused(model, m("TorchScript calls no Python function that could be timed."), m("Use `measure`."))
    calls = WatchedCalls([])
    inside = False

    def seen_by(module: torch.nn.Module, call: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(module.forward)

        def seen(*args: Any, **kwargs: Any) -> Any:
            nonlocal inside
            if inside:
                return call(*args, **kwargs)
            given = _by_name(signature, args, kwargs)
            refuse_foreign(given, "PyTorch")
            inside = True
            before = Kept([given], _MOST_COPIED_BYTES)
            begin = perf_counter_ns()
            try:
                return call(*args, **kwargs)
            finally:
                calls.wall_ns.append(perf_counter_ns() - begin)
                calls.model, calls.inputs, calls.rewind = module, given, before.restore
                inside = False

        return seen

    with ExitStack() as stack:
        for module in (model, *_writers_in(model)):
            compiled = getattr(module, "_compiled_call_impl", None)
            if compiled is not None:
                stack.enter_context(_own_compiled_call(module, seen_by(module, compiled)))
            else:
                stack.enter_context(own_forward(module, seen_by(module, module.forward)))
        yield calls


def _refused(model: object, cause: Text, way_out: Text) -> UsageError:
    return UsageError(m("A {qualname} cannot be watched.", qualname=type(model).__qualname__), cause, way_out)


def _writers_in(model: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """Models inside `model` that can write by themselves: wrappers (adapters) hand `generate` on to them."""
    inner = (module for module in model.modules() if module is not model)
    return (module for module in inner if callable(getattr(type(module), "generate", None)))


@contextmanager
def _own_compiled_call(module: torch.nn.Module, call: Callable[..., Any]) -> Iterator[None]:
    """Let `call` stand in for the compiled call of `module`: its `forward` is a part of what was compiled."""
    before = module._compiled_call_impl
    module._compiled_call_impl = call
    try:
        yield
    finally:
        module._compiled_call_impl = before


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
