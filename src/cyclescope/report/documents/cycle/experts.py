"""The experts of a mixture, as part of the document about a cycle."""

from __future__ import annotations

from pydantic import Field

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.experts import expert_rows
from cyclescope.report.documents.cycle.parts import Place
from cyclescope.report.documents.figures import DocumentPart


class Experts(DocumentPart):
    """How the tokens of a cycle divide on the experts of one layer of a mixture."""

    site: Place
    calls: int = Field(description="calls in the cycle; a generation makes one in every step")
    experts: int = Field(description="experts of the layer")
    routed: int = Field(description="tokens, each counted once for every expert that it goes to")
    expected_per_expert: float = Field(description="routed ÷ experts: what each would get if all got as many")
    tokens_per_expert: list[int] | None = Field(description="adds up to routed; null where the routing is unknown")


def experts(graph: Graph) -> list[Experts]:
    """One for each layer of a mixture."""
    return [
        Experts.of(
            row,
            site=Place.of(row),
            expected_per_expert=row.expected,
            tokens_per_expert=list(row.per_expert) if row.per_expert else None,
        )
        for row in expert_rows(graph)
    ]
