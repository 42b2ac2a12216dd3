"""The account closes on the unprofiled wall: what is attributed is the wall, within the bound that the project sets itself."""

from __future__ import annotations

import pytest
from quiet import hold_on_a_quiet_try

from cyclescope.explaining.explanation import Explanation

pytestmark = pytest.mark.live


def _closes(told: Explanation) -> str:
    closure = told.closure
    assert sum(row.time_ns for row in closure.rows) == pytest.approx(closure.wall.value_ns)
    within = 0.97 <= closure.ratio.value <= 1.03 and abs(closure.rest_ns) <= 0.03 * closure.wall.value_ns
    return "" if within else f"attributed / unprofiled wall: {closure.ratio.value:.3f}"


@pytest.mark.parametrize("tokens", [16, 128])
def test_attributed_time_is_the_unprofiled_wall_within_three_percent(tokens: int) -> None:
    hold_on_a_quiet_try(_closes, "bert-base-chinese", tokens=tokens, threads=1, budget=3 if tokens == 16 else 10)


def test_stamping_a_small_model_costs_little_and_its_account_closes() -> None:
    """The stamped pass is light: a tenth of the wall would be what the function mode costs on so small a model."""

    def light_and_closed(told: Explanation) -> str:
        ratio = told.closure.instrumentation_ratio.value
        heavy = "" if ratio < 1.06 else f"stamped / unprofiled wall: {ratio:.3f}"
        return "; ".join(filter(None, (_closes(told), heavy)))

    hold_on_a_quiet_try(light_and_closed, "minilm", tokens=16, threads=1, budget=3)


def test_a_whole_generation_closes_as_one_pass_does() -> None:
    hold_on_a_quiet_try(_closes, "gpt2", tokens=16, new_tokens=8, threads=1, budget=20)
