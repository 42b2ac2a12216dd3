"""What a model's own generation configuration asks for, and what of it a cycle keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cyclescope.backends.base import Request
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import Text, m
from cyclescope.core.plan import Cache

# As transformers names caches of a fixed size, the last ones before its version 5; it takes `hybrid` for no wish at all.
_STATIC = (
    "static",
    "offloaded_static",
    "sliding_window",
    "hybrid_chunked",
    "offloaded_hybrid",
    "offloaded_hybrid_chunked",
)
# What would end a generation before all tokens are written.
_ENDINGS = ("max_time", "stop_strings")


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """The cache that is in force, the `overrides` of the configuration for `generate`, and what the reader must know."""

    cache: Cache
    overrides: dict[str, Any] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()


def generation_settings(model: Any, request: Request) -> GenerationSettings:
    """The settings of a generation of `model`: one beam and one continuation of all tokens for each text, in every cycle.

    A request that names no cache takes that of the configuration; a plan decides by itself. Raises `Unsupported`.
    """
    config = getattr(model, "generation_config", None)
    cache, overrides = Cache(request.cache), dict[str, Any]()
    if config is None:
        return GenerationSettings(cache)
    _refuse_several(config)
    notes: list[Text] = []
    configured = cache_of(model)
    if request.plan is None and cache is Cache.DYNAMIC:
        cache = configured
    elif cache is Cache.DYNAMIC and configured is not Cache.DYNAMIC:
        overrides |= {"use_cache": True, "cache_implementation": None}
    for name, usual in (("num_beams", 1), ("num_return_sequences", 1), *((name, None) for name in _ENDINGS)):
        requested = getattr(config, name, None)
        if requested is not None and requested != usual:
            overrides[name] = usual
            notes.append(_departure(name, requested, usual))
    if request.plan is None and configured is not Cache.DYNAMIC and cache is configured:
        notes.append(m("The model's generation_config chooses the cache: {cache}.", cache=cache.value))
    return GenerationSettings(cache, overrides, tuple(notes))


def cache_of(model: Any) -> Cache:
    """The cache that the generation configuration of `model` chooses."""
    config = getattr(model, "generation_config", None)
    if getattr(config, "use_cache", None) is False:
        return Cache.OFF
    return Cache.STATIC if getattr(config, "cache_implementation", None) in _STATIC else Cache.DYNAMIC


def _refuse_several(config: Any) -> None:
    """Raise `Unsupported` where several continuations are asked for that transformers cannot make greedily.

    It checks the configuration before it looks at what `generate` is given, so that nothing there helps.
    """
    several = getattr(config, "num_return_sequences", None) or 1
    if several > 1 and (getattr(config, "num_beams", None) or 1) == 1 and not getattr(config, "do_sample", False):
        raise Unsupported(
            m("The model's generation_config asks for {n} sequences a text (num_return_sequences).", n=several),
            m("Greedy decoding writes one."),
            m("Set model.generation_config.num_return_sequences = 1; --batch {n} measures {n} sequences.", n=several),
        )


def _departure(name: str, requested: object, used: int | None) -> Text:
    if used is None:
        return m(
            "The model's generation_config sets {name} to {asked}, which can end a generation early; the cycle ignores it.",
            name=name,
            asked=str(requested),
        )
    return m(
        "The model's generation_config sets {name} to {asked}; the cycle is measured with {used}.",
        name=name,
        asked=str(requested),
        used=used,
    )
