"""Plans in words: what one has that another has not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from cyclescope.backends.engines import title_of
from cyclescope.core.message import Message, Text, listed, m, plural
from cyclescope.core.plan import ModelChange, Plan
from cyclescope.report import format as fmt

BASELINE = m("baseline")
_COMPILERS: Mapping[str, Text] = MappingProxyType(
    {"inductor": "Inductor", "inductor-freezing": m("Inductor, weights frozen")}
)
_BATCHING: Mapping[str, Message] = MappingProxyType(
    {
        "given": m("texts in the given order"),
        "length": m("texts grouped by length"),
        "packed": m("texts packed without padding"),
    }
)


def compiler_name(compiling: str) -> Text:
    """What compiles the model."""
    return _COMPILERS.get(compiling, compiling)


def change_name(change: ModelChange) -> str:
    """A change of the model by the name of its strategy, with how much of it."""
    return f"{change.name} {fmt.significant(change.amount)}" if change.amount else change.name


def plan_words(plan: Plan, base: Plan) -> Text:
    """What `plan` has that `base` has not, in words; the baseline where there is nothing."""
    return listed(_departures(plan, base)) or BASELINE


def _departures(plan: Plan, base: Plan) -> Iterator[Text]:
    for field in fields(Plan):
        value = getattr(plan, field.name)
        if value == getattr(base, field.name) or value == "engine":  # what an engine brings goes without saying
            continue
        if field.name == "changes":
            yield from map(change_name, plan.changes)
        elif field.name in _FIELDS:
            yield _FIELDS[field.name](value)


def _calls(texts: int) -> Text:
    return plural("{n} text per call", "{n} texts per call", texts) if texts else m("all texts in one call")


_FIELDS: Mapping[str, Callable[[Any], Text]] = MappingProxyType(
    {
        "engine": title_of,
        "threads": lambda n: plural("{n} thread", "{n} threads", n),
        "threads_between": lambda n: plural("{n} operation at a time", "{n} operations at a time", n),
        "dtype": str,
        "attention": lambda kind: m("{kind} attention", kind=kind),
        "cache": lambda kind: m("{kind} KV cache", kind=kind),
        "compiling": lambda by: m("compiled ({by})", by=compiler_name(by)),
        "quantization": str,
        "instances": lambda n: plural("{n} process", "{n} processes", n),
        "batch": _calls,
        "batching": lambda kind: _BATCHING.get(kind, str(kind)),
        "drafting": str,
        "overlap": lambda _: m("overlapped tokenization"),
        "tensor": lambda n: m("tensor parallel over {n}", n=n),
        "pipeline": lambda n: plural("{n} pipeline stage", "{n} pipeline stages", n),
        "data": lambda n: plural("{n} replica", "{n} replicas", n),
        "microbatches": lambda n: plural("{n} microbatch", "{n} microbatches", n),
    }
)
