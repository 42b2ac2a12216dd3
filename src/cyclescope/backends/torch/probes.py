"""The probes of calibration on PyTorch: `backends.probing.Probes` for the CPU and for CUDA devices."""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from time import perf_counter_ns

import torch
from torch import nn
from torch.nn import functional

from cyclescope.backends.errors import engine_errors
from cyclescope.backends.probing import Access, MemoryProbe, Timer
from cyclescope.backends.torch.packages import PACKAGES
from cyclescope.backends.torch.stamping.device import check_device, device_name, waiting_for
from cyclescope.core.message import m
from cyclescope.machines.caches import CacheLevel, read_caches
from cyclescope.machines.host import read_machine

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
# A sum over a private cache passes over it so often in one call that the call itself takes a per cent of it at most.
_READ_IN_ONE_CALL = 16 << 20
_READ_IN_ONE_LAUNCH = 1 << 30  # a device is so much faster
# Below it the cost of the call would be a good part of the time, and an update in place cannot be batched.
_LEAST_UPDATED = 128 << 10
_MLP = (256, 1024, 16)  # features, hidden features and rows of the model of the A/A comparison: a millisecond or so


class TorchProbes:
    """Implements `backends.probing.Probes`. Everything runs in inference mode on one kind of data: ones."""

    engine = "torch"

    def __init__(self, device: str = "cpu") -> None:
        check_device(device)
        self._device = torch.device(device)
        self._on_cpu = device == "cpu"
        self._wait = None if self._on_cpu else waiting_for(device)
        self.machine = read_machine(device, device_name(device), PACKAGES)
        self._threads_before = torch.get_num_threads()
        self._operands: dict[tuple[torch.dtype, int, int], torch.Tensor] = {}

    @property
    def caches(self) -> tuple[CacheLevel, ...]:
        if self._on_cpu:
            return read_caches()
        shared = self._device_cache()
        return (CacheLevel("L2", shared),) if shared else ()

    def _device_cache(self) -> int:
        """Bytes of the cache that the units of the device share; 0 where it tells of none."""
        return int(getattr(torch.cuda.get_device_properties(self._device), "L2_cache_size", 0))

    def item_bytes(self, dtype: str) -> int | None:
        known = _DTYPES.get(dtype)
        return known.itemsize if known is not None else None

    def product(self, dtype: str, rows: int, depth: int, width: int, threads: int) -> Timer:
        kind = _DTYPES[dtype]
        x, weight = self._operand(kind, rows, depth), self._operand(kind, width, depth)
        linear = functional.linear
        return self._timer(threads, lambda: linear(x, weight))

    def memory(self, access: Access, size: int, threads: int, *, private: bool) -> MemoryProbe | None:
        items = max(1, size // torch.float32.itemsize)
        size = items * torch.float32.itemsize
        with engine_errors(m("allocate the memory of a probe")):
            if access is Access.UPDATE:
                if size < _LEAST_UPDATED:
                    return None
                # An operation in place is cut into one piece a thread, which then stays in that thread's cache.
                pieces = max(1, threads) if private else 1
                x = self._block(items * pieces)
                return MemoryProbe(self._timer(threads, lambda: x.add_(1.0)), 2 * size * pieces, "add_")
            x = self._block(items)
            # Where rows of the same memory are worked on side by side, a device's cache would answer for its memory.
            once = not private if self._on_cpu else size > self._device_cache()
            if once:
                return MemoryProbe(self._timer(threads, lambda: x.sum()), size, "sum")
            # Rows that are all the same memory: one call reads it again and again, and each thread has rows of its own.
            passes = max(1, (_READ_IN_ONE_CALL if self._on_cpu else _READ_IN_ONE_LAUNCH) // size) * max(1, threads)
            rows = x.expand(passes, items)
            return MemoryProbe(self._timer(threads, lambda: rows.sum(1)), passes * size, "sum")

    def dispatch(self) -> dict[str, Timer]:
        x = torch.ones(1)  # on the CPU always: there, an operation's work on one number is nothing beside its call
        out = torch.empty(1)
        add, neg = torch.add, torch.neg
        return {
            "add": self._timer(1, lambda: add(x, x), on_device=False),
            "add, out given": self._timer(1, lambda: add(x, x, out=out), on_device=False),
            "neg": self._timer(1, lambda: neg(x), on_device=False),
        }

    def module_call(self) -> Timer | None:
        module, x = nn.Identity(), torch.ones(1)
        return self._timer(1, lambda: module(x), on_device=False)

    def launch(self) -> Timer | None:
        if self._on_cpu:
            return None
        x = torch.ones(1, device=self._device)
        return self._timer(0, lambda: x.add_(1.0))

    def cycle(self, threads: int) -> Timer:
        features, hidden, rows = _MLP
        model = nn.Sequential(
            *(
                part
                for _ in range(4)
                for part in (
                    nn.Linear(features, hidden),
                    nn.ReLU(),
                    nn.Linear(hidden, features),
                    nn.LayerNorm(features),
                )
            )
        )
        model.to(self._device).eval()
        x = torch.ones(rows, features, device=self._device)
        return self._timer(threads, lambda: model(x))

    def close(self) -> None:
        self._operands.clear()
        torch.set_num_threads(self._threads_before)

    def _operand(self, dtype: torch.dtype, rows: int, columns: int) -> torch.Tensor:
        key = (dtype, rows, columns)
        if key not in self._operands:
            with engine_errors(m("allocate the memory of a probe")):
                self._operands[key] = torch.ones(rows, columns, dtype=dtype, device=self._device)
        return self._operands[key]

    def _block(self, items: int) -> torch.Tensor:
        """Memory that all probes of the same size share: a calibration must not need many times what it looks at."""
        return self._operand(torch.float32, 1, items).view(-1)

    def _timer(self, threads: int, work: Callable[[], object], *, on_device: bool = True) -> Timer:
        wait = self._wait if on_device else None

        def run(repetitions: int) -> int:
            with engine_errors(m("run a probe")), torch.inference_mode():
                if threads and torch.get_num_threads() != threads:
                    torch.set_num_threads(threads)
                work()
                if wait is not None:
                    wait()
                begin = perf_counter_ns()
                for _ in repeat(None, repetitions):
                    work()
                if wait is not None:
                    wait()
                return perf_counter_ns() - begin

        return run
