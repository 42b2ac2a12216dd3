"""One transformers model with one input, ready to run again and again: uninstrumented, instrumented, or traced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from time import perf_counter_ns, process_time_ns

import numpy as np
import torch

from cyclescope.backends.base import InstrumentedRun, OpenTimes, UninstrumentedRun
from cyclescope.backends.errors import Misaligned, engine_errors
from cyclescope.backends.torch.breaking_off import breaking_off
from cyclescope.backends.torch.keeping.repeats import Repeats
from cyclescope.backends.torch.results import classes_of, results_of
from cyclescope.backends.torch.stamping.calibration_proxy import calibrate_on_proxy
from cyclescope.backends.torch.stamping.device import EventClock, waiting_for
from cyclescope.backends.torch.stamping.marking import Marking
from cyclescope.backends.torch.stamping.native import native_slots
from cyclescope.backends.torch.stamping.processor import clocks_of, now_ns, stamp_ns
from cyclescope.backends.torch.stamping.recorder import FUNCTION_MODE, WHOLE, WRAPPERS, Alignment, Recorder
from cyclescope.backends.torch.stamping.stamps import instrumented, new_records, rows_of
from cyclescope.backends.torch.steps import Inputs, Steps, describe_inputs, describe_result
from cyclescope.backends.torch.tracing.compiled import (
    compiled_calls,
    compiled_part,
    mode_of_code,
    scripted_part,
    uncompiled,
)
from cyclescope.backends.torch.tracing.layouts import holds_sparse
from cyclescope.backends.torch.tracing.memory import with_resident_set
from cyclescope.backends.torch.tracing.tracing import Traced, Tracer
from cyclescope.backends.torch.tracing.whole import trace_whole
from cyclescope.core.edits import Edit
from cyclescope.core.errors import EngineError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text, m, sentences
from cyclescope.core.plan import Cache, Decoding, Plan
from cyclescope.core.results import Results
from cyclescope.core.samples import DeviceSamples, Instrumentation, MemorySamples, ProcessorSamples
from cyclescope.core.units import IntArray, Nanoseconds
from cyclescope.core.workload import InputUnit, Workload


class TorchSession:
    """Implements `backends.base.Session` on PyTorch."""

    def __init__(
        self,
        steps: Steps,
        workload: Workload,
        plan: Plan,
        machine: Machine,
        times: OpenTimes,
        *,
        trace_on_meta: Callable[[Inputs], Traced | None] | None = None,
        generates: bool = False,
        notes: Sequence[Text] = (),
        edits: Sequence[Edit] = (),
        repeats: Repeats | None = None,
    ) -> None:
        self._steps = steps
        self.workload = workload
        self.plan = plan
        self.machine = machine
        self.times = times
        self._trace_on_meta = trace_on_meta
        self._generates = generates
        self._given_notes = tuple(notes)
        self._notes: list[Text] = list(notes)
        self.edits = tuple(edits)
        self._repeats = repeats or Repeats()
        self._traced: Traced | None = None
        self._recorder: Recorder | None = None
        self._mode: Callable[[], AbstractContextManager[object]] | None = None
        # The run that showed that the recorder sees everything, until it is used.
        self._proof: list[InstrumentedRun] = []
        self._outcome = ""
        # A device works on after a call has returned; the result is there, and the cycle over, when it has finished.
        self._wait = waiting_for(plan.device)
        if plan.device != "cpu":
            self._notes.append(
                m(
                    "On this device an operation's time is the time to launch it; the wait for the device is attributed to the end."
                )
            )
        if plan.device != "cpu" and steps.writer is not None:
            self._notes.append(
                m(
                    "Tokens are timed by a streamer, to which generate copies each of them from the device. It waits for the device in every step in any case, to see whether it may stop."
                )
            )
            if plan.cache == Cache.STATIC:
                self._notes.append(
                    m(
                        "On this device generate would compile the model for a static cache; this was disabled so that operations can be told apart."
                    )
                )
        self._threads_before = torch.get_num_threads()
        if plan.threads:
            torch.set_num_threads(plan.threads)
        self.plan = replace(plan, threads=torch.get_num_threads())

    @property
    def notes(self) -> tuple[Text, ...]:
        return tuple(self._notes)

    def resume(self) -> None:
        torch.set_num_threads(self.plan.threads)

    # Structure -------------------------------------------------------------------------------------------------------

    def trace(self) -> Graph:
        """On the meta device where the model can be built there and decides by nothing that depends on its weights;
        otherwise on the model itself. An instrumented run then proves that the structure is the real one.
        """
        with engine_errors(m("trace the model")):
            with uncompiled() as met:
                traced = self._trace_on_meta(self._steps.inputs()) if self._trace_on_meta else None
            self._recorder = None
            if traced is not None and (traced.graph.experts or met):
                traced = None  # which expert a token goes to, only the weights know
            if traced is not None:
                try:
                    self._recorder = self._choose_recorder(traced)
                except Misaligned as difference:
                    self._notes.append(
                        m(
                            "The meta device takes another path ({why}); traced on this device instead.",
                            why=str(difference),
                        )
                    )
                    traced = None
            if traced is None:
                traced = self._trace_here()
        self._traced = traced
        self._proof = []  # cold, and from before the warm-up
        return traced.graph

    def outline(self) -> Graph | None:
        with engine_errors(m("trace the model")), uncompiled() as met:
            traced = self._trace_on_meta(self._steps.inputs()) if self._trace_on_meta else None
        if traced is None or traced.graph.experts or met:
            return None
        self._recorder, self._traced = None, traced
        return traced.graph

    def _trace_here(self) -> Traced:
        """On the model itself: operation by operation, or as one where nothing can be laid around them."""
        self._settle()
        why = scripted_part(self._steps.model)
        if not why:
            with uncompiled() as met:
                traced = self._trace_operations()
            if not met:
                return traced
            why = compiled_part(self._steps.model) or m("The model calls code that torch.compile made.")
        one = m(
            "It is one operation here: its parts are unknown, and its FLOPs are those of the model as it is written."
        )
        self._notes.append(sentences(why, one))
        with self._repeats.tracing():
            traced = trace_whole(self._steps, self.plan.device, self._begin, generates=self._generates)
            self._repeats.end()
        self._recorder = Recorder(WHOLE, traced.keys, self._steps.model)
        return traced

    def _trace_operations(self) -> Traced:
        steps = self._steps
        tracer = Tracer(steps.model, None, self.plan.device)
        with self._repeats.tracing():
            inputs = steps.inputs()
            self._begin()
            describe_inputs(tracer, steps, inputs, steps.fixed)
            result = tracer.run(lambda: steps.run(inputs))
            if steps.read_out is not None:
                tracer.read_out(type(steps.read_out).__name__, result)
            self._repeats.end()
        return tracer.finish(self.plan.device, generates=self._generates, stepwise=steps.writer is not None)

    # Runs ------------------------------------------------------------------------------------------------------------

    def uninstrumented(self, cycles: int) -> Sequence[UninstrumentedRun]:
        steps = self._steps
        run, inputs, read_out, writer = steps.run, steps.inputs, steps.read_out, steps.writer
        wait = self._wait
        runs = []
        first = self._mode is None
        with engine_errors(m("run the model")), compiled_calls() as met, self._computing():
            for _ in range(cycles):
                self._begin()
                cpu = process_time_ns()
                begin = perf_counter_ns()
                result = run(inputs())
                words = read_out(result) if read_out is not None and result is not None else None
                wait()
                end = perf_counter_ns()
                cpu = process_time_ns() - cpu
                called = writer.called_ns - begin if writer is not None else 0
                emitted = tuple(at - begin for at in writer.emitted_ns) if writer is not None else ()
                runs.append(UninstrumentedRun(begin, end - begin, cpu, called, emitted))
                self._repeats.end()
            self._keep_prompt()
            if result is not None:  # None: it was ended early
                self._outcome = words if words is not None and steps.keep_words else describe_result(result)
        if first and met and self._mode == self._repeats.computing:
            self._mode = torch.no_grad  # which is what it was compiled for just now
        return runs

    def _keep_prompt(self) -> None:
        """Of an encoder that reads no tokens, only a run tells with how many of them the decoder begins."""
        writer = self._steps.writer
        if writer is not None and self.workload.unit is not InputUnit.TOKENS:
            self.workload = replace(self.workload, prompt_tokens=writer.prompt_tokens)

    def rehearse(self, limit_ns: Nanoseconds) -> UninstrumentedRun:
        writer = self._steps.writer
        with writer.ending_after(limit_ns) if writer is not None else nullcontext():
            return self.uninstrumented(1)[0]

    def breaking_off(self, limit_ns: Nanoseconds) -> AbstractContextManager[None]:
        model = self._steps.model
        # Compiled code is guarded by the hooks that there are, and would be compiled anew.
        return nullcontext() if compiled_part(model) or scripted_part(model) else breaking_off(model, limit_ns)

    def shortened(self, tokens: int) -> TorchSession | None:
        writer = self._steps.writer.writing(tokens) if self._steps.writer is not None else None
        if writer is None:
            return None
        shorter = TorchSession(
            replace(self._steps, writer=writer),
            replace(self.workload, tokens_out=tokens),
            self.plan,
            self.machine,
            self.times,
            trace_on_meta=self._trace_on_meta,
            generates=self._generates,
            notes=self._given_notes,
            edits=self.edits,
            repeats=self._repeats,
        )
        shorter._mode = self._mode
        return shorter

    def instrumented(self, graph: Graph, cycles: int) -> Sequence[InstrumentedRun]:
        """Instrumented runs. The first decides whether wrappers see every traced call; if not, the function mode takes over."""
        traced = self._known(graph)
        with engine_errors(m("run the model")):
            recorder = self._recorder = self._recorder or self._choose_recorder(traced)
            # A long cycle is not run once more for what its check has shown; a short one is, and warm.
            proof = self._proof if cycles == 1 else []
            self._proof = []
            return proof or self._stamped(recorder, Alignment(traced.graph, traced.keys), cycles)

    def _settle(self) -> None:
        """Where the first run has changed something, run once more, to see what is to be put back before every run."""
        if self._repeats.unsure:
            self.uninstrumented(1)

    def _computing(self) -> AbstractContextManager[object]:
        """Without gradients; a compiled model in the mode that its code was made for, so that it is not compiled anew."""
        if self._mode is None:
            self._mode = self._repeats.computing
            if holds_sparse(self._steps.model):
                self._mode = torch.no_grad  # views of sparse rows ask for versions, which inference mode keeps none of
            elif compiled_part(self._steps.model):
                modes = (torch.inference_mode, torch.no_grad, nullcontext)
                self._mode = mode_of_code(lambda: self._steps.run(self._steps.inputs()), modes)
                if self._mode is nullcontext and torch.is_grad_enabled():
                    self._notes.append(m("The model was compiled with gradients enabled, and was measured so."))
        return self._mode()

    def _begin(self) -> None:
        """Let a cycle begin as the first did. Sampled tokens are the same in every one, so that each does the same work."""
        self._repeats.begin()
        if self._steps.writer is not None and self.plan.decoding == Decoding.SAMPLE:
            torch.manual_seed(self.plan.seed)

    def _known(self, graph: Graph) -> Traced:
        if self._traced is None or self._traced.graph is not graph:
            raise ValueError("this graph was not traced by this session")
        return self._traced

    def _choose_recorder(self, traced: Traced) -> Recorder:
        self._settle()
        alignment = Alignment(traced.graph, traced.keys)
        recorder = Recorder(WRAPPERS, traced.keys, self._steps.model)
        try:
            self._proof = self._stamped(recorder, alignment, 1)
        except Misaligned:
            recorder = Recorder(FUNCTION_MODE, traced.keys, self._steps.model)
            self._proof = self._stamped(recorder, alignment, 1)  # raises where the trace itself is not what runs
        return recorder

    def _stamped(self, recorder: Recorder, alignment: Alignment, cycles: int) -> list[InstrumentedRun]:
        return [
            InstrumentedRun(run.begin_ns, alignment.boundaries(run.rows, run.begin_ns, run.end_ns), run.cpu_ns)
            for run in self._record(recorder, cycles)
        ]

    def _record(self, recorder: Recorder, cycles: int, clocks: tuple[int, ...] = ()) -> list[_Recorded]:
        """instrumented runs; with `clocks` each stamp reads these too, and so do the two ends of a run."""
        steps = self._steps
        records = new_records(clocks)
        run, wait = instrumented(steps.run, 0, records) if recorder.how == WHOLE else steps.run, self._wait
        text = recorder.keys.first_text
        encode = instrumented(steps.encode, text, records) if steps.encode is not None else None
        read_out = instrumented(steps.read_out, text, records) if steps.read_out is not None else None
        taken: list[_Recorded] = []
        with self._computing(), recorder.stamping(records):
            for _ in range(cycles):
                self._begin()
                records.clear()  # of what putting back has called, which the model may call, too
                cpu = process_time_ns()
                begin = perf_counter_ns()
                busy = now_ns(clocks)
                result = run(encode() if encode is not None else steps.given)
                if read_out is not None:
                    read_out(result)
                wait()
                end = perf_counter_ns()
                busy_end = now_ns(clocks)
                cpu = process_time_ns() - cpu
                taken.append(_Recorded(rows_of(records), begin, end, cpu, busy, busy_end))
        self._repeats.end()  # where no wrapper is left in the model's attributes
        return taken

    # The cost of stamping --------------------------------------------------------------------------------------------

    def calibrate(self, graph: Graph, budget_ns: Nanoseconds) -> Instrumentation:
        traced = self._known(graph)
        with engine_errors(m("measure the overhead of the instrumentation")):
            recorder = self._recorder = self._recorder or self._choose_recorder(traced)
            if recorder.how == WHOLE:  # four readings of the clock in a cycle
                return Instrumentation(WHOLE, 0.0, 0.0, "this model", 0)
            self._begin()
            cost = calibrate_on_proxy(self._steps, recorder, traced, budget_ns)
            alignment = Alignment(graph, traced.keys)
            first = self._proof[0] if self._proof else None
            native = native_slots(graph, lambda: self._stamped(recorder, alignment, 1)[0], budget_ns, first)
            return replace(cost, native=native)

    # Processor time --------------------------------------------------------------------------------------------------

    def processor(self, graph: Graph, cycles: int) -> ProcessorSamples | None:
        traced = self._known(graph)
        if self.plan.device != "cpu":
            return None  # of a device's work the processor does nothing but launch it
        with engine_errors(m("read the processor time of the model")):
            clocks = clocks_of(lambda: self.uninstrumented(1))
            if not clocks:
                return None
            recorder = self._recorder or self._choose_recorder(traced)
            alignment = Alignment(traced.graph, traced.keys)
            runs = self._record(recorder, cycles, clocks)
            try:
                busy = np.stack([alignment.processor_boundaries(r.rows, r.busy_ns, r.busy_end_ns) for r in runs])
                wall = np.stack([alignment.boundaries(r.rows, r.begin_ns, r.end_ns) for r in runs])
            except Misaligned as difference:
                raise EngineError(
                    m("A run that read the processor time took another path."),
                    f"{difference}.",
                ) from None
        if bool(np.any(np.diff(busy, axis=1) < 0)):
            raise EngineError(m("The processor time ran backwards."), m("A thread ended while its clock was read."))
        return ProcessorSamples(busy, wall, stamp_ns(clocks))

    # A device's time -------------------------------------------------------------------------------------------------

    def device(self, graph: Graph, cycles: int) -> DeviceSamples | None:
        traced = self._known(graph)
        if self.plan.device == "cpu" or traced.graph.opaque:
            return None
        with engine_errors(m("mark the work of the device")):
            recorder = self._recorder or self._choose_recorder(traced)
            alignment = Alignment(traced.graph, traced.keys)
            marking = Marking(self._steps, recorder, alignment, EventClock(self.plan.device), self._begin)
            try:
                return marking.samples(cycles)
            except Misaligned as difference:
                raise EngineError(
                    m("A run with markers on the device took another path."),
                    f"{difference}.",
                ) from None

    # Memory ----------------------------------------------------------------------------------------------------------

    def memory(self, graph: Graph, *, again: bool) -> MemorySamples | None:
        traced = self._known(graph)
        if graph.opaque:
            return None
        with engine_errors(m("track the memory of the model")):
            if traced.lifetimes is None and again:
                here = self._trace_here()
                # The looks are numbered by the operations of this run; they must be those of the graph.
                traced = here if here.graph.names == graph.names else traced
            if traced.lifetimes is None:
                return None
            samples = traced.lifetimes.samples()
            # The resident set is the host's memory; what is held on a device is no part of it.
            on_host = again and self.plan.device == "cpu"
            return with_resident_set(samples, lambda: self.uninstrumented(1)) if on_host else samples

    # The end ---------------------------------------------------------------------------------------------------------

    def results(self) -> Results:
        steps = self._steps
        with engine_errors(m("run the model")), self._computing():
            self._begin()
            inputs = steps.inputs()
            given = steps.run(inputs)
        classes = classes_of(getattr(steps.model, "config", None)) if self.workload.task == "classify" else ()
        return results_of(given, inputs, steps.writer.new_tokens if steps.writer else 0, classes)

    def outcome(self) -> str:
        return self._outcome

    def close(self) -> None:
        torch.set_num_threads(self._threads_before)
        self._repeats.restore()


@dataclass(frozen=True, eq=False, slots=True)
class _Recorded:
    """One instrumented run: its `rows` of stamps, its ends on the wall clock, its processor time, and the sums of the clocks
    that were read with the stamps (0 where there were none).
    """

    rows: IntArray
    begin_ns: int
    end_ns: int
    cpu_ns: int
    busy_ns: int
    busy_end_ns: int
