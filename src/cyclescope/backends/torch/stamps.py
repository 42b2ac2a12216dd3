"""Stamps and where they are kept: compiled where that could be built, in Python everywhere.

Both do the same. The compiled shim (`_stamp.c`) has no frame of its own and writes into memory that stays; it costs about
a tenth of a microsecond a call where caches are warm, the one in Python a third, and several microseconds behind large
matrix products. CYCLESCOPE_PYTHON_SHIMS=1 forbids the compiled one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import clock_gettime_ns, perf_counter_ns
from typing import Any, Protocol

import numpy as np

from cyclescope.core.units import IntArray

try:
    if os.environ.get("CYCLESCOPE_PYTHON_SHIMS"):
        raise ImportError
    from cyclescope.backends.torch import _stamp
except ImportError:
    COMPILED = False
else:
    COMPILED = True


class Records(Protocol):
    """Rows of key, begin and end in nanoseconds, in the order of their ends; with clocks of processor time also what
    those showed together at begin and at end.
    """

    def clear(self) -> None: ...

    def __len__(self) -> int: ...


class PythonRecords:
    """Records as a list of tuples. `clocks` are ids of `clock_gettime`, summed at each stamp."""

    def __init__(self, clocks: tuple[int, ...] = ()) -> None:
        self.rows: list[tuple[int, ...]] = []
        self.clocks = clocks

    def clear(self) -> None:
        self.rows.clear()

    def __len__(self) -> int:
        return len(self.rows)


def new_records(clocks: tuple[int, ...] = (), *, compiled: bool = COMPILED) -> Records:
    """Where the stamps of one run go. The shims made for it are of the same kind."""
    return _stamp.Records(clocks=clocks) if compiled else PythonRecords(clocks)


def rows_of(records: Records) -> IntArray:
    """A copy of the rows [n, 3]: key, begin, end; [n, 5] with clocks: then their sum at begin and at end."""
    if isinstance(records, PythonRecords):
        return np.asarray(records.rows, dtype=np.int64).reshape(-1, 5 if records.clocks else 3)
    return np.array(records, dtype=np.int64)


def stamped(call: Callable[..., Any], key: int, records: Records) -> Callable[..., Any]:
    """`call`, stamped into `records`. Whoever asks for its signature gets that of `call`: models do, of `forward`."""
    if not isinstance(records, PythonRecords):
        assert isinstance(records, _stamp.Records)
        return _stamp.Shim(call, key, records)
    shim = _stamping_both(call, key, records) if records.clocks else _stamping(call, key, records)
    shim.__wrapped__ = call  # type: ignore[attr-defined]
    return shim


def _stamping(call: Callable[..., Any], key: int, records: PythonRecords) -> Callable[..., Any]:
    append = records.rows.append

    # Kept as small as can be: every instruction here is paid at each call.
    def shim(*args: Any, **kwargs: Any) -> Any:
        begin = perf_counter_ns()
        result = call(*args, **kwargs)
        append((key, begin, perf_counter_ns()))
        return result

    return shim


def _stamping_both(call: Callable[..., Any], key: int, records: PythonRecords) -> Callable[..., Any]:
    append, clocks = records.rows.append, records.clocks

    def shim(*args: Any, **kwargs: Any) -> Any:
        # The wall clock first at both ends, so that both clocks lie on the same side of what they cost.
        begin, busy = perf_counter_ns(), sum(map(clock_gettime_ns, clocks))
        result = call(*args, **kwargs)
        append((key, begin, perf_counter_ns(), busy, sum(map(clock_gettime_ns, clocks))))
        return result

    return shim
