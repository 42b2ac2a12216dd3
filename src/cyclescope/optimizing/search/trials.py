"""Plans ready to run on one job, beside its baseline."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.results import Results
from cyclescope.optimizing.search.plan_cache import PlanCache, PreparedPlan
from cyclescope.optimizing.search.whole_cycle import WHOLE, WholeCycle


@dataclass(frozen=True, eq=False)
class Trials:
    """`plan_cache` makes plans ready for the job of `baseline`, whose outputs are the `reference`. `whole` is the cycle that
    a run stands for.
    """

    plan_cache: PlanCache
    baseline: PreparedPlan
    reference: Results
    whole: WholeCycle = WHOLE
