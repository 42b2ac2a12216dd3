"""A function mode that models do not notice.

`nn.TransformerEncoder` and `nn.MultiheadAttention` take their fused path only where `torch.overrides.has_torch_function`
finds nothing, and it finds every mode. What is traced or stamped would then be another path than the one that runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

_DISABLED = torch._C._disabled_torch_function_impl


@contextmanager
def unseen_mode() -> Iterator[None]:
    """While open, whoever asks whether arguments override functions is told what it would be without a mode of ours.

    A mode of the user's own, which is there in uninstrumented runs too, is still told. To be entered before our mode is.
    """
    if torch._C._len_torch_function_stack():
        yield
        return
    before = torch.overrides.has_torch_function
    torch.overrides.has_torch_function = _overridden  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.overrides.has_torch_function = before


def _overridden(relevant_args: Any) -> bool:
    """Whether the type of one of `relevant_args` overrides functions."""
    for kind in {type(argument) for argument in relevant_args}:
        override = getattr(kind, "__torch_function__", None)
        if kind not in (torch.Tensor, torch.nn.Parameter) and override is not None and override is not _DISABLED:
            return True
    return False
