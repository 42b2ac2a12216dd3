"""A session of several calls: many texts, a few at a time, on one model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter_ns, process_time_ns
from typing import Any, Generic, TypeVar

from cyclescope.backends.base import InstrumentedRun, OpenTimes, UninstrumentedRun
from cyclescope.backends.errors import engine_errors
from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text, m
from cyclescope.core.plan import Plan
from cyclescope.core.results import Results, joined
from cyclescope.core.samples import DeviceSamples, Instrumentation, MemorySamples, ProcessorSamples
from cyclescope.core.units import Nanoseconds
from cyclescope.core.workload import Workload

C = TypeVar("C")  # a call as the engine takes it
I = TypeVar("I")  # noqa: E741  what goes into one


class CallsSession(ABC, Generic[C, I]):
    """Implements `backends.base.Session` for uninstrumented runs; what happens inside is reported one call at a time.

    `calls` are made one after the other in every cycle; `texts` [calls] says which texts each holds. Where the plan
    overlaps, a second thread tokenizes the texts of the next call while one runs.
    """

    def __init__(
        self,
        calls: Sequence[C],
        texts: Sequence[Sequence[int]],
        workload: Workload,
        plan: Plan,
        machine: Machine,
        times: OpenTimes,
        notes: Sequence[Text] = (),
        edits: Sequence[Edit] = (),
    ) -> None:
        self._calls = tuple(calls)
        self._texts = tuple(texts)
        self.workload = workload
        self.plan = plan
        self.machine = machine
        self.times = times
        self.notes = tuple(notes)
        self.edits = tuple(edits)
        self._outcome = ""
        self._beside = ThreadPoolExecutor(1, "tokenize") if plan.overlap and len(self._calls) > 1 else None

    @abstractmethod
    def _feed(self, call: C) -> I:
        """What goes into `call`, made from its texts."""

    @abstractmethod
    def _run(self, call: C, inputs: I) -> Any:
        """What the model gives."""

    @abstractmethod
    def _words(self, call: C, result: Any) -> str | None:
        """The result in words; None where nothing reads it out."""

    @abstractmethod
    def _said(self, call: C, words: str | None, result: Any) -> str:
        """What may be kept of the result: `words`, or its shapes."""

    @abstractmethod
    def _results_of(self, call: C) -> Results:
        """What the model gives for `call`, as numbers."""

    @abstractmethod
    def _emitted_ns(self, call: C) -> Sequence[Nanoseconds]:
        """When each token that `call` has written just now came out, on the clock `perf_counter_ns`; empty: unknown."""

    def _computing(self) -> AbstractContextManager[object]:
        """What is open while the model computes."""
        return nullcontext()

    def _wait(self) -> None:
        """Until the device has done what it was given."""

    def resume(self) -> None:
        """Nothing global is to be put back."""

    def uninstrumented(self, cycles: int) -> Sequence[UninstrumentedRun]:
        runs = []
        with engine_errors(m("run the model")), self._computing():
            for _ in range(cycles):
                emitted: list[tuple[Nanoseconds, ...]] = []
                cpu = process_time_ns()
                begin = before = perf_counter_ns()
                for call, inputs in self._fed():
                    result = self._run(call, inputs)
                    words = self._words(call, result)
                    emitted.append(tuple(at - before for at in self._emitted_ns(call)))
                    before = perf_counter_ns()
                self._wait()
                end = perf_counter_ns()
                cpu = process_time_ns() - cpu
                times = tuple(emitted) if all(emitted) else ()
                runs.append(UninstrumentedRun(begin, end - begin, cpu, emitted_by_call=times))
            self._outcome = self._said(call, words, result)
        return runs

    def _fed(self) -> Iterator[tuple[C, I]]:
        """Each call with its inputs, made just before it or while the call before it runs."""
        if self._beside is None:
            for call in self._calls:
                yield call, self._feed(call)
            return
        coming = self._beside.submit(self._feed, self._calls[0])
        for call, following in zip(self._calls, (*self._calls[1:], None), strict=True):
            inputs = coming.result()
            if following is not None:
                coming = self._beside.submit(self._feed, following)
            yield call, inputs

    def results(self) -> Results:
        with engine_errors(m("run the model")), self._computing():
            parts = [self._results_of(call) for call in self._calls]
        return joined(parts, [number for texts in self._texts for number in texts])

    def trace(self) -> Graph:
        raise self._several()

    def instrumented(self, graph: Graph, cycles: int) -> Sequence[InstrumentedRun]:
        raise self._several()

    def calibrate(self, graph: Graph, budget_ns: Nanoseconds) -> Instrumentation:
        raise self._several()

    def processor(self, graph: Graph, cycles: int) -> ProcessorSamples | None:
        raise self._several()

    def device(self, graph: Graph, cycles: int) -> DeviceSamples | None:
        raise self._several()

    def memory(self, graph: Graph, *, again: bool) -> MemorySamples | None:
        raise self._several()

    def _several(self) -> Unsupported:
        return Unsupported(
            m("This cycle makes {count} calls of the model.", count=len(self._calls)),
            m("Only a cycle of one call can be traced and instrumented."),
            m("Measure the texts of one call."),
        )

    def outcome(self) -> str:
        return self._outcome

    def close(self) -> None:
        if self._beside is not None:
            self._beside.shutdown(wait=False, cancel_futures=True)
