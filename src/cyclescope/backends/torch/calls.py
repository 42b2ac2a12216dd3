"""A cycle of several calls: many texts, a few at a time, on one model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import perf_counter_ns, process_time_ns
from typing import Any

import torch

from cyclescope.backends.base import LightRun, OpenTimes, PlainRun
from cyclescope.backends.torch.errors import engine_errors
from cyclescope.backends.torch.results import classes_of, results_of
from cyclescope.backends.torch.stamping.device import waiting_for
from cyclescope.backends.torch.steps import Inputs, Steps, describe_result
from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan
from cyclescope.core.results import Results, joined
from cyclescope.core.samples import DeviceSamples, Instrumentation, MemorySamples, ProcessorSamples
from cyclescope.core.units import Nanoseconds
from cyclescope.core.workload import Workload


class TorchCalls:
    """Implements `backends.base.Session` for plain runs; what happens inside is told of one call at a time.

    `calls` are made one after the other in every cycle; `texts` [calls] says which texts each holds. Where the plan
    overlaps, a second thread tokenizes the texts of the next call meanwhile. `run` is how a call is made where it is not
    the model's own, from what `feed` makes of its texts, and `close` gives back what it holds.
    """

    def __init__(
        self,
        calls: Sequence[Steps],
        texts: Sequence[Sequence[int]],
        workload: Workload,
        plan: Plan,
        machine: Machine,
        times: OpenTimes,
        notes: Sequence[str] = (),
        edits: Sequence[Edit] = (),
        *,
        feed: Callable[[Steps], Inputs] = Steps.inputs,
        run: Callable[[Steps, Inputs], Any] = Steps.run,
        close: Callable[[], None] | None = None,
    ) -> None:
        self._calls = tuple(calls)
        self._feed, self._run = feed, run
        self._close = close
        self._texts = tuple(texts)
        self.workload = workload
        self.machine = machine
        self.times = times
        self.notes = tuple(notes)
        self.edits = tuple(edits)
        self._outcome = ""
        self._threads_before = torch.get_num_threads()
        if plan.threads:
            torch.set_num_threads(plan.threads)
        self.plan = replace(plan, threads=torch.get_num_threads())
        self._beside = ThreadPoolExecutor(1, "tokenize") if plan.overlap and len(self._calls) > 1 else None
        self._wait = waiting_for(plan.device)

    def resume(self) -> None:
        torch.set_num_threads(self.plan.threads)

    def plain(self, cycles: int) -> Sequence[PlainRun]:
        runs = []
        with engine_errors("run the model"), torch.inference_mode():
            for _ in range(cycles):
                cpu = process_time_ns()
                begin = perf_counter_ns()
                for steps, inputs in self._fed():
                    result = self._run(steps, inputs)
                    words = steps.read_out(result) if steps.read_out is not None else None
                self._wait()
                end = perf_counter_ns()
                runs.append(PlainRun(begin, end - begin, process_time_ns() - cpu))
            self._outcome = words if words is not None and steps.keep_words else describe_result(result)
        return runs

    def _fed(self) -> Iterator[tuple[Steps, Inputs]]:
        """Each call with its inputs, made just before it or while the call before it runs."""
        if self._beside is None:
            for steps in self._calls:
                yield steps, self._feed(steps)
            return
        coming = self._beside.submit(self._feed, self._calls[0])
        for steps, following in zip(self._calls, (*self._calls[1:], None), strict=True):
            inputs = coming.result()
            if following is not None:
                coming = self._beside.submit(self._feed, following)
            yield steps, inputs

    def results(self) -> Results:
        classes = classes_of(getattr(self._calls[0].model, "config", None)) if self.workload.task == "classify" else ()
        parts = []
        with engine_errors("run the model"), torch.inference_mode():
            for steps in self._calls:
                inputs = steps.inputs()
                written = steps.writer.new_tokens if steps.writer else 0
                parts.append(results_of(self._run(steps, inputs), inputs, written, classes))
        return joined(parts, [number for texts in self._texts for number in texts])

    def trace(self) -> Graph:
        raise self._several()

    def light(self, graph: Graph, cycles: int) -> Sequence[LightRun]:
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
            f"This cycle makes {len(self._calls)} calls of the model.",
            "What happens inside is told of one call.",
            "Measure the texts of one call.",
        )

    def outcome(self) -> str:
        return self._outcome

    def close(self) -> None:
        if self._beside is not None:
            self._beside.shutdown(wait=False, cancel_futures=True)
        torch.set_num_threads(self._threads_before)
        if self._close is not None:
            self._close()
