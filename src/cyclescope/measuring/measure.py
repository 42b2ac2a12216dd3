"""`measure`: from a model and an input to a cycle. Three passes: uninstrumented for the truth, instrumented for the shares, traced for the structure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Unpack

from cyclescope.backends.base import Request, Session
from cyclescope.backends.registry import keeping, open_session, watching
from cyclescope.backends.request_checks import check
from cyclescope.core.clock import Clock, SystemClock
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import EngineError, UsageError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Text, m
from cyclescope.core.progress import Notify, silent, with_time_left
from cyclescope.core.samples import (
    DeviceSamples,
    Instrumentation,
    Load,
    MemorySamples,
    ProcessorSamples,
    Samples,
    SetUp,
)
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.machines.load import LoadMeter
from cyclescope.measuring.assembly import assemble, look_at_memory
from cyclescope.measuring.division import PROXY_CALLS, SMALL_BUDGET_NS, Division, divide
from cyclescope.measuring.interleaving import collect
from cyclescope.measuring.options import MeasureOptions, request_of, shows_options
from cyclescope.measuring.sampling import Collected, warm_up

DEFAULT_BUDGET_S = 10.0
DEFAULT_WRITING_BUDGET_S = 30.0  # a generation is a cycle of a second or more, and a few repeats are the least
_MOST_BUDGET_S = 7 * 24 * 3600  # a week; more is a slip of the keyboard
_CALIBRATION_SHARE = 0.1
_MOST_CALIBRATION_NS = 2 * NS_PER_S
_NEVER_NS = 2**62  # no time is left for that
_LEAST_CALIBRATION_NS = NS_PER_S // 10
_PROXY_SHARE = 0.3  # of the time that is left; where the proxy takes more, a loop stands in for it
_GRACE_SHARE = 0.15  # beyond the budget, where too few uninstrumented cycles were made for an interval
# What may be looked at behind everything that is timed: that share of the budget; of a small one, short cycles.
_LOOKS_SHARE, _SMALL_LOOKS_NS = 0.15, 8 * NS_PER_S
# Runs that read the processor time: as many as this share of the budget takes, within limits.
_PROCESSOR_SHARE = 0.05
_LEAST_PROCESSOR_RUNS, _MOST_PROCESSOR_RUNS = 3, 100


@shows_options
def measure(
    model: str | object,
    text: str | Sequence[str] | None = None,
    *,
    budget: float | None = None,
    progress: Notify = silent,
    **options: Unpack[MeasureOptions],
) -> Cycle:
    """Measure the compute cycle of `model`, text in to text out.

    `model` is a folder, a `config.json`, a built-in architecture, a hub name, or a model object that you have, then
    with its `tokenizer`. The input is `text` (one or several: a batch), or `tokens` synthetic tokens, or `inputs`,
    tensors by name; with none of them a built-in sentence. The task `answer` takes pairs of `question` and `context`
    instead of `text`. With `new_tokens` (32 for generative tasks) the cycle is a generation of that many tokens. `batch`
    repeats the input. `budget` is the measuring time in seconds, loading excluded (10, or 30 for a generation).
    `engine` runs the model: the reference engine (PyTorch) unmodified, any other an export of it.
    All options: `MeasureOptions`.
    After Ctrl-C the cycle is made of what was measured and is marked partial, if one run was completed.

    Raises `UsageError`, `ModelError`, `MissingExtra`, `Unsupported`, `EngineError`.
    """
    request = request_of(model, text, **options)
    if text == "":
        check(request)  # at once, and not after the model was loaded
    return measure_request(request, budget, progress)


def measure_request(request: Request, budget: float | None = None, progress: Notify = silent) -> Cycle:
    """Measure what `request` asks for, within `budget` seconds after loading (10, or 30 where text is written)."""
    _check_budget(budget)
    with keeping(request):
        return _opened_and_measured(request, budget, progress)


def _check_budget(budget: float | None) -> None:
    if budget is not None and not 0 < budget <= _MOST_BUDGET_S:
        raise UsageError(
            m(
                "The budget must be above 0 s and at most {most} s (got {given} s).",
                most=_MOST_BUDGET_S,
                given=format(budget, "g"),
            ),
            "",
            m("Give seconds, such as 10."),
        )


def _opened_and_measured(request: Request, budget: float | None, progress: Notify) -> Cycle:
    progress("load", 0.0)
    session = open_session(request)
    if budget is None:
        budget = DEFAULT_WRITING_BUDGET_S if session.workload.tokens_out else DEFAULT_BUDGET_S
    try:
        return measure_session(session, int(budget * NS_PER_S), progress=progress)
    finally:
        session.close()


def measure_session(
    session: Session,
    budget_ns: Nanoseconds,
    clock: Clock | None = None,
    progress: Notify = silent,
) -> Cycle:
    """The three passes on an open session. The clock only decides when to stop; the session has its own stamps.

    All of it ends within `budget_ns` and a fifth.
    What was given up for that is in the notes of the cycle. Raises `UsageError` where the budget is too small for one step.
    """
    clock = clock or SystemClock()
    return _Measurement(session, budget_ns, clock, progress).cycle()


class _Measurement:
    """One measurement, from the first cycle to the last."""

    def __init__(self, session: Session, budget_ns: Nanoseconds, clock: Clock, progress: Notify) -> None:
        self._clock, self._budget_ns = clock, budget_ns
        self._begin_ns = clock.now_ns()
        self._tell = with_time_left(progress, clock.now_ns, self._stop_ns)
        self._division = divide(session, clock, self._begin_ns, budget_ns, self._tell)
        first = self._division.first
        self._set_up = SetUp(
            import_ns=session.times.import_ns,
            load_ns=session.times.load_ns,
            trace_ns=self._division.trace_ns,
            first_cycle_ns=first.wall_ns if self._division.is_whole else None,
        )
        self._notes: list[Text] = [*self._division.spared]
        self._collected = Collected()
        self._instrumentation: Instrumentation | None = None
        self._load = Load()
        self._memory: MemorySamples | None = None
        self._processor: ProcessorSamples | None = None
        self._device: DeviceSamples | None = None

    @property
    def _stop_ns(self) -> Nanoseconds:
        return self._begin_ns + self._budget_ns

    def cycle(self) -> Cycle:
        partial = False
        try:
            self._run()
        except KeyboardInterrupt:
            partial = True
            if not self._collected.uninstrumented and self._division.is_whole:
                # Nothing steady was seen yet; the very first cycle is still a fact, and better than none.
                self._collected.uninstrumented.append(self._division.first)
        self._tell("done", 1.0)
        collected, division = self._collected, self._division
        samples = Samples(
            uninstrumented=collected.uninstrumented_samples(),
            instrumented=collected.instrumented_samples(),
            instrumentation=self._instrumentation,
            set_up=self._set_up,
            load=self._load,
            budget_ns=self._budget_ns,
            tokens=collected.token_samples(),
            memory=self._memory,
            processor=self._processor,
            device=self._device,
            instrumented_tokens=division.tokens,
        )
        return assemble(division.session, division.graph, samples, partial=partial, notes=tuple(self._notes))

    def _run(self) -> None:
        division, clock, budget_ns = self._division, self._clock, self._budget_ns
        limit = max(0, min(budget_ns, self._stop_ns - clock.now_ns() - 2 * division.run_ns))
        warm = warm_up(division.session, clock, limit, self._tell, division.run_ns)
        self._set_up = replace(self._set_up, warmup_ns=warm.elapsed_ns, warmup_cycles=warm.cycles, steady=warm.steady)
        if division.instruments:
            self._tell("overhead", 0.0)
            left = max(0, self._stop_ns - clock.now_ns())
            # A proxy is made, traced and run some dozen times: several times what tracing one call of the model costs.
            proxy_ns = PROXY_CALLS * division.call_overhead_ns
            most = (
                0
                if proxy_ns > _PROXY_SHARE * left
                else min(
                    _MOST_CALIBRATION_NS, int(budget_ns * _CALIBRATION_SHARE), max(left // 8, _LEAST_CALIBRATION_NS)
                )
            )
            self._instrumentation = division.parts.calibrate(division.graph, most)
        meter = LoadMeter()
        self._collect(warm.typical_ns)
        self._load = meter.read()
        # After everything that is timed: it runs separate cycles.
        self._look_inside(warm.typical_ns)

    def _collect(self, typical_ns: Nanoseconds) -> None:
        division, collected = self._division, self._collected
        self._looks = _Looks.within(self._budget_ns, division, typical_ns)
        stop_ns = self._stop_ns - self._looks.reserved_ns
        both_ns = typical_ns + (division.stamped_ns or typical_ns)
        is_tight = bool(division.stamped_ns) and both_ns > stop_ns - self._clock.now_ns()
        if is_tight and division.is_whole:
            # One more cycle at most: the instrumented one, which tells the parts. The first one is slower than those to come.
            collected.uninstrumented.append(division.warm or division.first)
            self._notes.append(
                m("The budget fits no second uninstrumented cycle: the first one stands for them, and it was not warm.")
                if division.warm is None
                else m("The budget fits no more uninstrumented cycles: the second one of all stands for them.")
            )
        collect(
            division.session,
            division.graph,
            self._clock,
            stop_ns,
            typical_ns,
            collected,
            self._tell,
            grace_ns=int(self._budget_ns * _GRACE_SHARE),
            parts=division.parts,
            stamped_ns=division.stamped_ns if division.instruments else _NEVER_NS,
            begin_instrumented=is_tight or division.tokens > 0,
        )

    def _look_inside(self, typical_ns: Nanoseconds) -> None:
        division, looks, notes = self._division, self._looks, self._notes
        self._tell("memory", 0.0)
        self._memory = look_at_memory(division.parts, division.graph, looks.memory, notes)
        if looks.processor_runs:
            self._processor = _read_processor(division.parts, division.graph, looks.processor_runs, notes)
            self._device = _read_device(division.parts, division.graph, looks.processor_runs, notes)
        if not looks.memory:
            notes.append(
                m(
                    "To keep the budget, no cycle was run to see what memory it holds or how busy the cores are in each operation."
                )
            )
        elif not looks.processor_runs:
            notes.append(m("To keep the budget, no cycle was run to see how busy the cores are in each operation."))


@dataclass(frozen=True, slots=True)
class _Looks:
    """What is looked at behind everything that is timed, and the time that is kept for it."""

    memory: bool
    processor_runs: int
    reserved_ns: Nanoseconds

    @staticmethod
    def within(budget_ns: Nanoseconds, division: Division, typical_ns: Nanoseconds) -> _Looks:
        run_ns = max(1, division.stamped_ns or typical_ns)
        runs = int(budget_ns * _PROCESSOR_SHARE) // run_ns
        runs = min(max(runs, _LEAST_PROCESSOR_RUNS), _MOST_PROCESSOR_RUNS)
        # Where a cycle writes, its trace has shown what is held; what the process holds takes a run.
        memory_ns = run_ns if division.session.workload.tokens_out else 2 * run_ns + division.trace_ns
        processor_ns = (1 + runs) * run_ns
        most = int(budget_ns * _LOOKS_SHARE) if budget_ns >= SMALL_BUDGET_NS else _SMALL_LOOKS_NS
        if memory_ns > most:
            return _Looks(False, 0, 0)
        if memory_ns + processor_ns > most:
            return _Looks(True, 0, memory_ns)
        reserved = memory_ns + processor_ns
        return _Looks(True, runs, reserved if reserved < budget_ns // 2 else 0)


def _read_processor(session: Session, graph: Graph, runs: int, notes: list[Text]) -> ProcessorSamples | None:
    """How busy the cores are in each slot. If reading fails, what was timed stands all the same, and a note says so."""
    try:
        return session.processor(graph, runs)
    except EngineError as error:
        notes.append(m("The processor time by operation is unknown. {why}", why=error.summary))
        return None


def _read_device(session: Session, graph: Graph, runs: int, notes: list[Text]) -> DeviceSamples | None:
    """When a device worked on what. If it cannot be seen, what was timed stands all the same, and a note says so."""
    try:
        return session.device(graph, runs)
    except EngineError as error:
        notes.append(m("The work of the device by operation is unknown. {why}", why=error.summary))
        return None


@dataclass
class Watched:
    """What `watch` saw. `calls_ns` are the wall times of the calls in your own code; `cycle` is there afterwards."""

    calls_ns: list[Nanoseconds]
    _cycle: Cycle | None = None

    @property
    def cycle(self) -> Cycle:
        """The measured cycle of the watched call. Raises `UsageError` before the block has ended."""
        if self._cycle is None:
            raise UsageError(
                m("There is no cycle yet."), m("The `with` block has not ended."), m("Read `cycle` after the block.")
            )
        return self._cycle


@contextmanager
def watch(model: object, *, budget: float = DEFAULT_BUDGET_S, progress: Notify = silent) -> Iterator[Watched]:
    """Watch your own code call `model`: every call in the block is timed, nothing in it is changed or repeated.

    When the block ends, the last input that the model was given is measured as `measure` does, and `cycle` holds the
    result; `calls_ns` has the times of your own calls. Raises `UsageError` if the block never calls the model.
    """
    check(Request(model=model))
    seen = Watched([])
    with watching(model) as calls:
        yield seen
    seen.calls_ns = calls.wall_ns
    if calls.inputs is None:
        raise UsageError(
            m("The watched block must call the model."),
            m("It did not, so there is nothing to measure."),
            m("Call the model itself inside the block, not a copy or a compiled form of it."),
        )
    _check_budget(budget)
    request = Request(model=calls.model, inputs=calls.inputs)
    with keeping(request):
        if calls.rewind is not None:
            calls.rewind()
        cycle = _opened_and_measured(request, budget, progress)
    note = m(
        "Watched: the last of {count} calls in your own code was measured again on its own.", count=len(seen.calls_ns)
    )
    notes = (*cycle.notes, note)
    if calls.model is not None and calls.model is not model:
        called, watched = type(calls.model).__name__, type(model).__name__
        notes = (
            *notes,
            m("The {called} inside the {watched} was called, and measured.", called=called, watched=watched),
        )
    seen._cycle = replace(cycle, notes=notes)
