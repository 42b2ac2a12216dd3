"""What an engine raises, told once and in one line."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

import cyclescope
from cyclescope.backends.errors import Misaligned, engine_errors, memory_error_in
from cyclescope.core.errors import CyclescopeError, EngineError, Unsupported, UsageError


def said(error: BaseException) -> CyclescopeError:
    with pytest.raises(CyclescopeError) as caught, engine_errors("run the model"):
        raise error
    return caught.value


def over(top: Exception, bottom: Exception) -> Exception:
    """`top`, raised because of `bottom`."""
    top.__cause__ = bottom
    return top


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no room"),
        torch.OutOfMemoryError("no room"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 7 bytes."),
        RuntimeError("[ONNXRuntimeError] : 6 : Exception during initialization: std::bad_alloc"),
        over(ValueError("step 2 failed"), over(KeyError("node"), MemoryError("no room"))),
    ],
)
def test_too_little_memory_is_told_as_such_wherever_it_was_met(error: Exception) -> None:
    told = said(error)
    assert str(told.fact) == "Not enough memory to run the model."
    assert "step 2" not in str(told.cause)
    assert "smaller" in str(told.way_out)


def test_an_allocation_of_this_process_that_cannot_be_is_too_little_memory() -> None:
    """What PyTorch really says."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 50)
    assert memory_error_in(caught.value) is caught.value


def test_any_other_trouble_is_told_by_its_kind_and_in_one_line_without_colours() -> None:
    assert memory_error_in(ValueError("a")) is None
    assert str(said(ValueError("\n\x1b[96mlast\x1b[0m words\nmore")).cause) == "ValueError: last words"
    assert str(said(RuntimeError("Exception from core.cpp:84:\n Check failed:\n no such axis\n at")).cause) == (
        "RuntimeError: Exception from core.cpp:84: Check failed: no such axis"
    )
    assert str(said(RuntimeError("only this:")).cause) == "RuntimeError: only this:"
    assert str(said(RuntimeError()).cause) == "RuntimeError: RuntimeError"


def test_our_own_errors_and_an_interrupt_pass_as_they_are() -> None:
    with pytest.raises(Unsupported, match="as it is"), engine_errors("run the model"):
        raise Unsupported("as it is")
    with pytest.raises(KeyboardInterrupt), engine_errors("run the model"):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("error", "kind", "remedy"),
    [
        (RuntimeError("\"addmm_impl_cpu_\" not implemented for 'Half'"), EngineError, "--dtype float32"),
        (RuntimeError("mat1 and mat2 must have the same dtype, but got Float and Half"), EngineError, "Give inputs in"),
        (NotImplementedError("Cannot copy out of meta tensor; no data!"), UsageError, "not meta"),
        (RuntimeError("Tensor.item() cannot be called on meta tensors"), UsageError, "not meta"),
        (
            RuntimeError("Expected all tensors to be on the same device, but found cpu and cuda:0"),
            UsageError,
            "model.to",
        ),
        (ValueError("FlashAttention2 is not installed"), EngineError, "--attention eager"),
        (Misaligned("call 3 is relu, traced was linear"), EngineError, "randomness"),
        (over(KeyError("node"), Misaligned("call 3 is relu, traced was linear")), EngineError, "randomness"),
        (ZeroDivisionError("division by zero"), EngineError, "your own code"),
    ],
)
def test_each_cause_has_a_remedy_of_its_own(error: Exception, kind: type[CyclescopeError], remedy: str) -> None:
    told = said(error)
    assert type(told) is kind
    assert remedy in str(told.way_out)
    assert ("--attention" in str(told.way_out)) == ("Attention" in str(error))
    assert told.__cause__ is not None


class Skipping(nn.Module):
    """Skips a layer by chance in half of its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(8))
        self.chance = random.Random(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            if self.chance.random() < 0.5:
                x = layer(x).relu()
        return x


def test_a_model_that_skips_layers_by_chance_is_refused_by_its_cause() -> None:
    with pytest.raises(EngineError, match="same operations in every cycle") as caught:
        cyclescope.measure(Skipping().eval(), inputs={"x": torch.ones(1, 4)}, budget=0.2)
    assert "randomness" in str(caught.value.way_out)


def test_what_is_raised_while_a_model_is_opened_is_an_error_of_the_tree() -> None:
    with pytest.raises(UsageError) as caught, torch.device("meta"):
        cyclescope.measure("bert-tiny", "Hello", budget=0.2)
    assert "meta" in str(caught.value)
