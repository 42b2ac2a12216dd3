"""What learning needs of a cluster: its machines, one exclusive slot on each, and answers as they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cyclescope.calibrating.learning.cluster.messages import Answer, Described, Failed, Question
from cyclescope.core.message import Text


@dataclass(frozen=True, slots=True)
class Lost:
    """The machine, or its slot, is gone. `why` may be empty."""

    why: Text = ""


@dataclass(frozen=True, slots=True)
class Event:
    """What became of the question that `machine` was asked last."""

    machine: str
    outcome: Answer | Lost


class Pool(Protocol):
    """The machines of a cluster. Each has at most one open question."""

    def describe(self, engine: str) -> Mapping[str, Described | Failed]:
        """What every machine with a free hand says of itself, by its name; `Failed` where it cannot answer."""
        ...

    @property
    def here(self) -> str | None:
        """The machine on which this runs; None where it is none of those that may measure."""
        ...

    def ask(self, machine: str, question: Question) -> None:
        """Begin `question` in the slot of `machine`, which it takes first where it does not have it, however long that takes."""
        ...

    def next(self, timeout_s: float) -> Event | None:
        """What became of an open question; None if nothing within `timeout_s`."""
        ...

    def holds(self, machine: str) -> bool:
        """Whether the slot of `machine` was given: it has answered since it was first asked."""
        ...

    def alive(self, machine: str) -> bool:
        """Whether the cluster still counts `machine` in."""
        ...

    def release(self, machine: str) -> None:
        """Give the slot of `machine` back; an open question is dropped."""
        ...


def names_of(names: Sequence[str]) -> list[str]:
    """`names` with a number behind those that came before, so that each is one of a kind."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return found
