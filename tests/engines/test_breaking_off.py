"""A call of a model is broken off between two modules, and leaves nothing behind."""

from __future__ import annotations

import time

import pytest
import torch
from torch.nn.modules.module import _global_forward_pre_hooks

from cyclescope.backends.base import BreakableSession, BrokenOff, Request
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.breaking_off import breaking_off


class Slow(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        time.sleep(0.01)
        return x + 1


STACK = torch.nn.Sequential(*(Slow() for _ in range(20)))
X = torch.zeros(1)


def test_a_call_ends_between_two_modules_and_tells_how_far_it_was() -> None:
    with pytest.raises(BrokenOff) as caught, breaking_off(STACK, 50_000_000):
        STACK(X)
    assert caught.value.after_ns > 50_000_000
    assert 0 < caught.value.share < 0.5
    assert caught.value.whole_ns > 150_000_000
    assert not _global_forward_pre_hooks
    assert STACK(X) == 20


def test_a_call_that_is_over_and_the_steps_behind_it_run_to_their_end() -> None:
    with breaking_off(STACK, 10**10):
        assert STACK(X) == 20
    with breaking_off(STACK, 400_000_000):
        for _ in range(3):
            assert STACK(X) == 20  # the second ends behind the limit


def test_a_session_breaks_off_its_model_and_not_compiled_code() -> None:
    session = open_session(Request(model=STACK, inputs={"input": X}))
    try:
        assert isinstance(session, BreakableSession)
        with pytest.raises(BrokenOff), session.breaking_off(20_000_000):
            session.uninstrumented(1)
        assert session.uninstrumented(1)[0].wall_ns > 150_000_000
    finally:
        session.close()
    compiled = open_session(Request(model=torch.compile(STACK, backend="eager"), inputs={"input": X}))
    try:
        assert isinstance(compiled, BreakableSession)
        with compiled.breaking_off(0):
            assert not _global_forward_pre_hooks
    finally:
        compiled.close()
