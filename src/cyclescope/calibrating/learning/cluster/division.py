"""Which machines are alike, and how the workloads of a design are divided over those that are."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from cyclescope.calibrating.learning.design import TrainingCase
from cyclescope.core.ceilings import Ceilings, Figure
from cyclescope.core.message import Text, m

ALIKE = 0.2  # machines of a kind differ by less in every figure that a prediction starts from
_SHARES_EACH = 3  # of a machine: a dead one costs a third of its work at most, and rows arrive as they come
_MOST_IN_SHARE = 6  # models that are held at a time
_ATTEMPTS = 2  # of a share; then each of its workloads alone, and what fails alone once more is left out


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure in which two calibrations differ: `ratio` of the second to the first."""

    what: Text
    ratio: float


def difference(a: Ceilings, b: Ceilings) -> Difference | None:
    """The largest difference between the peaks, bandwidths and overheads that both know, if it is more than `ALIKE`."""
    found: list[Difference] = []
    for dtype in dict.fromkeys(product.dtype for product in a.products):
        _compare(found, m("matrix products, {dtype}", dtype=dtype), a.peak(dtype, 0), b.peak(dtype, 0))
    others = {level.level: level.bytes_per_s for level in b.levels(0)}
    for level in a.levels(0):
        _compare(found, m("bandwidth of {level}", level=level.level), level.bytes_per_s, others.get(level.level))
    _compare(found, m("time of an operation"), a.overheads.dispatch_ns, b.overheads.dispatch_ns)
    _compare(found, m("time of a module"), a.overheads.module_call_ns, b.overheads.module_call_ns)
    worst = max(found, key=lambda one: abs(math.log(one.ratio)), default=None)
    return worst if worst is not None and abs(math.log(worst.ratio)) > math.log1p(ALIKE) else None


def _compare(found: list[Difference], what: Text, a: Figure | None, b: Figure | None) -> None:
    # A figure that is emulated number by number is measured once, and says little.
    if a is not None and b is not None and min(a.n, b.n) > 1:
        found.append(Difference(what, b.value / a.value))


@dataclass(frozen=True, slots=True)
class Share:
    """Workloads that one machine measures in one go, and how often that failed before."""

    cases: tuple[TrainingCase, ...]
    failed: int = 0

    def without(self, names: Collection[str]) -> Share:
        """What of it is left beside the workloads `names`."""
        return replace(self, cases=tuple(case for case in self.cases if case.name not in names))


@dataclass
class Queue:
    """What is still to be measured. A share that failed twice is taken apart; a workload that fails alone is left out."""

    waiting: deque[Share] = field(default_factory=deque)
    left_out: dict[str, Text] = field(default_factory=dict)

    @staticmethod
    def of(cases: Sequence[TrainingCase], machines: int) -> Queue:
        """`cases` for so many `machines`, in order: the first tell most."""
        size = max(1, min(_MOST_IN_SHARE, math.ceil(len(cases) / (_SHARES_EACH * max(1, machines)))))
        shares = (Share(tuple(cases[start : start + size])) for start in range(0, len(cases), size))
        return Queue(deque(shares))

    def take(self) -> Share | None:
        return self.waiting.popleft() if self.waiting else None

    def back(self, share: Share, why: Text) -> None:
        """`share`, which may be empty, was not measured: it is done next, by any machine, or left out with the reason."""
        if not share.cases:
            return
        failed = share.failed + 1
        if failed < _ATTEMPTS:
            self.waiting.appendleft(Share(share.cases, failed))
        elif len(share.cases) > 1:
            self.waiting.extendleft(Share((case,), failed - 1) for case in reversed(share.cases))
        else:
            self.left_out[share.cases[0].name] = why

    def drop(self, names: Collection[str]) -> None:
        """The workloads `names` were measured."""
        left = (share.without(names) for share in self.waiting)
        self.waiting = deque(share for share in left if share.cases)
