"""Stamps and where they are kept: compiled where that could be built, in Python everywhere.

Both do the same. The compiled wrapper (`_stamp.c`) has no frame of its own and writes into memory that stays; it costs about
a tenth of a microsecond a call where caches are warm, the one in Python a third, and several microseconds behind large
matrix products. CYCLESCOPE_PYTHON_WRAPPERS=1 forbids the compiled one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import clock_gettime_ns, perf_counter_ns
from typing import Any, Protocol

import numpy as np

from cyclescope.core.units import IntArray

try:
    if os.environ.get("CYCLESCOPE_PYTHON_WRAPPERS"):
        raise ImportError
    from cyclescope.backends.torch.stamping import _stamp
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
        self.columns = 5 if clocks else 3

    def clear(self) -> None:
        self.rows.clear()

    def __len__(self) -> int:
        return len(self.rows)


class MarkedRecords(PythonRecords):
    """Records that leave a mark on both sides of each call: `mark` leaves one and gives its number.

    A row is key, begin, end and the two numbers, −1 for a key in `unmarked`. What a marked call calls itself is not
    recorded, so that nothing stands in the way of its work.
    """

    def __init__(self, mark: Callable[[], int], unmarked: range) -> None:
        super().__init__()
        self.mark, self.unmarked = mark, unmarked
        self.columns = 5
        self.inside = False

    @contextmanager
    def looking_away(self) -> Iterator[None]:
        """While open, calls are neither recorded nor marked."""
        before, self.inside = self.inside, True
        try:
            yield
        finally:
            self.inside = before


def new_records(clocks: tuple[int, ...] = (), *, compiled: bool = COMPILED) -> Records:
    """Where the stamps of one run go. The wrappers made for it are of the same kind."""
    return _stamp.Records(clocks=clocks) if compiled else PythonRecords(clocks)


def rows_of(records: Records) -> IntArray:
    """A copy of the rows [n, 3]: key, begin, end; [n, 5] with clocks: then their sum at begin and at end (of marked
    records the numbers of the marks).
    """
    if isinstance(records, PythonRecords):
        return np.asarray(records.rows, dtype=np.int64).reshape(-1, records.columns)
    return np.array(records, dtype=np.int64)


def instrumented(call: Callable[..., Any], key: int, records: Records) -> Callable[..., Any]:
    """`call`, with timestamps into `records`. Its signature is that of `call`, since models ask for the signature of `forward`."""
    if not isinstance(records, PythonRecords):
        assert isinstance(records, _stamp.Records)
        return _stamp.Wrapper(call, key, records)
    if isinstance(records, MarkedRecords):
        wrapper = _marking(call, key, records)
    else:
        wrapper = _stamping_both(call, key, records) if records.clocks else _stamping(call, key, records)
    wrapper.__wrapped__ = call  # type: ignore[attr-defined]
    return wrapper


def _stamping(call: Callable[..., Any], key: int, records: PythonRecords) -> Callable[..., Any]:
    append = records.rows.append

    # Kept as small as can be: every instruction here is paid at each call.
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        begin = perf_counter_ns()
        result = call(*args, **kwargs)
        append((key, begin, perf_counter_ns()))
        return result

    return wrapper


def _stamping_both(call: Callable[..., Any], key: int, records: PythonRecords) -> Callable[..., Any]:
    append, clocks = records.rows.append, records.clocks

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        # The wall clock first at both ends, so that both clocks lie on the same side of what they cost.
        begin, busy = perf_counter_ns(), sum(map(clock_gettime_ns, clocks))
        result = call(*args, **kwargs)
        append((key, begin, perf_counter_ns(), busy, sum(map(clock_gettime_ns, clocks))))
        return result

    return wrapper


def _marking(call: Callable[..., Any], key: int, records: MarkedRecords) -> Callable[..., Any]:
    append, mark = records.rows.append, records.mark

    def unmarked(*args: Any, **kwargs: Any) -> Any:
        if records.inside:
            return call(*args, **kwargs)
        begin = perf_counter_ns()
        result = call(*args, **kwargs)
        append((key, begin, perf_counter_ns(), -1, -1))
        return result

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if records.inside:
            return call(*args, **kwargs)
        records.inside = True
        try:
            # The marks between the readings of the clock: whatever the host gave the device here, it had by the second.
            begin, first = perf_counter_ns(), mark()
            result = call(*args, **kwargs)
            last, end = mark(), perf_counter_ns()
        finally:
            records.inside = False
        append((key, begin, end, first, last))
        return result

    return unmarked if key in records.unmarked else wrapper
