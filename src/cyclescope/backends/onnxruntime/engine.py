"""ONNX Runtime as an engine: it runs an exported model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclescope.backends.engine import Capabilities, Engine
from cyclescope.backends.torch.exporting.needs import EXPORTS_WITH
from cyclescope.core.message import m

if TYPE_CHECKING:
    from cyclescope.backends.base import Request, Session
    from cyclescope.backends.code import EngineCode
    from cyclescope.backends.torch.exporting.runtime import Runtime


def _open(request: Request) -> Session:
    from cyclescope.backends.torch.exporting.opening import open_exported

    return open_exported(request, ENGINE, _runtime)


def _runtime() -> Runtime:
    from cyclescope.backends.onnxruntime.opening import RUNTIME

    return RUNTIME


def _code() -> EngineCode:
    from cyclescope.backends.onnxruntime.code import CODE

    return CODE


ENGINE = Engine(
    name="onnxruntime",
    title="ONNX Runtime",
    packages=("onnxruntime", "onnx", "onnxscript"),
    reads_with=EXPORTS_WITH,
    extra="onnxruntime",
    purpose=m("The model is exported for ONNX Runtime, which then runs it."),
    capabilities=Capabilities(
        quantizations=("int8-dynamic", "int8-head", "int8-weights", "int4-weights"),
        checks_guesses=True,
        threads_between=True,
    ),
    open=_open,
    code=_code,
)
