"""What an engine gives that writes: prompts go in, token ids come out, and it tells when."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from cyclescope.backends.artifacts.program import Arrays, Call, Node
from cyclescope.core.message import Text
from cyclescope.core.units import IntArray, Nanoseconds


class EngineWriter(Protocol):
    """A model that an engine has made ready to write. Its figures are those of the last `write`, on the clock of
    `time.perf_counter_ns`.
    """

    @property
    def engine(self) -> str: ...

    @property
    def how(self) -> str:
        """Where the moments come from, for the report."""
        ...

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it was loaded from, whole as they stand beside each other."""
        ...

    @property
    def calls_ns(self) -> Sequence[tuple[Nanoseconds, Nanoseconds]]:
        """Begin and end of each call of the engine: the prompt's, then those of the steps."""
        ...

    @property
    def emitted_ns(self) -> Sequence[Nanoseconds]:
        """The moment at which each token was out."""
        ...

    def write(self, arrays: Arrays, new_tokens: int) -> IntArray:
        """Exactly `new_tokens` token ids a text [texts, new_tokens] behind `input_ids` [texts, tokens], whose padding
        `attention_mask` (the same shape) tells. Greedy.
        """
        ...

    def close(self) -> None: ...


class WritingWatch(EngineWriter, Protocol):
    """The writer once more, with the engine's counters switched on."""

    def finish(self, calls: Sequence[Call]) -> Sequence[tuple[tuple[str, ...], IntArray]]:
        """As `program.Watch.finish`: of every call of the engine in every `write` so far, given when it was."""
        ...


@runtime_checkable
class ProfiledWriter(EngineWriter, Protocol):
    """A writer whose engine tells what runs inside its calls."""

    @property
    def not_profiled_reason(self) -> Text:
        """Why the calls are not profiled in this plan; empty where they are."""
        ...

    def nodes(self, arrays: Arrays, new_tokens: int) -> tuple[tuple[Node, ...], ...]:
        """The operations of each call that `write` makes with these, in order. A call reads tokens as `input_ids` and writes
        `logits`, by which those of the next call are chosen.
        """
        ...

    def watch(self) -> WritingWatch: ...
