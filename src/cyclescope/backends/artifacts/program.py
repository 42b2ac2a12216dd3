"""What an engine gives that runs a model from a file: calls, and what its own counters tell about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.units import AnyArray, IntArray, Nanoseconds

Arrays = Mapping[str, AnyArray]
Scope = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor as the engine names it; `constant` for a weight, `kept` for what one call leaves to the next, in one place."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    constant: bool = False
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """One operation that the engine runs: what it reads and writes, what it costs, and the modules that it comes from.

    `scope` is empty where nothing tells; `structure` then looks at its neighbours. `priced` is False where nobody has
    described its arithmetic: its FLOPs are unknown then.
    """

    name: str
    operator: str
    kind: OpKind
    cost: Cost
    reads: tuple[Value, ...]
    writes: tuple[Value, ...]
    scope: Scope = ()
    priced: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """When a call of the engine began and ended, on the clock of `time.perf_counter_ns`."""

    begin_ns: Nanoseconds
    end_ns: Nanoseconds


class Watch(Protocol):
    """The model once more, with the engine's counters switched on."""

    def __call__(self, arrays: Arrays) -> Arrays: ...

    def finish(self, calls: Sequence[Call]) -> Sequence[tuple[tuple[str, ...], IntArray]]:
        """Of every call so far, given when it was: the names of its nodes in order, and their begin and end [n, 2] on the
        same clock. The watch is over then.
        """
        ...

    def close(self) -> None:
        """Give back what it holds, without asking for what it has seen."""
        ...


class Program(Protocol):
    """A model that an engine has made ready."""

    @property
    def engine(self) -> str: ...

    @property
    def how(self) -> str:
        """The counters that a watch reads, for the report."""
        ...

    @property
    def costs_inside(self) -> bool:
        """Whether a part of what the counters cost falls within what they say that an operation took."""
        ...

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it was loaded from, whole as they stand beside each other."""
        ...

    def __call__(self, arrays: Arrays) -> Arrays: ...

    def watch(self) -> Watch: ...

    def nodes(self, arrays: Arrays) -> tuple[Node, ...]:
        """The operations that a call with `arrays` runs, in order."""
        ...

    def close(self) -> None: ...
