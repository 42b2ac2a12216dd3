"""Execution traces of Chakra as JSON: nodes with durations and what they depend on, as its converter and its feeder write them.

Schema: https://github.com/mlcommons/chakra/blob/main/schema/protobuf/et_def.proto. Where no node says when it began, each is laid
behind what it depends on and behind what ran before it on its lane.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cyclescope.core.errors import TraceFileError
from cyclescope.core.message import m
from cyclescope.importing.counts import Defect
from cyclescope.importing.formats.arguments import ArgumentReader
from cyclescope.importing.formats.dialect import Dialect
from cyclescope.importing.formats.document import Document, Translated
from cyclescope.importing.parsing.records import NONE, Record
from cyclescope.importing.trace import Kind

_HOST, _DEVICE, _COMMUNICATION, _MEMORY = "cpu", "device", "communication", "memory"
_NODE_TYPES = {"2": _MEMORY, "3": _MEMORY, "MEM_LOAD_NODE": _MEMORY, "MEM_STORE_NODE": _MEMORY, "7": _COMMUNICATION}
_KEPT = ("Input Dims", "Input type", "Output Dims", "Chakra id", "Chakra dependencies")
# A shape as text is short; what is longer is no shape.
_MOST_SHAPES = 1 << 16


@dataclass(frozen=True)
class _Node:
    id: int
    name: str
    category: str
    lane: str
    begin_us: float
    duration_us: float
    needs: tuple[int, ...]
    record: Mapping[str, Any]


def _translate(text: bytes) -> Translated | None:
    nodes = [*_nodes(text)]
    if not nodes:
        return None
    timed = any(node.begin_us > 0 for node in nodes)
    ends: dict[int, float] = {}
    reached: dict[str, float] = {}
    host = {node.id for node in nodes if node.category == _HOST}
    records = []
    for node in nodes:
        begin = node.begin_us if timed else max([reached.get(node.lane, 0.0), *(ends.get(n, 0.0) for n in node.needs)])
        ends[node.id] = begin + node.duration_us
        reached[node.lane] = max(reached.get(node.lane, 0.0), ends[node.id])
        caller = next((n for n in node.needs if n in host), NONE) if node.category != _HOST else node.id
        args = {**node.record, "External id": caller, "Chakra id": node.id, "Chakra dependencies": node.needs}
        raw = msgspec.Raw(msgspec.json.encode(args))
        records.append(
            Record("X", node.category, node.name, node.category, node.lane, begin, node.duration_us, args=raw)
        )
    return Translated(records, {} if timed else {Defect.LAID: len(records)})


def _nodes(text: bytes) -> Iterator[_Node]:
    for document in _documents(text):
        if "schema" in document and isinstance(document.get("nodes"), list):
            raise _no_times()
        graph = document.get("workload_graph")
        for found in graph if isinstance(graph, list) else [document]:
            if isinstance(found, dict) and (node := _node(found)) is not None:
                yield node


def _documents(text: bytes) -> Iterator[Mapping[str, Any]]:
    """The objects of `text`, which stand behind one another without anything between them."""
    for part in text.replace(b"}{", b"}\x00{").split(b"\x00"):
        try:
            found = msgspec.json.decode(part)
        except (msgspec.DecodeError, RecursionError):
            return
        if isinstance(found, dict):
            yield found


def _node(found: Mapping[str, Any]) -> _Node | None:
    """A node of either spelling; None for what is none, and for one without a duration."""
    kind = str(found.get("type", found.get("NodeType", "")))
    duration = _number(found.get("durationMicros", found.get("runtime")))
    if not kind or duration is None:
        return None
    attributes = found.get("attr")
    facts = (
        {a["name"]: _value(a) for a in attributes if isinstance(a, dict) and "name" in a}
        if isinstance(attributes, list)
        else {}
    )
    on_host = bool(facts.get("is_cpu_op", found.get("is_cpu_op", True)))
    category = _COMMUNICATION if kind.startswith("COMM_") else _NODE_TYPES.get(kind, _HOST if on_host else _DEVICE)
    if category == _COMMUNICATION and on_host:
        category = _HOST
    lane = f"thread {facts.get('tid', 1)}" if category == _HOST else f"stream {facts.get('stream', 0)}"
    record = {
        name: value
        for name, value in (
            ("Input Dims", _listed(found, "inputs", "shapes")), ("Input type", _listed(found, "inputs", "types")),
            ("Output Dims", _listed(found, "outputs", "shapes")),
        )
        if value
    }  # fmt: skip
    needs = [*_ids(found.get("ctrlDeps")), *_ids(found.get("dataDeps", found.get("data_deps")))]
    own = _number(found.get("id", found.get("Id")))
    begin = _number(found.get("startTimeMicros")) or 0.0
    name = str(found.get("name", found.get("Name", "")))
    return _Node(int(own or 0), name, category, lane, begin, max(duration, 0.0), tuple(dict.fromkeys(needs)), record)


def _value(attribute: Mapping[str, Any]) -> Any:
    return next((value for name, value in attribute.items() if name.endswith("Val")), None)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < 1e18 else None


def _ids(values: Any) -> Iterator[int]:
    for value in values if isinstance(values, list) else ():
        number = _number(value)
        if number is not None:
            yield int(number)


def _listed(found: Mapping[str, Any], side: str, what: str) -> Sequence[Any]:
    """Shapes or types, which the converter writes as the text of a Python list."""
    there = found.get(side)
    text = there.get(what) if isinstance(there, dict) else None
    if not isinstance(text, str) or len(text) > _MOST_SHAPES:
        return []
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return []
    return value if isinstance(value, list) else []


def _no_times() -> TraceFileError:
    return TraceFileError(
        m("A trace must have times (an execution trace of PyTorch has none)."),
        m("It records which operations ran with which tensors, and not how long they took."),
        m("Import the trace of the profiler that was recorded beside it."),
    )


def _kind(category: str, name: str) -> Kind:
    return {_HOST: Kind.OPERATION, _MEMORY: Kind.COPY}.get(category, Kind.KERNEL)


def _properties(values: Mapping[str, Any]) -> dict[str, str]:
    return {}


_READER = ArgumentReader((), ("External id",), _KEPT)

CHAKRA = Document(
    Dialect(
        "chakra", "Chakra execution trace", lambda opening: False, _kind,
        {Kind.OPERATION: _READER, Kind.KERNEL: _READER, Kind.COPY: _READER}, _properties, launches=False,
    ),
    _translate,
)  # fmt: skip
