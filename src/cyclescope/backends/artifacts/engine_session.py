"""What the sessions of all engines that run a model from a file have in common."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import replace
from typing import Self

import numpy as np

from cyclescope.backends.artifacts.call import ArrayCall
from cyclescope.backends.base import OpenTimes
from cyclescope.core.edits import Edit
from cyclescope.core.graph.graph import Graph
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text
from cyclescope.core.plan import Plan
from cyclescope.core.samples import DeviceSamples, MemorySamples, ProcessorSamples
from cyclescope.core.units import AnyArray
from cyclescope.core.workload import Workload


class EngineSession:
    """Those parts of `backends.base.Session`: what it is about, and what no such engine tells. They have the wall clock, and
    that on the processor only. `folder` holds the files of the engine and is left when the session is closed.
    """

    def __init__(
        self,
        call: ArrayCall,
        workload: Workload,
        plan: Plan,
        machine: Machine,
        times: OpenTimes,
        *,
        folder: AbstractContextManager[object],
        notes: Sequence[Text] = (),
        edits: tuple[Edit, ...] = (),
    ) -> None:
        self.workload = workload
        self.plan = plan
        self.machine = machine
        self.times = times
        self.notes = tuple(notes)
        self.edits = edits
        self._call = call
        self._folder = folder
        self._traced: Graph | None = None
        self._outcome = ""

    def reshaped(self, batch: int, tokens: int, new_tokens: int) -> Self:
        """See `backends.base.ReshapableSession`."""
        before = (self.workload.batch, self.workload.tokens_in)
        arrays = {name: _reshaped(array, before, (batch, tokens)) for name, array in self._call.encode().items()}
        fixed = {name: _reshaped(array, before[:1], (batch,)) for name, array in self._call.fixed.items()}
        other = copy(self)
        other._call = replace(self._call, encode=lambda: arrays, fixed=fixed, new_tokens=new_tokens)
        other.workload = replace(
            self.workload, batch=batch, tokens_in=tokens, real_tokens=batch * tokens, tokens_out=new_tokens
        )
        other._traced, other._folder = None, nullcontext()
        return other

    def resume(self) -> None:
        """Threads belong to the engine's own session, so there is nothing to put back."""

    def _known(self, graph: Graph) -> None:
        if self._traced is not graph:
            raise ValueError("this graph was not traced by this session")

    def memory(self, graph: Graph, *, again: bool) -> MemorySamples | None:
        """The engine reuses one piece of memory for many tensors and tells of none."""
        return None

    def processor(self, graph: Graph, cycles: int) -> ProcessorSamples | None:
        """The engine's counters know the wall clock only."""
        return None

    def device(self, graph: Graph, cycles: int) -> DeviceSamples | None:
        """It runs on the processor."""
        return None

    def outcome(self) -> str:
        return self._outcome


def _reshaped(array: AnyArray, before: tuple[int, ...], wanted: tuple[int, ...]) -> AnyArray:
    """`array` repeated and cut so that its first axes, where they are as long as `before`, are as long as `wanted`."""
    for axis, (length, size) in enumerate(zip(before, wanted, strict=True)):
        if axis >= array.ndim or array.shape[axis] != length:
            break
        array = np.take(array, np.arange(size) % length, axis=axis)
    return array
