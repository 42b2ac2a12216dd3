"""How far outputs moved: exact numbers, padding ignored, nothing hidden by what is no number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.core.errors import EngineError
from cyclescope.core.results import Results, joined
from cyclescope.optimizing.search.drift import SAME, Drift, drift

ONES = np.ones((2, 3), dtype=np.int64)


def hidden(*rows: tuple[float, float]) -> Results:
    return Results(np.ones((1, len(rows)), dtype=np.int64), hidden=np.asarray([rows], dtype=np.float64))


def tokens(*rows: tuple[int, ...]) -> Results:
    return Results(np.ones((len(rows), 1), dtype=np.int64), tokens=np.asarray(rows, dtype=np.int64))


def test_the_cosine_is_that_of_the_angle() -> None:
    found = drift(hidden((1, 0), (0, 2)), hidden((math.cos(0.5), math.sin(0.5)), (0, 2)))
    assert found.cosine == pytest.approx((math.cos(0.5) + 1) / 2)
    assert found.cosine_least == pytest.approx(math.cos(0.5))
    assert found.largest == pytest.approx(math.sin(0.5))
    assert found.scale == pytest.approx(math.sqrt((1 + 4) / 4))
    assert found.amount == pytest.approx((1 - math.cos(0.5)) / 2)
    assert found.within(0.07)
    assert not found.within(0.05)


def test_the_same_is_the_same_and_zero_beside_zero_too() -> None:
    found = drift(hidden((0, 0), (3, 4)), hidden((0, 0), (3, 4)))
    assert found.cosine == pytest.approx(1.0)
    assert found.largest == 0.0
    assert found.same
    assert found.within(0)


def test_zero_beside_something_is_as_far_as_can_be() -> None:
    assert drift(hidden((0, 0)), hidden((1, 0))).cosine == 0.0


@pytest.mark.parametrize(("size", "difference", "same"), [(1, 0.9, True), (1, 1.1, False), (100, 90, True)])
def test_the_same_but_for_rounding_is_relative_to_the_size_of_the_numbers(
    size: float, difference: float, same: bool
) -> None:
    a = hidden((size, size), (size, size))
    b = hidden((size + difference * SAME, size), (size, size))
    assert drift(a, b).same is same


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_as_far_as_can_be(bad: float) -> None:
    found = drift(hidden((1, 0), (0, 1)), hidden((1, bad), (0, 1)))
    assert found.amount == 1.0
    assert not found.same
    assert not found.within(0.99)
    with pytest.raises(EngineError, match="not finite"):
        drift(hidden((1, bad)), hidden((1, 0)))


def test_padding_counts_for_nothing() -> None:
    mask = np.asarray([[1, 1, 0], [1, 0, 0]])
    a, b = np.ones((2, 3, 2)), np.ones((2, 3, 2))
    b[mask == 0] = 77.0
    assert drift(Results(mask, hidden=a), Results(mask, hidden=b)).largest == 0.0


def test_a_longer_padding_is_no_difference() -> None:
    short = Results(np.asarray([[1, 1]]), hidden=np.ones((1, 2, 4)))
    long = Results(np.asarray([[1, 1, 0, 0]]), hidden=np.ones((1, 4, 4)))
    assert drift(short, long).same


def test_classes_first_choice_and_divergence() -> None:
    p, q = np.log([[0.9, 0.1], [0.4, 0.6]]), np.log([[0.8, 0.2], [0.6, 0.4]])
    found = drift(Results(ONES[:, :1], logits=p), Results(ONES[:, :1], logits=q))
    assert found.top1 == 0.5
    first = 0.9 * math.log(0.9 / 0.8) + 0.1 * math.log(0.1 / 0.2)
    second = 0.4 * math.log(0.4 / 0.6) + 0.6 * math.log(0.6 / 0.4)
    assert found.kl == pytest.approx((first + second) / 2)


def test_written_tokens_count_up_to_the_first_that_differs() -> None:
    found = drift(tokens((1, 2, 3, 4), (5, 6, 7, 8)), tokens((1, 2, 9, 4), (5, 6, 7, 8)))
    assert found.tokens == (2 / 4 + 1) / 2
    assert found.amount == 0.25
    assert not found.same
    assert drift(tokens((1, 2)), tokens((1, 2))).same


def test_a_shorter_text_lacks_what_is_missing() -> None:
    assert drift(tokens((1, 2, 3, 4)), tokens((1, 2))).tokens == 0.5


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (hidden((1, 0)), hidden((1, 0), (0, 1)), "shape"),
        (hidden((1, 0)), tokens((1, 2)), "has no hidden"),
        (tokens((1, 2)), hidden((1, 0)), "generated no text"),
        (tokens((1, 2)), tokens((1, 2), (3, 4)), r"as many texts as the baseline, 1 \(got 2\)"),
        (Results(ONES), Results(ONES), "no outputs that could be compared"),
    ],
)
def test_what_does_not_belong_together_is_an_error(a: Results, b: Results, said: str) -> None:
    with pytest.raises(EngineError, match=said):
        drift(a, b)


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_amount_is_the_worse_of_both(cosine: float, same_tokens: float) -> None:
    assert Drift(cosine=cosine, tokens=same_tokens).amount == max(1 - cosine, 1 - same_tokens)


def test_results_of_calls_are_joined_in_the_order_of_the_texts() -> None:
    first = Results(np.asarray([[1], [1]]), hidden=np.asarray([[[2.0]], [[0.0]]]))
    second = Results(np.asarray([[1, 1]]), hidden=np.asarray([[[1.0], [1.5]]]))
    whole = joined([first, second], order=[2, 0, 1])
    assert whole.hidden is not None
    assert whole.hidden[:, 0, 0].tolist() == [0.0, 1.0, 2.0]
    assert whole.mask.tolist() == [[1, 0], [1, 1], [1, 0]]


def test_what_one_call_lacks_the_whole_lacks() -> None:
    first = Results(ONES, hidden=np.ones((2, 3, 1)), pooled=np.ones((2, 1)))
    assert joined([first, Results(ONES, hidden=np.ones((2, 3, 1)))]).pooled is None
