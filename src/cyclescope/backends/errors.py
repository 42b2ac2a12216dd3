"""Foreign exceptions, mapped once, here. `causes` has what is said of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cyclescope.backends.causes import Misaligned, cause_of, causes_in, is_memory_error
from cyclescope.core.errors import CyclescopeError
from cyclescope.core.message import Text

__all__ = ["Misaligned", "engine_errors", "memory_error_in"]


@contextmanager
def engine_errors(doing: Text) -> Iterator[None]:
    """Turn whatever an engine or a model raises while `doing` into an error of the tree that says what to do."""
    try:
        yield
    except (CyclescopeError, KeyboardInterrupt):
        raise
    except Exception as exc:
        cause, found = cause_of(exc)
        raise cause.says(doing, found) from exc


def memory_error_in(exc: BaseException | None) -> BaseException | None:
    """What says that there was too little memory, at the bottom of `exc` or on the way there; None where nothing does."""
    return next((link for link in causes_in(exc) if is_memory_error(link)), None)
