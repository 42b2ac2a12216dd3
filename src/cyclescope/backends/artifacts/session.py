"""One exported model with one input, ready to run again and again: uninstrumented, or with the engine's own counters on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from time import perf_counter_ns, process_time_ns

import numpy as np

from cyclescope.backends.artifacts.call import ArrayCall, Outputs
from cyclescope.backends.artifacts.counters import LOOKED_INTO, MOST_WATCHED, differences_in_turns, share_inside
from cyclescope.backends.artifacts.engine_session import EngineSession
from cyclescope.backends.artifacts.program import Arrays, Call, Program, Watch
from cyclescope.backends.artifacts.structure import graph_of
from cyclescope.backends.base import InstrumentedRun, OpenTimes, UninstrumentedRun
from cyclescope.backends.errors import engine_errors
from cyclescope.backends.results import results_of
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

# A watch begins with a cold copy of the model; these calls of it are thrown away.
_WARM_CALLS = 3
_ENOUGH_NS = 300_000_000  # of calls; one that takes as long is warm when it ends


class ExportedSession(EngineSession):
    """Implements `backends.base.Session` on a program of an engine."""

    def __init__(
        self,
        program: Program,
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
        super().__init__(call, workload, plan, machine, times, folder=folder, notes=notes, edits=edits)
        self._program = program
        self._nodes: tuple[str, ...] = ()

    # Structure -------------------------------------------------------------------------------------------------------

    def trace(self) -> Graph:
        """The nodes that the engine runs, not the modules that the model was written in: it has fused and moved them."""
        call = self._call
        with engine_errors(m("trace the exported model")):
            arrays = call.arrays()
            nodes = self._program.nodes(arrays)
            given = list(self._program(arrays))
            graph = graph_of(nodes, arrays, given, call.ends, engine=self._program.engine, generates=call.generates)
        self._traced, self._nodes = graph, tuple(node.name for node in nodes)
        return graph

    # Runs ------------------------------------------------------------------------------------------------------------

    def uninstrumented(self, cycles: int) -> Sequence[UninstrumentedRun]:
        call, program = self._call, self._program
        runs = []
        with engine_errors(m("run the exported model")):
            for _ in range(cycles):
                cpu = process_time_ns()
                begin = perf_counter_ns()
                result = Outputs(program(call.arrays()))
                words = call.words(result)
                end = perf_counter_ns()
                runs.append(UninstrumentedRun(begin, end - begin, process_time_ns() - cpu))
            self._outcome = call.outcome(words, result)
        return runs

    def instrumented(self, graph: Graph, cycles: int) -> Sequence[InstrumentedRun]:
        """Cycles with the engine's counters on; between its operations the time is the engine's own."""
        self._known(graph)
        with engine_errors(m("run the exported model with its profiler on")):
            watch = self._program.watch()
            calls: list[Call] = []
            watched = _noting(watch, calls)
            begin = perf_counter_ns()
            while len(calls) < _WARM_CALLS and (not calls or perf_counter_ns() - begin < _ENOUGH_NS):
                watched(self._call.arrays())
            warm = len(calls)
            taken = [self._stamped(watched) for _ in range(cycles)]
            profiles = watch.finish(calls)[warm:]
        return [self._booked(run, *nodes) for run, nodes in zip(taken, profiles, strict=True)]

    def _stamped(self, run: Callable[[Arrays], Arrays]) -> _Stamped:
        """One cycle with the ends of its text stages."""
        call = self._call
        cpu = process_time_ns()
        begin = perf_counter_ns()
        inputs = call.arrays()
        tokenized = perf_counter_ns()
        result = Outputs(run(inputs))
        called = perf_counter_ns()
        call.words(result)
        end = perf_counter_ns()
        return _Stamped(begin, tokenized, called, end, process_time_ns() - cpu)

    def _booked(self, run: _Stamped, names: tuple[str, ...], spans: IntArray) -> InstrumentedRun:
        """The boundaries of a cycle: text, every node with what lies before it, text."""
        if names != self._nodes:
            raise EngineError(
                m(
                    "The engine does not run the same operations in every cycle, so time cannot be attributed to operations."
                ),
                m(
                    "There were {now}, and {before} when the model was traced.",
                    now=len(names),
                    before=len(self._nodes),
                ),
                m("Use --engine {engine}, which runs the model itself.", engine=REFERENCE_ENGINE),
            )
        ends = self._call.ends
        rows = [run.begin_ns]
        if ends.tokenizer:
            rows += [run.begin_ns, run.tokenized_ns]
        rows += spans.reshape(-1).tolist()
        if ends.read_out:
            rows += [run.called_ns, run.end_ns]
        rows.append(run.end_ns)
        # Two clocks, and one of them in whole microseconds: nothing begins before the one before it has ended.
        boundaries: IntArray = np.maximum.accumulate(np.asarray(rows, dtype=np.int64))
        return InstrumentedRun(run.begin_ns, np.minimum(boundaries, run.end_ns) - run.begin_ns, run.cpu_ns)

    # The cost of the counters ----------------------------------------------------------------------------------------

    def calibrate(self, graph: Graph, budget_ns: Nanoseconds) -> Instrumentation:
        """The cost of the counters for an operation: interleaved calls of this model with and without them."""
        self._known(graph)
        with engine_errors(m("measure the overhead of the engine's profiler")):
            watch = self._program.watch()
            calls: list[Call] = []
            taken: list[_Stamped] = []

            def without() -> Nanoseconds:
                return self._stamped(self._program).call_ns

            def within() -> Nanoseconds:
                taken.append(self._stamped(_noting(watch, calls)))
                return taken[-1].call_ns

            operations = max(1, len(self._nodes))
            differences = differences_in_turns(without, within, budget_ns, MOST_WATCHED // operations)
            cost = max(0.0, float(np.median(differences)) / operations)
            inside = 0.0
            if self._program.costs_inside:
                profiles = list(zip(taken, watch.finish(calls), strict=True))[-LOOKED_INTO:]
                inside = cost * share_inside(graph, [self._booked(run, *nodes) for run, nodes in profiles])
            else:
                watch.close()
        return Instrumentation(self._program.how, inside, cost - inside, "this model", len(differences))

    # What else can be seen -------------------------------------------------------------------------------------------

    def results(self) -> Results:
        with engine_errors(m("run the exported model")):
            arrays = self._call.arrays()
            given = {name: np.array(array) for name, array in self._program(arrays).items()}
        return results_of(given, arrays, self._call.classes)

    def close(self) -> None:
        self._program.close()
        self._folder.__exit__(None, None, None)


@dataclass(frozen=True, slots=True)
class _Stamped:
    """The stamps of one cycle that are ours: its ends, and those of the call of the engine."""

    begin_ns: Nanoseconds
    tokenized_ns: Nanoseconds
    called_ns: Nanoseconds
    end_ns: Nanoseconds
    cpu_ns: Nanoseconds

    @property
    def call_ns(self) -> Nanoseconds:
        """How long the engine was called for, what is handed over to it included."""
        return self.called_ns - self.tokenized_ns


def _noting(watch: Watch, calls: list[Call]) -> Callable[[Arrays], Arrays]:
    """`watch`, which writes down in `calls` when each of its calls began and ended."""

    def watched(arrays: Arrays) -> Arrays:
        begin = perf_counter_ns()
        result = watch(arrays)
        calls.append(Call(begin, perf_counter_ns()))
        return result

    return watched
