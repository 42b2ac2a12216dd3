"""What an optimization found: every plan that was tried, the best one with its proof, and what was not tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from cyclescope.core.cycle import Cycle
from cyclescope.core.edits import Edit
from cyclescope.core.message import Text, m
from cyclescope.core.plan import Plan
from cyclescope.core.samples import Load
from cyclescope.core.statistics import Ratio
from cyclescope.core.units import Nanoseconds
from cyclescope.core.workload import Workload
from cyclescope.explaining.comparison import Verdict
from cyclescope.optimizing.search.drift import Drift
from cyclescope.optimizing.strategies.strategy import Goal

OUT_OF_BUDGET = m("out of budget")


class Phase(StrEnum):
    """What an optimization spends its time on, in this order."""

    LOAD = "load"
    BASELINE = "baseline"
    SEARCH = "search"
    CONFIRMATION = "confirmation"  # the best plans, long, side by side with the baseline
    ABLATION = "ablation"  # the best plan without each of its parts
    EXPLANATION = "explanation"  # an instrumented cycle of the best plan
    TOTAL = "total"


class Skip(StrEnum):
    """Why a strategy, or a plan of it, was not tried."""

    NOT_APPLICABLE = "not-applicable"  # the strategy says why
    OPT_IN = "opt-in"  # it is slow, and was not named
    CHANGES_OUTPUTS = "changes-outputs"  # and no drift is allowed
    EXCLUDED = "excluded"  # the user left it out
    NOT_INSTALLED = "not-installed"
    SAME_PLAN = "same-plan"  # the plan in force was tried already
    DRIFTED = "drifted"  # too far, where it was tried before
    FAILED = "failed"  # it could not run, where it was tried before
    OUT_OF_BUDGET = "out-of-budget"


class Outcome(StrEnum):
    """What became of a plan."""

    TRIED = "tried"  # it ran, and its outputs keep to the limit
    DRIFTED = "drifted"  # its outputs are too far from the baseline's, however fast it is
    MISLABELED = "mislabeled"  # too many labels that the baseline gets right come out wrong
    FAILED = "failed"  # the engine failed, crashed, or ran out of memory or time
    UNSUPPORTED = "unsupported"  # the engine cannot make the plan real
    MISSING = "missing"  # the engine is not installed


@dataclass(frozen=True, slots=True)
class Row:
    """One plan that was tried. `strategies` are the steps from the baseline to it, `parent` the row before the last of
    them (−1 for the baseline itself, which is row 0).

    `ratio` is its time ÷ the baseline's, with a 99 % interval, from `rounds` interleaved rounds; None where it did not run
    to the end. Where a trial runs a part of a cycle, `ratio` and `wall_ns` estimate the whole until the row is `confirmed`:
    run again, long, side by side. `held_bytes` is the most memory that its processes
    held, `ready_ns` what making it ready took, `again_ns` what it takes with its files there. `reason` says why it did not
    run to its end, `way_out` what to do about it. `judged_on` is the number of texts that the drift and the labels of a plan are computed on
    that has learned from the others (0: all of them).
    """

    plan: Plan
    strategies: tuple[str, ...]
    parent: int
    outcome: Outcome
    ratio: Ratio | None = None
    verdict: Verdict = Verdict.INCONCLUSIVE
    rounds: int = 0
    confirmed: bool = False
    wall_ns: float = 0.0
    drift: Drift | None = None
    labels: LabelScore | None = None
    edits: tuple[Edit, ...] = ()
    held_bytes: int = 0
    ready_ns: Nanoseconds = 0
    again_ns: Nanoseconds = 0
    reason: Text = ""
    way_out: Text = ""
    judged_on: int = 0

    @property
    def speed_up(self) -> float:
        """How many times as fast as the baseline; 0 where it did not run."""
        return 1 / self.ratio.value if self.ratio is not None else 0.0


@dataclass(frozen=True, slots=True)
class LabelScore:
    """Share of the user's labelled texts that come out right."""

    right: int
    texts: int

    @property
    def share(self) -> float:
        return self.right / self.texts if self.texts else 0.0


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one part of the best plan is worth: time without it ÷ time with it, interleaved. None where the plan
    cannot be run without it; `reason` then says why.
    """

    part: str
    without: Plan
    ratio: Ratio | None
    verdict: Verdict
    reason: Text = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The best plan was preferred to row `over`, which has fewer parts, by what was measured and without a proof: `ratio` is
    its time ÷ that of `over`.
    """

    over: int
    ratio: Ratio


@dataclass(frozen=True, slots=True)
class NotTried:
    """A strategy, or a plan of it, that was not tried. `detail` is what the strategy says where it is not applicable, or
    how to install the engine of that name.
    """

    strategy: str
    why: Skip
    plan: Plan | None = None
    detail: Text = ""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A phase that was left out or cut short: for lack of time after so many `rounds` (0: none), or for `reason`.
    A budget of `needs_ns` would have been enough, as far as that can be estimated (0: it cannot).
    """

    phase: Phase
    rounds: int = 0
    reason: Text = ""
    needs_ns: Nanoseconds = 0


@dataclass
class Found:
    """What there is so far; kept outside the search, so that an interruption loses the trial that was running only."""

    rows: list[Row] = field(default_factory=list)
    not_tried: list[NotTried] = field(default_factory=list)
    unfinished: list[Unfinished] = field(default_factory=list)
    contributions: list[Contribution] = field(default_factory=list)
    spent: dict[Phase, int] = field(default_factory=dict)
    best: int = 0
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a phase of the search took."""

    phase: Phase
    ns: Nanoseconds


@dataclass(frozen=True, eq=False)
class Optimization:
    """`rows[0]` is the baseline, `rows[best]` the plan that is recommended (0: the baseline). `front` are the rows
    that no other beats in time, memory and drift at once. `before` and `after` are measured cycles of both, for the
    question why; `after` is None where the engine gives none, or where the best plan is the baseline.
    `edits` are what its changes came to on this model. `texts` is how many texts one cycle takes, and `workload` all that
    it does, where `before` may be one call of it. `partial`: interrupted before the end. `choice` tells where a plan with
    more parts was taken that is not proved to be faster than one with fewer. `load` is what else the machine did while plans
    were tried and proved.
    """

    goal: Goal
    max_drift: float
    budget_ns: Nanoseconds
    texts: int
    rows: tuple[Row, ...]
    best: int
    front: tuple[int, ...]
    contributions: tuple[Contribution, ...]
    not_tried: tuple[NotTried, ...]
    spent: tuple[Spent, ...]
    before: Cycle
    after: Cycle | None
    workload: Workload
    edits: tuple[Edit, ...] = ()
    partial: bool = False
    notes: tuple[Text, ...] = ()
    choice: Choice | None = None
    load: Load = field(default_factory=Load)
    unfinished: tuple[Unfinished, ...] = ()


def front(rows: tuple[Row, ...]) -> tuple[int, ...]:
    """Rows that ran within the limit of drift and that no other such row beats or equals in time, memory and drift."""
    known = [(k, row) for k, row in enumerate(rows) if row.outcome is Outcome.TRIED and row.ratio is not None]

    def figures(row: Row) -> tuple[float, float, float]:
        assert row.ratio is not None
        return row.ratio.value, float(row.held_bytes), row.drift.amount if row.drift else 0.0

    def beaten(mine: tuple[float, float, float], k: int) -> bool:
        return any(
            other != k
            and all(a <= b for a, b in zip(figures(row), mine, strict=True))
            and (figures(row) != mine or other < k)
            for other, row in known
        )

    return tuple(k for k, row in known if not beaten(figures(row), k))
