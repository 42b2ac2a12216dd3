"""The router's choice, read where it is handed to the experts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from cyclescope.backends.torch.tracing.concrete_values import ConcreteValues
from cyclescope.core.graph.experts import ExpertLoad

_WHOLE = (torch.int64, torch.int32)


def expert_load(
    frame: int, module: torch.nn.Module, arguments: Sequence[Any], concrete_values: ConcreteValues | None
) -> ExpertLoad | None:
    """The load of the call `frame` of `module`; None unless it is a mixture's experts.

    Those are known by transformers' convention for every kind of experts (`integrations/moe.py`): a module that counts
    its `num_experts` and is handed, beside the tokens, the experts of each [tokens, chosen] as whole numbers. On the meta
    device the choice has no values, and the load says so.
    """
    experts = getattr(module, "num_experts", None)
    if not isinstance(experts, int) or experts < 1:
        return None
    tables = [a for a in arguments if isinstance(a, torch.Tensor) and a.dim() == 2]
    chosen = next((table for table in tables if table.dtype in _WHOLE), None)
    if chosen is None or not any(t.is_floating_point() and len(t) == len(chosen) for t in tables):
        return None  # the model itself counts its experts too, and is handed ids without vectors
    tokens, each = chosen.shape
    # Looking at it is no operation of the model.
    with torch._C.DisableTorchFunction(), torch._C._DisableTorchDispatch():
        values = chosen if concrete_values is None else concrete_values.of(chosen)
        if values is None:
            return ExpertLoad(frame, experts, tokens, each)
        ids = values.detach().cpu().numpy().ravel()
    # Where experts are spread over machines, those that live elsewhere have numbers beyond ours.
    counts = np.bincount(ids[(ids >= 0) & (ids < experts)], minlength=experts)
    return ExpertLoad(frame, experts, tokens, each, tuple(int(count) for count in counts))
