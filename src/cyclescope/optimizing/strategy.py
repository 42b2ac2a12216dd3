"""What a strategy is: a way from one plan to the next, with what it needs, what it answers and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from cyclescope.core.machine import Machine
from cyclescope.core.plan import Change, Plan
from cyclescope.core.workload import Workload
from cyclescope.explaining.findings.finding import Finding, FindingCode


class Family(StrEnum):
    """The four families of the field."""

    PARALLEL = "parallel"
    DISTRIBUTED = "distributed"
    COMPRESSION = "compression"
    ALGORITHM = "algorithm"


class Effect(StrEnum):
    """What a strategy may do to the outputs. It tells what to expect; what happened is measured on every trial."""

    NONE = "none"
    ROUNDING = "rounding"  # another order of the same arithmetic
    APPROXIMATE = "approximate"


class Goal(StrEnum):
    """What is to be short: the time until a text is answered, or the time that all texts take together."""

    LATENCY = "latency"
    THROUGHPUT = "throughput"


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known before anything is tried. `texts` is how many there are, `engines` says of each engine whether it
    is installed (empty) or how to install it. `layers` counts those of the largest stack, `exits` are the layers behind which
    the model was trained to stop. `opted` are the names of slow strategies that the user wants tried.
    """

    workload: Workload
    machine: Machine
    goal: Goal
    texts: int
    findings: tuple[Finding, ...] = ()
    engines: Mapping[str, str] = field(default_factory=dict)
    opted: tuple[str, ...] = ()
    layers: int = 0
    exits: tuple[int, ...] = ()

    @property
    def writes(self) -> bool:
        return self.workload.tokens_out > 0

    def found(self, *codes: FindingCode) -> float:
        """Share of the cycle that the findings of these codes speak of, the largest of them; 0 where there is none."""
        return max((finding.share for finding in self.findings if finding.code in codes), default=0.0)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a strategy makes of a plan: plans to try, or why there are none. `expected` guesses old ÷ new time, and only
    orders what is tried.
    """

    plans: tuple[Plan, ...] = ()
    expected: float = 1.0
    why_not: str = ""


class Strategy(Protocol):
    """One way to make a cycle shorter. No framework in it: an engine makes the plan real, or says that it cannot."""

    @property
    def name(self) -> str: ...

    @property
    def family(self) -> Family: ...

    @property
    def effect(self) -> Effect: ...

    @property
    def answers(self) -> tuple[FindingCode, ...]:
        """The findings that it is a remedy for."""
        ...

    @property
    def opt_in(self) -> bool:
        """Whether it is tried only where the user names it, for the time it takes."""
        ...

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        """What it makes of `plan`."""
        ...


def changed(plan: Plan, change: Change) -> Plan:
    """`plan` with `change` made to the model, in place of an earlier one of the same name."""
    others = tuple(other for other in plan.changes if other.name != change.name)
    return replace(plan, changes=(*others, change))


def has(plan: Plan, name: str) -> bool:
    """Whether the plan changes the model by the strategy `name`."""
    return any(change.name == name for change in plan.changes)
