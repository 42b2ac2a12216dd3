"""Stamps and where they are kept: compiled where that could be built, in Python everywhere.

Both do the same. The compiled shim (`_stamp.c`) has no frame of its own and writes into memory that stays; it costs about
a tenth of a microsecond a call where caches are warm, the one in Python a third, and several microseconds behind large
matrix products. CYCLESCOPE_PYTHON_SHIMS=1 forbids the compiled one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter_ns
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
    """Rows of key, begin and end in nanoseconds, in the order of their ends."""

    def add(self, key: int, begin_ns: int, end_ns: int, /) -> None: ...

    def clear(self) -> None: ...

    def __len__(self) -> int: ...


class PythonRecords:
    """Records as a list of tuples."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int]] = []

    def add(self, key: int, begin_ns: int, end_ns: int, /) -> None:
        self.rows.append((key, begin_ns, end_ns))

    def clear(self) -> None:
        self.rows.clear()

    def __len__(self) -> int:
        return len(self.rows)


def new_records(*, compiled: bool = COMPILED) -> Records:
    """Where the stamps of one run go. The shims made for it are of the same kind."""
    return _stamp.Records() if compiled else PythonRecords()


def rows_of(records: Records) -> IntArray:
    """A copy of the rows [n, 3]: key, begin, end."""
    if isinstance(records, PythonRecords):
        return np.asarray(records.rows, dtype=np.int64).reshape(-1, 3)
    return np.array(records, dtype=np.int64)


def stamped(call: Callable[..., Any], key: int, records: Records) -> Callable[..., Any]:
    """`call`, stamped into `records`. Whoever asks for its signature gets that of `call`: models do, of `forward`."""
    if not isinstance(records, PythonRecords):
        assert isinstance(records, _stamp.Records)
        return _stamp.Shim(call, key, records)
    append = records.rows.append

    # Kept as small as can be: every instruction here is paid at each call.
    def shim(*args: Any, **kwargs: Any) -> Any:
        begin = perf_counter_ns()
        result = call(*args, **kwargs)
        append((key, begin, perf_counter_ns()))
        return result

    shim.__wrapped__ = call  # type: ignore[attr-defined]
    return shim
