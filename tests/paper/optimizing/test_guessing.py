"""What guessing would have brought is told by the very loop that guesses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.backends.artifacts.standalone.generating import Generation
from cyclescope.core.plan import LOOKED_UP_TOKENS
from cyclescope.core.results import Results, joined
from cyclescope.optimizing.search.guessing import tokens_a_call
from cyclescope.optimizing.strategies.algorithm.prompt_lookup import PromptLookup

from .plans_on_paper import BASELINE, situation, workload

VOCABULARY = 4


class Told:
    """A model that writes `text`, whatever was read."""

    def __init__(self, text: np.ndarray) -> None:
        self._text = text
        self._read = 0

    def start(self, rows: int) -> None:
        self._read = -1

    def __call__(self, ids: np.ndarray, mask: np.ndarray, positions: np.ndarray, last: int) -> np.ndarray:
        self._read += last
        coming = self._text[self._read - last + 1 :][:last]
        coming = np.pad(coming, (0, last - len(coming)))
        return np.eye(VOCABULARY)[coming][None]

    def forget(self, tokens: int) -> None:
        self._read -= tokens


@given(
    st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=30),
    st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=60),
)
def test_it_is_what_the_loop_would_have_needed(read: list[int], written: list[int]) -> None:
    prompt, text = np.asarray([read]), np.asarray(written)
    generation = Generation(Told(text), LOOKED_UP_TOKENS)
    given_back = generation.write(prompt, np.ones_like(prompt), len(written))
    assert given_back[0].tolist() == written
    found = tokens_a_call(Results(np.ones_like(prompt), tokens=text[None], read=prompt))
    assert found == pytest.approx(len(written) / len(generation.calls_ns))


def test_several_texts_count_together_and_padding_for_nothing() -> None:
    one = Results(np.asarray([[1, 1]]), tokens=np.asarray([[1, 1, 1, 1, 1, 1]]), read=np.asarray([[2, 3]]))
    other = Results(np.asarray([[1, 1, 1]]), tokens=np.asarray([[1, 2, 3, 4, 5, 6]]), read=np.asarray([[7, 8, 9]]))
    alone = [6 / tokens_a_call(part) for part in (one, other)]
    assert alone[1] == 6  # nothing repeats
    assert alone[0] < 6
    assert 12 / tokens_a_call(joined([one, other])) == pytest.approx(sum(alone))


def test_what_repeats_nothing_promises_nothing() -> None:
    assert tokens_a_call(Results(np.ones((1, 3)))) == 1.0
    for tokens, better in ((1.0, False), (3.0, True)):
        offer = PromptLookup().offer(
            BASELINE, situation(workload=replace(workload(), batch=1, tokens_out=8), tokens_a_call=tokens)
        )
        assert (offer.expected_speedup > 1.0) is better
