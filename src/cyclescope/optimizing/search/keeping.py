"""What has been made ready stays so, idle, while there is room: to make it ready again would cost more than to try it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cyclescope.core.edits import Edit
from cyclescope.core.plan import Plan
from cyclescope.core.units import Nanoseconds
from cyclescope.optimizing.search.trial import Arm


@dataclass(frozen=True, eq=False)
class Made:
    """An arm with the plan as it is in force, what making it ready took, what was edited in the model, and what making it
    ready again takes: as long, unless files were made that are there then.
    """

    arm: Arm
    plan: Plan
    ready_ns: Nanoseconds
    edits: tuple[Edit, ...] = ()
    again_ns: Nanoseconds | None = None


class Maker(Protocol):
    """Makes plans ready to run. Raises an error of the tree where one cannot be."""

    def make(self, plan: Plan, limit_s: float) -> Made:
        """The arm of `plan`, ready within `limit_s`."""
        ...


@dataclass(frozen=True, eq=False)
class _Idle:
    made: Made
    worth: float
    bytes: int


class Kept:
    """A maker that keeps the best `most` of the arms that were left to it, as long as they hold no more than
    `memory_bytes` (0: no limit) together. A context manager, which closes every arm that it has given.
    """

    def __init__(self, maker: Maker, most: int = 4, memory_bytes: int = 0) -> None:
        self._maker = maker
        self._most = most
        self._memory_bytes = memory_bytes
        self._idle: dict[Plan, _Idle] = {}
        self._given: dict[Plan, Made] = {}

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, *_: object) -> None:
        for made in (*self._given.values(), *(idle.made for idle in self._idle.values())):
            made.arm.close()
        self._given.clear()
        self._idle.clear()

    def holds(self, plan: Plan) -> bool:
        """Whether `plan` (as it is in force) is ready and idle."""
        return plan in self._idle

    def make(self, plan: Plan, limit_s: float) -> Made:
        """The arm of `plan`: the one that is kept, or a new one. It is the caller's until it is left or dropped."""
        idle = self._idle.pop(plan, None)
        made = idle.made if idle is not None else self._maker.make(plan, limit_s)
        self._given[made.plan] = made
        return made

    def leave(self, made: Made, worth: float) -> None:
        """Take back an arm that is well; those that are worth least go where there are too many."""
        self._given.pop(made.plan, None)
        self._idle[made.plan] = _Idle(made, worth, made.arm.held_bytes())
        for plan in sorted(self._idle, key=lambda plan: self._idle[plan].worth):
            if len(self._idle) <= self._most and not self._too_much():
                return
            self._idle.pop(plan).made.arm.close()

    def drop(self, made: Made) -> None:
        """Close an arm that is of no more use."""
        self._given.pop(made.plan, None)
        made.arm.close()

    def _too_much(self) -> bool:
        return 0 < self._memory_bytes < sum(idle.bytes for idle in self._idle.values())
