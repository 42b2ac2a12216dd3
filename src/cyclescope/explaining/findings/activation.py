"""Scalar activation: an activation far from the bandwidth that moving its values needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from cyclescope.core.graph.op import OpKind
from cyclescope.core.units import NS_PER_S, FloatArray, IntArray
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Quantity

# Time over what moving the values once takes. In PyTorch 2.13 on AVX-512, one thread, tensors of 0.2 to 3 MB: ReLU 1,
# SiLU and exact GELU, which are vectorized, 3 to 6; softplus, erf, tanh and tanh-GELU, called value by value, 14 to 29.
_LEAST_FACTOR = 6.0
# Elementwise operations that serve as a measure move between an eighth and eight times as much: no other cache, no dispatch.
_LIKE = 8.0
# A module with more operations than this is more than an activation.
_MOST_PARTS = 32
_PARTS = (OpKind.ACTIVATION, OpKind.ELEMENTWISE, OpKind.VIEW)


@dataclass
class _Function:
    """All places where one function is computed."""

    time_ns: float = 0.0
    floor_ns: float = 0.0
    moved: int = 0
    ops: list[int] = field(default_factory=list)


def scalar_activation(facts: Facts) -> Iterator[Finding]:
    """Found for each function that takes six times what one pass over its values takes; the rest of it can be gained.

    One pass is the memory time of the roofline, or without ceilings what the elementwise operations of the same cycle with
    as many bytes take (their median). A function that a module spells out in several operations counts as one. Nothing is
    found where a prediction takes every operation at its ceiling.
    """
    if facts.roofline is not None and facts.roofline.at_ceilings:
        return
    graph = facts.graph
    functions: dict[str, _Function] = {}
    units: dict[tuple[int, int], int] = {}
    for i in np.flatnonzero(facts.of_kind(OpKind.ACTIVATION) & ~facts.small).tolist():
        unit = _unit(facts, i)
        if unit not in units or facts.op_ns[i] > facts.op_ns[units[unit]]:
            units[unit] = i
    floors = _floors(facts, np.asarray(list(units.values()), dtype=np.int64))
    for ((begin, end), i), floor in zip(units.items(), floors.tolist(), strict=True):
        if floor > 0:
            name = graph.names[i] if end - begin == 1 else graph.frames[int(graph.op_frame[i])].class_name
            function = functions.setdefault(name, _Function())
            function.time_ns += float(facts.op_ns[begin:end].sum())
            function.floor_ns += floor
            function.moved += int(facts.moved_bytes[i])
            function.ops.append(i)
    for name, function in functions.items():
        if function.time_ns >= _LEAST_FACTOR * function.floor_ns:
            yield _finding(facts, name, function)


def _unit(facts: Facts, op: int) -> tuple[int, int]:
    """The operations that the function of `op` consists of: those of its module where that is nothing but elementwise."""
    number = int(facts.graph.op_frame[op])
    frame = facts.graph.frames[number]
    size = frame.end_op - frame.first_op
    if number and size <= _MOST_PARTS and set(facts.graph.kinds[frame.first_op : frame.end_op]) <= set(_PARTS):
        return frame.first_op, frame.end_op
    return op, op + 1


def _floors(facts: Facts, ops: IntArray) -> FloatArray:
    """Nanoseconds of one pass over the values of each of `ops`; 0 where nothing tells."""
    floors: FloatArray
    if facts.roofline is not None:
        floors = facts.roofline.memory_ns[ops]
        return floors
    bytes_of = facts.moved_bytes
    moving = facts.of_kind(OpKind.ELEMENTWISE, OpKind.COPY) & (bytes_of > 0)
    measure = np.flatnonzero(moving & ~facts.small & (facts.op_ns > 0))
    measure = measure[np.argsort(bytes_of[measure], kind="stable")]
    rate = facts.op_ns[measure] / bytes_of[measure]
    sizes, where = np.unique(bytes_of[ops], return_inverse=True)
    usual = np.zeros(len(sizes))
    for k, size in enumerate(sizes.tolist()):  # a model has few sizes
        low, high = np.searchsorted(bytes_of[measure], [size / _LIKE, size * _LIKE])
        usual[k] = np.median(rate[low:high]) if high > low else 0.0
    floors = usual[where] * bytes_of[ops]
    return floors


def _finding(facts: Facts, name: str, function: _Function) -> Finding:
    op = facts.costliest(np.asarray(function.ops, dtype=np.int64))
    calibrated = facts.roofline is not None
    best = EvidenceName.BANDWIDTH_CEILING if calibrated else EvidenceName.USUAL_BANDWIDTH
    evidence = (
        Evidence(EvidenceName.TIMES_FLOOR, Quantity.RATIO, function.time_ns / function.floor_ns),
        Evidence(EvidenceName.MEAN_TIME, Quantity.TIME, function.time_ns / len(function.ops)),
        Evidence(EvidenceName.OPERATIONS, Quantity.COUNT, len(function.ops)),
        Evidence(EvidenceName.REACHED_BANDWIDTH, Quantity.BANDWIDTH, function.moved / function.time_ns * NS_PER_S, op),
        Evidence(best, Quantity.BANDWIDTH, function.moved / function.floor_ns * NS_PER_S),
    )
    share, gain = facts.share(function.time_ns), facts.share(function.time_ns - function.floor_ns)
    return Finding(FindingCode.SCALAR_ACTIVATION, share, gain, evidence, facts.place(op), subject=name)
