"""The graph network on a planted law that no sum over kernels can follow, trained with its real library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from paper_kernels import random_kernels, true_ns

pytest.importorskip("torch_geometric")

import torch
from torch_geometric.nn import SAGEConv

from cyclescope.core.errors import FittedModelError
from cyclescope.predicting.fused.kernels import Kernels
from cyclescope.predicting.gnn.network import Network, inputs
from cyclescope.predicting.gnn.training import Example, TrainingSettings, train
from cyclescope.predicting.regression.file import read_fitted, write_fitted

SETTINGS = TrainingSettings(seeds=1, layers=1, width=12, epochs=200, rate=1e-2)
TRAINED, UNSEEN = 40, 30


def graphs(count: int, low: int, high: int, seed: int) -> list[Kernels]:
    rng = np.random.default_rng(seed)
    return [random_kernels(rng, int(rng.integers(low, high))) for _ in range(count)]


@pytest.fixture(scope="module")
def network() -> Network:
    examples = [
        Example(
            found, found.bound_ns, np.zeros(len(found), dtype=np.int64), np.zeros(1), true_ns(found).sum(keepdims=True)
        )
        for found in graphs(TRAINED, 6, 14, seed=1)
    ]
    return train(examples, SETTINGS)


def mean_error(said: list[float], unseen: list[Kernels]) -> float:
    true = np.asarray([true_ns(found).sum() for found in unseen])
    off = np.log(true / np.asarray(said))
    return float(np.abs(np.expm1(np.median(off) - off)).mean())


def test_it_beats_the_best_sum_on_larger_graphs_that_it_has_not_seen(network: Network) -> None:
    seen, unseen = graphs(TRAINED, 6, 14, seed=1), graphs(UNSEEN, 14, 30, seed=2)
    parts = np.asarray([found.parts.sum(axis=0) for found in seen])
    true = np.asarray([true_ns(found).sum() for found in seen])
    factors = np.linalg.lstsq(parts / true[:, None], np.ones(TRAINED), rcond=None)[0]
    by_sum = mean_error([float(found.parts.sum(axis=0) @ factors) for found in unseen], unseen)
    by_network = mean_error([float(network.factors(f, f.bound_ns) @ f.bound_ns) for f in unseen], unseen)
    assert by_sum > 0.1
    assert by_network < 0.5 * by_sum


def test_numpy_evaluates_what_the_library_trained(network: Network) -> None:
    """Each layer is two convolutions of torch_geometric, one a direction, and a product of the kernel's own row."""
    (found,) = graphs(1, 20, 21, seed=3)
    (member,) = network.members
    rows = np.clip((inputs(found, found.bound_ns) - network.centre) / network.scale, -4.0, 4.0)
    x = torch.as_tensor(rows, dtype=torch.float64)
    edges = torch.as_tensor(np.stack([found.source, found.target]))
    with torch.no_grad():
        for layer in member.layers:
            taken = x @ torch.as_tensor(layer.own) + torch.as_tensor(layer.bias)
            for weight, along in ((layer.before, edges), (layer.behind, edges.flip(0))):
                convolution = SAGEConv(*weight.shape, root_weight=False, bias=False).double()
                convolution.lin_l.weight.copy_(torch.as_tensor(weight).T)
                taken = taken + convolution(x, along)
            x = torch.relu(taken)
        said = 1.5 * torch.tanh((x @ torch.as_tensor(member.readout) + member.bias) / 1.5)
    np.testing.assert_allclose(np.log(network.factors(found, found.bound_ns)), said.numpy(), rtol=1e-9, atol=1e-12)


def test_it_is_the_same_when_trained_again_and_leaves_the_users_random_numbers_alone(network: Network) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    threads = torch.get_num_threads()
    few = [
        Example(f, f.bound_ns, np.zeros(len(f), dtype=np.int64), np.zeros(1), true_ns(f).sum(keepdims=True))
        for f in graphs(4, 6, 8, seed=4)
    ]
    quick = TrainingSettings(seeds=1, layers=1, width=4, epochs=5)
    again = [train(few, quick).members[0].readout for _ in range(2)]
    np.testing.assert_array_equal(*again)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads


def test_a_stored_network_says_the_same_and_one_of_another_version_is_refused(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "network"
    write_fitted(path, network, "cyclescope/test", 2)
    (found,) = graphs(1, 12, 13, seed=5)
    kept = read_fitted(path, Network, "cyclescope/test", 2, "")
    np.testing.assert_array_equal(kept.factors(found, found.bound_ns), network.factors(found, found.bound_ns))
    with pytest.raises(FittedModelError, match="format 2; this cyclescope reads format 3"):
        read_fitted(path, Network, "cyclescope/test", 3, "")
