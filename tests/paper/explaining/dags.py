"""Directed acyclic graphs of timed operations: random ones, and small ones solved by trying everything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from cyclescope.core.units import FloatArray, IntArray
from cyclescope.explaining.critical_path import Longest, longest, tails
from cyclescope.explaining.schedule import makespan


@dataclass(frozen=True)
class Dag:
    """Whole durations, so that every sum is exact, and edges in the order of their targets."""

    took: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]

    @property
    def op_ns(self) -> FloatArray:
        return np.asarray(self.took, dtype=np.float64)

    @property
    def columns(self) -> tuple[IntArray, IntArray]:
        rows = np.asarray(sorted(self.edges, key=lambda e: (e[1], e[0])), dtype=np.int64).reshape(-1, 2)
        return rows[:, 0], rows[:, 1]

    @property
    def work(self) -> int:
        return sum(self.took)

    def longest(self) -> Longest:
        return longest(self.op_ns, *self.columns)

    def tails(self) -> FloatArray:
        return tails(self.op_ns, *self.columns)

    def makespan(self, workers: int) -> float:
        return makespan(self.op_ns, *self.columns, self.tails() + self.op_ns, self.longest().end_ns, workers)

    def span_by_trying(self) -> int:
        """The longest of all chains, every one of them walked."""
        after: dict[int, list[int]] = {}
        for s, t in self.edges:
            after.setdefault(s, []).append(t)

        def walk(at: int) -> int:
            return self.took[at] + max((walk(t) for t in after.get(at, [])), default=0)

        return max((walk(i) for i in range(len(self.took))), default=0)


@st.composite
def dags(draw: st.DrawFn, most: int = 9) -> Dag:
    n = draw(st.integers(1, most))
    took = draw(st.lists(st.integers(0, 20), min_size=n, max_size=n))
    pairs = [(s, t) for t in range(n) for s in range(t)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return Dag(tuple(took), tuple(chosen))
