"""What a running cycle really holds: looks at the memory behind its tensors, and at the process around it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.multiprocessing.reductions import StorageWeakRef

from cyclescope.backends.torch.tracing.layouts import held
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.samples import MemorySamples

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # Linux, Documentation/filesystems/proc.rst: "reset the peak resident set size to current value"


class Lifetimes:
    """From when to when each piece of memory of a run was there, by references that do not keep it alive."""

    def __init__(self) -> None:
        self._alive: dict[int, StorageWeakRef] = {}  # by row
        self._known: set[int] = set()
        self._sizes: list[int] = []
        self._storages: list[int] = []
        self._first: list[int] = []
        self._last: list[int] = []
        self._look_op: list[int] = []
        self._standing = dict.fromkeys(TensorRole, 0)

    def met(self, tensor: torch.Tensor, storage: int, role: TensorRole) -> None:
        """A tensor that was not seen before lies in `storage`; with the role of an activation it came to be just now."""
        if storage in self._known:
            return
        self._known.add(storage)
        try:
            parts = [part.untyped_storage() for part in held(tensor)]
        except (NotImplementedError, RuntimeError):  # a tensor without memory that could be asked for
            return
        if role is not TensorRole.ACTIVATION:
            self._standing[role] += sum(part.nbytes() for part in parts)
            return
        memory = parts[0]
        self._alive[len(self._sizes)] = StorageWeakRef(memory)
        self._sizes.append(memory.nbytes())
        self._storages.append(storage)
        # It is there from the next look on; what is gone by then was never seen.
        self._first.append(len(self._look_op))
        self._last.append(len(self._look_op) - 1)

    def look(self, op: int) -> None:
        """Note what is there now, in operation `op`."""
        now = len(self._look_op)
        self._look_op.append(op)
        # As `StorageWeakRef.expired` asks, without its steps of Python: this is asked for all that is alive at every operation.
        expired = torch.UntypedStorage._expired
        gone = [row for row, reference in self._alive.items() if expired(reference.cdata)]
        for row in gone:
            self._last[row] = now - 1
            del self._alive[row]

    def left(self) -> set[int]:
        """The memory that was there at the last look."""
        return {self._storages[row] for row in self._alive}

    def samples(self) -> MemorySamples:
        """All that was seen."""
        last = list(self._last)
        for row in self._alive:
            last[row] = len(self._look_op) - 1
        columns = (self._sizes, self._storages, self._first, last, self._look_op)
        sizes, storages, first, ended, look_op = (np.asarray(column, dtype=np.int64) for column in columns)
        return MemorySamples(
            sizes=sizes,
            storages=storages,
            first=first,
            last=ended,
            look_op=look_op,
            weight_bytes=self._standing[TensorRole.PARAMETER],
            buffer_bytes=self._standing[TensorRole.BUFFER],
            input_bytes=self._standing[TensorRole.INPUT],
        )


def with_resident_set(samples: MemorySamples, run: Callable[[], object]) -> MemorySamples:
    """`samples` and the resident set of this process before and at its peak during `run`; as they are where the system
    does not tell (only Linux does).

    Memory that earlier cycles left with the allocator is given back before, or no cycle but the first would grow.
    """
    try:
        _give_back()
        _CLEAR.write_text(_RESET_PEAK, encoding="ascii")
        before = _status("VmRSS")
        run()
        peak = _status("VmHWM")
    except OSError:
        return samples
    return replace(samples, resident_bytes=before, resident_peak_bytes=peak)


def _give_back() -> None:
    """Ask the C library to return its unused memory; only glibc can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _status(field: str) -> int | None:
    """A size that the system tells about this process, in bytes."""
    for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    return None
