"""Greedy decoding over a stepper writes what the model would one token at a time, whatever was guessed in between."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.backends.artifacts.standalone.generating import Generation

VOCABULARY = 6


class Chain:
    """A stepper whose next token is that which `follows` the last one; it keeps what it has read."""

    def __init__(self, follows: list[int]) -> None:
        self.follows = np.asarray(follows)
        self.read: Any = None
        self.most = 0

    def start(self, rows: int) -> None:
        self.read = np.zeros((rows, 0), dtype=np.int64)

    def __call__(self, ids: Any, mask: Any, positions: Any, last: int) -> Any:
        self.read = np.concatenate([self.read, ids], axis=1)
        self.most = max(self.most, ids.shape[1])
        assert mask.shape == self.read.shape
        assert np.array_equal(positions, np.maximum(mask.cumsum(axis=1) - 1, 0)[:, -ids.shape[1] :])
        return np.eye(VOCABULARY)[self.follows[ids[:, -last:]]]

    def forget(self, tokens: int) -> None:
        assert 0 < tokens < self.read.shape[1]
        self.read = self.read[:, :-tokens]


def one_by_one(follows: list[int], prompt: list[int], new_tokens: int, ends: tuple[int, ...]) -> list[int]:
    written, last = [], prompt[-1]
    while len(written) < new_tokens and (not written or last not in ends):
        last = follows[last]
        written.append(last)
    return written


tokens = st.integers(0, VOCABULARY - 1)
chains = st.lists(tokens, min_size=VOCABULARY, max_size=VOCABULARY)


@given(
    chains,
    st.lists(tokens, min_size=1, max_size=12),
    st.integers(1, 20),
    st.integers(0, 5),
    st.sets(tokens, max_size=2),
)
def test_guesses_change_nothing_that_is_written(
    follows: list[int], prompt: list[int], new_tokens: int, looked_up: int, ends: set[int]
) -> None:
    chain = Chain(follows)
    generation = Generation(chain, looked_up)
    ids = np.asarray([prompt])
    written = generation.write(ids, np.ones_like(ids), new_tokens, tuple(ends))
    assert written[0].tolist() == one_by_one(follows, prompt, new_tokens, tuple(ends))
    assert len(generation.emitted_ns) == written.shape[1]
    assert sorted(generation.emitted_ns) == generation.emitted_ns
    if not set(written[0].tolist()) & ends:
        # What it holds is what was written, but for the last token, which nobody has read yet.
        assert chain.read[0].tolist() == [*prompt, *written[0, :-1].tolist()]


def test_a_text_that_repeats_itself_takes_fewer_calls() -> None:
    chain = Chain([1, 2, 3, 0, 0, 0])
    ids = np.asarray([[0, 1, 2, 3, 0]])
    generation = Generation(chain, 4)
    assert generation.write(ids, np.ones_like(ids), 11)[0].tolist() == [1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]
    assert len(generation.calls_ns) == 3
    assert chain.most == 5


def test_rows_with_padding_end_one_by_one() -> None:
    ids = np.asarray([[0, 0, 1], [2, 3, 4]])
    mask = np.asarray([[0, 0, 1], [1, 1, 1]])
    written = Generation(Chain([1, 2, 3, 4, 5, 0]), 4).write(ids, mask, 9, ends=(5,), fill=0)
    assert written.tolist() == [[2, 3, 4, 5], [5, 0, 0, 0]]


def test_ends_that_are_not_wanted_are_not_written() -> None:
    class Doubtful(Chain):
        def __call__(self, ids: Any, mask: Any, positions: Any, last: int) -> Any:
            return super().__call__(ids, mask, positions, last) + 0.5 * np.eye(VOCABULARY)[3]

    ids = np.asarray([[0]])
    assert Generation(Doubtful([5, 0, 0, 0, 0, 5]), 0, never=(5, 99, -1)).write(ids, np.ones_like(ids), 2).tolist() == [
        [3, 0]
    ]
