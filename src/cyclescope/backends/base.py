"""What an engine must do to be measured: open a session, run the cycle uninstrumented and instrumented, give its structure."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from cyclescope.core.dialogue import TurnFacts, TurnRun
from cyclescope.core.edits import Edit
from cyclescope.core.graph.graph import Graph
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text
from cyclescope.core.plan import REFERENCE_ENGINE, Cache, Decoding, Plan
from cyclescope.core.results import Results
from cyclescope.core.samples import DeviceSamples, Instrumentation, MemorySamples, ProcessorSamples
from cyclescope.core.tokenization import TokenCount, TokenizerInfo
from cyclescope.core.units import IntArray, Nanoseconds
from cyclescope.core.workload import ModelFacts, Workload


@dataclass(frozen=True, slots=True)
class UninstrumentedRun:
    """One cycle without instrumentation: when it began, how long it took, how much processor time it used.

    Of a cycle that writes text also when the model was called and when each token came out, from its beginning. Of a
    cycle of several calls `emitted_by_call` [calls] has when each token came out, from the end of the call before.
    """

    started_ns: Nanoseconds
    wall_ns: Nanoseconds
    cpu_ns: Nanoseconds
    called_ns: Nanoseconds = 0
    emitted_ns: tuple[Nanoseconds, ...] = ()
    emitted_by_call: tuple[tuple[Nanoseconds, ...], ...] = ()

    @property
    def calls_emitted_ns(self) -> tuple[tuple[Nanoseconds, ...], ...]:
        """When each token of each call came out; empty where nothing was written, or the times are unknown."""
        return self.emitted_by_call or ((self.emitted_ns,) if self.emitted_ns else ())


@dataclass(frozen=True, eq=False)
class InstrumentedRun:
    """One instrumented cycle: `boundaries_ns` [slots + 1] relative to its beginning."""

    started_ns: Nanoseconds
    boundaries_ns: IntArray
    cpu_ns: Nanoseconds


@dataclass(frozen=True, slots=True)
class OpenTimes:
    """What opening a session cost; None where nothing was done (already imported, model already in hand)."""

    import_ns: Nanoseconds | None
    load_ns: Nanoseconds | None


class Session(Protocol):
    """One workload on one plan, ready to run again and again."""

    @property
    def workload(self) -> Workload: ...

    @property
    def plan(self) -> Plan: ...

    @property
    def machine(self) -> Machine: ...

    @property
    def times(self) -> OpenTimes: ...

    @property
    def notes(self) -> tuple[Text, ...]:
        """Facts about how this session was made that the reader of a cycle must know."""
        ...

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What the plan has changed in the model."""
        ...

    def resume(self) -> None:
        """Put this session's global settings (its threads) in force again, after another session has run."""
        ...

    def trace(self) -> Graph:
        """The structure of the cycle; never timed. Raises `EngineError` or `Unsupported`."""
        ...

    def uninstrumented(self, cycles: int) -> Sequence[UninstrumentedRun]:
        """`cycles` runs without instrumentation, one after the other."""
        ...

    def instrumented(self, graph: Graph, cycles: int) -> Sequence[InstrumentedRun]:
        """`cycles` instrumented runs, aligned to `graph`. Raises `EngineError` if the model no longer does what was traced."""
        ...

    def calibrate(self, graph: Graph, budget_ns: Nanoseconds) -> Instrumentation:
        """The cost of a stamp, measured on a calibration proxy, a tiny model of the same class."""
        ...

    def memory(self, graph: Graph, *, again: bool) -> MemorySamples | None:
        """What a cycle holds, seen outside of everything that is timed; None where it cannot be seen.

        `again` allows running further cycles for it: without, there is only what tracing `graph` has shown.
        """
        ...

    def results(self) -> Results:
        """What comes out, as numbers, from an untimed cycle. Raises `EngineError`."""
        ...

    def processor(self, graph: Graph, cycles: int) -> ProcessorSamples | None:
        """`cycles` instrumented runs that read the processor time too, never timed; None where that tells nothing.

        Raises `EngineError`.
        """
        ...

    def device(self, graph: Graph, cycles: int) -> DeviceSamples | None:
        """About `cycles` instrumented runs with marks in the device's queue, never timed; None where there is no device.

        Raises `EngineError`.
        """
        ...

    def outcome(self) -> str:
        """What came out of the last cycle, in words (a label, a text, the shape of a vector)."""
        ...

    def close(self) -> None:
        """Give back what the session holds and put every global setting back."""
        ...


@runtime_checkable
class SparingSession(Session, Protocol):
    """A session that can also do less than a whole cycle, so that a long one can be kept within a budget."""

    def rehearse(self, limit_ns: Nanoseconds) -> UninstrumentedRun:
        """The first cycle. One that writes text ends with the first token behind the second that comes out after
        `limit_ns`, and has that many tokens.
        """
        ...

    def shortened(self, tokens: int) -> SparingSession | None:
        """A session on the same model and input that writes `tokens` tokens; None where nothing can be left out. It is
        not closed: all that it holds is this session's.
        """
        ...

    def outline(self) -> Graph | None:
        """The structure without running a cycle for it, to be checked by the first instrumented run; None where only a
        cycle shows it.
        """
        ...


@runtime_checkable
class ReshapableSession(Session, Protocol):
    """A session on made-up tokens whose model, once it is ready, takes other shapes too."""

    def reshaped(self, batch: int, tokens: int, new_tokens: int) -> Session:
        """A session on the same model for `batch` × `tokens` tokens, of which it writes `new_tokens`. It is not closed: all
        that it holds is this session's. Running it raises `EngineError` where the model was made for one shape only.
        """
        ...


class BrokenOff(BaseException):
    """Ends a call from within, after `after_ns` and about the `share` of it; no error, so that no model takes it for one."""

    def __init__(self, after_ns: Nanoseconds, share: float) -> None:
        super().__init__(after_ns, share)
        self.after_ns, self.share = after_ns, share

    @property
    def whole_ns(self) -> float:
        """What the call would have taken."""
        return self.after_ns / max(self.share, 0.01)


@runtime_checkable
class BreakableSession(SparingSession, Protocol):
    """One whose calls can be ended before they have a result."""

    def breaking_off(self, limit_ns: Nanoseconds) -> AbstractContextManager[None]:
        """While open, a call of the model that still runs after `limit_ns` ends with `BrokenOff`."""
        ...


@dataclass
class WatchedCalls:
    """Calls of a model in somebody's own code: their wall times, and what the last one was given, by name.

    `model` is what was called: the watched one, or one inside it. `rewind` puts what it was given, such as a cache, into the state of before that call.
    """

    wall_ns: list[Nanoseconds]
    inputs: Mapping[str, object] | None = None
    model: object = None
    rewind: Callable[[], None] | None = None


DEFAULT_TOKENS = 128  # of a made-up input, where no number is given
DEFAULT_NEW_TOKENS = 32  # of a task that writes, where no number is given


@dataclass(frozen=True, eq=False)
class Request:
    """What a user asks to run. Whatever is None is left to the model, the engine or the machine.

    `model` is a reference (folder, `config.json`, built-in, hub name, as a text or a path) or a model object, then with its `tokenizer`.
    The input is `texts` (of the task `answer`: pairs of `questions` and `contexts`), or `tokens` made-up tokens, or
    `inputs` as tensors by name; `batch` repeats or fills up. `task` is `auto`, `embed`, `classify`, `fill`, `answer`,
    `translate` or `generate`. `new_tokens` makes the cycle write that many, `sampling` (`greedy`, `sample`) and `cache`
    (`dynamic`, `static`, `off`) say how. `cache_length` asks a trace for one decode step behind that many tokens.
    `engine` runs the model, unless a `plan` names one. A `plan` decides all that it says: engine, threads, dtype,
    attention, changes … `edits` are made in place of what its changes would come to; `files` is the folder of the files
    that go with edits, be they given or made now. `export_to` is a folder that keeps the files of an engine that runs a
    model from a file; `shared` one in which it leaves what it made for the next process with the same model.
    `tensor`, `pipeline`, `data` and `microbatches` spread it over ranks as those of a plan do (None: as many as pay).
    """

    model: str | object
    tokenizer: object | None = None
    texts: tuple[str, ...] = ()
    tokens: int | None = None
    inputs: Mapping[str, object] | None = None
    batch: int | None = None
    task: str = "auto"
    weights: str = "auto"
    device: str = "cpu"
    threads: int | None = None
    dtype: str | None = None
    attention: str | None = None
    seed: int = 0
    keep_text: bool = False
    trust_remote_code: bool = False
    new_tokens: int | None = None
    sampling: str = "greedy"
    cache: str = "dynamic"
    questions: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    cache_length: int | None = None
    plan: Plan | None = None
    edits: tuple[Edit, ...] = ()
    files: str | None = None
    export_to: str | None = None
    shared: str | None = None
    engine: str = REFERENCE_ENGINE
    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    microbatches: int | None = None

    def __post_init__(self) -> None:
        """Take a path for its name."""
        if isinstance(self.model, os.PathLike):
            object.__setattr__(self, "model", os.fspath(self.model))

    def plan_on(self, engine: str) -> Plan:
        """The plan that is asked for, on `engine`: the one that is named, or what single settings come to."""
        settings = Plan(
            threads=self.threads or 0,
            dtype=self.dtype or "float32",
            seed=self.seed,
            device=self.device,
            decoding=Decoding(self.sampling),
            cache=Cache(self.cache),
        )
        return replace(self.plan or settings, engine=engine)


@dataclass(frozen=True, slots=True)
class ModelOutline:
    """What is known of a model before anything is allocated: its facts, the task that it is asked for, the attention that
    it computes, whether that task writes text token by token, and whether an encoder reads for the decoder that does.
    """

    model: ModelFacts
    task: str
    attention: str
    writes: bool
    has_encoder: bool


class DialogueSession(Protocol):
    """One dialogue that was held once, each turn ready to be asked again and again."""

    @property
    def model(self) -> ModelFacts: ...

    @property
    def plan(self) -> Plan: ...

    @property
    def machine(self) -> Machine: ...

    @property
    def new_tokens(self) -> int: ...

    @property
    def turns(self) -> tuple[TurnFacts, ...]: ...

    @property
    def notes(self) -> tuple[Text, ...]: ...

    def run(self, number: int, *, reuse: bool) -> TurnRun:
        """The reply of one turn, with what the turn before left or with the whole history read again."""
        ...

    def close(self) -> None:
        """Put every global setting back."""
        ...


class TextTokenizer(Protocol):
    """One tokenizer without its model, ready to be asked again and again."""

    @property
    def info(self) -> TokenizerInfo: ...

    def count(self, text: str) -> TokenCount:
        """The tokens of `text`, never cut to what the model takes. Raises `EngineError`."""
        ...

    def encode(self, text: str) -> None:
        """What a cycle does with `text` before the model is called: ids as tensors, a batch of one. Raises `EngineError`."""
        ...


@dataclass(frozen=True, eq=False)
class OpenTokenizers:
    """The tokenizers of a model, its own first, and the most tokens that the model takes (None: no limit)."""

    reference: str
    machine: Machine
    tokenizers: tuple[TextTokenizer, ...]
    longest: int | None
    notes: tuple[Text, ...] = ()
