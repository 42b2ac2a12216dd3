"""The structure of a named model: found among those that were traced before, or traced and kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from cyclescope.backends.base import DEFAULT_TOKENS, ModelOutline, Request
from cyclescope.backends.engines import engine_named
from cyclescope.backends.registry import keeping, open_outline, open_trace
from cyclescope.backends.request_checks import check
from cyclescope.core.errors import UsageError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.unrolling import TRACED, IrregularSteps, agrees_with_step, unrolled
from cyclescope.core.plan import REFERENCE_ENGINE
from cyclescope.core.version import __version__
from cyclescope.machines.host import package_versions
from cyclescope.models.identity import configuration_of
from cyclescope.models.reference import resolve
from cyclescope.store.kept_structures import digest_of, find_structure, keep_structure

T = TypeVar("T")
# What of a request its structure depends on.
_OF_TRACE = (
    "tokens", "cache_length", "new_tokens", "batch", "task", "dtype", "attention", "device", "seed", "engine", "cache", "sampling",
)  # fmt: skip
# An outline names the model as the user did.
_OF_OUTLINE = ("model", *_OF_TRACE)
# The folders whose code decides what a graph looks like.
_SOURCES = ("backends", "core/graph", "cost")


def structure_of(request: Request) -> Graph:
    """The graph of `request`, which names a model. Raises like `backends.registry.open_trace`.

    Of a long generation the first steps are traced, and its last one, which says whether the others follow from the first.
    """
    written = request.new_tokens
    if written is None or written <= TRACED or request.cache_length is not None:
        return _traced(request)
    with suppress(IrregularSteps, UsageError):
        graph = unrolled(_traced(replace(request, new_tokens=TRACED)), written)
        if agrees_with_step(graph, _traced(_last_step(request, written))):
            return graph
    return _traced(request)  # step by step; or it is refused for its own length


def _traced(request: Request) -> Graph:
    """The graph of `request`, every call of which was traced."""
    return _kept(Graph, request, open_trace, _OF_TRACE)


def _last_step(request: Request, written: int) -> Request:
    """The last decode step of a generation of `written` tokens, by itself."""
    if outline_of(request).has_encoder:
        return replace(request, new_tokens=None, cache_length=written - 1)
    prompt = request.tokens or DEFAULT_TOKENS
    return replace(request, new_tokens=None, tokens=None, cache_length=prompt + written - 2)


def outline_of(request: Request) -> ModelOutline:
    """What is known of the model that `request` names. Raises like `backends.registry.open_outline`."""
    return _kept(ModelOutline, request, open_outline, _OF_OUTLINE)


def kept_of(kind: type[T], request: Request, ask: Callable[[Request], T], more: Mapping[str, object]) -> T:
    """What `ask` finds out about the structures of `request` and others like it, which `more` describes; kept like these."""
    return _kept(kind, request, ask, _OF_TRACE, more)


def _kept(
    kind: type[T],
    request: Request,
    ask: Callable[[Request], T],
    fields: tuple[str, ...],
    more: Mapping[str, object] = MappingProxyType({}),
) -> T:
    """What `ask` says of `request`; where it said so before, no framework is imported.

    The packages that it needs must be there all the same, so that what works does not depend on what happens to be kept.
    """
    check(request)
    engine_named(REFERENCE_ENGINE).require()
    key = _key(request, fields)
    digest = None if key is None else digest_of({"kind": kind.__name__, **key, **more})
    if digest is not None and (found := find_structure(kind, digest)) is not None:
        return found
    with keeping(request):
        value = ask(request)
    if digest is not None:
        keep_structure(digest, value)
    return value


def _key(request: Request, fields: tuple[str, ...]) -> dict[str, Any] | None:
    """All that the structure of `request` follows from, of the request itself its `fields`; None where a part of that is unknown before the model is loaded."""
    if not isinstance(request.model, str):
        return None
    configuration = configuration_of(resolve(request.model))
    if configuration is None:
        return None
    engine = engine_named(REFERENCE_ENGINE)
    return {
        "configuration": dict(configuration),
        "request": {name: getattr(request, name) for name in fields},
        "versions": package_versions((*engine.packages, *engine.reads_with)),
        "python": sys.version_info[:2],
        "cyclescope": __version__,
        "sources": _sources(),
    }


@cache
def _sources() -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of the files that make graphs: another state of them makes other graphs under one version."""
    root = Path(__file__).parents[1]
    return tuple(_stated(root))


def _stated(root: Path) -> Iterator[tuple[str, int, int]]:
    for folder in _SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            status = path.stat()
            yield str(path.relative_to(root)), status.st_size, status.st_mtime_ns
