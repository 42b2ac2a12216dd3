"""A model in OpenVINO's own file."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy


def plugin_settings(threads: int, precision: str, group: int) -> dict[str, Any]:
    """For one request at a time, computing in `precision`; `group` activations share a scale where they are quantized
    as they come (0: they are not).
    """
    return {
        # Left alone it takes bfloat16 wherever the processor has it, whatever the model is stored in.
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": threads,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": group,
    }


def written_memory() -> list[tuple[int, int]]:
    """Begin and end of the stretches of memory that this process may write and that no file stands behind."""
    found: list[tuple[int, int]] = []
    with suppress(OSError):
        for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
            fields = line.split(maxsplit=5)
            if fields[1] == "rw-p" and fields[4] == "0" and fields[5:] in ([], ["[heap]"]):
                begin, _, end = fields[0].partition("-")
                found.append((int(begin, 16), int(end, 16)))
    return found


def take_huge_pages(before: list[tuple[int, int]]) -> int:
    """Ask the kernel for pages of 2 MB where memory was not written `before`; the bytes that it agreed to.

    A call reads all weights once, and with pages of 4 kB it waits for addresses to be looked up. No result changes. It is
    advice: 0 where the system has none to give. What was there before stays, since it may be shared with other processes.
    """
    page, huge, collapse = 2 << 20, 14, 25  # madvise(2): MADV_HUGEPAGE; MADV_COLLAPSE, since Linux 6.1
    if not sys.platform.startswith("linux"):
        return 0
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    agreed = 0
    for begin, end in written_memory():
        for low, high in [*[(a, b) for a, b in before if a < end and b > begin], (end, end)]:
            first, last = -(-begin // page) * page, low // page * page
            if first < last and advise(first, last - first, huge) == 0:
                advise(first, last - first, collapse)  # at once: the kernel by itself takes its time
                agreed += last - first
            begin = max(begin, high)
    return agreed


class OpenVinoModel:
    """Called with arrays by name; gives arrays by name. `config` is that of the model it was made from."""

    def __init__(self, path: str, config: Any, threads: int, precision: str, group: int = 0) -> None:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # or the import sends an event
        import openvino

        self.config = config
        self._before: list[tuple[int, int]] | None = written_memory()
        compiled = openvino.Core().compile_model(path, "CPU", plugin_settings(threads, precision, group))
        self._request = compiled.create_infer_request()
        self._inputs = {value.any_name for value in compiled.inputs}
        self._outputs = [value.any_name for value in compiled.outputs]

    def __call__(self, **inputs: Any) -> SimpleNamespace:
        feed = {name: numpy.asarray(value) for name, value in inputs.items() if name in self._inputs}
        given = self._request.infer(feed, share_inputs=True)
        if self._before is not None:  # the first call packs weights
            take_huge_pages(self._before)
            self._before = None
        return SimpleNamespace(**{name: numpy.array(given[k]) for k, name in enumerate(self._outputs)})
