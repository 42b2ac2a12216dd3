"""What every timing model does: give the time of each slot of a graph, and say how far it was off where it can be checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Text
from cyclescope.core.plan import Plan
from cyclescope.core.units import FloatArray


@dataclass(frozen=True, slots=True)
class KeptOutErrors:
    """How far a timing model was off on what it was not fitted on.

    `cycles` and `operations` are ln(true ÷ predicted), of whole cycles and of single operations of them; `repeat_error` is the mean
    relative difference between two measurements of the same cycle on that machine, below which no model can get (None: unknown).
    `on` says what was kept out, `source` which command found it or which file it stands in.
    """

    cycles: tuple[float, ...]
    operations: tuple[float, ...]
    on: Text
    source: str
    repeat_error: float | None = None


@dataclass(frozen=True, eq=False)
class Durations:
    """The predicted times of the slots of one graph (`Graph.slots`): operations and what passes between them.

    `slot_ns` [slots] is at least 0, and NaN where the model cannot tell it: that slot then counts for nothing, and the
    prediction says so. `spread` [slots] is the standard deviation of ln(true ÷ predicted) of each slot by
    itself, as the model sees it (NaN where it has none of its own: then `errors.operations` tells). `outside` says what of
    the graph, plan or machine lies outside of what the model has seen, and `widening` (at least 1) by what factor its
    intervals must be wider for that. `notes` are facts that every reader of the prediction must know.
    """

    slot_ns: FloatArray
    spread: FloatArray
    errors: KeptOutErrors
    widening: float = 1.0
    outside: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()


class TimingModel(Protocol):
    """One way to predict. A value: what it has learned stands in it, and equal models predict equally."""

    @property
    def name(self) -> str:
        """`analytic`, `learned`, `graph-network` or `hybrid`."""
        ...

    def predict(self, graph: Graph, plan: Plan, machine: Ceilings) -> Durations:
        """The times of `graph` when `plan` runs it on `machine`. Raises `Unsupported` where a needed figure is missing:
        which one, and how to give it.
        """
        ...
