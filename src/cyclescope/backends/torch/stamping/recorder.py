"""Instruments a run in one of two ways, and aligns its timestamps with the traced graph.

Wrappers (see `stamps`) replace the callable at each patch point (see `patch_points`): they take the time before and after, and nothing else
changes. Where a run does not show exactly the traced sequence of calls (a patch point
was missed), a `TorchFunctionMode` does the same at about three microseconds a call. Both are checked against the trace, call
by call, so a wrong alignment cannot pass unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.overrides import TorchFunctionMode

from cyclescope.backends.errors import Misaligned
from cyclescope.backends.torch.stamping.patch_points import PatchPoint, patch_points
from cyclescope.backends.torch.stamping.stamps import Records, instrumented
from cyclescope.backends.torch.stamping.unseen import unseen_mode
from cyclescope.core.graph.graph import Graph
from cyclescope.core.units import IntArray

BoolArray: TypeAlias = NDArray[np.bool_]

WRAPPERS, FUNCTION_MODE = "shims", "function-mode"  # as run files name them
WHOLE = "whole"  # nothing of the model is stamped, only its part of the cycle as a whole (key 0)


@dataclass(frozen=True, eq=False)
class InstrumentedCalls:
    """What is instrumented: `functions` by key, then `modules` by path (key = number of functions + position).

    `of_op` [n] is the key of each operation, `of_frame` [frames] of each instrumented frame (−1: not instrumented). Keys at or
    above `first_text` are the session's own stamps around the text stages.
    """

    functions: tuple[Callable[..., Any], ...]
    modules: tuple[str, ...]
    of_op: tuple[int, ...]
    of_frame: tuple[int, ...]

    @property
    def first_module(self) -> int:
        return len(self.functions)

    @property
    def first_text(self) -> int:
        return len(self.functions) + len(self.modules)

    def name(self, key: int) -> str:
        """What a person knows the calls of `key` by."""
        if key < self.first_module:
            return str(getattr(self.functions[key], "__name__", key))
        return (self.modules[key - self.first_module] or "the model") if key < self.first_text else "text"


class StampingMode(TorchFunctionMode):
    """Instruments the calls of `functions`, with their positions as keys, wherever they come from."""

    def __init__(self, functions: Sequence[Callable[..., Any]], records: Records) -> None:
        super().__init__()
        self._stamped = {id(f): instrumented(f, key, records) for key, f in enumerate(functions)}

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return self._stamped.get(id(func), func)(*args, **(kwargs or {}))


class Recorder:
    """Instruments the calls of one model in one of the two ways. Looking for the patch points takes tens of milliseconds, once."""

    def __init__(self, how: str, keys: InstrumentedCalls, model: torch.nn.Module) -> None:
        self.how = how
        self.keys = keys
        self._model = model
        self._patch_points = list(patch_points(keys.functions, model)) if how == WRAPPERS else []

    @contextmanager
    def stamping(self, records: Records) -> Iterator[None]:
        """While open, every instrumented call adds its key, begin and end to `records`. Afterwards all is as it was."""
        with ExitStack() as stack:
            for position, path in enumerate(self.keys.modules):
                module = self._model.get_submodule(path)
                wrapper = instrumented(module.forward, self.keys.first_module + position, records)
                stack.enter_context(own_forward(module, wrapper))
            if self.how == WRAPPERS:
                stack.enter_context(_patched(self._patch_points, self.keys, records))
            elif self.how == FUNCTION_MODE:
                stack.enter_context(unseen_mode())
                stack.enter_context(StampingMode(self.keys.functions, records))
            yield


@contextmanager
def own_forward(module: torch.nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Let `forward` stand in for `module.forward`, on the instance: lighter than hooks, which slow `__call__` down."""
    before = module.__dict__.get("forward")
    module.__dict__["forward"] = forward
    try:
        yield
    finally:
        if before is None:
            del module.__dict__["forward"]
        else:
            module.__dict__["forward"] = before


@contextmanager
def _patched(found: Sequence[PatchPoint], keys: InstrumentedCalls, records: Records) -> Iterator[None]:
    key_of = {id(f): key for key, f in enumerate(keys.functions)}
    opened: list[tuple[PatchPoint, bool]] = []
    try:
        for point in found:
            is_own = point.name in vars(point.owner)
            static = isinstance(point.current, staticmethod)
            call = point.current.__func__ if static else point.current
            wrapper = instrumented(call, key_of[id(point.function)], records)
            opened.append((point, is_own))
            setattr(point.owner, point.name, staticmethod(wrapper) if static else wrapper)
        yield
    finally:
        for point, is_own in reversed(opened):
            if is_own:
                setattr(point.owner, point.name, point.current)
            else:
                delattr(point.owner, point.name)


class Alignment:
    """Lays the stamps of one run beside the slots of a graph."""

    def __init__(self, graph: Graph, keys: InstrumentedCalls) -> None:
        self._first_module, self._first_text = keys.first_module, keys.first_text
        self._keys = keys
        order, columns = _expected(graph, keys)
        self._expected = np.asarray(order, dtype=np.int64)
        self._begin = np.asarray([c[0] for c in columns], dtype=np.int64)
        self._end = np.asarray([c[1] for c in columns], dtype=np.int64)
        self._boundaries = len(graph.slots) + 1

    def boundaries(self, rows: IntArray, begin: int, end: int) -> IntArray:
        """Times [slots + 1] of every boundary, relative to `begin`, from the `rows` [n, 3 or 5] of one run.

        Raises `Misaligned`.
        """
        outer = self._matched(rows)
        return self._laid(outer[:, 1], outer[:, 2], begin, end)

    def processor_boundaries(self, rows: IntArray, begin: int, end: int) -> IntArray:
        """The same of the processor time in `rows` [n, 5], which was `begin` and `end` at the ends of the run."""
        outer = self._matched(rows)
        return self._laid(outer[:, 3], outer[:, 4], begin, end)

    def marks(self, rows: IntArray) -> IntArray:
        """Numbers of the marks [2, operations] before and after each operation, from the `rows` [n, 5] of one run.

        Raises `Misaligned`.
        """
        outer = self._matched(rows)
        marks: IntArray = outer[outer[:, 3] >= 0][:, 3:5].T
        return marks

    def _matched(self, rows: IntArray) -> IntArray:
        outer = rows[self._outermost(rows)]
        if not np.array_equal(outer[:, 0], self._expected):
            raise Misaligned(_first_difference(self._keys, outer[:, 0].tolist(), self._expected.tolist()))
        return outer

    def _laid(self, begins: IntArray, ends: IntArray, begin: int, end: int) -> IntArray:
        times = np.empty(self._boundaries, dtype=np.int64)
        times[0], times[-1] = begin, end
        times[self._begin] = begins
        times[self._end] = ends
        return times - begin

    def _outermost(self, rows: IntArray) -> BoolArray:
        """Which rows are no call inside another operation: what an instrumented function calls itself is its own affair.

        Rows come in order of their end, so a row inside an operation stands before it and begins after it began.
        """
        of_module = (rows[:, 0] >= self._first_module) & (rows[:, 0] < self._first_text)
        begun = np.where(of_module, np.iinfo(np.int64).max, rows[:, 1])
        later = np.full(len(rows), np.iinfo(np.int64).max)
        later[:-1] = np.minimum.accumulate(begun[::-1])[::-1][1:]
        outermost: BoolArray = rows[:, 1] < later
        return outermost


def _expected(graph: Graph, keys: InstrumentedCalls) -> tuple[list[int], list[tuple[int, int]]]:
    """Keys in the order in which their stamps must come (by end), and the boundary columns of begin and end."""
    order: list[int] = []
    columns: list[tuple[int, int]] = []
    children: list[list[int]] = [[] for _ in graph.frames]
    for k, frame in enumerate(graph.frames):
        if k:
            children[frame.parent].append(k)
    boundary = 1

    def ops(first: int, end: int) -> None:
        nonlocal boundary
        for i in range(first, end):
            order.append(keys.of_op[i])
            columns.append((boundary, boundary + 1))
            boundary += 2

    def walk(k: int) -> None:
        nonlocal boundary
        frame = graph.frames[k]
        begun = boundary
        if frame.timed:
            boundary += 1
        at = frame.first_op
        for child in children[k]:
            ops(at, graph.frames[child].first_op)
            walk(child)
            at = graph.frames[child].end_op
        ops(at, frame.end_op)
        if frame.timed:
            order.append(keys.of_frame[k])
            columns.append((begun, boundary))
            boundary += 1

    walk(0)
    return order, columns


def _first_difference(keys: InstrumentedCalls, found: Sequence[int], expected: Sequence[int]) -> str:
    for at, (a, b) in enumerate(zip(found, expected, strict=False)):
        if a != b:
            return f"call {at} is {keys.name(a)}, traced was {keys.name(b)}"
    return f"{len(found)} calls, traced were {len(expected)}"
