"""What an engine raises, told once and in one line."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from cyclescope.backends.errors import engine_errors, memory_error_in
from cyclescope.core.errors import EngineError, Unsupported


def said(error: BaseException) -> EngineError:
    with pytest.raises(EngineError) as caught, engine_errors("run the model"):
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
