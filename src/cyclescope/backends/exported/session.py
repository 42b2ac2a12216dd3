"""One exported model with one input, ready to run again and again: plainly, or with the engine's own counters on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from time import perf_counter_ns, process_time_ns

import numpy as np

from cyclescope.backends.base import LightRun, OpenTimes, PlainRun
from cyclescope.backends.exported.counters import LOOKED_INTO, MOST_WATCHED, differences_in_turns, share_inside
from cyclescope.backends.exported.engine_session import EngineSession
from cyclescope.backends.exported.outputs import Outputs, outputs_of
from cyclescope.backends.exported.program import Arrays, Call, Program, Watch
from cyclescope.backends.exported.structure import ends_of, graph_of
from cyclescope.backends.torch.errors import engine_errors
from cyclescope.backends.torch.results import results_of
from cyclescope.backends.torch.steps import Inputs, Steps, arrays_of, describe_result
from cyclescope.core.edits import Edit
from cyclescope.core.errors import EngineError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan
from cyclescope.core.results import Results
from cyclescope.core.samples import Instrumentation
from cyclescope.core.units import AnyArray, IntArray, Nanoseconds
from cyclescope.core.workload import Workload

# A watch begins with a cold copy of the model; these calls of it are thrown away.
_WARM_CALLS = 3
_ENOUGH_NS = 300_000_000  # of calls; one that takes as long is warm when it ends


class ExportedSession(EngineSession):
    """Implements `backends.base.Session` on a program of an engine."""

    def __init__(
        self,
        program: Program,
        steps: Steps,
        workload: Workload,
        plan: Plan,
        machine: Machine,
        times: OpenTimes,
        *,
        folder: AbstractContextManager[object],
        classes: tuple[str, ...] = (),
        generates: bool = False,
        notes: Sequence[str] = (),
        edits: tuple[Edit, ...] = (),
    ) -> None:
        super().__init__(steps, workload, plan, machine, times, folder=folder, notes=notes, edits=edits)
        self._program = program
        self._classes = classes
        self._generates = generates
        self._fixed = arrays_of(steps.fixed)
        self._nodes: tuple[str, ...] = ()

    # Structure -------------------------------------------------------------------------------------------------------

    def trace(self) -> Graph:
        """The nodes that the engine runs, not the modules that the model was written in: it has fused and moved them."""
        steps = self._steps
        with engine_errors("look into the exported model"):
            arrays = self._arrays(steps.inputs())
            nodes = self._program.nodes(arrays)
            given = list(self._program(arrays))
            graph = graph_of(
                nodes, arrays, given, ends_of(steps), engine=self._program.engine, generates=self._generates
            )
        self._traced, self._nodes = graph, tuple(node.name for node in nodes)
        return graph

    # Runs ------------------------------------------------------------------------------------------------------------

    def plain(self, cycles: int) -> Sequence[PlainRun]:
        steps, program = self._steps, self._program
        runs = []
        with engine_errors("run the exported model"):
            for _ in range(cycles):
                cpu = process_time_ns()
                begin = perf_counter_ns()
                result = outputs_of(program(steps.arrays() | self._fixed))
                words = steps.read_out(result) if steps.read_out is not None else None
                end = perf_counter_ns()
                runs.append(PlainRun(begin, end - begin, process_time_ns() - cpu))
            self._outcome = words if words is not None and steps.keep_words else describe_result(result)
        return runs

    def light(self, graph: Graph, cycles: int) -> Sequence[LightRun]:
        """Cycles with the engine's counters on; between its operations the time is the engine's own."""
        self._known(graph)
        with engine_errors("run the exported model with its counters on"):
            watch = self._program.watch()
            calls: list[Call] = []
            watched = _noting(watch, calls)
            begin = perf_counter_ns()
            while len(calls) < _WARM_CALLS and (not calls or perf_counter_ns() - begin < _ENOUGH_NS):
                watched(self._steps.arrays() | self._fixed)
            warm = len(calls)
            taken = [self._stamped(watched) for _ in range(cycles)]
            told = watch.finish(calls)[warm:]
        return [self._booked(run, *nodes) for run, nodes in zip(taken, told, strict=True)]

    def _stamped(self, run: Callable[[Arrays], Arrays]) -> _Stamped:
        """One cycle with the ends of its text stages."""
        steps = self._steps
        cpu = process_time_ns()
        begin = perf_counter_ns()
        inputs = steps.arrays()
        tokenized = perf_counter_ns()
        result = outputs_of(run(inputs | self._fixed))
        called = perf_counter_ns()
        if steps.read_out is not None:
            steps.read_out(result)
        end = perf_counter_ns()
        return _Stamped(begin, tokenized, called, end, process_time_ns() - cpu)

    def _booked(self, run: _Stamped, names: tuple[str, ...], spans: IntArray) -> LightRun:
        """The boundaries of a cycle: text, every node with what lies before it, text."""
        if names != self._nodes:
            raise EngineError(
                "The engine does not run the same operations in every cycle, so its time cannot be booked by operation.",
                f"There were {len(names)}, and {len(self._nodes)} when the model was looked into.",
                "Use --engine torch.",
            )
        steps = self._steps
        rows = [run.begin_ns]
        if steps.encode is not None:
            rows += [run.begin_ns, run.tokenized_ns]
        rows += spans.reshape(-1).tolist()
        if steps.read_out is not None:
            rows += [run.called_ns, run.end_ns]
        rows.append(run.end_ns)
        # Two clocks, and one of them in whole microseconds: nothing begins before the one before it has ended.
        boundaries: IntArray = np.maximum.accumulate(np.asarray(rows, dtype=np.int64))
        return LightRun(run.begin_ns, np.minimum(boundaries, run.end_ns) - run.begin_ns, run.cpu_ns)

    def _arrays(self, inputs: Inputs) -> dict[str, AnyArray]:
        return arrays_of(inputs) | self._fixed

    # The cost of the counters ----------------------------------------------------------------------------------------

    def calibrate(self, graph: Graph, budget_ns: Nanoseconds) -> Instrumentation:
        """The cost of the counters for an operation: calls of this model with and without them, in turns."""
        self._known(graph)
        with engine_errors("calibrate the cost of the engine's counters"):
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
                told = list(zip(taken, watch.finish(calls), strict=True))[-LOOKED_INTO:]
                inside = cost * share_inside(graph, [self._booked(run, *nodes) for run, nodes in told])
            else:
                watch.close()
        return Instrumentation(self._program.how, inside, cost - inside, "this model", len(differences))

    # What else can be seen -------------------------------------------------------------------------------------------

    def results(self) -> Results:
        with engine_errors("run the exported model"):
            inputs = self._steps.inputs()
            given = self._result(inputs)
        return results_of(given, inputs, 0, self._classes)

    def _result(self, inputs: Inputs) -> Outputs:
        return outputs_of({name: np.array(array) for name, array in self._program(self._arrays(inputs)).items()})

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
