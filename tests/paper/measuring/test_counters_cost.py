"""What an engine's counters cost, in pairs of blocks that keep to their budget."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cyclescope.backends.artifacts.counters import differences_in_turns
from cyclescope.backends.paper import FakeClock

MS = 1_000_000
S = 1000 * MS


class Engine:
    """Runs that take `without` and `within` nanoseconds; the first one with counters takes `cold` more."""

    def __init__(self, without: int, within: int, cold: int = 0) -> None:
        self.clock, self.ran = FakeClock(), ""
        self._without, self._within, self._cold = without, within, cold

    def differences(self, budget_ns: int, most: int = 1000) -> list[float]:
        def run(kind: str, took: int) -> Callable[[], int]:
            def once() -> int:
                all_in_all = took + (self._cold if kind == "c" and "c" not in self.ran else 0)
                self.ran += kind
                self.clock.advance(all_in_all)
                return all_in_all

            return once

        return differences_in_turns(run("p", self._without), run("c", self._within), budget_ns, most, clock=self.clock)


def test_short_runs_are_compared_in_blocks_until_the_budget_is_spent() -> None:
    engine = Engine(10 * MS, 12 * MS, cold=100 * MS)
    assert engine.differences(2 * S) == [2.0 * MS] * 17
    assert engine.ran == "pppppccccc" * 18
    assert 2 * S <= engine.clock.now_ns() < 2 * S + 110 * MS


def test_blocks_are_short_where_the_budget_is() -> None:
    """A pair of runs is 200 ms: in 0.8 s there is time for four of single runs, and the first is left out."""
    engine = Engine(100 * MS, 100 * MS)
    assert engine.differences(800 * MS) == [0.0] * 3
    assert engine.ran == "pcpcpcpc"


@pytest.mark.parametrize(
    ("cycle_ms", "pairs"),
    [
        (120, 3),  # the least pairs take a fifth more than the budget
        (250, 3),  # more than twice the budget, seen when it is spent
        (300, 2),
        (500, 1),
        (3000, 1),
    ],
)
def test_dear_runs_make_fewer_pairs_and_one_in_any_case(cycle_ms: int, pairs: int) -> None:
    engine = Engine(cycle_ms * MS, cycle_ms * MS + 7)
    assert engine.differences(800 * MS) == [7.0] * pairs
    assert engine.ran == "pc" * (pairs + 1)


def test_the_engine_remembers_only_so_many_runs() -> None:
    engine = Engine(1 * MS, 1 * MS)
    assert engine.differences(100 * S, most=20) == [0.0] * 3
    assert engine.ran.count("c") == 20


def test_no_budget_at_all_gives_a_pair_too() -> None:
    assert Engine(10, 15).differences(0, most=0) == [5.0]
