"""Findings about plans that are spread over ranks: what they send, what they wait for, and whether so many ranks pay."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cyclescope.core.collectives import CollectiveKind
from cyclescope.core.units import BoolArray
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Location, Quantity

_LEAST = 0.25  # as for dispatch: from a quarter on the whole cycle could become a third faster
_HALF = 0.5  # beyond it ranks have more to do with each other than with the model


def _calls(facts: Facts, *, receives: bool) -> BoolArray:
    """Mask of the collectives that are receives, or of all others [operations]."""
    mask = np.zeros(len(facts.graph), dtype=bool)
    mask[[c.op for c in facts.graph.collectives if (c.kind is CollectiveKind.RECEIVE) == receives]] = True
    return mask


def communication_bound(facts: Facts) -> Iterator[Finding]:
    """Found where collectives take a quarter of the cycle. The gain at most is all of it. Beyond half of it, `too_many_ranks`
    speaks, and where one rank alone would do, `too_small_to_spread`.
    """
    calls = _calls(facts, receives=False)
    share = facts.share(facts.time_of(calls))
    if not calls.any() or not _LEAST <= share <= _HALF or _alone(facts) is not None:
        return
    count = int(np.count_nonzero(calls))
    evidence = (
        Evidence(EvidenceName.OPERATIONS, Quantity.COUNT, count),
        Evidence(EvidenceName.MEAN_TIME, Quantity.TIME, facts.time_of(calls) / count),
        Evidence(
            EvidenceName.MOVED, Quantity.BYTES, sum(c.message_bytes for c in facts.graph.collectives if calls[c.op])
        ),
    )
    yield Finding(FindingCode.COMMUNICATION_BOUND, share, share, evidence, facts.place(facts.costliest(calls)))


def pipeline_bubble(facts: Facts) -> Iterator[Finding]:
    """Found where a rank waits for other stages of the pipeline for a quarter of the cycle. The gain at most is all of it.
    Where one rank alone would do, `too_small_to_spread` speaks.
    """
    waits = _calls(facts, receives=True)
    waiting = facts.time_of(waits)
    share = facts.share(waiting)
    if not waits.any() or share < _LEAST or _alone(facts) is not None:
        return
    plan = facts.cycle.plan
    evidence = (
        Evidence(EvidenceName.STAGES, Quantity.COUNT, plan.pipeline),
        Evidence(EvidenceName.MICROBATCHES, Quantity.COUNT, plan.microbatches),
        Evidence(EvidenceName.TIME, Quantity.TIME, waiting),
    )
    yield Finding(FindingCode.PIPELINE_BUBBLE, share, share, evidence, facts.place(facts.costliest(waits)))


def too_many_ranks(facts: Facts) -> Iterator[Finding]:
    """Found where collectives take more than half of the cycle; what fewer ranks would bring no bound tells.

    Silent where one rank alone would do: `too_small_to_spread` says that.
    """
    calls = _calls(facts, receives=False)
    if not calls.any() or _alone(facts) is not None:
        return
    share = facts.share(facts.time_of(calls))
    if share > _HALF:
        evidence = (Evidence(EvidenceName.RANKS, Quantity.COUNT, facts.cycle.plan.tensor * facts.cycle.plan.pipeline),)
        yield Finding(FindingCode.TOO_MANY_RANKS, share, 0.0, evidence, Location())


def too_small_to_spread(facts: Facts) -> Iterator[Finding]:
    """Found where one rank would do the work of all in no more time than they take, and has the memory for it.

    The work of all ranks together is the most that one has to do, since what all of them do alike it does once.
    """
    alone = _alone(facts)
    if alone is None:
        return
    plan = facts.cycle.plan
    gain = facts.share(max(0.0, facts.total_ns - alone))
    gain = gain if gain >= facts.noise_floor else 0.0  # no slower is reason enough: the other ranks are free then
    evidence = (
        Evidence(EvidenceName.ONE_RANK, Quantity.TIME, alone),
        Evidence(EvidenceName.RANKS, Quantity.COUNT, plan.tensor * plan.pipeline),
    )
    yield Finding(FindingCode.TOO_SMALL_TO_SPREAD, 1.0, gain, evidence, Location())


def _alone(facts: Facts) -> float | None:
    """What one rank would take at most, in nanoseconds; None where that is longer than all take, or unknown, or it does not fit."""
    prediction, plan = facts.cycle.samples.prediction, facts.cycle.plan
    spread = prediction.spread if prediction is not None else None
    if spread is None or plan.tensor * plan.pipeline < 2:
        return None
    alone = sum(stage.work_ns for stage in spread.stages) * plan.tensor
    held = sum(stage.needed_bytes for stage in spread.stages) * plan.tensor
    fits = not spread.memory_bytes or held <= spread.memory_bytes
    return alone if fits and alone <= spread.account.whole_ns else None
