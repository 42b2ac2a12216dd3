"""Operations laid on workers: what side-by-side running would reach at best, by list scheduling.

Whenever a worker is free it takes, of the operations whose inputs are there, the one with the longest path still before
it. The result is never longer than work ÷ workers + span (Graham, Bounds on multiprocessing timing anomalies, 1969); the
true optimum is NP-hard to find and lies between the lower bound and this.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import numpy as np

from cyclescope.core.units import FloatArray, IntArray


def makespan(
    op_ns: FloatArray, source: IntArray, target: IntArray, priority: FloatArray, earliest_end: FloatArray, workers: int
) -> float:
    """When the last operation ends on `workers` workers, in nanoseconds.

    `priority` [n] is the longest path from the beginning of each operation to the end of all, `earliest_end` [n] when
    each could end if there were workers without limit. O((n + m) log n).
    """
    if not len(op_ns):
        return 0.0
    if most_at_once(earliest_end - op_ns, earliest_end) <= workers:
        return float(earliest_end.max())  # no operation ever waits for a worker
    n = len(op_ns)
    took, urgency = op_ns.tolist(), (-priority).tolist()
    waits = np.bincount(target, minlength=n).tolist()
    order = np.argsort(source, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n))]).tolist()
    after = target[order].tolist()
    ready = [(urgency[i], i) for i in range(n) if not waits[i]]
    heapify(ready)
    running: list[tuple[float, int]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < workers:
            _, i = heappop(ready)
            heappush(running, (now + took[i], i))
        now = running[0][0]
        # All that end at this moment, so that the choice among what they make ready does not depend on their order.
        while running and not running[0][0] > now:
            _, i = heappop(running)
            for t in after[first[i] : first[i + 1]]:
                waits[t] -= 1
                if not waits[t]:
                    heappush(ready, (urgency[t], t))
    return now


def most_at_once(start_ns: FloatArray, end_ns: FloatArray) -> int:
    """The most operations that run at one moment; one that takes no time, or ends as another begins, is not beside it."""
    real = end_ns > start_ns
    times = np.concatenate([start_ns[real], end_ns[real]])
    step = np.concatenate([np.ones(real.sum(), dtype=np.int64), -np.ones(real.sum(), dtype=np.int64)])
    order = np.lexsort((step, times))  # at one moment ends come before beginnings
    return int(np.cumsum(step[order]).max(initial=0))
