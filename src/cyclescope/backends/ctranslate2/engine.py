"""CTranslate2 as an engine: it runs a converted model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclescope.backends.engine import Capabilities, Engine
from cyclescope.backends.torch.exporting.needs import EXPORTS_WITH
from cyclescope.core.message import m

if TYPE_CHECKING:
    from cyclescope.backends.base import Request, Session
    from cyclescope.backends.code import EngineCode


def _open(request: Request) -> Session:
    from cyclescope.backends.ctranslate2.opening import open_ctranslate2

    return open_ctranslate2(request, ENGINE)


def _code() -> EngineCode:
    from cyclescope.backends.ctranslate2.code import CODE

    return CODE


ENGINE = Engine(
    name="ctranslate2",
    title="CTranslate2",
    packages=("ctranslate2",),
    reads_with=EXPORTS_WITH,
    extra="ctranslate2",
    purpose=m("The model is converted for CTranslate2, which then runs it."),
    capabilities=Capabilities(quantizations=("int8-dynamic",), skips_padding=True, converts=True),
    open=_open,
    code=_code,
)
