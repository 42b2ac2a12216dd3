"""Scenarios: from the errors of a timing model on unseen cycles to rows of samples that spread as those errors do.

The k-th of K scenarios is as long as the (k + ½) ÷ K quantile of ln(true ÷ predicted) of whole cycles says, so that what is
true of the errors is true of the rows. Within a row single slots deviate too, by their own errors, as far as these
exceed what a cycle has as a whole.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.prediction import SCENARIOS
from cyclescope.core.units import FloatArray, IntArray
from cyclescope.explaining.places import places
from cyclescope.predicting.intervals import error_quantiles
from cyclescope.predicting.timing_model import Durations, KeptOutErrors

LEAST_UNSEEN = 8  # unseen cycles that an interval needs; fewer say nothing about a tail
_SEED = 20_170_612  # fixed, so that a prediction never changes by being made again


def scenarios(graph: Graph, durations: Durations) -> FloatArray:
    """Times of every slot in every scenario [scenarios, slots]; one row without errors enough for an interval.

    The middle row is the prediction itself: its slots stand to each other as `durations` say. Equal operations (of one name
    and of equal shapes) deviate alike, since a model that is wrong about one is wrong about all of them.
    """
    slot_ns = np.nan_to_num(durations.slot_ns, nan=0.0)
    errors = durations.errors
    if not has_interval(errors) or not slot_ns.sum():
        return slot_ns[None]
    levels = (np.arange(SCENARIOS) + 0.5) / SCENARIOS
    total = slot_ns.sum() * whole_cycles(durations)
    rows = slot_ns * np.exp(_own_errors(graph, durations, levels))
    scaled: FloatArray = rows * (total / rows.sum(axis=1))[:, None]
    return scaled


def whole_cycles(durations: Durations) -> FloatArray:
    """How long a whole cycle is in every scenario [scenarios], for one that the model says takes 1."""
    if not has_interval(durations.errors):
        return np.ones(1)
    levels = (np.arange(SCENARIOS) + 0.5) / SCENARIOS
    whole = error_quantiles(durations.errors.cycles, levels)
    spread: FloatArray = np.exp(np.median(whole) + (whole - np.median(whole)) * durations.widening)
    return spread


def has_interval(errors: KeptOutErrors) -> bool:
    """Whether there are unseen cycles enough for an interval."""
    return len(errors.cycles) >= LEAST_UNSEEN


def _own_errors(graph: Graph, durations: Durations, levels: FloatArray) -> FloatArray:
    """How far each slot deviates from what the cycle has as a whole [scenarios, slots]; 0 in the middle row.

    Each group of equal slots has all quantiles of its error, in an order of its own.
    """
    normal = np.asarray([NormalDist().inv_cdf(float(level)) for level in levels])
    shared = _spread(durations.errors.cycles)
    own = durations.spread
    usual = _spread(durations.errors.operations)
    own = np.where(np.isfinite(own), own, usual)
    # The errors of single operations hold that of their cycle as well, which the row has already.
    own = np.sqrt(np.maximum(own**2 - shared**2, 0.0)) * durations.widening
    group = equal_slots(graph)
    rng = np.random.default_rng(_SEED)
    middle = len(levels) // 2
    others = np.delete(np.arange(len(levels)), middle)
    order = rng.permuted(np.tile(others, (int(group.max(initial=-1)) + 1, 1)), axis=1)
    order = np.insert(order, middle, middle, axis=1)
    deviations: FloatArray = normal[order].T[:, group] * own
    return deviations


def _spread(errors: tuple[float, ...]) -> float:
    """Standard deviation of `errors` as the distance of their 16th and 84th percentile tells it: outliers do not widen it."""
    if len(errors) < 2:
        return 0.0
    low, high = np.percentile(np.asarray(errors), [15.865, 84.135])
    return float(high - low) / 2


def equal_slots(graph: Graph) -> IntArray:
    """A number for each slot [slots], the same for operations of one name and equal shapes, and for what passes between
    operations in equal surroundings.

    From one decode step to the next shapes grow a little, and errors hardly differ: there operations are alike that read
    weights of equal shapes, or stand in one place of every layer.
    """
    slots = graph.slots
    step = slots.step[slots.of_op].tolist()
    place = places(graph)
    parameter = graph.of_role(TensorRole.PARAMETER)
    known: dict[object, int] = {}
    of_op = np.zeros(len(graph), dtype=np.int64)
    for i in range(len(graph)):
        reads = graph.reads(i)
        shapes = tuple((graph.tensors[t].shape, graph.tensors[t].dtype) for t in reads if step[i] <= 0 or parameter[t])
        key = (graph.names[i], shapes, min(step[i], 1), place[i] if step[i] > 0 and not shapes else None)
        of_op[i] = known.setdefault(key, len(known))
    group = len(known) + slots.op_stamps * 3 + slots.frame_stamps
    group[slots.of_op] = of_op
    numbers: IntArray = np.unique(group, return_inverse=True)[1]
    return numbers
