"""Who burns processor time and who sleeps is told apart, operation by operation."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch
import transformers

from cyclescope.explaining.explain import explain
from cyclescope.measuring.measure import measure

pytestmark = pytest.mark.live

PAUSE_S = 0.008


class Slowed(torch.nn.Module):
    """Hands its input on through `wait`, which takes a while."""

    def __init__(self, wrapped: torch.nn.Module, wait: Callable[[], object]) -> None:
        super().__init__()
        self.wrapped = wrapped
        self.wait = wait

    def forward(self, *args: object, **kwargs: object) -> object:
        self.wait()
        return self.wrapped(*args, **kwargs)


def burn() -> None:
    until = time.perf_counter() + PAUSE_S
    while time.perf_counter() < until:
        pass


@pytest.mark.parametrize(("wait", "busy"), [(burn, 1.0), (lambda: time.sleep(PAUSE_S), 0.0)], ids=["burns", "sleeps"])
def test_python_that_burns_and_python_that_sleeps(wait: Callable[[], object], busy: float) -> None:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=100, hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128
    )
    model = transformers.BertModel(config).eval()
    model.encoder.layer[1].intermediate = Slowed(model.encoder.layer[1].intermediate, wait)
    told = explain(measure(model, inputs={"input_ids": torch.arange(5, 37)[None]}, budget=1, threads=1)).arrangement
    assert told is not None
    if told.python_cores is None or told.busy_cores is None:
        pytest.skip("another load was there: the runs took another time than the plain ones")
    # Most of Python's time is the wait. What a busy core loses to another process is not processor time.
    assert abs(told.python_cores - busy) < 0.35
    assert told.busy_cores > 0.6, "operations burn it, on one thread"
    assert told.busy_cores < 1.1
