"""The experts of a mixture, as part of the document about a cycle."""

from __future__ import annotations

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.experts import expert_rows
from cyclescope.report.documents import schema as doc


def expert_documents(graph: Graph) -> list[doc.ExpertsReport]:
    """The experts of every layer as parts of the public document."""
    return [
        doc.ExpertsReport(
            site=doc.Place(stage=row.stage, layer=row.layer, module=row.module),
            calls=row.calls,
            experts=row.experts,
            routed=row.routed,
            expected_per_expert=row.expected,
            tokens_per_expert=list(row.per_expert) if row.per_expert else None,
        )
        for row in expert_rows(graph)
    ]
