"""A trace of the PyTorch profiler, written by hand as its library writes it, with every figure known."""

from __future__ import annotations

import json
from typing import Any

HOST, STREAM = (10, 11), (0, 7)
DEVICES = [{"id": 0, "name": "NVIDIA H100", "totalGlobalMem": 1}]
SHAPES = {
    "Input Dims": [[2, 8], [8, 4]],
    "Input type": ["float", "float"],
    "Input Strides": [[8, 1], [4, 1]],
    "Concrete Inputs": ["", ""],
}


def span(
    category: str, name: str, begin_us: float, duration_us: float, thread: tuple[int, int] = HOST, **args: Any
) -> dict[str, Any]:
    pid, tid = thread
    event = {"ph": "X", "cat": category, "name": name, "pid": pid, "tid": tid, "ts": begin_us, "dur": duration_us}
    return event | ({"args": args} if args else {})


def launched(
    name: str, correlation: int, call_us: float, begin_us: float, duration_us: float, external: int
) -> list[dict[str, Any]]:
    """A launch that takes 2 µs, its arrow, and its kernel."""
    ids = {"External id": external, "correlation": correlation}
    arrow = {"id": correlation, "cat": "ac2g", "name": "ac2g"}
    return [
        span("cuda_runtime", "cudaLaunchKernel", call_us, 2.0, **ids, cbid=211),
        {"ph": "s", "pid": HOST[0], "tid": HOST[1], "ts": call_us, **arrow},
        span("kernel", name, begin_us, duration_us, STREAM, **ids, device=0, stream=7, grid=[1, 1, 1], block=[128, 1, 1]),
        {"ph": "f", "pid": STREAM[0], "tid": STREAM[1], "ts": begin_us, "bp": "e", **arrow},
    ]  # fmt: skip


def events() -> list[dict[str, Any]]:
    """A step with a module, an operation and two kernels; the second was launched by the driver's memory of an earlier call."""
    return [
        {"ph": "M", "name": "process_name", "pid": HOST[0], "tid": 0, "ts": 1000.0, "args": {"name": "python"}},
        {"ph": "M", "name": "thread_name", "pid": STREAM[0], "tid": STREAM[1], "ts": 1000.0, "args": {"name": "stream 7 "}},
        span("user_annotation", "ProfilerStep#1", 1000.0, 100.0, **{"External id": 1}),
        span("python_function", "model.py(3): forward", 1001.5, 90.0, **{"Python id": 1, "Python parent id": None}),
        span("python_function", "nn.Module: Linear_0", 1002.0, 80.0, **{"Python id": 2, "Python parent id": 1, "Python module id": 5}),
        span("cpu_op", "aten::mm", 1003.25, 20.125, **SHAPES, **{"External id": 2, "Ev Idx": 3}),
        *launched("sgemm", 77, 1005.0, 1010.0, 30.0, external=2),
        span("kernel", "orphan", 1050.0, 5.0, STREAM, correlation=9, device=0, stream=7),
        {
            "ph": "i", "cat": "cpu_instant_event", "s": "t", "name": "[memory]", "pid": HOST[0], "tid": HOST[1], "ts": 1004.0,
            "args": {"Total Reserved": 2048, "Total Allocated": 1024, "Bytes": 512, "Device Id": 0, "Device Type": 1, "Addr": 99},
        },
    ]  # fmt: skip


def document(records: list[dict[str, Any]] | None = None, **values: Any) -> str:
    """The text of a file: values first, then the events, then the name, as Kineto orders them."""
    text = json.dumps({"schemaVersion": 1, "deviceProperties": DEVICES, **values})[:-1]
    listed = ",\n  ".join(json.dumps(record) for record in (events() if records is None else records))
    return f'{text}, "traceEvents": [\n  {listed}\n  ],\n  "traceName": "trace.json"\n}}'
