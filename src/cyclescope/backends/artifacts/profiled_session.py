"""A session on a writer whose engine tells what runs inside its calls: each of them is booked operation by operation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from cyclescope.backends.artifacts.calls_graph import calls_graph
from cyclescope.backends.artifacts.counters import LOOKED_INTO, MOST_WATCHED, differences_in_turns, share_inside
from cyclescope.backends.artifacts.program import Call
from cyclescope.backends.artifacts.writer import ProfiledWriter, WritingWatch
from cyclescope.backends.artifacts.writing_session import TimedCycle, WritingSession
from cyclescope.backends.base import InstrumentedRun
from cyclescope.backends.errors import engine_errors
from cyclescope.core.errors import EngineError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Text, m
from cyclescope.core.plan import REFERENCE_ENGINE
from cyclescope.core.samples import Instrumentation
from cyclescope.core.units import IntArray, Nanoseconds

_CallProfile = tuple[tuple[str, ...], IntArray]


class ProfiledSession(WritingSession[ProfiledWriter]):
    """Implements `backends.base.Session` on `writer`."""

    _names: tuple[tuple[str, ...], ...] = ()

    def _own_notes(self, writer: ProfiledWriter) -> tuple[Text, ...]:
        return ()

    def trace(self) -> Graph:
        """The operations of every call of the engine, at the lengths that the cache has there."""
        with engine_errors(m("trace what {engine} generates", engine=self._writer.engine)):
            call = self._call
            arrays = call.arrays()
            calls = self._writer.nodes(arrays, call.new_tokens)
            graph = calls_graph(arrays, calls, call.ends, engine=self._writer.engine, class_name=call.class_name)
        self._traced, self._names = graph, tuple(tuple(node.name for node in nodes) for nodes in calls)
        return graph

    def instrumented(self, graph: Graph, cycles: int) -> Sequence[InstrumentedRun]:
        """Cycles with the engine's counters on; between operations of a call the time is the engine's, between calls that
        of the loop.
        """
        self._known(graph)
        at_once = max(1, MOST_WATCHED // max(1, self._operations) - 1)
        runs: list[InstrumentedRun] = []
        with engine_errors(m("generate on {engine} with its profiler on", engine=self._writer.engine)):
            while len(runs) < cycles:
                runs += self._watched(graph, min(at_once, cycles - len(runs)))
        return runs

    @property
    def _operations(self) -> int:
        return sum(len(names) for names in self._names)

    def _watched(self, graph: Graph, cycles: int) -> list[InstrumentedRun]:
        """So many cycles under one watch, behind one that is thrown away, since a watch begins with a cold copy of the model."""
        watch = self._writer.watch()
        runs = [self._stamped(watch) for _ in range(1 + cycles)]
        return self._told(graph, watch, runs)[1:]

    def _told(self, graph: Graph, watch: WritingWatch, runs: Sequence[TimedCycle]) -> list[InstrumentedRun]:
        """The boundaries of `runs`, all that `watch` has seen, which is over then."""
        profiles = iter(watch.finish([Call(*call) for run in runs for call in run.calls_ns]))
        return [self._booked(graph, run, self._inside(run, [next(profiles) for _ in run.calls_ns])) for run in runs]

    def _inside(self, run: TimedCycle, profiles: Sequence[_CallProfile]) -> Iterator[list[Nanoseconds]]:
        """The stamps of each call of `run`: its begin, those of its operations, its end."""
        if tuple(names for names, _ in profiles) != self._names:
            raise EngineError(
                m(
                    "The engine does not run the same operations in every cycle, so time cannot be attributed to operations."
                ),
                m(
                    "There were {now}, and {before} when the model was traced.",
                    now=sum(len(names) for names, _ in profiles),
                    before=self._operations,
                ),
                m("Use --engine {engine}, which runs the model itself.", engine=REFERENCE_ENGINE),
            )
        for (begin, end), (_, spans) in zip(run.calls_ns, profiles, strict=True):
            yield [begin, *spans.reshape(-1).tolist(), end]

    def calibrate(self, graph: Graph, budget_ns: Nanoseconds) -> Instrumentation:
        """The cost of the counters for an operation: interleaved blocks of this model's cycles with and without them."""
        self._known(graph)
        with engine_errors(m("measure the overhead of the engine's profiler")):
            watch = self._writer.watch()
            taken: list[TimedCycle] = []

            def without() -> Nanoseconds:
                return self._stamped(self._writer).written_ns

            def within() -> Nanoseconds:
                taken.append(self._stamped(watch))
                return taken[-1].written_ns

            most = MOST_WATCHED // max(1, self._operations)
            differences = differences_in_turns(without, within, budget_ns, most)
            # The stamps of calls stand in every run, yet count as pairs.
            pairs = max(1, self._operations + len(self._names))
            cost = max(0.0, float(np.median(differences)) / pairs)
            inside = cost * share_inside(graph, self._told(graph, watch, taken)[-LOOKED_INTO:])
        return Instrumentation(watch.how, inside, cost - inside, "this model", len(differences))
