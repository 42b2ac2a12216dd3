"""The document about a structure that was traced and not run: its work by stage and by kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from pydantic import Field

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.memory import memory as memory_of
from cyclescope.report.documents.cycle.experts import Experts, experts
from cyclescope.report.documents.cycle.memory import MemoryPart, memory
from cyclescope.report.documents.figures import Document, DocumentPart, Text, Work, schema_field


class Share(DocumentPart):
    """The operations of one stage or of one kind, added up."""

    name: Text
    operations: int = Field(description="number of operations")
    work: Work


class StructureDocument(Document):
    """What one cycle of a model computes and moves."""

    schema_: Literal["cyclescope/structure/1"] = schema_field("cyclescope/structure/1")
    model: Text = Field(description="as the user named it")
    batch: int = Field(description="texts in one cycle")
    tokens: int = Field(description="tokens of each text")
    cache_length: int | None = Field(description="tokens in the cache of a decode step; null for any other structure")
    traced_on: Text
    operations: int = Field(description="number of operations")
    unpriced_operations: int = Field(description="operations whose FLOPs are unknown; FLOPs are then lower bounds")
    total: Work
    stages: list[Share] = Field(description="in order of time")
    kinds: list[Share] = Field(description="in the order in which they appear")
    memory: MemoryPart | None = Field(description="null without operations")
    experts: list[Experts] = Field(description="of a mixture of experts, by layer; empty for any other model")
    notes: list[Text]


def structure_document(graph: Graph, model: str, batch: int, tokens: int) -> StructureDocument:
    """`graph` of `model` for `batch` texts of so many `tokens` as the public document."""
    held = memory_of(graph)
    stages = [graph.stage_of(op) for op in range(len(graph))]
    kinds = [kind.value for kind in graph.kinds]
    return StructureDocument.of(
        graph,
        model=model,
        batch=batch,
        tokens=tokens,
        operations=len(graph),
        unpriced_operations=len(graph.unpriced),
        stages=_shares(graph, stages, graph.stages),
        kinds=_shares(graph, kinds, dict.fromkeys(kinds)),
        memory=memory(held, graph) if held is not None else None,
        experts=experts(graph),
    )


def _shares(graph: Graph, groups: list[str], names: Iterable[str]) -> list[Share]:
    column = np.asarray(groups)
    fields = Work.model_fields
    rows = {name: np.flatnonzero(column == name) for name in names}
    return [
        Share(
            name=name,
            operations=len(ops),
            work=Work(**{field: int(getattr(graph, field)[ops].sum()) for field in fields}),
        )
        for name, ops in rows.items()
    ]
