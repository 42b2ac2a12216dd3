"""`trace`: the structure of a model, from its class alone."""

from __future__ import annotations

from cyclescope.backends.base import Request
from cyclescope.core.graph.graph import Graph
from cyclescope.tracing.structures import structure_of


def trace(
    model: str,
    *,
    tokens: int | None = None,
    cache_length: int | None = None,
    batch: int | None = None,
    task: str = "auto",
    dtype: str | None = None,
    attention: str | None = None,
    device: str = "cpu",
    seed: int = 0,
    trust_remote_code: bool = False,
) -> Graph:
    """The structure of `model` for an input of `batch` × `tokens` made-up tokens, without weights or their memory.

    With `cache_length` it is one decode step that reads one token more than those in the cache: the model's call as
    `generate` makes it. `tokens` are then those of the encoder, where there is one. A structure that was traced before is
    read from where it is kept, and no framework is imported for it.

    Raises like `measure`; `EngineError` too where the model decides by values that depend on its weights.
    """
    request = Request(
        model=model,
        tokens=tokens,
        cache_length=cache_length,
        batch=batch,
        task=task,
        dtype=dtype,
        attention=attention,
        device=device,
        seed=seed,
        trust_remote_code=trust_remote_code,
    )
    return structure_of(request)
