"""How the tokens of a cycle divide on the experts of a mixture, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.graph.experts import ExpertLoad
from cyclescope.core.graph.graph import Graph


@dataclass(frozen=True, slots=True)
class ExpertsRow:
    """The experts of one layer, all their calls in the cycle added up (a generation calls them in every step).

    `routed` counts tokens once for each expert that they go to. `per_expert` [experts] adds up to it; empty where the
    routing is not known.
    """

    stage: str
    layer: int | None
    module: str
    calls: int
    experts: int
    routed: int
    per_expert: tuple[int, ...]

    @property
    def expected(self) -> float:
        """Tokens for each expert if all got as many."""
        return self.routed / self.experts

    @property
    def idle(self) -> int | None:
        """Experts that no token reaches; None where that is not known."""
        return sum(count == 0 for count in self.per_expert) if self.per_expert else None

    @property
    def imbalance(self) -> float | None:
        """Tokens of the busiest expert over the average: 1 is even, `experts` is all to one."""
        return max(self.per_expert) / self.expected if self.per_expert and self.routed else None


def expert_rows(graph: Graph) -> tuple[ExpertsRow, ...]:
    """A row for each module of experts, in order of its first call; empty for a model without."""
    calls: dict[str, list[ExpertLoad]] = {}
    for load in graph.experts:
        calls.setdefault(graph.frames[load.frame].module, []).append(load)
    rows = []
    for module, loads in calls.items():
        frame = graph.frames[loads[0].frame]
        # Of calls with known and unknown routing the sum would be neither.
        known = all(load.known for load in loads)
        per_expert = np.sum([load.per_expert for load in loads], axis=0).tolist() if known else []
        routed = sum(load.tokens * load.chosen for load in loads)
        rows.append(
            ExpertsRow(frame.stage, frame.layer, module, len(loads), loads[0].experts, routed, tuple(per_expert))
        )
    return tuple(rows)
