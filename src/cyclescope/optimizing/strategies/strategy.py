"""What a strategy is: a way from one plan to the next, with what it needs, what it answers and what it may cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from cyclescope.backends.engine import Capabilities
from cyclescope.backends.engines import capabilities_of
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text
from cyclescope.core.plan import ModelChange, Plan, calibrates
from cyclescope.core.results import can_hold_out
from cyclescope.core.workload import Workload
from cyclescope.explaining.findings.finding import Finding, FindingCode

_MOST_GAIN = 0.9  # a bound near 1 says that hardly anything but this was found, not that nothing would be left


class StrategyFamily(StrEnum):
    """The four families of the field."""

    PARALLEL = "parallel"
    DISTRIBUTED = "distributed"
    COMPRESSION = "compression"
    ALGORITHM = "algorithm"


class Effect(StrEnum):
    """What a strategy may do to the outputs. It tells what to expect; what happened is measured on every trial."""

    NONE = "none"
    ROUNDING = "rounding"  # another order of the same arithmetic
    APPROXIMATE = "approximate"  # the same model in coarser numbers, or with a function that is nearly the same
    OTHER_MODEL = "other-model"  # weights, layers or functions are gone, which usually wants training


class Goal(StrEnum):
    """What is to be short: the time until a text is answered, or the time that all texts take together."""

    LATENCY = "latency"
    THROUGHPUT = "throughput"


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known before anything is tried. `texts` is how many there are, `engines` says of each engine whether it
    is installed (empty) or how to install it. `layers` counts those of the largest stack. `opted` are the names of slow
    strategies that the user wants tried, `draft` is the model that may guess tokens for this one (empty: none is given). `tokens_a_call` is how many tokens of the baseline's text each call would
    have generated, had they been looked up in the text. `busy_cores` is how many cores other processes use, `head_share` the part of the weights that a decode step reads which is the
    head's.
    """

    workload: Workload
    machine: Machine
    goal: Goal
    texts: int
    findings: tuple[Finding, ...] = ()
    engines: Mapping[str, str] = field(default_factory=dict)
    opted: tuple[str, ...] = ()
    layers: int = 0
    draft: str = ""
    tokens_a_call: float = 1.0
    busy_cores: float = 0.0
    head_share: float = 0.0

    def can(self, plan: Plan) -> Capabilities:
        """What the engine of `plan` can do."""
        return capabilities_of(plan.engine)

    @property
    def writes(self) -> bool:
        return self.workload.tokens_out > 0

    def found(self, *codes: FindingCode) -> float:
        """Share of the cycle that the findings of these codes speak of, the largest of them; 0 where there is none."""
        return max((finding.share for finding in self.findings if finding.code in codes), default=0.0)

    def about(self, *codes: FindingCode) -> tuple[Finding, ...]:
        """The findings of these codes."""
        return tuple(finding for finding in self.findings if finding.code in codes)

    def potential_speedup(self, *codes: FindingCode, part: float = 1.0) -> float:
        """Old ÷ new time if a remedy brought `part` of what the findings of these codes say it could at most; 1 where
        none of them tells.
        """
        return max((expected_speedup((finding,), part) for finding in self.about(*codes)), default=1.0)

    def cores_left(self, plan: Plan) -> int:
        """How many cores other processes leave to `plan`, where that is fewer than its threads; else 0."""
        left = max(1, round(self.machine.cores - self.busy_cores))
        return left if plan.instances == 1 and left < (plan.threads or self.machine.cores) else 0

    def with_threads(self, threads: int, instead_of: int) -> float:
        """Old ÷ new time with so many threads, if what was found to compute takes as much longer as there are fewer of them."""
        return 1 / (1 + self.found(FindingCode.COMPUTE_BOUND) * (max(1, instead_of) / threads - 1))


@dataclass(frozen=True, slots=True)
class Offer:
    """What a strategy makes of a plan: plans to try, or why there are none. `expected` guesses old ÷ new time, and only
    orders what is tried. `takes_s` is how long making such a plan ready may take beyond what is usual.
    """

    plans: tuple[Plan, ...] = ()
    expected_speedup: float = 1.0
    not_applicable_reason: Text = ""
    takes_s: float = 0.0


class Strategy(Protocol):
    """One way to make a cycle shorter. No framework in it: an engine makes the plan real, or says that it cannot."""

    @property
    def name(self) -> str: ...

    @property
    def family(self) -> StrategyFamily: ...

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


def expected_speedup(findings: Iterable[Finding], part: float = 1.0) -> float:
    """Old ÷ new time if a remedy brought `part` of what `findings` say it could at most, all of them together."""
    return 1 / (1 - min(_MOST_GAIN, part * sum(finding.gain for finding in findings)))


def changed(plan: Plan, change: ModelChange) -> Plan:
    """`plan` with `change` made to the model, in place of an earlier one of the same name."""
    others = tuple(other for other in plan.changes if other.name != change.name)
    return replace(plan, changes=(*others, change))


def has(plan: Plan, name: str) -> bool:
    """Whether the plan changes the model by the strategy `name`."""
    return any(change.name == name for change in plan.changes)


def learns(plan: Plan, texts: int) -> bool:
    """Whether the plan fits the model to the `texts` that there are, so that only those that were held out can tell what
    it does. Ranges are measured on few texts too, which then are judged by themselves, as a note of that plan says.
    """
    if calibrates(plan) and can_hold_out(texts):
        return True
    return any(change.name in ("distil", "trim-vocabulary") for change in plan.changes)
