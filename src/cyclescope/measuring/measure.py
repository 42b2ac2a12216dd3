"""`measure`: from a model and an input to a cycle. Three passes: plain for the truth, stamped for the shares, traced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Unpack

from cyclescope.backends.base import Request, Session
from cyclescope.backends.registry import keeping, open_session, open_trace, watching
from cyclescope.backends.request_checks import check
from cyclescope.core.clock import Clock, SystemClock
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import EngineError, UsageError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Text, m
from cyclescope.core.progress import Notify, silent
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
from cyclescope.measuring.interleaving import collect
from cyclescope.measuring.options import MeasureOptions, request_of, shows_options
from cyclescope.measuring.sampling import Collected, warm_up

DEFAULT_BUDGET_S = 10.0
DEFAULT_WRITING_BUDGET_S = 30.0  # a generation is a cycle of a second or more, and a few repeats are the least
_MOST_BUDGET_S = 7 * 24 * 3600  # a week; more is a slip of the keyboard
_CALIBRATION_SHARE = 0.1
_MOST_CALIBRATION_NS = 2 * NS_PER_S
_MOST_LOOKED_AT_NS = 2 * NS_PER_S  # a longer cycle is not run again to see what it holds, or which cores it uses
_GRACE_SHARE = 0.2  # beyond the budget, where too few uninstrumented cycles were made for an interval
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
    """The three passes on an open session. The clock only decides when to stop; the session has its own stamps."""
    clock = clock or SystemClock()
    begin = clock.now_ns()
    progress("first cycle", 0.0)
    first = session.uninstrumented(1)[0]
    progress("trace", 0.0)
    traced_from = clock.now_ns()
    graph = session.trace()
    set_up = SetUp(
        import_ns=session.times.import_ns,
        load_ns=session.times.load_ns,
        trace_ns=clock.now_ns() - traced_from,
        first_cycle_ns=first.wall_ns,
    )
    collected = Collected()
    instrumentation: Instrumentation | None = None
    load = Load()
    memory: MemorySamples | None = None
    processor: ProcessorSamples | None = None
    device: DeviceSamples | None = None
    notes: list[Text] = []
    partial = False
    try:
        warm = warm_up(session, clock, budget_ns, progress)
        set_up = replace(set_up, warmup_ns=warm.elapsed_ns, warmup_cycles=warm.cycles, steady=warm.steady)
        progress("calibrate", 0.0)
        most = min(_MOST_CALIBRATION_NS, int(budget_ns * _CALIBRATION_SHARE))
        instrumentation = session.calibrate(graph, most)
        meter = LoadMeter()
        grace = int(budget_ns * _GRACE_SHARE)
        collect(session, graph, clock, begin + budget_ns, warm.typical_ns, collected, progress, grace_ns=grace)
        load = meter.read()
        # After everything that is timed: it runs cycles of its own.
        memory = look_at_memory(session, graph, warm.typical_ns <= _MOST_LOOKED_AT_NS, notes)
        if warm.typical_ns <= _MOST_LOOKED_AT_NS:
            runs = int(budget_ns * _PROCESSOR_SHARE) // max(1, warm.typical_ns)
            runs = min(max(runs, _LEAST_PROCESSOR_RUNS), _MOST_PROCESSOR_RUNS)
            processor = _read_processor(session, graph, runs, notes)
            device = _read_device(session, graph, runs, notes)
    except KeyboardInterrupt:
        partial = True
        if not collected.uninstrumented:
            # Nothing steady was seen yet; the very first cycle is still a fact, and better than none.
            collected.uninstrumented.append(first)
    progress("done", 1.0)
    samples = Samples(
        uninstrumented=collected.uninstrumented_samples(),
        instrumented=collected.instrumented_samples(),
        instrumentation=instrumentation,
        set_up=set_up,
        load=load,
        budget_ns=budget_ns,
        tokens=collected.token_samples(),
        memory=memory,
        processor=processor,
        device=device,
    )
    return assemble(session, graph, samples, partial=partial, notes=tuple(notes))


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


def trace(
    model: str,
    *,
    tokens: int | None = None,
    cache_length: int | None = None,
    batch: int | None = None,
    task: str = "auto",
    dtype: str | None = None,
    attention: str | None = None,
    device: str = "cpu",
    seed: int = 0,
    trust_remote_code: bool = False,
) -> Graph:
    """The structure of `model` for an input of `batch` × `tokens` made-up tokens, without weights or their memory.

    With `cache_length` it is one decode step that reads one token more than those in the cache: the model's call as
    `generate` makes it. `tokens` are then those of the encoder, where there is one.

    Raises like `measure`; `EngineError` too where the model decides by values that depend on its weights.
    """
    request = Request(
        model=model,
        tokens=tokens,
        cache_length=cache_length,
        batch=batch,
        task=task,
        dtype=dtype,
        attention=attention,
        device=device,
        seed=seed,
        trust_remote_code=trust_remote_code,
    )
    with keeping(request):
        return open_trace(request)


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
    request = Request(model=model, inputs=calls.inputs)
    with keeping(request):
        if calls.rewind is not None:
            calls.rewind()
        cycle = _opened_and_measured(request, budget, progress)
    note = m(
        "Watched: the last of {count} calls in your own code was measured again on its own.", count=len(seen.calls_ns)
    )
    seen._cycle = replace(cycle, notes=(*cycle.notes, note))
