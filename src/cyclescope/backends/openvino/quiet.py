"""OpenVINO and NNCF without their usage telemetry: importing OpenVINO alone would send an event over the network.

Both fall back to a stub where the package `openvino_telemetry` cannot be imported, so it is hidden while they are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cyclescope.backends.silence import silence

_TELEMETRY = "openvino_telemetry"


@contextmanager
def without_telemetry() -> Iterator[None]:
    """While open, what is imported finds no telemetry package; afterwards modules are as they were."""
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == _TELEMETRY}
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # this makes an import fail
    try:
        yield
    finally:
        del sys.modules[_TELEMETRY]
        sys.modules.update(hidden)


def import_openvino() -> Any:
    """The package `openvino`, imported without telemetry."""
    with without_telemetry():
        import openvino

    return openvino


def import_nncf() -> Any:
    """The package `nncf`, imported without telemetry and without a word."""
    with without_telemetry(), silence():
        import nncf

    return nncf
