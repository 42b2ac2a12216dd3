"""A planted truth: a module that burns a known time in a known place. The tool must find that time, in that place."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns

import pytest
import torch
import transformers
from quiet import hold_on_a_quiet_try

from cyclescope.core.graph.structure import ENCODE, HEAD
from cyclescope.explaining.closure import PYTHON
from cyclescope.explaining.explanation import Explanation

BURN_NS = 4_000_000

pytestmark = pytest.mark.live


class Burner(torch.nn.Module):
    """Hands its input on after `burn_ns` of wall time. It holds no operation, so its time is Python's."""

    def __init__(self, wrapped: torch.nn.Module, burn_ns: int, *, after: bool) -> None:
        super().__init__()
        self.wrapped = wrapped
        self.burn_ns = burn_ns
        self.after = after

    def forward(self, *args: object, **kwargs: object) -> object:
        if not self.after:
            _burn(self.burn_ns)
        result = self.wrapped(*args, **kwargs)
        if self.after:
            _burn(self.burn_ns)
        return result


def _burn(ns: int) -> None:
    until = perf_counter_ns() + ns
    while perf_counter_ns() < until:
        pass


def _bert() -> transformers.BertModel:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=500, hidden_size=64, num_hidden_layers=4, num_attention_heads=4, intermediate_size=128
    )
    return transformers.BertModel(config).eval()


def _hold(model: torch.nn.Module, holds: Callable[[Explanation], str]) -> None:
    ids = torch.arange(5, 21)[None]
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    hold_on_a_quiet_try(holds, model, inputs=inputs, budget=1, threads=1)


@pytest.mark.parametrize("after", [False, True], ids=["before the layer's work", "after it"])
def test_time_burnt_in_one_layer_is_found_in_that_layer(after: bool) -> None:
    model = _bert()
    model.encoder.layer[2].intermediate = Burner(model.encoder.layer[2].intermediate, BURN_NS, after=after)

    def found(told: Explanation) -> str:
        layers = {row.index: row for row in told.layers if row.stage == ENCODE}
        others = sorted(layers[i].time.value_ns for i in (0, 1, 3))
        ratio = (layers[2].time.value_ns - others[1]) / BURN_NS
        span = max((s for s in told.spans if s.kind == "python"), key=lambda s: s.duration_ns)
        place = (span.module, span.layer)
        right = abs(ratio - 1) < 0.1 and layers[2].python_ns / BURN_NS > 0.97
        return "" if right and place == ("encoder.layer.2.intermediate", 2) else f"found {ratio:.3f} of it, in {place}"

    _hold(model, found)


def test_time_burnt_after_the_last_operation_is_not_lost() -> None:
    model = _bert()
    model.pooler = Burner(model.pooler, BURN_NS, after=True)

    def found(told: Explanation) -> str:
        python = {(row.stage, row.name): row.time_ns for row in told.closure.rows}
        ratio = python[HEAD, PYTHON] / BURN_NS
        return "" if abs(ratio - 1) < 0.15 else f"found {ratio:.3f} of it"

    _hold(model, found)


def test_work_added_to_one_operation_is_found_in_that_operation() -> None:
    """A feed-forward product of one layer is made 512 times as wide; nothing else may grow by as much."""
    model = _bert()
    layer = model.encoder.layer[1]
    torch.manual_seed(0)
    layer.intermediate.dense = torch.nn.Linear(64, 128 * 512)
    layer.output.dense = torch.nn.Linear(128 * 512, 64)
    planted = {
        "encoder.layer.1.intermediate.dense",
        "encoder.layer.1.intermediate.intermediate_act_fn",
        "encoder.layer.1.output.dense",
    }

    def found(told: Explanation) -> str:
        heaviest = {row.site.module for row in told.operations[:3]}
        return "" if heaviest == planted else f"the heaviest operations are in {sorted(heaviest)}"

    _hold(model, found)
