"""Extent, sweep, estimates and rounds, each on its own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.backends.paper import FakeClock
from cyclescope.calibrating.estimate import noise_floor, rate, undisturbed_ns
from cyclescope.calibrating.probe_plan import default_threads, device_shapes, matrix_shapes, probe_plan, working_sets
from cyclescope.calibrating.rounds import TimedBlock, in_turn
from cyclescope.calibrating.sweep import caches_from
from cyclescope.machines.caches import CacheLevel

CACHES = (CacheLevel("L1", 32 << 10, 8), CacheLevel("L2", 1 << 20, 8), CacheLevel("L3", 32 << 20, 2))


@pytest.mark.parametrize(
    ("cores", "full", "quick"),
    [
        (1, (1,), (1,)),
        (2, (1, 2), (1, 2)),
        (6, (1, 2, 4, 6), (1, 6)),
        (64, (1, 2, 4, 8, 16, 32, 64), (1, 64)),
    ],
)
def test_threads_are_powers_of_two_and_all(cores: int, full: tuple[int, ...], quick: tuple[int, ...]) -> None:
    assert default_threads(cores, quick=False) == full
    assert default_threads(cores, quick=True) == quick


def test_threads_can_be_chosen_and_a_device_has_none() -> None:
    assert probe_plan(8, (4, 1, 4)).threads == (1, 4)
    assert probe_plan(8, (4,), on_device=True).threads == (0,)


def test_a_device_is_given_products_that_keep_it_busy() -> None:
    assert max(probe_plan(8, on_device=True).rows) == max(probe_plan(8, quick=True, on_device=True).rows) == 4096
    assert min(min(shape) for shape in device_shapes(3)) >= 4096


def test_weights_fit_into_the_caches_that_they_are_meant_for() -> None:
    for item_bytes in (2, 4):
        large, wide, small = matrix_shapes(item_bytes, CACHES, 3)
        assert math.prod(large) * item_bytes <= CACHES[2].capacity_bytes // 4
        assert math.prod(wide) * item_bytes <= CACHES[2].capacity_bytes // 4
        assert math.prod(small) * item_bytes <= CACHES[1].capacity_bytes // 2
        assert wide[1] > wide[0]


def test_working_sets_are_half_of_each_level_and_far_more_than_the_last() -> None:
    sets = {place.name: place for place in working_sets(CACHES, 1, 64 << 30)}
    assert [(name, place.size, place.private) for name, place in sets.items()] == [
        ("L1", 16 << 10, True),
        ("L2", 512 << 10, True),
        ("L3", 16 << 20, False),
        ("memory", 256 << 20, False),
    ]


def test_groups_of_cores_have_a_last_cache_each() -> None:
    by_threads = [working_sets(CACHES, threads, 64 << 30)[2].capacity_bytes for threads in (1, 2, 8)]
    assert by_threads == [32 << 20, 64 << 20, 64 << 20]


def test_little_memory_is_not_filled() -> None:
    assert working_sets(CACHES, 1, 256 << 20)[-1].size == 32 << 20


def test_edges_of_caches_are_where_the_rate_falls() -> None:
    sizes = [1 << power for power in range(10, 20)]
    rates = [100, 100, 98, 50, 49, 50, 30, 20, 20, 20]  # a fall over two sizes is one edge
    found = caches_from(sizes, rates)
    assert [(cache.name, cache.capacity_bytes) for cache in found] == [("L1", 1 << 12), ("L2", 1 << 15)]
    assert caches_from(sizes, [100] * 10) == ()


@given(st.lists(st.floats(1, 1e9), min_size=1, max_size=80))
def test_the_fastest_slice_is_the_figure_and_its_interval_holds_it(samples: list[float]) -> None:
    found = undisturbed_ns(samples, "p")
    assert found.low == found.value == min(samples)
    assert found.value <= found.high <= max(samples)
    assert found.n == len(samples)


def test_the_interval_of_the_first_decile_covers_it() -> None:
    """Of 400 sets of samples whose decile is known, at most 2.5 % may have their upper end below it."""
    rng = np.random.default_rng(1)
    ends = [undisturbed_ns(list(rng.uniform(1, 2, 30)), "p").high for _ in range(400)]
    assert sum(end < 1.1 for end in ends) / len(ends) <= 0.035


def test_a_rate_is_work_over_time() -> None:
    found = rate([100.0, 200.0, 100.0], 5.0, "p")
    assert (found.value, found.low, found.high) == (5e7, 2.5e7, 5e7)


def test_an_estimate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        undisturbed_ns([], "p")


def test_noise_that_excludes_one_counts_with_its_nearer_end() -> None:
    shifted = noise_floor(np.full(50, 1.1), np.full(50, 1.0), "A/A")
    assert shifted.value == pytest.approx(0.1)


def test_pieces_are_taken_in_turn_forwards_and_backwards() -> None:
    clock = FakeClock()
    order: list[str] = []

    def timer(name: str) -> TimedBlock:
        def run(repetitions: int) -> int:
            order.append(name)
            clock.advance(2_000_000)
            return 2_000_000

        return TimedBlock(run)

    pieces = [timer(name) for name in "abc"]
    in_turn(pieces, clock, 18_000_000, "measure")
    assert "".join(order) == "abccbaabc"
    assert [len(piece.samples_ns) for piece in pieces] == [3, 3, 3]


def test_a_slice_holds_many_repetitions_of_short_work() -> None:
    asked: list[int] = []

    def run(repetitions: int) -> int:
        asked.append(repetitions)
        return 100 * repetitions

    piece = TimedBlock(run)
    piece.sample()
    piece.sample()
    assert asked[-1] * 100 >= 750_000
    assert piece.samples_ns == [100.0, 100.0]
