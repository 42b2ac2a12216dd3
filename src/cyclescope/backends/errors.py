"""Foreign exceptions, mapped once, here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from cyclescope.core.errors import CyclescopeError, EngineError
from cyclescope.core.message import Text, m

# As PyTorch, the C++ library beneath an engine, and ONNX Runtime say it.
_NO_MEMORY = ("can't allocate memory", "not enough memory", "bad_alloc", "Failed to allocate memory")
_OUT_OF_MEMORY = "OutOfMemoryError"  # as frameworks call theirs, which derives from no error of Python's
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Misaligned(Exception):
    """An instrumented run did not show the calls that were traced."""


@contextmanager
def engine_errors(doing: Text) -> Iterator[None]:
    """Turn whatever an engine or a model raises while `doing` into an `EngineError` that says what to do."""
    try:
        yield
    except (CyclescopeError, KeyboardInterrupt, Misaligned):
        raise
    except Exception as exc:
        lacking = memory_error_in(exc)
        raise (_failed(doing, exc) if lacking is None else _out_of_memory(doing, lacking)) from exc


def memory_error_in(exc: BaseException | None) -> BaseException | None:
    """What says that there was too little memory, at the bottom of `exc` or on the way there; None where nothing does."""
    while exc is not None:
        named = isinstance(exc, MemoryError) or type(exc).__name__ == _OUT_OF_MEMORY
        if named or any(words in str(exc) for words in _NO_MEMORY):
            return exc
        exc = exc.__cause__
    return None


def _out_of_memory(doing: Text, exc: BaseException) -> EngineError:
    return EngineError(
        m("Not enough memory to {doing}.", doing=doing),
        _first_line(exc),
        m("Try a smaller --batch, fewer --tokens, --dtype bfloat16, or a smaller model."),
    )


def _failed(doing: Text, exc: BaseException) -> EngineError:
    return EngineError(
        m("The engine could not {doing}.", doing=doing),
        f"{type(exc).__name__}: {_first_line(exc)}",
        m("Try --attention eager, another --dtype or shorter input. CYCLESCOPE_DEBUG=1 prints the traceback."),
    )


def _first_line(exc: BaseException) -> str:
    """What `exc` says, in one line without colours: with the next where the first only announces it."""
    lines = [line.strip() for line in _COLOUR.sub("", str(exc)).splitlines() if line.strip()]
    said = 1 + next((k for k, line in enumerate(lines) if not line.endswith(":")), 0)
    return " ".join(lines[:said]) or type(exc).__name__
