"""What has been made ready stays so, idle, while there is room: to make it ready again would cost more than to try it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cyclescope.backends.base import UninstrumentedRun
from cyclescope.core.edits import Edit
from cyclescope.core.plan import Plan
from cyclescope.core.units import Nanoseconds
from cyclescope.optimizing.search.trial import Variant


@dataclass(frozen=True, eq=False)
class PreparedPlan:
    """A variant with the plan in force, what making it ready took, what was edited in the model, and what making it
    ready again takes: as long, unless files were made that are there then. `first` is a run that was made of it already.
    """

    variant: Variant
    plan: Plan
    ready_ns: Nanoseconds
    edits: tuple[Edit, ...] = ()
    again_ns: Nanoseconds | None = None
    first: UninstrumentedRun | None = None


class Preparer(Protocol):
    """Makes plans ready to run. Raises an error of the tree where one cannot be."""

    def make(self, plan: Plan, limit_s: float) -> PreparedPlan:
        """The variant of `plan`, ready within `limit_s`."""
        ...


@dataclass(frozen=True, eq=False)
class _Idle:
    prepared: PreparedPlan
    utility: float
    bytes: int


class PlanCache:
    """A preparer that keeps the best `most` of the variants that were left to it, as long as they hold no more than
    `memory_bytes` (0: no limit) together. A context manager, which closes every variant that it has given.
    """

    def __init__(self, preparer: Preparer, most: int = 4, memory_bytes: int = 0) -> None:
        self._preparer = preparer
        self._most = most
        self._memory_bytes = memory_bytes
        self._idle: dict[Plan, _Idle] = {}
        self._given: dict[Plan, PreparedPlan] = {}

    def __enter__(self) -> PlanCache:
        return self

    def __exit__(self, *_: object) -> None:
        for prepared in (*self._given.values(), *(idle.prepared for idle in self._idle.values())):
            prepared.variant.close()
        self._given.clear()
        self._idle.clear()

    def holds(self, plan: Plan) -> bool:
        """Whether `plan` (the one in force) is ready and idle."""
        return plan in self._idle

    def make(self, plan: Plan, limit_s: float) -> PreparedPlan:
        """The variant of `plan`: the one that is kept, or a new one. It is the caller's until it is left or dropped."""
        idle = self._idle.pop(plan, None)
        prepared = idle.prepared if idle is not None else self._preparer.make(plan, limit_s)
        self._given[prepared.plan] = prepared
        return prepared

    def release(self, prepared: PreparedPlan, utility: float) -> None:
        """Take back a variant that is well; those that are worth least go where there are too many."""
        self._given.pop(prepared.plan, None)
        self._idle[prepared.plan] = _Idle(prepared, utility, prepared.variant.held_bytes())
        for plan in sorted(self._idle, key=lambda plan: self._idle[plan].utility):
            if len(self._idle) <= self._most and not self._too_much():
                return
            self._idle.pop(plan).prepared.variant.close()

    def evict(self, prepared: PreparedPlan) -> None:
        """Close a variant that is of no more use."""
        self._given.pop(prepared.plan, None)
        prepared.variant.close()

    def _too_much(self) -> bool:
        return 0 < self._memory_bytes < sum(idle.bytes for idle in self._idle.values())
