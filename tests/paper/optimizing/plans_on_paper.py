"""Plans that run on a fake clock, each as fast and as far from the truth as a test says."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cyclescope.backends.base import UninstrumentedRun
from cyclescope.backends.paper import FakeClock
from cyclescope.core.errors import CyclescopeError, EngineError
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan
from cyclescope.core.progress import Notify, silent
from cyclescope.core.results import Results
from cyclescope.core.workload import InputSource, ModelFacts, Weights, Workload
from cyclescope.explaining.findings.finding import Finding, FindingCode
from cyclescope.optimizing.optimization import Found, LabelScore
from cyclescope.optimizing.search.plan_cache import PlanCache, PreparedPlan
from cyclescope.optimizing.search.schedule import BudgetSchedule
from cyclescope.optimizing.search.search import Limits, Search
from cyclescope.optimizing.search.trials import Trials
from cyclescope.optimizing.strategies.strategies import STRATEGIES
from cyclescope.optimizing.strategies.strategy import Goal, Situation, Strategy

BASELINE_NS = 10_000_000
BASELINE = Plan(threads=1)
# What a restless machine does to one block after another; without a trend, and the same in every test.
_UNREST = (1.0, 1.004, 0.997, 1.002, 0.995, 1.006, 0.999)


@dataclass
class PaperArm:
    """One plan that takes `wall_ns`, gives `outcome`, and breaks at its `breaks_at`-th cycle."""

    clock: FakeClock
    wall_ns: int
    outcome: Results
    bytes: int = 100
    breaks_at: int | None = None
    cycles: int = 0
    closed: bool = False
    unrest: itertools.cycle[float] = field(default_factory=lambda: itertools.cycle(_UNREST))

    def run(self, cycles: int) -> Sequence[UninstrumentedRun]:
        assert not self.closed
        runs = []
        pace = next(self.unrest)
        for _ in range(cycles):
            self.cycles += 1
            if self.breaks_at is not None and self.cycles >= self.breaks_at:
                raise EngineError("It broke.", "As planned.")
            wall = int(self.wall_ns * pace)
            runs.append(UninstrumentedRun(self.clock.now_ns(), wall, wall))
            self.clock.advance(wall)
        return runs

    def results(self) -> Results:
        return self.outcome

    def held_bytes(self) -> int:
        return self.bytes

    def close(self) -> None:
        self.closed = True


def results(turned_by: float = 0.0, texts: int = 4) -> Results:
    """Vectors that are turned by an angle away from the truth: the cosine is that of the angle."""
    hidden = np.zeros((texts, 1, 2))
    hidden[:, 0] = np.cos(turned_by), np.sin(turned_by)
    return Results(np.ones((texts, 1), dtype=np.int64), hidden=hidden)


Times = Callable[[Plan], float]


@dataclass
class PaperPreparer:
    """Makes a plan ready in `ready_s` (a second), the next time in `again_s` where that is given, or gives up at the limit;
    `speed_up` of a plan tells its time, `turn` how far its outputs turn, `in_force` what becomes of it.
    """

    clock: FakeClock
    speed_up: Callable[[Plan], float]
    turn: Callable[[Plan], float] = lambda plan: 0.0
    refuse: Callable[[Plan], CyclescopeError | None] = lambda plan: None
    breaks: Callable[[Plan], int | None] = lambda plan: None
    ready_s: Callable[[Plan], float] = lambda plan: 1.0
    in_force: Callable[[Plan], Plan] = lambda plan: plan
    again_s: float | None = None
    baseline_ns: int = BASELINE_NS
    prepared: list[Plan] = field(default_factory=list)
    variants: list[PaperArm] = field(default_factory=list)

    def make(self, plan: Plan, limit_s: float) -> PreparedPlan:
        again_s = self.again_s if plan in self.prepared else None
        self.prepared.append(plan)
        error = self.refuse(plan)
        if error is not None:
            raise error
        ready_s = self.ready_s(plan) if again_s is None else again_s
        if ready_s > limit_s:
            self.clock.advance(int(limit_s * 1e9))
            raise EngineError(f"It did not answer within {limit_s:.0f} s.")
        self.clock.advance(int(ready_s * 1e9))
        wall = int(self.baseline_ns / self.speed_up(plan))
        variant = PaperArm(self.clock, wall, results(self.turn(plan)), breaks_at=self.breaks(plan))
        self.variants.append(variant)
        again_ns = None if self.again_s is None else int(self.again_s * 1e9)
        return PreparedPlan(variant, self.in_force(plan), int(ready_s * 1e9), again_ns=again_ns)


def workload(**changes: object) -> Workload:
    facts = ModelFacts("paper", "PaperModel", "bert", 100, 400, Weights.PRETRAINED, "paper")
    usual = Workload(
        facts, "embed", InputSource.TEXT, batch=4, tokens_in=16, real_tokens=64, characters=99, text_bytes=99
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def finding(code: str, share: float = 0.4, gain: float = 0.3, subject: str = "") -> Finding:
    return Finding(FindingCode(code), share, gain, (), subject=subject)


def situation(
    findings: tuple[Finding, ...] = (), goal: Goal = Goal.LATENCY, cores: int = 2, **changes: object
) -> Situation:
    machine = Machine("Paper 9000", cores, 2**33, "paper", "3.11", instruction_set="avx2")
    usual = Situation(workload(), machine, goal, 4, findings, {"onnxruntime": ""}, layers=6)
    return replace(usual, **changes)  # type: ignore[arg-type]


def searched(
    preparer: PaperPreparer,
    max_drift: float = 0.01,
    budget_s: float = 300.0,
    strategies: Sequence[Strategy] = STRATEGIES,
    where: Situation | None = None,
    score: Callable[[Results], LabelScore] | None = None,
    found: Found | None = None,
    after_s: float = 0.0,
    memory_bytes: int = 0,
    baseline: Plan = BASELINE,
    notify: Notify = silent,
) -> Found:
    """What a search finds with this maker."""
    found = found or Found()
    limits = Limits(BudgetSchedule(preparer.clock.now_ns(), int(budget_s * 1e9), int(after_s * 1e9)), max_drift, score)
    variant = PaperArm(preparer.clock, preparer.baseline_ns, results())
    with PlanCache(preparer, memory_bytes=memory_bytes) as plan_cache:
        Search(
            Trials(plan_cache, PreparedPlan(variant, baseline, 1_000_000_000), variant.outcome),
            None,
            where or situation(),
            strategies,
            limits,
            preparer.clock,
            notify,
            found,
        ).run()
    return found
