"""Graphs of kernels on paper whose time is no sum over them: what a kernel takes depends on which one ran before it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from cyclescope.core.units import FloatArray
from cyclescope.predicting.features import GROUPS, Group
from cyclescope.predicting.fused.kernels import PART, PARTS, SIZES, Kernels
from cyclescope.predicting.gnn.network import INPUTS, Layer, Member, Network

CHAIN = (Group.WEIGHT_PRODUCT, Group.ROWS, Group.MOVEMENT)
WIDTH = 6  # of a random network
SLOWER = 3.0  # a product whose input was just moved is so much slower


def random_kernels(rng: np.random.Generator, count: int) -> Kernels:
    """A chain of `count` kernels of three sorts, in any order and of any size."""
    group = np.asarray([GROUPS.index(each) for each in rng.choice(np.asarray(CHAIN), count)])
    bound = np.exp(rng.uniform(np.log(2e4), np.log(2e6), count))
    parts = np.zeros((count, len(PARTS)))
    for part, sort in (("product", Group.WEIGHT_PRODUCT), ("rows", Group.ROWS), ("movement", Group.MOVEMENT)):
        of = group == GROUPS.index(sort)
        parts[of, PART[part]] = bound[of]
    parts[:, PART["kernels"]] = 1.0
    sizes = np.zeros((count, len(SIZES)))
    sizes[:, SIZES.index("m")] = np.log1p(64.0)
    at = np.arange(count)
    return Kernels(at, group, parts, sizes, np.zeros(count, dtype=np.int64), 0 * at, at[:-1], at[1:], bound)


def true_ns(found: Kernels) -> FloatArray:
    """How long each kernel takes."""
    moved = np.concatenate([[False], found.group[:-1] == GROUPS.index(Group.MOVEMENT)])
    slow = moved & (found.group == GROUPS.index(Group.WEIGHT_PRODUCT))
    return found.bound_ns * np.where(slow, SLOWER, 1.0)


def random_network(seed: int, layers: int = 2) -> Network:
    """A network with random weights."""
    rng = np.random.default_rng(seed)

    def matrix(*shape: int) -> FloatArray:
        return rng.normal(0, 0.5, shape)

    widths = [len(INPUTS)] + [WIDTH] * layers
    made = tuple(Layer(matrix(a, b), matrix(a, b), matrix(a, b), matrix(b)) for a, b in pairwise(widths))
    return Network(np.zeros(len(INPUTS)), np.ones(len(INPUTS)), (Member(made, matrix(WIDTH), 0.1),))
