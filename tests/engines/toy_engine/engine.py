"""The toy as an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclescope.backends.engine import Engine
from cyclescope.backends.torch.exporting.needs import EXPORTS_WITH

if TYPE_CHECKING:
    from cyclescope.backends.base import Request, Session
    from cyclescope.backends.code import EngineCode
    from cyclescope.backends.torch.exporting.runtime import Runtime


def _open(request: Request) -> Session:
    from cyclescope.backends.torch.exporting.opening import open_exported

    return open_exported(request, ENGINE, _runtime)


def _runtime() -> Runtime:
    from toy_engine.program import RUNTIME

    return RUNTIME


def _code() -> EngineCode:
    from toy_engine.code import CODE

    return CODE


ENGINE = Engine(
    name="toy",
    title="Toy",
    packages=("onnx",),
    reads_with=EXPORTS_WITH,
    extra="",
    purpose="The model is exported for the toy, which then evaluates it.",
    open=_open,
    code=_code,
)
