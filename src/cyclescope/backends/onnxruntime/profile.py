"""The profile that ONNX Runtime writes: one event for every run of an operation's kernel, in whole microseconds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cyclescope.backends.artifacts.program import Call
from cyclescope.core.units import IntArray, Nanoseconds

_KERNEL = "_kernel_time"
_CALL = "model_run"
_US = 1000
# Durations are cut to whole microseconds, which takes half of one away on average.
_CUT_NS = _US // 2

_DTYPES = {
    "float": "float32", "double": "float64", "float16": "float16", "bfloat16": "bfloat16", "int64": "int64",
    "int32": "int32", "int16": "int16", "int8": "int8", "uint8": "uint8", "uint16": "uint16", "uint32": "uint32",
    "uint64": "uint64", "bool": "bool",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """Shape and dtype of one argument of a kernel."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, eq=False)
class Ran:
    """One call: names, shapes of what each kernel wrote, and begin and end [n, 2] in ns since the profile began."""

    names: tuple[str, ...]
    writes: tuple[tuple[Shape, ...], ...]
    spans: IntArray


def read(path: Path, *, shapes: bool = False) -> list[Ran]:
    """The calls in the profile `path`, in order; with `shapes` also what their kernels wrote."""
    with path.open(encoding="utf-8") as file:
        events: list[Mapping[str, Any]] = json.load(file)
    calls = sorted((e["ts"], e["ts"] + e["dur"]) for e in events if e["name"] == _CALL and e["cat"] == "Session")
    kernels = [e for e in events if e["cat"] == "Node" and e["name"].endswith(_KERNEL)]
    kernels.sort(key=lambda event: (event["ts"], event["ts"] + event["dur"]))
    begins = np.asarray([event["ts"] for event in kernels], dtype=np.int64)
    found = []
    for begin, end in calls:
        first, last = np.searchsorted(begins, (begin, end + 1))
        mine = kernels[first:last]
        spans = np.asarray([(e["ts"] * _US, (e["ts"] + e["dur"]) * _US + _CUT_NS) for e in mine], dtype=np.int64)
        found.append(
            Ran(
                names=tuple(event["name"].removesuffix(_KERNEL) for event in mine),
                writes=tuple(_shapes(e, "output_type_shape") for e in mine) if shapes else (),
                spans=spans.reshape(-1, 2),
            )
        )
    return found


def on_our_clock(ran: Sequence[Ran], calls: Sequence[Call], started_ns: Nanoseconds) -> list[IntArray]:
    """Spans of each call on the clock of `calls`; `started_ns` is when the profile began, on the engine's clock."""
    ours = started_ns + _clock_offset(started_ns)
    placed = []
    for run, call in zip(ran, calls, strict=True):
        spans = np.maximum.accumulate((run.spans + ours).reshape(-1)).reshape(-1, 2)
        placed.append(np.clip(spans, call.begin_ns, call.end_ns))
    return placed


def _clock_offset(started_ns: Nanoseconds) -> Nanoseconds:
    """What to add to the engine's clock to get ours: it is the system's time or a monotonic one, by platform."""
    clocks: tuple[Callable[[], int], ...] = (time.time_ns, time.perf_counter_ns, time.monotonic_ns)
    clock = min(clocks, key=lambda read: abs(read() - started_ns))
    offsets = [time.perf_counter_ns() - clock() for _ in range(9)]
    return sorted(offsets)[len(offsets) // 2]


def _shapes(event: Mapping[str, Any], key: str) -> tuple[Shape, ...]:
    return tuple(
        Shape(tuple(shape), _DTYPES.get(dtype, "float32"))
        for argument in event["args"].get(key, [])
        for dtype, shape in argument.items()
    )
