"""Training a graph network with torch_geometric, on one thread: the only place of `predicting` that imports a framework."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise

import numpy as np

from cyclescope.core.errors import MissingExtra
from cyclescope.core.message import m
from cyclescope.core.units import FloatArray, IntArray
from cyclescope.predicting.fused.kernels import Kernels
from cyclescope.predicting.gnn.merging import merged
from cyclescope.predicting.gnn.network import INPUTS, MOST, Layer, Member, Network, inputs


@dataclass(frozen=True, eq=False)
class Example:
    """A graph to train on: its `kernels`, the time that each is taken to have, and of each of the segments that its kernels
    are in (`segment` [kernels]) what it takes besides its kernels and how long it took, [segments] each.
    """

    kernels: Kernels
    base_ns: FloatArray
    segment: IntArray
    beside_ns: FloatArray
    true_ns: FloatArray


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """`seeds` networks of `layers` layers of `width`, each trained for `epochs` over all examples at once."""

    seeds: int = 3
    layers: int = 2
    width: int = 16
    epochs: int = 120
    rate: float = 6e-3
    decay: float = 3e-3


def is_there() -> bool:
    """Whether torch_geometric is installed."""
    return find_spec("torch_geometric") is not None and find_spec("torch") is not None


def require() -> None:
    """Raise `MissingExtra` where torch_geometric is not installed."""
    if not is_there():
        raise MissingExtra(
            m("torch_geometric is not installed."),
            m("Graph networks are trained with it; a trained one needs it no more."),
            m("Install it: pip install 'cyclescope[gnn]'."),
        )


def train(examples: Sequence[Example], settings: TrainingSettings = TrainingSettings()) -> Network:
    """A network that makes the segments of `examples` as long as they were. Raises `MissingExtra`."""
    require()
    import torch

    rows = [inputs(example.kernels, example.base_ns) for example in examples]
    every = np.concatenate(rows)
    centre = every.mean(axis=0)
    scale = np.where(every.std(axis=0) > 1e-6, every.std(axis=0), 1.0)
    scaled = [np.clip((row - centre) / scale, -4.0, 4.0) for row in rows]
    with _one_thread():
        members = []
        for seed in range(settings.seeds):
            torch.manual_seed(seed)
            members.append(_trained(examples, scaled, settings))
    return Network(centre, scale, tuple(members))


def _trained(examples: Sequence[Example], rows: Sequence[FloatArray], settings: TrainingSettings) -> Member:
    import torch
    from torch_geometric.data import Batch, Data
    from torch_geometric.nn import SAGEConv
    from torch_geometric.utils import scatter

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            widths = [len(INPUTS)] + [settings.width] * settings.layers
            pairs = list(pairwise(widths))
            self.own = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in pairs)
            # One convolution for each direction of the edges; the kernel's own row goes through `own`.
            self.before = torch.nn.ModuleList(SAGEConv(a, b, root_weight=False, bias=False) for a, b in pairs)
            self.behind = torch.nn.ModuleList(SAGEConv(a, b, root_weight=False, bias=False) for a, b in pairs)
            self.readout = torch.nn.Linear(settings.width, 1)
            torch.nn.init.zeros_(self.readout.weight)
            torch.nn.init.zeros_(self.readout.bias)

        def forward(self, x: torch.Tensor, earlier: torch.Tensor, later: torch.Tensor) -> torch.Tensor:
            for own, before, behind in zip(self.own, self.before, self.behind, strict=True):
                x = torch.relu(own(x) + before(x, earlier) + behind(x, later))
            return MOST * torch.tanh(self.readout(x).squeeze(-1) / MOST)

    first = np.concatenate([[0], np.cumsum([len(example.true_ns) for example in examples])])
    data = Batch.from_data_list(
        [
            Data(**_tensors(example, row, start, settings.layers))
            for example, row, start in zip(examples, rows, first.tolist(), strict=False)
        ]
    )
    beside = torch.as_tensor(np.concatenate([example.beside_ns for example in examples]), dtype=torch.float32)
    true = torch.as_tensor(np.log(np.concatenate([example.true_ns for example in examples])), dtype=torch.float32)
    net = Net()
    optimizer = torch.optim.AdamW(net.parameters(), lr=settings.rate, weight_decay=settings.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3 * settings.rate, total_steps=settings.epochs)
    for _ in range(settings.epochs):
        optimizer.zero_grad()
        kernel_ns = data.base * torch.exp(net(data.x, data.before_index, data.behind_index))
        total = beside + scatter(kernel_ns, data.segment, dim_size=int(first[-1]), reduce="sum")
        loss = torch.nn.functional.huber_loss(torch.log(total), true, delta=0.1)
        loss.backward()
        optimizer.step()
        schedule.step()
    return _frozen(net)


def _tensors(example: Example, rows: FloatArray, start: int, layers: int) -> dict[str, object]:
    """One example as tensors, equal kernels put together; its segments are numbered from `start`."""
    import torch

    found = merged(rows, example.segment, example.kernels.source, example.kernels.target, layers)
    base = np.bincount(found.number, example.base_ns)
    return {
        "x": torch.as_tensor(rows[found.first], dtype=torch.float32),
        "before_index": torch.as_tensor(found.before),
        "behind_index": torch.as_tensor(found.behind),
        "base": torch.as_tensor(base, dtype=torch.float32),
        "segment": torch.as_tensor(example.segment[found.first] + start),
    }


def _frozen(net: object) -> Member:
    """The weights of a trained network as arrays."""

    def array(tensor: object) -> FloatArray:
        return np.asarray(tensor.detach().numpy(), dtype=np.float64)  # type: ignore[attr-defined]

    layers = [
        Layer(array(own.weight).T, array(before.lin_l.weight).T, array(behind.lin_l.weight).T, array(own.bias))
        for own, before, behind in zip(net.own, net.before, net.behind, strict=True)  # type: ignore[attr-defined]
    ]
    readout = net.readout  # type: ignore[attr-defined]
    return Member(tuple(layers), array(readout.weight)[0], float(readout.bias.detach()[0]))


@contextmanager
def _one_thread() -> Iterator[None]:
    """So small a network is trained sooner by one thread; the state of the random numbers is the user's again afterwards."""
    import torch

    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
