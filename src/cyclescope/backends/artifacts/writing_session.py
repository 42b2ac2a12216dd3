"""A model that an engine has made ready to write, with one input, ready to run again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from time import perf_counter_ns, process_time_ns
from typing import Generic, TypeVar

import numpy as np

from cyclescope.backends.artifacts.black_box import CallCosts
from cyclescope.backends.artifacts.call import ArrayCall
from cyclescope.backends.artifacts.engine_session import EngineSession
from cyclescope.backends.artifacts.program import Arrays
from cyclescope.backends.artifacts.writer import EngineWriter
from cyclescope.backends.artifacts.writing_graph import tokens_of_calls, writing_graph
from cyclescope.backends.base import InstrumentedRun, OpenTimes, UninstrumentedRun
from cyclescope.backends.errors import engine_errors
from cyclescope.backends.results import generated_results
from cyclescope.core.edits import Edit
from cyclescope.core.errors import EngineError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text, m
from cyclescope.core.plan import REFERENCE_ENGINE, Plan
from cyclescope.core.results import Results
from cyclescope.core.samples import Instrumentation
from cyclescope.core.units import IntArray, Nanoseconds
from cyclescope.core.workload import Workload

W = TypeVar("W", bound=EngineWriter)


def written(writer: EngineWriter, call: ArrayCall, arrays: Arrays) -> IntArray:
    """What `generate` would give for `arrays`: token ids [texts, tokens], behind those of the prompt where it repeats them."""
    ids: IntArray = np.asarray(writer.write(arrays, call.new_tokens), dtype=np.int64)
    return np.concatenate([arrays["input_ids"], ids], axis=1) if call.repeats_prompt else ids


@dataclass(frozen=True, slots=True)
class TimedCycle:
    """The stamps of one cycle, on the clock of `time.perf_counter_ns`: its ends, those of text, and of every call."""

    begin_ns: Nanoseconds
    tokenized_ns: Nanoseconds
    calls_ns: tuple[tuple[Nanoseconds, Nanoseconds], ...]
    called_ns: Nanoseconds
    end_ns: Nanoseconds
    cpu_ns: Nanoseconds

    @property
    def written_ns(self) -> Nanoseconds:
        """How long the writer was called for."""
        return self.called_ns - self.tokenized_ns


class WritingSession(EngineSession, Generic[W]):
    """Implements `backends.base.Session` on a writer of an engine: what it tells is when it was called and gave tokens."""

    def __init__(
        self,
        writer: W,
        call: ArrayCall,
        workload: Workload,
        plan: Plan,
        machine: Machine,
        times: OpenTimes,
        *,
        estimate_costs: Callable[[], CallCosts],
        folder: AbstractContextManager[object],
        notes: Sequence[Text] = (),
        edits: tuple[Edit, ...] = (),
    ) -> None:
        notes = (*notes, *self._own_notes(writer))
        super().__init__(call, workload, plan, machine, times, folder=folder, notes=notes, edits=edits)
        self._writer = writer
        self._estimate_costs = estimate_costs

    def _own_notes(self, writer: W) -> tuple[Text, ...]:
        return (
            m(
                "Each call of {engine} is one operation here, with the work that the model itself does in it: what happens inside is unknown.",
                engine=writer.engine,
            ),
        )

    # Structure -------------------------------------------------------------------------------------------------------

    def trace(self) -> Graph:
        """A call of the engine for each that it made, with costs estimated from the model's own generation."""
        call, costs_of_calls = self._call, self._estimate_costs()
        with engine_errors(m("generate on {engine}", engine=self._writer.engine)):
            arrays = call.arrays()
            written(self._writer, call, arrays)
        tokens = tokens_of_calls(self._writer.calls_ns, self._writer.emitted_ns)
        graph = writing_graph(
            arrays,
            tokens,
            costs_of_calls.costs,
            call.ends,
            costs_of_calls.weights,
            engine=self._writer.engine,
            class_name=call.class_name,
        )
        self._traced = graph
        return graph

    # Runs ------------------------------------------------------------------------------------------------------------

    def uninstrumented(self, cycles: int) -> Sequence[UninstrumentedRun]:
        call, writer = self._call, self._writer
        runs = []
        with engine_errors(m("generate on {engine}", engine=writer.engine)):
            for _ in range(cycles):
                cpu = process_time_ns()
                begin = perf_counter_ns()
                arrays = call.arrays()
                called = perf_counter_ns()
                result = written(writer, call, arrays)
                words = call.words(result)
                end = perf_counter_ns()
                emitted = tuple(at - begin for at in writer.emitted_ns)
                runs.append(UninstrumentedRun(begin, end - begin, process_time_ns() - cpu, called - begin, emitted))
            self._outcome = call.outcome(words, result)
        return runs

    def instrumented(self, graph: Graph, cycles: int) -> Sequence[InstrumentedRun]:
        """Runs with the moments that every run of this engine tells; between its calls the time is that of the loop."""
        self._known(graph)
        with engine_errors(m("generate on {engine}", engine=self._writer.engine)):
            runs = [self._stamped(self._writer) for _ in range(cycles)]
        return [self._booked(graph, run, run.calls_ns) for run in runs]

    def _stamped(self, writer: EngineWriter) -> TimedCycle:
        """One cycle of `writer`, with its moments."""
        call = self._call
        cpu = process_time_ns()
        begin = perf_counter_ns()
        arrays = call.arrays()
        tokenized = perf_counter_ns()
        result = written(writer, call, arrays)
        called = perf_counter_ns()
        call.words(result)
        end = perf_counter_ns()
        cpu = process_time_ns() - cpu
        return TimedCycle(begin, tokenized, tuple(writer.calls_ns), called, end, cpu)

    def _booked(self, graph: Graph, run: TimedCycle, inside: Iterable[Iterable[Nanoseconds]]) -> InstrumentedRun:
        """The boundaries of a cycle: text, the timestamps that each call took `inside` itself, its ends included, text."""
        ends = self._call.ends
        rows = [run.begin_ns]
        if ends.tokenizer:
            rows += [run.begin_ns, run.tokenized_ns]
        rows += [timestamp for call in inside for timestamp in call]
        if ends.read_out:
            rows += [run.called_ns, run.end_ns]
        rows.append(run.end_ns)
        if len(rows) != len(graph.slots) + 1:
            raise EngineError(
                m("The number of calls differs between cycles, so time cannot be attributed to calls."),
                m(
                    "There were {count} now, and another number when the model was traced.",
                    count=len(run.calls_ns),
                ),
                m("Use --engine {engine}, which runs the model itself.", engine=REFERENCE_ENGINE),
            )
        boundaries: IntArray = np.maximum.accumulate(np.asarray(rows, dtype=np.int64))
        return InstrumentedRun(run.begin_ns, np.minimum(boundaries, run.end_ns) - run.begin_ns, run.cpu_ns)

    def calibrate(self, graph: Graph, budget_ns: Nanoseconds) -> Instrumentation:
        """The moments are part of every run, uninstrumented ones too, so they cost nothing that an uninstrumented run does not pay."""
        return Instrumentation(self._writer.how, 0.0, 0.0, "this model", 0)

    # What else can be seen -------------------------------------------------------------------------------------------

    def results(self) -> Results:
        call = self._call
        with engine_errors(m("generate on {engine}", engine=self._writer.engine)):
            arrays = call.arrays()
            given = written(self._writer, call, arrays)
        return generated_results(given[:, -call.new_tokens :], arrays)

    def close(self) -> None:
        self._writer.close()
        self._folder.__exit__(None, None, None)
