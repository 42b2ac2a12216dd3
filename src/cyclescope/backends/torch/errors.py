"""Foreign exceptions, mapped once, here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from cyclescope.core.errors import CyclescopeError, EngineError

# As PyTorch, the C++ library beneath an engine, and ONNX Runtime say it.
_NO_MEMORY = ("can't allocate memory", "not enough memory", "bad_alloc", "Failed to allocate memory")


@contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Turn whatever PyTorch or a model raises while `doing` into an `EngineError` that says what to do."""
    from cyclescope.backends.torch.recorder import Misaligned

    try:
        yield
    except (CyclescopeError, KeyboardInterrupt, Misaligned):
        raise
    except (MemoryError, torch.OutOfMemoryError) as exc:
        raise _out_of_memory(doing, exc) from exc
    except RuntimeError as exc:
        if any(words in str(exc) for words in _NO_MEMORY):
            raise _out_of_memory(doing, exc) from exc
        raise _failed(doing, exc) from exc
    except Exception as exc:
        raise _failed(doing, exc) from exc


def _out_of_memory(doing: str, exc: BaseException) -> EngineError:
    return EngineError(
        f"Not enough memory to {doing}.",
        _first_line(exc),
        "Try a smaller --batch, fewer --tokens, --dtype bfloat16, or a smaller model.",
    )


def _failed(doing: str, exc: BaseException) -> EngineError:
    return EngineError(
        f"The engine could not {doing}.",
        f"{type(exc).__name__}: {_first_line(exc)}",
        "Try --attention eager, another --dtype or shorter input; the whole story: CYCLESCOPE_DEBUG=1.",
    )


def _first_line(exc: BaseException) -> str:
    return next((line for line in str(exc).splitlines() if line.strip()), type(exc).__name__)
