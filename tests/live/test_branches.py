"""Two independent branches of a real model on two threads reach what the analysis of the cycle said that they could."""

from __future__ import annotations

import pytest
import torch
from quiet import BUSY, Disturbed, hold_on_a_quiet_try

from branches import Towers, both_towers, predicted, towers
from cyclescope.core.graph.structure import EMBED
from cyclescope.explaining.explanation import Explanation
from cyclescope.machines.load import LoadMeter

pytestmark = pytest.mark.live

# What two cores share (caches, memory, the interpreter) is not in the prediction.
TOLERANCE = 0.1


@pytest.mark.skipif(torch.get_num_threads() < 2, reason="two threads need two cores")
def test_two_towers_on_two_threads_are_as_fast_as_predicted() -> None:
    model, inputs = towers(hidden=768, layers=1, tokens=256)

    def holds(told: Explanation) -> str:
        promise = predicted(told.cycle)
        meter = LoadMeter()
        came = both_towers(model, inputs, rounds=12)
        if (meter.read().other_busy or 0.0) >= BUSY:
            raise Disturbed
        both = came.lanes.overlap_ns[2] / came.lanes.union_ns
        # Its interval, and what the prediction leaves out.
        low, high = came.speed_up.low * (1 - TOLERANCE), came.speed_up.high * (1 + TOLERANCE)
        right = low <= promise.value <= high and came.speed_up.value >= (1 - TOLERANCE) * promise.value
        return "" if right and both > 0.8 else f"promised {promise}, came {came.speed_up}, both busy {both:.2f}"

    hold_on_a_quiet_try(holds, model, inputs=inputs, budget=3, threads=1)


class Tandem(Towers):
    """The same two encoders, but the second reads what the first made."""

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        left = self.left(input_ids).last_hidden_state
        return self.right(inputs_embeds=left).last_hidden_state


def test_where_one_must_wait_for_the_other_nothing_like_it_is_promised() -> None:
    model, inputs = towers(hidden=768, layers=1, tokens=64)
    tandem = Tandem(model.config).eval()

    def holds(told: Explanation) -> str:
        promise, arrangement = predicted(told.cycle), told.arrangement
        assert arrangement is not None
        stages = {part.stage: part.parallelism for part in arrangement.stages if part.stage != EMBED}
        # Query, key and value are all that can run side by side.
        right = promise.value < 1.3 and all(parallelism < 1.5 for parallelism in stages.values())
        return "" if right else f"promised {promise}, by stage {stages}"

    hold_on_a_quiet_try(holds, tandem, inputs={"input_ids": inputs["input_ids"]}, budget=1, threads=1)
