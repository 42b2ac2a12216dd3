"""Models that run compiled: found without touching what the compiler keeps.

What was compiled is guarded by the modes in force and by the functions that a call refers to, and both are changed by
tracing and stamping: the code would be compiled once more, or be given up, in the user's own model. So such a model is
never run under them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from cyclescope.core.message import Text, m

_EVAL_FRAME = "torch._dynamo.eval_frame"


def scripted_part(model: torch.nn.Module) -> Text:
    """Which part of `model` is TorchScript, as a sentence; empty where none is."""
    for path, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            return m("{place} is a TorchScript module.", place=path or type(module).__name__)
    return ""


def compiled_part(model: torch.nn.Module) -> Text:
    """Which part of `model` torch.compile made, as a sentence; empty where none shows itself."""
    for path, module in model.named_modules():
        compiled = getattr(module, "_compiled_call_impl", None) is not None
        if compiled or _by_dynamo(module) or _by_dynamo(module.__dict__.get("forward")):
            return m("{place} was compiled by torch.compile.", place=path or type(module).__name__)
    return ""


def _by_dynamo(value: Any) -> bool:
    """Whether the compiler made `value`, a function or a module, in place of another."""
    if isinstance(value, torch.nn.Module):
        return "_orig_mod" in value._modules and "dynamo_ctx" in value.__dict__
    return getattr(value, "_torchdynamo_orig_callable", None) is not None


@contextmanager
def compiled_calls() -> Iterator[list[object]]:
    """While open, each call of a compiled function is in the list. Empty where no compiler was loaded before."""
    met: list[object] = []
    frame: Any = sys.modules.get(_EVAL_FRAME)
    if frame is None:
        yield met
        return
    before: Callable[[Any], Any] = frame._callback_from_stance

    def noting(callback: Any) -> Any:
        if callback not in (None, False):
            met.append(callback)
        return before(callback)

    frame._callback_from_stance = noting
    try:
        yield met
    finally:
        frame._callback_from_stance = before


@contextmanager
def uncompiled() -> Iterator[list[object]]:
    """While open, compiled functions run as they are written, and the compiler keeps what it has; calls are listed."""
    stance = torch.compiler.set_stance("force_eager") if _EVAL_FRAME in sys.modules else nullcontext()
    with compiled_calls() as met, stance:
        yield met


def mode_of_code(call: Callable[[], object], modes: tuple[Callable[[], Any], ...]) -> Callable[[], Any]:
    """The first of `modes` (of gradients) in which the compiler already has the code that `call` runs; else the first.

    The mode is a part of what code is compiled for: in another one `call` would be compiled anew. Scripted code has none.
    """
    if sys.modules.get(_EVAL_FRAME) is None:
        return modes[0]
    for mode in modes:
        try:
            with mode(), torch.compiler.set_stance("fail_on_recompile"):
                call()
        except RuntimeError as error:
            if "recompile" not in str(error):
                raise
        else:
            return mode
    return modes[0]
