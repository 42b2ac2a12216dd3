"""In turns on this machine: a model is not told apart from itself, and twice the work is found, whatever else runs."""

from __future__ import annotations

import pytest

from cyclescope.explaining.comparison import Verdict, compare
from cyclescope.measuring.pair import measure_pair

pytestmark = pytest.mark.live


def test_a_model_is_not_told_apart_from_itself() -> None:
    """Five times, of which one false alarm would be a chance of one in twenty."""
    verdicts = [compare(*measure_pair("minilm", "minilm", tokens=16, threads=1, budget=1)).verdict for _ in range(5)]

    assert sum(verdict is not Verdict.INCONCLUSIVE for verdict in verdicts) <= 1


def test_eight_times_the_tokens_are_found_to_take_longer() -> None:
    for budget in (2, 5, 15):  # beside another load the first may be too short for an interval
        comparison = compare(
            *measure_pair("minilm", "minilm", threads=1, budget=budget, a={"tokens": 8}, b={"tokens": 64})
        )
        if comparison.verdict is not Verdict.INCONCLUSIVE:
            break

    assert comparison.interleaved
    assert comparison.verdict is Verdict.SLOWER
