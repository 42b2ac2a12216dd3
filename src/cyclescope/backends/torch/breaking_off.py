"""A call of a model that is ended between two modules: nothing inside of one can be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any

from torch.nn.modules.module import register_module_forward_pre_hook

from cyclescope.backends.base import BrokenOff
from cyclescope.core.units import Nanoseconds


@contextmanager
def breaking_off(model: Any, limit_ns: Nanoseconds) -> Iterator[None]:
    """While open, a call of `model` that still begins modules `limit_ns` after this was opened ends with `BrokenOff`. It says
    how much of the model was called by then: the layers of a stack take as long as each other.

    A call whose modules were all begun runs to its end, and so do those that follow it: the steps of a generation.
    """
    own = {id(module) for module in model.modules()}
    begin, called = perf_counter_ns(), 0

    def look(module: Any, _: Any) -> None:
        nonlocal called
        now = perf_counter_ns() - begin
        if now > limit_ns and called < len(own):
            raise BrokenOff(now, called / len(own))
        called += id(module) in own

    hook = register_module_forward_pre_hook(look)
    try:
        yield
    finally:
        hook.remove()
