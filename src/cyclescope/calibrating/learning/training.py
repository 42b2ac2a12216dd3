"""From measured cycles to the rows that laws are fitted on: features and times of slots, equal ones put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.graph import Graph
from cyclescope.core.units import AnyArray, FloatArray, IntArray
from cyclescope.explaining.attribution import attribute
from cyclescope.explaining.lower_bounds import find_lower_bounds
from cyclescope.predicting.features import SlotFeatures, features

# Whatever disturbs a run makes it longer; the quickest of few runs is luck.
_QUANTILE = 0.25
_LEAST_NS = 20.0  # below it the clock and the cost of a stamp decide
_ROUNDED = 2  # decimals of features by which slots count as equal


@dataclass(frozen=True, eq=False)
class Observed:
    """One measured cycle: its `family`, the features of its slots, `slot_ns` [slots], and its wall time.

    `slot_ns` add up to `wall_ns`. `first` and `count` [rows] name one slot of each set of equal ones and how many they
    are, `row_ns` [rows] is their mean time.
    """

    name: str
    family: str
    threads: int
    dtype: str
    features: SlotFeatures
    slot_ns: FloatArray
    wall_ns: float
    first: IntArray
    count: IntArray
    row_ns: FloatArray


def observed(name: str, family: str, cycle: Cycle, machine: Ceilings) -> Observed:
    """What `cycle` shows, with features under the ceilings of `machine`."""
    seen = attribute(cycle)
    slot_ns = np.maximum(np.quantile(seen.runs_ns, _QUANTILE, axis=0), _LEAST_NS)
    # Both kinds of runs tell how long the cycle is; the instrumented ones less what stamping costs.
    plain = float(np.median(cycle.samples.uninstrumented.wall_ns))
    stamped = float(np.median(seen.runs_ns.sum(axis=1)))
    wall_ns = float(np.sqrt(plain * stamped))
    slot_ns = slot_ns * (wall_ns / slot_ns.sum())
    found = features(cycle.graph, cycle.plan, machine)
    first, count, row_ns = _put_together(found, slot_ns)
    return Observed(name, family, cycle.plan.threads, cycle.plan.dtype, found, slot_ns, wall_ns, first, count, row_ns)


def _put_together(found: SlotFeatures, slot_ns: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """First slot, number and mean time of each set of slots that have equal features [rows]."""
    key = np.column_stack([found.label.numbers, np.round(found.values, _ROUNDED)])
    _, first, number, count = np.unique(key, axis=0, return_index=True, return_inverse=True, return_counts=True)
    return first, count, np.bincount(np.ravel(number), slot_ns) / count


def roofline_ns(graph: Graph, machine: Ceilings, threads: int) -> float:
    """What the operations of `graph` take at least by the ceilings of `machine`, one after the other: the plain roofline."""
    bounds = find_lower_bounds(graph, machine, threads)
    return float(np.maximum(bounds.compute_ns, bounds.memory_ns).sum())


def halves_apart(walls_ns: AnyArray) -> float | None:
    """|ln| of the median of the later half of the times of one workload, in their order, by that of the earlier half; None
    where it was run once.
    """
    half = len(walls_ns) // 2
    return abs(float(np.log(np.median(walls_ns[-half:]) / np.median(walls_ns[:half])))) if half else None


def mean_apart(apart: Iterable[float | None]) -> float | None:
    """The mean of what `halves_apart` says of several workloads, as a relative difference; None where it says nothing."""
    known = [each for each in apart if each is not None]
    return float(np.expm1(np.mean(known))) if known else None


def families(seen: Sequence[Observed]) -> tuple[str, ...]:
    """The families of `seen`, each once."""
    return tuple(dict.fromkeys(one.family for one in seen))
