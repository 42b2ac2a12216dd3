"""A model that OpenVINO has compiled, and what its performance counters tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cyclescope.backends.artifacts.program import Arrays, Call, Node, Scope
from cyclescope.backends.openvino.nodes import executed_nodes
from cyclescope.backends.openvino.preparing import compile_model
from cyclescope.backends.openvino.standalone.openvino_model import take_huge_pages, written_memory
from cyclescope.core.plan import Plan
from cyclescope.core.units import FloatArray, IntArray

_US = 1000
_STEADY_CALLS = 3


class OpenVinoProgram:
    """Implements `artifacts.program.Program` for the model file `path`."""

    engine = "openvino"
    how = "openvino counters"
    costs_inside = False

    def __init__(self, path: Path, plan: Plan, outputs: Sequence[str], scopes: Mapping[str, Scope]) -> None:
        self.files = (path, path.with_suffix(".bin"))
        self._path = path
        self._plan = plan
        self._scopes = scopes
        self._outputs = tuple(outputs)
        before = written_memory()
        self._request: _Request | None = _Request(compile_model(path, plan, counters=False), self._outputs, before)
        self._counters: _Counters | None = None

    def __call__(self, arrays: Arrays) -> Arrays:
        assert self._request is not None
        return self._request(arrays)

    def watch(self) -> OpenVinoWatch:
        return OpenVinoWatch(self._counted())

    def nodes(self, arrays: Arrays) -> tuple[Node, ...]:
        counters = self._counted()
        for _ in range(_STEADY_CALLS):  # what depends on shapes alone is computed in the first calls only
            counters(arrays)
        nodes = executed_nodes(self._path, counters.request.compiled, counters.executed(), arrays, self._scopes)
        counters.follow(tuple(node.name for node in nodes))
        return nodes

    def close(self) -> None:
        self._request = self._counters = None

    def _counted(self) -> _Counters:
        """The model once more, compiled with counters; they can be read again and again, so one is enough."""
        if self._counters is None:
            before = written_memory()
            compiled = compile_model(self._path, self._plan, counters=True)
            self._counters = _Counters(_Request(compiled, self._outputs, before))
        return self._counters


class _Request:
    """One infer request of a compiled model, by the names of its inputs and outputs.

    `outputs` are in the order of the file: a result may have several names there, and any of them would be given.
    `before` is the memory that was written before the model was compiled.
    """

    def __init__(self, compiled: Any, outputs: Sequence[str], before: list[tuple[int, int]]) -> None:
        self.compiled = compiled
        self._before: list[tuple[int, int]] | None = before
        self.infer = compiled.create_infer_request()
        self._inputs = {name for value in compiled.inputs for name in value.names}
        self._outputs = tuple(outputs)

    def __call__(self, arrays: Arrays) -> Arrays:
        feed = {name: array for name, array in arrays.items() if name in self._inputs}
        # Without copies: what comes out is read before the next call.
        given = self.infer.infer(feed, share_inputs=True, share_outputs=True)
        if self._before is not None:  # the first call packs weights
            take_huge_pages(self._before)
            self._before = None
        return {name: given[k] for k, name in enumerate(self._outputs)}


class _Counters:
    """The counters of a compiled model. Each is the average of all calls so far, cut to whole microseconds."""

    def __init__(self, request: _Request) -> None:
        self.request = request
        self.calls = 0
        self._names: tuple[str, ...] = ()
        self._base_calls = 0
        self._base_us: FloatArray = np.zeros(0)

    def __call__(self, arrays: Arrays) -> Arrays:
        self.calls += 1
        return self.request(arrays)

    def executed(self) -> tuple[str, ...]:
        """Names of the nodes that ran, in order."""
        return tuple(i.node_name for i in self.request.infer.profiling_info if i.status == i.Status.EXECUTED)

    def follow(self, names: tuple[str, ...]) -> None:
        self._names, self._base_calls = names, 0

    def rest(self) -> None:
        """What was counted up to now, while caches were cold, no longer counts."""
        if not self._base_calls:
            self._base_calls, self._base_us = self.calls, self._totals()

    def durations_ns(self) -> tuple[tuple[str, ...], FloatArray]:
        """The nodes that are followed and how long each takes in a call, on average since `rest`."""
        counted = max(1, self.calls - self._base_calls)
        us = np.maximum(self._totals() - self._base_us, 0.0) / counted
        return self._names, us * _US

    def _totals(self) -> FloatArray:
        average = {i.node_name: i.real_time.total_seconds() * 1e6 for i in self.request.infer.profiling_info}
        return np.asarray([average.get(name, 0.0) for name in self._names]) * self.calls


class OpenVinoWatch:
    """Implements `artifacts.program.Watch`: the counters know how long nodes take and not when, so they are laid in order.

    What a call takes beyond its nodes is shared out evenly before, between and behind them.
    """

    def __init__(self, counters: _Counters) -> None:
        self._counters = counters
        self._seen = 0

    def __call__(self, arrays: Arrays) -> Arrays:
        given = self._counters(arrays)
        self._seen += 1
        if self._seen == 1:
            self._counters.rest()
        return given

    def finish(self, calls: Sequence[Call]) -> Sequence[tuple[tuple[str, ...], IntArray]]:
        names, durations = self._counters.durations_ns()
        walls = np.asarray([call.end_ns - call.begin_ns for call in calls], dtype=np.float64)
        typical = float(np.median(walls)) if len(walls) else 1.0
        total = float(durations.sum())
        laid = []
        for call, wall in zip(calls, walls, strict=True):
            # A call that was slower than others was so in all its nodes, as far as the averages can tell.
            nodes = durations * min(wall / typical, wall / total if total else 1.0)
            gap = (wall - float(nodes.sum())) / (len(nodes) + 1)
            ends = np.cumsum(nodes + gap)
            spans = np.stack([ends - nodes, ends], axis=1) + call.begin_ns
            laid.append((names, np.rint(spans).astype(np.int64)))
        return laid

    def close(self) -> None:
        """The counters stay for the next watch."""
