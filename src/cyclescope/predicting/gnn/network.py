"""A fitted graph network, evaluated in numpy alone.

Every kernel has a row of features. In each layer it takes up its own, the mean of those whose results it needs and the mean
of those that need its result (GraphSAGE; Hamilton, Ying and Leskovec, NeurIPS 2017, with a direction each). What it has then says by
which factor its time differs from the one that it was given; the time of a cycle is the sum (deep sets; Zaheer et al., NeurIPS 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import FloatArray, IntArray
from cyclescope.predicting.features import GROUPS
from cyclescope.predicting.fused.kernels import PART, PARTS, SIZES, Kernels

INPUTS = (*SIZES, *PARTS, "joined", "base", "share", "count", *GROUPS)
MOST = 1.5  # of the logarithm of a factor: a kernel is no more than 4.5 times as slow as it was taken to be


@dataclass(frozen=True, eq=False)
class Layer:
    """`own`, `before` and `behind` [inputs, outputs] and `bias` [outputs]."""

    own: FloatArray
    before: FloatArray
    behind: FloatArray
    bias: FloatArray

    def __post_init__(self) -> None:
        shapes = {self.own.shape, self.before.shape, self.behind.shape}
        if len(shapes) != 1 or self.own.shape[1:] != self.bias.shape:
            raise ValueError("the weights of a layer differ in shape")


@dataclass(frozen=True, eq=False)
class Member:
    """One trained network: `layers`, and what reads the factor out of the last one."""

    layers: tuple[Layer, ...]
    readout: FloatArray
    bias: float


@dataclass(frozen=True, eq=False)
class Network:
    """Networks that were trained from different starts, whose logarithms are averaged. Inputs are centred and scaled."""

    centre: FloatArray
    scale: FloatArray
    members: tuple[Member, ...]

    def __post_init__(self) -> None:
        if self.centre.shape != (len(INPUTS),) or self.scale.shape != self.centre.shape or not (self.scale > 0).all():
            raise ValueError("the inputs of a network are others")

    def factors(self, found: Kernels, base_ns: FloatArray) -> FloatArray:
        """By which factor each kernel [kernels] takes longer than `base_ns`."""
        rows = np.clip((inputs(found, base_ns) - self.centre) / self.scale, -4.0, 4.0)
        said = [_evaluate(member, rows, found.source, found.target) for member in self.members]
        factors: FloatArray = np.exp(np.mean(said, axis=0))
        return factors


def inputs(found: Kernels, base_ns: FloatArray) -> FloatArray:
    """What the network is told of each kernel [kernels, INPUTS] whose time is taken to be `base_ns`."""
    base = np.log1p(base_ns)
    total = np.zeros(len(found))
    count = np.zeros(len(found))
    for step in np.unique(found.step).tolist():
        of = found.step == step
        total[of], count[of] = base_ns[of].sum(), of.sum()
    groups = np.eye(len(GROUPS))[found.group]
    parts = np.log1p(found.parts)
    parts[:, PART["kernels"]] = 0.0
    own = [np.log1p(found.joined), base, base - np.log1p(total), np.log1p(count)]
    return np.concatenate([found.sizes, parts, np.stack(own, axis=1), groups], axis=1)


def _evaluate(member: Member, rows: FloatArray, source: IntArray, target: IntArray) -> FloatArray:
    for layer in member.layers:
        before, behind = _mean(rows, source, target), _mean(rows, target, source)
        rows = np.maximum(rows @ layer.own + before @ layer.before + behind @ layer.behind + layer.bias, 0.0)
    said: FloatArray = MOST * np.tanh((rows @ member.readout + member.bias) / MOST)
    return said


def _mean(rows: FloatArray, giver: IntArray, taker: IntArray) -> FloatArray:
    """For each kernel the mean of the `rows` of its givers, 0 without any [kernels, columns]."""
    summed = np.zeros_like(rows)
    np.add.at(summed, taker, rows[giver])
    count = np.bincount(taker, minlength=len(rows))
    return summed / np.maximum(count, 1)[:, None]
