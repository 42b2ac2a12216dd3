"""Reuse distances against a stack that is kept by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.explaining.stack_distance import stack_distances


def distances(blocks: list[int], sizes: list[int]) -> list[int]:
    return stack_distances(np.asarray(blocks, dtype=np.int64), np.asarray(sizes, dtype=np.int64)).tolist()


def by_hand(blocks: list[int], sizes: list[int]) -> list[int]:
    """The definition, step by step: walk back to the touch before, and add up what lies between, each block once."""
    twice = list(zip(blocks, sizes, strict=True)) * 2
    found = []
    for at in range(len(blocks), len(twice)):
        between: dict[int, int] = {}
        back = at - 1
        while twice[back][0] != twice[at][0]:
            between.setdefault(*twice[back])
            back -= 1
        found.append(sum(between.values()) + twice[at][1])
    return found


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1000)), max_size=120))
def test_distances_are_those_of_a_stack(touches: list[tuple[int, int]]) -> None:
    blocks, sizes = [b for b, _ in touches], [s for _, s in touches]

    assert distances(blocks, sizes) == by_hand(blocks, sizes)


def test_many_touches_of_many_blocks_are_those_of_a_stack() -> None:
    random = np.random.default_rng(1)
    blocks, sizes = random.integers(0, 200, 2000).tolist(), random.integers(1, 1 << 40, 2000).tolist()

    assert distances(blocks, sizes) == by_hand(blocks, sizes)


def test_a_loop_over_blocks_has_the_distance_of_all_of_them() -> None:
    assert distances([0, 1, 2], [10, 20, 30]) == [60, 60, 60]


def test_what_is_touched_again_at_once_has_only_its_own() -> None:
    assert distances([0, 0, 1, 0], [10, 10, 5, 10]) == [10, 10, 15, 15]


def test_a_part_that_is_touched_counts_as_a_part() -> None:
    """Between two touches of block 0 lie 100 bytes of block 1 the first time, and 4 the second."""
    assert distances([1, 0, 1, 0], [100, 10, 4, 10]) == [110, 110, 14, 14]


def test_sizes_beyond_32_bits_add_up_exactly() -> None:
    size = (1 << 53) + 1
    assert distances([0, 1, 0, 1], [size] * 4) == [2 * size] * 4


def test_no_touches_have_no_distances() -> None:
    assert distances([], []) == []


def test_several_cases_at_once_are_each_by_itself() -> None:
    rng = np.random.default_rng(3)
    blocks, sizes = rng.integers(0, 12, 200), rng.integers(0, 2**40, (200, 3))
    together = stack_distances(blocks, sizes)
    for case in range(3):
        assert together[:, case].tolist() == distances(blocks.tolist(), sizes[:, case].tolist())
