"""Variants made of trial processes: one process, or several that share the texts, each on its own cores."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from cyclescope.backends.base import UninstrumentedRun
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import CyclescopeError, Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import Plan
from cyclescope.core.results import Results, joined
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.optimizing.processes.messages import Job, Opened
from cyclescope.optimizing.processes.process_pool import ProcessPool, Worker
from cyclescope.optimizing.search.plan_cache import PreparedPlan

_PATIENCE_S = 30.0
_LEAST_OUTPUTS_S = 120.0  # for outputs, which may take longer than a cycle
_LEAST_FIRST_S = 1.0
_SLOWEST = 3.0  # times of what making it ready took, for one cycle


class WorkerGroup:
    """Workers that run a cycle at the same time; the cycle lasts from the first start to the last end.

    `cycle_ns` is what a cycle is expected to take, where making ready did not end in one: the first outputs are then the
    last of it, and must be there within `first_s`.
    """

    def __init__(self, workers: Sequence[Worker], cycle_ns: Nanoseconds = 0, first_s: float | None = None) -> None:
        self.workers = tuple(workers)
        self._cycle_ns = cycle_ns
        self._first_s = first_s

    @property
    def opened(self) -> Opened:
        """What the first worker opened; `ready_ns` and `again_ns` are those of the slowest."""
        first, *others = [worker.opened for worker in self.workers if worker.opened is not None]
        opened = (first, *others)
        return replace(first, ready_ns=max(o.ready_ns for o in opened), again_ns=max(o.again_ns for o in opened))

    def run(self, cycles: int) -> Sequence[UninstrumentedRun]:
        if len(self.workers) == 1:
            return self.workers[0].run(cycles, self._limit_s(cycles))
        runs = []
        for _ in range(cycles):
            for worker in self.workers:
                worker.start(1)
            parts = [worker.finish(self._limit_s(1))[0] for worker in self.workers]
            begin = min(part.started_ns for part in parts)
            end = max(part.started_ns + part.wall_ns for part in parts)
            runs.append(UninstrumentedRun(begin, end - begin, sum(part.cpu_ns for part in parts)))
        return runs

    def _limit_s(self, cycles: int) -> float:
        """What `cycles` may take before an engine is taken to hang: making it ready ended in one."""
        return _PATIENCE_S + _SLOWEST * cycles * max(self.opened.ready_ns, self._cycle_ns) / NS_PER_S

    def results(self) -> Results:
        limit_s, self._first_s = self._first_s or max(_LEAST_OUTPUTS_S, self._limit_s(1)), None
        return joined([worker.outputs(limit_s) for worker in self.workers])

    def held_bytes(self) -> int:
        return sum(worker.held_bytes() for worker in self.workers)

    def cycle(self, budget_ns: Nanoseconds) -> Cycle:
        """A measured cycle of the first worker."""
        return self.workers[0].cycle(budget_ns)

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


@dataclass(frozen=True, slots=True)
class CallSample:
    """What of a call is looked into: `texts` of its texts, and `tokens_out` tokens written on each."""

    texts: int
    tokens_out: int = 0


class PoolPreparer:
    """Makes plans ready in the processes of a pool, for its job or for `job` in place of it. `one_each`: each text is a call
    of its own, whatever a plan says. With `cycle_ns`, which a cycle is expected to take, plans run none while they are made
    ready: the first that is asked of them is one.
    """

    def __init__(
        self, pool: ProcessPool, job: Job | None = None, *, one_each: bool = False, cycle_ns: Nanoseconds = 0
    ) -> None:
        self._pool = pool
        self._job = job or pool.job
        self._one_each = one_each
        self._cycle_ns = cycle_ns

    def make(self, plan: Plan, limit_s: float) -> PreparedPlan:
        if not self._one_each:
            return prepared_plan(self.group(plan, limit_s), plan)
        prepared = prepared_plan(self.group(replace(plan, batch=1), limit_s), plan)
        return replace(prepared, plan=replace(prepared.plan, batch=plan.batch))

    def whole_call(self, plan: Plan, tokens_out: int) -> CallSample:
        """A whole call of `plan`, which writes `tokens_out` tokens a text."""
        texts = len(self._job.texts) or self._job.batch or 1
        return CallSample(min(plan.batch or texts, texts), tokens_out)

    def is_one_call(self, plan: Plan, sample: CallSample, tokens_out: int) -> bool:
        """Whether one process does all of `plan` in one call, and `sample` is that call, so that it can tell the inside of it."""
        return plan.instances == 1 and sample == self.whole_call(replace(plan, batch=0), tokens_out)

    def one_call(self, plan: Plan, limit_s: float, sample: CallSample) -> WorkerGroup:
        """One process for `plan` with no more of its first call than `sample`: what an engine can tell the inside of."""
        job = self._job
        if job.texts:
            job = replace(job, texts=job.texts[: sample.texts])
        elif sample.texts < (job.batch or 1):
            job = replace(job, batch=sample.texts)
        if sample.tokens_out:
            job = replace(job, new_tokens=sample.tokens_out)
        alone = replace(plan, instances=1, batch=0)
        return WorkerGroup([self._pool.spawn(alone, limit_s=limit_s, job=job)])

    def group(self, plan: Plan, limit_s: float) -> WorkerGroup:
        """The workers for `plan`. Raises what stands in the way of the first that cannot be made."""
        begin = time.monotonic()
        if plan.instances == 1:
            worker = self._pool.spawn(plan, limit_s=limit_s, job=self._job, cold=self._cold)
            return self._grouped([worker], limit_s, begin)
        workers: list[Worker] = []
        alone = replace(plan, instances=1)
        try:
            shares = zip(shares_of(self._job, plan.instances), cores_of(plan.instances), strict=True)
            for job, cores in shares:
                workers.append(self._pool.spawn(alone, cores, limit_s=limit_s, job=job, cold=self._cold))
        except CyclescopeError:
            WorkerGroup(workers).close()
            raise
        return self._grouped(workers, limit_s, begin)

    def _grouped(self, workers: Sequence[Worker], limit_s: float, begin_s: float) -> WorkerGroup:
        """The group of `workers`, which began to be made ready at `begin_s` and had `limit_s` for all of it."""
        left_s = max(_LEAST_FIRST_S, limit_s - (time.monotonic() - begin_s))
        return WorkerGroup(workers, self._cycle_ns, left_s if self._cold else None)

    @property
    def _cold(self) -> bool:
        return self._cycle_ns > 0


def prepared_plan(group: WorkerGroup, plan: Plan) -> PreparedPlan:
    """What `group` opened, which was asked for `plan`."""
    opened = group.opened
    in_force = replace(opened.plan, instances=plan.instances)
    return PreparedPlan(group, in_force, opened.ready_ns, opened.edits, opened.again_ns)


def shares_of(job: Job, instances: int) -> tuple[Job, ...]:
    """The texts of `job` in `instances` shares of neighbours, as equal as can be. Raises `Unsupported`."""
    if len(job.texts) < instances:
        raise Unsupported(m("There are fewer texts than processes."), "", m("Give more texts."))
    bounds = [round(k * len(job.texts) / instances) for k in range(instances + 1)]
    return tuple(replace(job, texts=job.texts[a:b], batch=None) for a, b in pairwise(bounds))


def cores_of(instances: int) -> tuple[tuple[int, ...], ...]:
    """The cores that this process may use, in `instances` groups; empty groups where the system pins nothing."""
    if not hasattr(os, "sched_getaffinity"):
        return ((),) * instances
    cores = sorted(os.sched_getaffinity(0))
    bounds = [round(k * len(cores) / instances) for k in range(instances + 1)]
    return tuple(tuple(cores[a:b]) or tuple(cores) for a, b in pairwise(bounds))
