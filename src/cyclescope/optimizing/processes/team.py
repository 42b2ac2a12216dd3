"""Arms made of trial processes: one process, or several that share the texts, each on cores of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from cyclescope.backends.base import PlainRun
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import CyclescopeError, Unsupported
from cyclescope.core.plan import Plan
from cyclescope.core.results import Results, joined
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.optimizing.processes.messages import Errand, Opened
from cyclescope.optimizing.processes.workshop import Worker, Workshop
from cyclescope.optimizing.search.keeping import Made

_PATIENCE_S = 30.0
_SLOWEST = 3.0  # times of what making it ready took, for one cycle


class Team:
    """Workers that run a cycle at the same time; the cycle lasts from the first start to the last end."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.workers = tuple(workers)

    @property
    def opened(self) -> Opened:
        """What the first worker opened; `ready_ns` and `again_ns` are those of the slowest."""
        first, *others = [worker.opened for worker in self.workers if worker.opened is not None]
        opened = (first, *others)
        return replace(first, ready_ns=max(o.ready_ns for o in opened), again_ns=max(o.again_ns for o in opened))

    def run(self, cycles: int) -> Sequence[PlainRun]:
        if len(self.workers) == 1:
            return self.workers[0].run(cycles, self._limit_s(cycles))
        runs = []
        for _ in range(cycles):
            for worker in self.workers:
                worker.start(1)
            parts = [worker.finish(self._limit_s(1))[0] for worker in self.workers]
            begin = min(part.started_ns for part in parts)
            end = max(part.started_ns + part.wall_ns for part in parts)
            runs.append(PlainRun(begin, end - begin, sum(part.cpu_ns for part in parts)))
        return runs

    def _limit_s(self, cycles: int) -> float:
        """What `cycles` may take before an engine is taken to hang: making it ready ended in one."""
        return _PATIENCE_S + _SLOWEST * cycles * self.opened.ready_ns / NS_PER_S

    def results(self) -> Results:
        return joined([worker.outputs() for worker in self.workers])

    def held_bytes(self) -> int:
        return sum(worker.held_bytes() for worker in self.workers)

    def cycle(self, budget_ns: Nanoseconds) -> Cycle:
        """A measured cycle of the first worker."""
        return self.workers[0].cycle(budget_ns)

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


@dataclass(frozen=True, slots=True)
class Look:
    """What of a call is looked into: `texts` of its texts, and `tokens_out` tokens written on each."""

    texts: int
    tokens_out: int = 0


class WorkshopMaker:
    """Makes plans ready in the processes of a workshop, for its errand or for `errand` in place of it."""

    def __init__(self, workshop: Workshop, errand: Errand | None = None) -> None:
        self._workshop = workshop
        self._errand = errand or workshop.errand

    def make(self, plan: Plan, limit_s: float) -> Made:
        return made_of(self.team(plan, limit_s), plan)

    def look_at(self, plan: Plan, tokens_out: int) -> Look:
        """A whole call of `plan`, which writes `tokens_out` tokens a text."""
        texts = len(self._errand.texts) or self._errand.batch or 1
        return Look(min(plan.batch or texts, texts), tokens_out)

    def is_one_call(self, plan: Plan, look: Look, tokens_out: int) -> bool:
        """Whether one process does all of `plan` in one call, and `look` is that call, so that it can tell the inside of it."""
        return plan.instances == 1 and look == self.look_at(replace(plan, batch=0), tokens_out)

    def one_call(self, plan: Plan, limit_s: float, look: Look) -> Team:
        """One process for `plan` with no more of its first call than `look`: what an engine can tell the inside of."""
        errand = self._errand
        if errand.texts:
            errand = replace(errand, texts=errand.texts[: look.texts])
        elif look.texts < (errand.batch or 1):
            errand = replace(errand, batch=look.texts)
        if look.tokens_out:
            errand = replace(errand, new_tokens=look.tokens_out)
        alone = replace(plan, instances=1, batch=0)
        return Team([self._workshop.hire(alone, limit_s=limit_s, errand=errand)])

    def team(self, plan: Plan, limit_s: float) -> Team:
        """The workers for `plan`. Raises what stands in the way of the first that cannot be made."""
        if plan.instances == 1:
            return Team([self._workshop.hire(plan, limit_s=limit_s, errand=self._errand)])
        workers: list[Worker] = []
        alone = replace(plan, instances=1)
        try:
            shares = zip(shares_of(self._errand, plan.instances), cores_of(plan.instances), strict=True)
            for errand, cores in shares:
                workers.append(self._workshop.hire(alone, cores, limit_s=limit_s, errand=errand))
        except CyclescopeError:
            Team(workers).close()
            raise
        return Team(workers)


def made_of(team: Team, plan: Plan) -> Made:
    """What `team` opened, which was asked for `plan`."""
    opened = team.opened
    in_force = replace(opened.plan, instances=plan.instances)
    return Made(team, in_force, opened.ready_ns, opened.edits, opened.again_ns)


def shares_of(errand: Errand, instances: int) -> tuple[Errand, ...]:
    """The texts of `errand` in `instances` shares of neighbours, as equal as can be. Raises `Unsupported`."""
    if len(errand.texts) < instances:
        raise Unsupported("There are fewer texts than processes.", "", "Give more texts.")
    bounds = [round(k * len(errand.texts) / instances) for k in range(instances + 1)]
    return tuple(replace(errand, texts=errand.texts[a:b], batch=None) for a, b in pairwise(bounds))


def cores_of(instances: int) -> tuple[tuple[int, ...], ...]:
    """The cores that this process may use, in `instances` groups; empty groups where the system pins nothing."""
    if not hasattr(os, "sched_getaffinity"):
        return ((),) * instances
    cores = sorted(os.sched_getaffinity(0))
    bounds = [round(k * len(cores) / instances) for k in range(instances + 1)]
    return tuple(tuple(cores[a:b]) or tuple(cores) for a, b in pairwise(bounds))
