"""The requests to a trial process and its answers: typed values, sent as lines of JSON. Nothing is pickled."""

from __future__ import annotations

from dataclasses import dataclass
from io import BufferedRWPair

from cyclescope.backends.base import Request, UninstrumentedRun
from cyclescope.core.edits import Edit
from cyclescope.core.lines import from_line, to_line
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text
from cyclescope.core.plan import Plan
from cyclescope.core.units import Nanoseconds
from cyclescope.core.workload import Workload

# What a plan says about attention where no kind of it was requested: the model's own, or what an engine makes of it.
_NOT_ASKED = ("", "own", "engine")


@dataclass(frozen=True, slots=True)
class Job:
    """What is run, whatever the plan: as `backends.base.Request`, but plain data. `model` is a name or a folder.

    `edits` are made as they are, instead of deciding again what the changes of a plan come to; `files` is the folder of
    the files that go with edits.
    """

    model: str
    texts: tuple[str, ...] = ()
    tokens: int | None = None
    batch: int | None = None
    task: str = "auto"
    weights: str = "auto"
    seed: int = 0
    new_tokens: int | None = None
    questions: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    export_to: str | None = None
    shared: str | None = None
    files: str | None = None

    def request(self, plan: Plan) -> Request:
        """The request of this job under `plan`."""
        return Request(
            model=self.model,
            texts=self.texts,
            tokens=self.tokens,
            batch=self.batch,
            task=self.task,
            weights=self.weights,
            device=plan.device,
            threads=plan.threads or None,
            dtype=plan.dtype,
            attention=plan.attention if plan.attention not in _NOT_ASKED else None,
            seed=self.seed,
            new_tokens=self.new_tokens,
            sampling=plan.decoding,
            cache=plan.cache,
            questions=self.questions,
            contexts=self.contexts,
            plan=plan,
            edits=self.edits,
            export_to=self.export_to,
            shared=self.shared,
            files=self.files,
        )


@dataclass(frozen=True, slots=True)
class Fork:
    """To the process that holds the model: make another one like yourself."""


@dataclass(frozen=True, slots=True)
class Forked:
    pid: int


@dataclass(frozen=True, slots=True)
class AskExitStatus:
    """To the same: how did `pid` end?"""

    pid: int


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """`signal` that ended it (0: none), or its exit `code`; `running` while it has not ended."""

    running: bool
    code: int = 0
    signal: int = 0


@dataclass(frozen=True, slots=True)
class Open:
    """Make `job` ready under `plan`, on `cores` only (none named: all) and with no more than `memory_bytes` on top of
    what is there (0: no limit). The last of making ready is a first cycle, unless what is asked for next is one (`cold`).
    """

    job: Job
    plan: Plan
    cores: tuple[int, ...] = ()
    memory_bytes: int = 0
    cold: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """`ready_ns` is what making it ready took: once, before anything is timed. `made` where files were made for that, which
    lie in the shared folder now; `again_ns` is what it takes with them there. `first` is the cycle that it ended in, if it did.
    """

    workload: Workload
    plan: Plan
    machine: Machine
    notes: tuple[Text, ...]
    edits: tuple[Edit, ...]
    ready_ns: Nanoseconds
    again_ns: Nanoseconds
    made: bool = False
    first: UninstrumentedRun | None = None


@dataclass(frozen=True, slots=True)
class Run:
    cycles: int


@dataclass(frozen=True, slots=True)
class RunTimes:
    runs: tuple[UninstrumentedRun, ...]


@dataclass(frozen=True, slots=True)
class Compute:
    """Write what comes out to the folder `into`."""

    into: str


@dataclass(frozen=True, slots=True)
class Examine:
    """Measure a whole cycle within `budget_ns` and save it as the run file `path`."""

    path: str
    budget_ns: Nanoseconds


@dataclass(frozen=True, slots=True)
class AskHeldMemory:
    """The most memory that the process has held, in bytes."""


@dataclass(frozen=True, slots=True)
class HeldMemory:
    bytes: int


@dataclass(frozen=True, slots=True)
class Done:
    """It is done, and there is nothing to tell."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An error of the tree in `core.errors` by its name, with what it says."""

    kind: str
    fact: Text
    cause: Text
    way_out: Text


Message = (
    Fork
    | Forked
    | AskExitStatus
    | ExitStatus
    | Open
    | Opened
    | Run
    | RunTimes
    | Compute
    | Examine
    | AskHeldMemory
    | HeldMemory
    | Done
    | Failed
    | Job
)
_KINDS: dict[str, type] = {kind.__name__: kind for kind in Message.__args__}


def send(stream: BufferedRWPair, message: Message) -> None:
    """Write one message and flush."""
    stream.write(to_line(message).encode() + b"\n")
    stream.flush()


def receive(stream: BufferedRWPair) -> Message | None:
    """The next message; None where the other side has gone. Raises `CodecError` for what is no message."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    message: Message = from_line(line, _KINDS)
    return message
