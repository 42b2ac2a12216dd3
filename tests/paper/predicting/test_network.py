"""A graph network in numpy: what it takes up along the edges, and which kernels it cannot tell apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from paper_kernels import random_kernels, random_network

from cyclescope.predicting.fused.kernels import Kernels
from cyclescope.predicting.gnn.merging import merged
from cyclescope.predicting.gnn.network import MOST, inputs


def repeated(times: int) -> Kernels:
    """A block of kernels over and over, one after the other."""
    block = random_kernels(np.random.default_rng(0), 5)
    at = np.arange(5 * times)
    columns = {
        name: np.concatenate([getattr(block, name)] * times)
        for name in ("group", "parts", "sizes", "joined", "bound_ns")
    }
    return replace(block, op=at, step=0 * at, source=at[:-1], target=at[1:], **columns)


def test_a_kernel_knows_those_that_are_as_near_as_there_are_layers() -> None:
    found, network = repeated(3), random_network(1)
    before = network.factors(found, found.bound_ns)
    sizes = found.sizes.copy()
    sizes[7] += 1.0
    changed = np.flatnonzero(network.factors(replace(found, sizes=sizes), found.bound_ns) != before)
    assert changed.tolist() == [5, 6, 7, 8, 9]


def test_an_edge_means_something_else_in_the_other_direction() -> None:
    found, network = repeated(2), random_network(2)
    turned = replace(found, source=found.target, target=found.source)
    assert not np.allclose(network.factors(found, found.bound_ns), network.factors(turned, found.bound_ns))


def test_factors_have_an_end() -> None:
    found, network = repeated(2), random_network(3)
    (member,) = network.members
    wild = replace(network, members=(replace(member, readout=1e6 * member.readout),))
    assert np.abs(np.log(wild.factors(found, found.bound_ns))).max() <= MOST


def test_kernels_of_one_class_have_the_same_factor() -> None:
    found = repeated(7)
    rows = np.round(inputs(found, found.bound_ns), 1)
    classes = merged(rows, np.zeros(len(found), dtype=np.int64), found.source, found.target, layers=2)
    assert (
        len(classes.first) == 5 * 3 - 2 * 3 + 5 - 1 - 4
    )  # the ends differ as far as two layers see: two kernels at each, and the block
    network = random_network(4)
    factors = network.factors(found, found.bound_ns)
    np.testing.assert_allclose(factors, factors[classes.first][classes.number], rtol=1e-12)
    # A step of its own is a class of its own.
    halves = (np.arange(len(found)) >= 15).astype(np.int64)
    more = merged(rows, halves, found.source, found.target, layers=2)
    assert len(more.first) > len(classes.first)


def test_weights_of_other_shapes_are_refused() -> None:
    network = random_network(5)
    with pytest.raises(ValueError, match="inputs of a network"):
        replace(network, centre=np.zeros(3))
    layer = network.members[0].layers[0]
    with pytest.raises(ValueError, match="weights of a layer"):
        replace(layer, own=layer.own[:3])
