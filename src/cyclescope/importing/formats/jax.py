"""Traces of JAX and everything else on XLA (`plugins/profile/…/*.trace.json.gz`): no categories, processes "/host:CPU" and "/device:…".

A device has a lane a stream, and lanes that say the same again by operation, module and source line; on a TPU the lane of operations is
the work itself. Names: https://openxla.org/xprof/trace_viewer
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cyclescope.importing.formats.arguments import ArgumentReader
from cyclescope.importing.formats.dialect import Dialect, Opening
from cyclescope.importing.trace import Kind

_DEVICE = "/device:"
_PROCESSES = (_DEVICE, "/host:")
_CALL = re.compile(r"(?:hip|cuda|cu)[A-Z]")
_COPY, _SET = re.compile(r"mem_?cpy|copyBuffer", re.IGNORECASE), re.compile(r"mem_?set|fillBuffer", re.IGNORECASE)
_STREAM, _TPU, _OPERATIONS = "Stream #", "/device:TPU", "XLA Ops"
_KEPT = ("hlo_op", "hlo_module", "tf_op", "kernel_details", "memcpy_details", "device_ordinal", "long_name")


def _recognises(opening: Opening) -> bool:
    return not (opening.categories - {""}) and any(
        record.ph == "M"
        and record.name == "process_name"
        and any(bytes(record.args).find(p.encode()) >= 0 for p in _PROCESSES)
        for record in opening.records
    )


def _kind(category: str, name: str) -> Kind:
    if name.startswith("$"):
        return Kind.PYTHON
    return Kind.RUNTIME if _CALL.match(name) else Kind.SPAN


def _placed(process: str, thread: str, name: str) -> Kind | None:
    """What an event on a lane of a device is; None on the host."""
    if not process.startswith(_DEVICE):
        return None
    if thread.startswith(_STREAM) or (process.startswith(_TPU) and thread == _OPERATIONS):
        return Kind.COPY if _COPY.search(name) else Kind.SET if _SET.search(name) else Kind.KERNEL
    return Kind.DEVICE_ANNOTATION


def _properties(values: Mapping[str, Any]) -> dict[str, str]:
    return {}


_READER = ArgumentReader(("correlation_id",), (), _KEPT)

JAX = Dialect(
    "jax", "JAX or XLA trace", _recognises, _kind, {Kind.SPAN: _READER, Kind.RUNTIME: _READER}, _properties,
    placed=_placed, operations=b'"hlo_op":',
)  # fmt: skip
