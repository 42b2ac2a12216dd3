"""The document about a graph: operations, frames, tensors and dependencies (`--as graph`).

Every frame, tensor, operation and dependency stands on a separate line, so that a program can read it line by line.
Positions count from 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import Field

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.report.documents.cycle.parts import Place
from cyclescope.report.documents.figures import Document, DocumentPart, Text, Work, schema_field


class FramePart(DocumentPart):
    """The call of a module, which holds the operations first_op … end_op − 1."""

    index: int = Field(description="position in frames")
    parent: int = Field(description="position in frames; −1 for the first, which is the whole cycle")
    module: Text
    class_name: Text
    stage: Text
    layer: int | None = Field(description="layer within the stage; null outside of layers")
    first_op: int = Field(description="position in operations")
    end_op: int = Field(description="position in operations")


class TensorPart(DocumentPart):
    """A tensor."""

    index: int = Field(description="position in tensors")
    shape: list[int]
    dtype: Text
    bytes: int = Field(description="bytes; its size")
    storage: int = Field(description="tensors of the same storage share memory")
    role: TensorRole
    name: Text


class OperationPart(DocumentPart):
    """An operation, in the order in which the model calls them."""

    index: int = Field(description="position in operations")
    name: Text
    kind: OpKind
    site: Place
    frame: int = Field(description="position in frames")
    work: Work
    in_place: bool
    inputs: list[int] = Field(description="positions in tensors")
    outputs: list[int] = Field(description="positions in tensors")


class ExpertCall(DocumentPart):
    """A call of the experts of a mixture."""

    frame: int = Field(description="position in frames")
    first_op: int = Field(description="position in operations")
    end_op: int = Field(description="position in operations")
    tokens: int = Field(description="tokens of the call")
    chosen: int = Field(description="experts that each token goes to")
    experts: int = Field(description="number of experts")
    expected: float = Field(description="tokens an expert gets on average")
    tokens_per_expert: list[int] | None = Field(description="null where the routing is unknown")


class Dependency(DocumentPart):
    """The operation `target` must wait for `source`."""

    source: int = Field(description="position in operations")
    target: int = Field(description="position in operations")
    tensor: int = Field(description="position in tensors")
    carries_data: bool = Field(description="false where it only waits, as a write in place for a reader")


class GraphDocument(Document):
    """The whole graph of a cycle."""

    schema_: Literal["cyclescope/graph/2"] = schema_field("cyclescope/graph/2")
    traced_on: Text
    cache_length: int | None = Field(description="tokens in the cache of a decode step; null for any other graph")
    notes: list[Text]
    stages: list[Text]
    kept_storages: list[int] = Field(description="storages that outlive the cycle")
    total: Work
    frames: list[FramePart]
    tensors: list[TensorPart]
    operations: list[OperationPart]
    experts: list[ExpertCall]
    dependencies: list[Dependency]


def graph_json(graph: Graph) -> str:
    """The document as one text: strict JSON in ASCII."""
    return "".join(graph_lines(graph))


def graph_lines(graph: Graph) -> Iterator[str]:
    """The same, a line at a time; a row is made when it is written, so that a large graph is not held twice."""
    rows: dict[str, Iterable[DocumentPart]] = {
        "frames": (FramePart.of(frame, index=index) for index, frame in enumerate(graph.frames)),
        "tensors": (TensorPart.of(tensor, index=index) for index, tensor in enumerate(graph.tensors)),
        "operations": _operations(graph),
        "experts": _experts(graph),
        "dependencies": _dependencies(graph),
    }
    head = GraphDocument.of(graph, kept_storages=list(graph.kept), **{key: [] for key in rows})
    yield "{\n"
    for key, value in head.model_dump(mode="json", by_alias=True, exclude=set(rows)).items():
        yield f"{json.dumps(key)}: {json.dumps(value)},\n"
    for name, parts in rows.items():
        yield from _section(name, parts)
        yield "],\n" if name != "dependencies" else "]\n"
    yield "}\n"


def _section(name: str, parts: Iterable[DocumentPart]) -> Iterator[str]:
    """A list with a part a line. The comma belongs to the line before, which is why one line is held back."""
    yield f"{json.dumps(name)}: [\n"
    held: str | None = None
    for part in parts:
        if held is not None:
            yield f"{held},\n"
        held = json.dumps(part.model_dump(mode="json"), allow_nan=False)
    if held is not None:
        yield f"{held}\n"


def _operations(graph: Graph) -> Iterator[OperationPart]:
    for op in graph.ops():
        frame, in_place = int(graph.op_frame[op.index]), bool(graph.in_place[op.index])
        yield OperationPart.of(op, frame=frame, in_place=in_place, work=op.cost)


def _experts(graph: Graph) -> Iterator[ExpertCall]:
    for load in graph.experts:
        frame, known = graph.frames[load.frame], list(load.per_expert) if load.known else None
        yield ExpertCall.of(load, first_op=frame.first_op, end_op=frame.end_op, tokens_per_expert=known)


def _dependencies(graph: Graph) -> Iterator[Dependency]:
    edges = graph.dependencies
    columns = (edges.source.tolist(), edges.target.tolist(), edges.tensor.tolist(), edges.carries_data.tolist())
    for source, target, tensor, carries in zip(*columns, strict=True):
        yield Dependency(source=source, target=target, tensor=tensor, carries_data=bool(carries))
