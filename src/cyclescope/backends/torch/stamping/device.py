"""The clock of a device: marks left in its queue, which it passes when everything given to it before is done.

A mark is an event (`torch.Event`). Leaving one waits for nothing; when it was passed is asked for after the wait at the
end of the cycle, which the cycle has anyway.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch

from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.units import IntArray, Nanoseconds

_NS_PER_MS = 1e6
# Times between events come as single-precision milliseconds: beyond this many they are counted from a later event, so
# that their steps stay below 31 ns.
_MOST_MS = 256.0
# Sizes of the square product that keeps a device busy, and how long one must take at least, so that few of them do.
_HELD_SIZES = (512, 1024, 2048, 4096)
_LEAST_HELD_NS = 100_000
_TRIES = 5


class TimedEvent(Protocol):
    """What is asked of an event that was passed."""

    def elapsed_time(self, end_event: Any, /) -> float:
        """Milliseconds from this event to `end_event`."""
        ...


class DeviceClock(Protocol):
    """Marks in the queue of one device. Numbers of marks begin at 0 after each `rewind`."""

    def in_force(self) -> Any:
        """A context inside which the marks go to this device."""
        ...

    def rewind(self) -> None:
        """Forget all marks."""
        ...

    def record(self) -> int:
        """Leave a mark behind everything that the device was given so far, without waiting; its number."""
        ...

    def resolve(self) -> IntArray:
        """When the device passed each mark [marks], in nanoseconds from mark 0. Only after `wait`."""
        ...

    def wait(self) -> None:
        """Wait until the device has done everything that it was given."""
        ...

    def hold(self, ns: Nanoseconds) -> None:
        """Give the device about so much work, without waiting for it."""
        ...


def check_device(device: str) -> None:
    """Raise `Unsupported` unless this PyTorch sees `device`."""
    if device == "cpu":
        return
    kind, _, number = device.partition(":")
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind != "cuda" or (":" in device and not (number.isascii() and number.isdigit())):
        cause, way = m("Devices are cpu, cuda and cuda:N."), m("Use --device cpu.")
    elif not there:
        cause, way = m("This PyTorch sees no CUDA device."), m("Use --device cpu.")
    elif number and int(number) >= there:
        cause = m("CUDA devices here: {there}, counted from 0.", there=there)
        way = m("Use --device cuda:{last} or a lower number.", last=there - 1)
    else:
        return
    raise Unsupported(m("There is no device {device} here.", device=repr(device)), cause, way)


def waiting_for(device: str) -> Callable[[], None]:
    """What waits until `device` has done everything that it was given; the CPU has when a call returns."""
    if device == "cpu":
        return _nothing
    return partial(torch.get_device_module(torch.device(device)).synchronize, torch.device(device))


def device_name(device: str) -> str:
    """What the maker calls `device`; '' for the CPU, which the system names."""
    if device == "cpu":
        return ""
    return str(torch.get_device_module(torch.device(device)).get_device_name(torch.device(device)))


def free_bytes(device: str) -> int:
    """Memory of `device` that could be had now."""
    return int(torch.get_device_module(torch.device(device)).mem_get_info(torch.device(device))[0])


class EventClock:
    """Implements `DeviceClock` with timed events on the stream that is current where a mark is left."""

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)
        self._events: list[torch.Event] = []
        self._used = 0
        self.wait = waiting_for(device)
        self._busy: Callable[[], object] | None = None
        self._busy_ns = 0.0

    @contextmanager
    def in_force(self) -> Iterator[None]:
        with torch.get_device_module(self._device).device(self._device):
            yield

    def rewind(self) -> None:
        self._used = 0

    def record(self) -> int:
        number = self._used
        if number == len(self._events):
            self._events.append(torch.Event(self._device, enable_timing=True))
        self._events[number].record()
        self._used = number + 1
        return number

    def resolve(self) -> IntArray:
        return resolved(self._events[: self._used])

    def hold(self, ns: Nanoseconds) -> None:
        if self._busy is None:
            self._busy, self._busy_ns = self._busy_work()
        for _ in range(math.ceil(ns / self._busy_ns)):
            self._busy()

    def _busy_work(self) -> tuple[Callable[[], object], float]:
        """A product that takes the device long beside its launch, and how long."""
        begin, end = (torch.Event(self._device, enable_timing=True) for _ in range(2))
        for size in _HELD_SIZES:
            x = torch.zeros(size, size, device=self._device)
            out = torch.empty_like(x)
            times = []
            for _ in range(_TRIES):
                begin.record()
                torch.mm(x, x, out=out)
                end.record()
                self.wait()
                times.append(begin.elapsed_time(end) * _NS_PER_MS)
            if min(times) >= _LEAST_HELD_NS:
                break
        return partial(torch.mm, x, x, out=out), max(1.0, min(times))


def resolved(events: Sequence[TimedEvent]) -> IntArray:
    """Times of `events` [n] in nanoseconds from the first; all of them must have been passed."""
    times = np.zeros(len(events), dtype=np.int64)
    anchor, anchor_ns = 0, 0
    for number, event in enumerate(events):
        elapsed_ms = events[anchor].elapsed_time(event) if number else 0.0
        times[number] = anchor_ns + round(elapsed_ms * _NS_PER_MS)
        if elapsed_ms > _MOST_MS:
            anchor, anchor_ns = number, int(times[number])
    return times


def _nothing() -> None:
    """There is nothing to wait for."""
