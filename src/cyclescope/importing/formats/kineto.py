"""Traces of the PyTorch profiler, as its library Kineto writes them, of every version and device.

Categories: https://github.com/pytorch/kineto/blob/main/libkineto/src/ActivityType.cpp; older versions wrote "Operator", "Kernel",
"Runtime", "Memcpy" and "Memset" for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cyclescope.importing.formats.arguments import ArgumentReader
from cyclescope.importing.formats.dialect import Dialect, Opening
from cyclescope.importing.trace import Kind

_KINDS = {
    "cpu_op": Kind.OPERATION,
    "Operator": Kind.OPERATION,
    "user_annotation": Kind.ANNOTATION,
    "python_function": Kind.PYTHON,
    "overhead": Kind.OVERHEAD,
    "Runtime": Kind.RUNTIME,
    "kernel": Kind.KERNEL,
    "Kernel": Kind.KERNEL,
    "hpu_op": Kind.KERNEL,
    "mtia_ccp_events": Kind.KERNEL,
    "gpu_memcpy": Kind.COPY,
    "Memcpy": Kind.COPY,
    "gpu_memset": Kind.SET,
    "Memset": Kind.SET,
    "cuda_sync": Kind.SYNC,
    "cuda_event": Kind.SYNC,
    "gpu_user_annotation": Kind.DEVICE_ANNOTATION,
}
_MODULE = "nn.Module: "

_COLLECTIVE = (
    "Collective name", "dtype", "In msg nelems", "Out msg nelems", "Group size", "Process Group Name", "Process Group Description",
    "Process Group Ranks",
)  # fmt: skip
_SHAPES = ("Input Dims", "Input type", "Input Strides", "Concrete Inputs")
_EXTERNAL = ("External id", "external id")
_WORK = (
    "grid",
    "block",
    "registers per thread",
    "shared memory",
    "est. achieved occupancy %",
    "graph id",
    "graph node id",
    "kind",
)
_WAIT = ("cuda_sync_kind", "wait_on_stream", "wait_on_cuda_event_record_corr_id", "wait_on_cuda_event_id")

_OPERATION = ArgumentReader((), _EXTERNAL, (*_SHAPES, *_COLLECTIVE))
_COPIED = ArgumentReader(("correlation",), _EXTERNAL, ("bytes", "kind", "graph id", "graph node id"))
_ARGUMENTS = {
    Kind.OPERATION: _OPERATION,
    Kind.ANNOTATION: _OPERATION,
    Kind.MODULE: ArgumentReader(kept=("Python module id",)),
    Kind.RUNTIME: ArgumentReader(("correlation",), _EXTERNAL),
    Kind.KERNEL: ArgumentReader(("correlation",), _EXTERNAL, (*_WORK, *_COLLECTIVE)),
    Kind.COPY: _COPIED,
    Kind.SET: _COPIED,
    Kind.SYNC: ArgumentReader(("correlation",), _EXTERNAL, _WAIT),
    Kind.DEVICE_ANNOTATION: ArgumentReader((), _EXTERNAL),
}

# What `distributedInfo` says about the run.
_RUN = ("backend", "rank", "world_size", "nccl_version")


def _recognises(opening: Opening) -> bool:
    known = opening.categories & (_KINDS.keys() - {"overhead"})
    return bool(known) or any(category.endswith(("_runtime", "_driver")) for category in opening.categories)


def _kind(category: str, name: str) -> Kind:
    kind = _KINDS.get(category)
    if kind is Kind.PYTHON and name.startswith(_MODULE):
        return Kind.MODULE
    if kind is None:
        return Kind.RUNTIME if category.endswith(("_runtime", "_driver")) else Kind.SPAN
    return kind


def _properties(values: Mapping[str, Any]) -> dict[str, str]:
    """Devices and versions; never the environment, which other tools put beside them."""
    facts = {}
    devices = values.get("deviceProperties")
    for device in devices if isinstance(devices, list) else []:
        if isinstance(device, dict) and "id" in device:
            facts[f"device {device['id']}"] = str(device.get("name", ""))
    distributed = values.get("distributedInfo")
    if isinstance(distributed, dict):
        facts |= {name: str(distributed[name]) for name in _RUN if name in distributed}
    for name in (
        "cuda_runtime_version",
        "cuda_driver_version",
        "hip_runtime_version",
        "hip_driver_version",
        "cupti_version",
    ):
        if name in values:
            facts[name] = str(values[name])
    return facts


KINETO = Dialect("kineto", "PyTorch profiler (Kineto)", _recognises, _kind, _ARGUMENTS, _properties, plain=True)
