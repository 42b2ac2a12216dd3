"""What tells one profiler's Chrome trace from another's: the kinds of its events, and what stands in their arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cyclescope.importing.formats.arguments import ArgumentReader
from cyclescope.importing.parsing.records import Record
from cyclescope.importing.trace import Kind


@dataclass(frozen=True)
class Opening:
    """What a format is recognised from: the values before the events, and the first events."""

    properties: Mapping[str, Any]
    records: Sequence[Record]

    @property
    def categories(self) -> set[str]:
        return {record.cat for record in self.records}


@dataclass(frozen=True)
class Dialect:
    """One profiler's way to write a Chrome trace.

    `recognises` says whether a trace is of this profiler; `kind` what a span of a category with a name is; `arguments` has a reader
    for each kind whose arguments are kept; `properties` are facts about the run from the values before and behind the events.
    `named` is the name that an event gets. Where no category says it, `placed` is the kind of an event by the titles of its process
    and its thread and by its name, and `operations` is what stands in the details of operations of the framework.
    Without `launches` nothing in the trace says which call launched which work. With `plain` all that is kept are values by name, which
    compiled code can take.
    """

    name: str
    title: str
    recognises: Callable[[Opening], bool]
    kind: Callable[[str, str], Kind]
    arguments: Mapping[Kind, ArgumentReader]
    properties: Callable[[Mapping[str, Any]], dict[str, str]]
    named: Callable[[str, str], str] = lambda category, name: name
    placed: Callable[[str, str, str], Kind | None] | None = None
    operations: bytes = b""
    launches: bool = True
    plain: bool = False
