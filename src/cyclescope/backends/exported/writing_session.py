"""A model that an engine has made ready to write, with one input, ready to run again and again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from time import perf_counter_ns, process_time_ns
from typing import Generic, TypeVar

import numpy as np
import torch

from cyclescope.backends.base import LightRun, OpenTimes, PlainRun
from cyclescope.backends.exported.engine_session import EngineSession
from cyclescope.backends.exported.opaque import continued, costs_of_calls, weights_of
from cyclescope.backends.exported.structure import ends_of
from cyclescope.backends.exported.writer import EngineWriter
from cyclescope.backends.exported.writing_graph import tokens_of_calls, writing_graph
from cyclescope.backends.torch.errors import engine_errors
from cyclescope.backends.torch.generating.writing import Writer
from cyclescope.backends.torch.results import results_of
from cyclescope.backends.torch.session import TorchSession
from cyclescope.backends.torch.steps import Inputs, Steps, arrays_of, describe_result
from cyclescope.core.edits import Edit
from cyclescope.core.errors import EngineError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan
from cyclescope.core.results import Results
from cyclescope.core.samples import Instrumentation
from cyclescope.core.units import IntArray, Nanoseconds
from cyclescope.core.workload import Workload

_TRACED = 4  # tokens that are traced: the prefill and some steps, from which the further ones follow
W = TypeVar("W", bound=EngineWriter)


def written(writer: EngineWriter, steps: Steps, inputs: Inputs) -> torch.Tensor:
    """What `generate` would give for `inputs`: token ids [texts, tokens], behind those of the prompt where it repeats them."""
    assert steps.writer is not None
    ids = torch.from_numpy(writer.write(arrays_of(inputs), steps.writer.new_tokens)).to(torch.int64)
    behind_encoder = bool(getattr(getattr(steps.model, "config", None), "is_encoder_decoder", False))
    return ids if behind_encoder else torch.cat([inputs["input_ids"], ids], dim=1)


@dataclass(frozen=True, slots=True)
class Stamped:
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
        steps: Steps,
        workload: Workload,
        plan: Plan,
        machine: Machine,
        times: OpenTimes,
        *,
        folder: AbstractContextManager[object],
        notes: Sequence[str] = (),
        edits: tuple[Edit, ...] = (),
    ) -> None:
        notes = (*notes, *self._own_notes(writer))
        super().__init__(steps, workload, plan, machine, times, folder=folder, notes=notes, edits=edits)
        self._writer = writer

    def _own_notes(self, writer: W) -> tuple[str, ...]:
        return (
            f"Each call of {writer.engine} is one operation here, with the work that the model itself does in it: what happens inside is not told.",
        )

    # Structure -------------------------------------------------------------------------------------------------------

    def trace(self) -> Graph:
        """A call of the engine for each that it made, priced by the model's own generation, traced on PyTorch."""
        steps = self._steps
        assert steps.writer is not None
        few, new_tokens = self._few(), steps.writer.new_tokens
        plan = Plan(threads=self.plan.threads)
        here = TorchSession(few, self.workload, plan, self.machine, self.times, generates=True)
        try:
            model = here.trace()
        finally:
            here.close()
        weights = weights_of(steps.model, self.plan)
        costs = continued(costs_of_calls(model, weights.bytes_a_byte), new_tokens)
        with engine_errors(f"write on {self._writer.engine}"):
            inputs = steps.inputs()
            written(self._writer, steps, inputs)
        tokens = tokens_of_calls(self._writer.calls_ns, self._writer.emitted_ns)
        graph = writing_graph(
            arrays_of(inputs),
            tokens,
            costs,
            ends_of(steps),
            weights,
            engine=self._writer.engine,
            class_name=type(steps.model).__name__,
        )
        self._traced = graph
        return graph

    def _few(self) -> Steps:
        """The same with fewer tokens, where the rest follows from them."""
        steps = self._steps
        assert steps.writer is not None
        config = getattr(steps.model, "config", None)
        text = getattr(config, "get_text_config", lambda: config)()
        if getattr(text, "sliding_window", None) or steps.writer.new_tokens <= _TRACED:
            return steps
        return replace(steps, writer=Writer(steps.model, _TRACED, sample=False, cache="dynamic"))

    # Runs ------------------------------------------------------------------------------------------------------------

    def plain(self, cycles: int) -> Sequence[PlainRun]:
        steps, writer = self._steps, self._writer
        runs = []
        with engine_errors(f"write on {writer.engine}"):
            for _ in range(cycles):
                cpu = process_time_ns()
                begin = perf_counter_ns()
                inputs = steps.inputs()
                called = perf_counter_ns()
                result = written(writer, steps, inputs)
                words = steps.read_out(result) if steps.read_out is not None else None
                end = perf_counter_ns()
                emitted = tuple(at - begin for at in writer.emitted_ns)
                runs.append(PlainRun(begin, end - begin, process_time_ns() - cpu, called - begin, emitted))
            self._outcome = words if words is not None and steps.keep_words else describe_result(result)
        return runs

    def light(self, graph: Graph, cycles: int) -> Sequence[LightRun]:
        """Runs with the moments that every run of this engine tells; between its calls the time is that of the loop."""
        self._known(graph)
        with engine_errors(f"write on {self._writer.engine}"):
            runs = [self._stamped(self._writer) for _ in range(cycles)]
        return [self._booked(graph, run, run.calls_ns) for run in runs]

    def _stamped(self, writer: EngineWriter) -> Stamped:
        """One cycle of `writer`, with its moments."""
        steps = self._steps
        cpu = process_time_ns()
        begin = perf_counter_ns()
        inputs = steps.inputs()
        tokenized = perf_counter_ns()
        result = written(writer, steps, inputs)
        called = perf_counter_ns()
        if steps.read_out is not None:
            steps.read_out(result)
        end = perf_counter_ns()
        cpu = process_time_ns() - cpu
        return Stamped(begin, tokenized, tuple(writer.calls_ns), called, end, cpu)

    def _booked(self, graph: Graph, run: Stamped, inside: Iterable[Iterable[Nanoseconds]]) -> LightRun:
        """The boundaries of a cycle: text, what each call has stamped `inside` itself, its ends included, text."""
        steps = self._steps
        rows = [run.begin_ns]
        if steps.encode is not None:
            rows += [run.begin_ns, run.tokenized_ns]
        rows += [moment for call in inside for moment in call]
        if steps.read_out is not None:
            rows += [run.called_ns, run.end_ns]
        rows.append(run.end_ns)
        if len(rows) != len(graph.slots) + 1:
            raise EngineError(
                "The engine does not make as many calls in every cycle, so its time cannot be booked by call.",
                f"There were {len(run.calls_ns)} now, and another number when the model was looked into.",
                "Use --engine torch.",
            )
        boundaries: IntArray = np.maximum.accumulate(np.asarray(rows, dtype=np.int64))
        return LightRun(run.begin_ns, np.minimum(boundaries, run.end_ns) - run.begin_ns, run.cpu_ns)

    def calibrate(self, graph: Graph, budget_ns: Nanoseconds) -> Instrumentation:
        """The moments are part of every run, plain ones too, so they cost nothing that a plain run does not pay."""
        return Instrumentation(self._writer.how, 0.0, 0.0, "this model", 0)

    # What else can be seen -------------------------------------------------------------------------------------------

    def results(self) -> Results:
        assert self._steps.writer is not None
        with engine_errors(f"write on {self._writer.engine}"):
            inputs = self._steps.inputs()
            given = written(self._writer, self._steps, inputs)
        return results_of(given, inputs, self._steps.writer.new_tokens)

    def close(self) -> None:
        self._writer.close()
        self._folder.__exit__(None, None, None)
