"""PyTorch as an engine: it runs the transformers model itself, and reads models, tokenizers and dialogues for the others."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclescope.backends.engine import Capabilities, Engine
from cyclescope.backends.torch.packages import COMPANIONS, OWN, READS_WITH
from cyclescope.core.message import m

if TYPE_CHECKING:
    from cyclescope.backends.base import DialogueSession, ModelOutline, OpenTokenizers, Request, Session, WatchedCalls
    from cyclescope.backends.code import EngineCode
    from cyclescope.backends.probing import Probes
    from cyclescope.backends.settings import Setting
    from cyclescope.core.graph.graph import Graph


def _open(request: Request) -> Session:
    from cyclescope.backends.torch.opening import open_torch

    return open_torch(request)


def _probes(device: str) -> Probes:
    from cyclescope.backends.torch.probes import TorchProbes

    return TorchProbes(device)


def _preload(request: Request) -> None:
    from cyclescope.backends.torch.opening import preload_torch

    preload_torch(request)


def _trace(request: Request) -> Graph:
    from cyclescope.backends.torch.opening import trace_only

    return trace_only(request)


def _outline(request: Request) -> ModelOutline:
    from cyclescope.backends.torch.opening import outline_only

    return outline_only(request)


def _configuration(model: str) -> Mapping[str, Any]:
    from cyclescope.backends.base import Request
    from cyclescope.backends.torch.loading.loading import recipe

    found: Mapping[str, Any] = recipe(Request(model)).config.to_dict()
    return found


def _dialogue(request: Request, template: str) -> DialogueSession:
    from cyclescope.backends.torch.opening import open_torch_dialogue

    return open_torch_dialogue(request, template)


def _tokenizers(request: Request) -> OpenTokenizers:
    from cyclescope.backends.torch.loading.tokenizing import open_torch_tokenizers

    return open_torch_tokenizers(request)


def _watch(model: object) -> AbstractContextManager[WatchedCalls]:
    from cyclescope.backends.torch.watching import watching_calls

    return watching_calls(model)


def _settings() -> Iterable[Setting]:
    from cyclescope.backends.torch.keeping.settings import SETTINGS

    return SETTINGS


def _keep(requests: Sequence[Request]) -> AbstractContextManager[None]:
    if sys.modules.get("torch") is None:
        return nullcontext()  # so no object of it is held
    from cyclescope.backends.torch.keeping.objects import keeping_objects

    return keeping_objects(requests)


def _variables() -> Mapping[str, str]:
    """What was compiled is of use the next time, so it does not lie in the folder of one search."""
    return {"TORCHINDUCTOR_CACHE_DIR": str(Path(tempfile.gettempdir(), f"torchinductor_{os.getuid()}"))}


def _code() -> EngineCode:
    from cyclescope.backends.torch.code import CODE

    return CODE


ENGINE = Engine(
    name="torch",
    title="PyTorch",
    packages=OWN,
    reads_with=READS_WITH,
    companions=COMPANIONS,
    extra="torch",
    purpose=m("Measuring runs the real model; showing saved runs does not need them."),
    capabilities=Capabilities(
        native=True,
        dtypes=("float32", "bfloat16", "float16"),
        quantizations=("int8-dynamic",),
        compilings=("inductor", "inductor-freezing"),
        batchings=("given", "length", "packed"),
        caches=("dynamic", "static", "off"),
        checks_guesses=True,
        drafts=True,
    ),
    open=_open,
    code=_code,
    variables=_variables,
    settings=_settings,
    probes=_probes,
    preload=_preload,
    trace=_trace,
    outline=_outline,
    configuration=_configuration,
    dialogue=_dialogue,
    tokenizers=_tokenizers,
    watch=_watch,
    keep=_keep,
)
