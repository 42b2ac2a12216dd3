"""FLOPs, bytes and parameters where modules do not keep them as float modules do; and what has no price."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

import cyclescope
from cyclescope.core.cycle import Cycle
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import WarningCode

torch.library.define("cyclescope_tests::mystery", "(Tensor x) -> Tensor")


@torch.library.impl("cyclescope_tests::mystery", "CompositeExplicitAutograd")
def _mystery(x: torch.Tensor) -> torch.Tensor:
    return x @ x.T


def measured(model: nn.Module, **inputs: torch.Tensor) -> Cycle:
    return cyclescope.measure(model.eval(), inputs=inputs, budget=0.1)


def dense_flops(tokens: int, gates: int, widths: list[tuple[int, int]]) -> int:
    """By hand: each token meets the matrix of its input and that of the state, in each of the layers (input, state)."""
    return sum(2 * tokens * gates * state * (given + state) for given, state in widths)


@pytest.mark.parametrize(
    ("model", "flops"),
    [
        (nn.LSTM(32, 48, 2, batch_first=True), 946_176),
        (nn.LSTM(32, 48, batch_first=True, bidirectional=True), 2 * dense_flops(14, 4, [(32, 48)])),
        (nn.GRU(32, 48, 2, batch_first=True), dense_flops(14, 3, [(32, 48), (48, 48)])),
        (nn.RNN(32, 48, batch_first=True), dense_flops(14, 1, [(32, 48)])),
        (nn.LSTM(32, 48, proj_size=8, batch_first=True), 2 * 14 * (192 * (32 + 8) + 48 * 8)),
    ],
    ids=["lstm", "bidirectional", "gru", "rnn", "projected"],
)
def test_recurrent_layers_are_priced(model: nn.Module, flops: int) -> None:
    cycle = measured(model, input=torch.randn(2, 7, 32))
    assert cycle.graph.total.flops == flops
    assert not cycle.graph.unpriced


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*torch.ao.quantization is deprecated")
def test_a_quantized_recurrent_layer_costs_and_weighs_what_it_is() -> None:
    plain = nn.ModuleDict({"lstm": nn.LSTM(32, 48, 2, batch_first=True)}).eval()
    packed = torch.ao.quantization.quantize_dynamic(plain, {nn.LSTM})["lstm"]
    cycle = measured(packed, input=torch.randn(2, 7, 32))
    facts = cycle.workload.model
    assert cycle.graph.total.flops == 946_176
    assert facts.parameters == sum(p.numel() for p in plain.parameters())
    assert facts.parameter_bytes == sum(p.numel() * (1 if p.dim() == 2 else 4) for p in plain.parameters())


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*torch.ao.quantization is deprecated")
def test_packed_linear_layers_have_parameters() -> None:
    packed = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 4)).eval())
    facts = measured(packed, input=torch.randn(5, 8)).workload.model
    assert (facts.parameters, facts.parameter_bytes) == (8 * 8 + 8 + 8 * 4 + 4, 8 * 8 + 8 * 4 + 4 * (8 + 4))


class Sparse(nn.Module):
    """A product with a sparse weight [6, 8] that keeps six elements."""

    def __init__(self, layout: torch.layout) -> None:
        super().__init__()
        dense = torch.zeros(6, 8)
        dense[0, :5] = 1
        dense[3, 3] = 2
        self.weight = nn.Parameter(dense.to_sparse(layout=layout), requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight @ x


@pytest.mark.filterwarnings("ignore:Sparse C?S[RC]")
@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr, torch.sparse_csc])
def test_sparse_products_are_priced_by_what_they_keep(layout: torch.layout) -> None:
    cycle = measured(Sparse(layout), x=torch.randn(8, 5))
    assert cycle.graph.total.flops == 2 * 6 * 5
    assert cycle.workload.model.parameters == 6
    weight = next(spec for spec in cycle.graph.tensors if spec.name == "weight")
    indices = {torch.sparse_coo: 2 * 6, torch.sparse_csr: 7 + 6, torch.sparse_csc: 9 + 6}[layout]
    assert weight.bytes == cycle.workload.model.parameter_bytes == 6 * 4 + indices * 8


@pytest.mark.filterwarnings("ignore:Sparse C?S[RC]")
def test_a_sparse_linear_layer_runs_and_is_priced() -> None:
    class Linear(Sparse):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.linear(x, self.weight)

    assert measured(Linear(torch.sparse_csr), x=torch.randn(5, 8)).graph.total.flops == 2 * 6 * 5


def test_four_bit_weights_of_another_package() -> None:
    bnb = pytest.importorskip("bitsandbytes")
    layer = nn.Sequential(bnb.nn.Linear4bit(64, 32, compute_dtype=torch.float32)).to("cpu").eval()
    layer(torch.randn(5, 64))  # packs the weights
    cycle = measured(layer, input=torch.randn(5, 64))
    assert cycle.graph.total.flops == 2 * 5 * 64 * 32
    assert cycle.workload.model.parameters == 64 * 32 + 32
    assert cycle.workload.model.parameter_bytes < 2 * 64 * 32
    assert cycle.plan.dtype == "float32"


class Mystery(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ops.cyclescope_tests.mystery(x.relu())  # type: ignore[no-any-return]


def test_what_has_no_price_is_said_to_have_none() -> None:
    cycle = measured(Mystery(), x=torch.randn(5, 8))
    assert [cycle.graph.names[i] for i in cycle.graph.unpriced] == ["mystery"]
    assert any("cyclescope_tests.mystery" in str(note) for note in cycle.graph.notes)
    found = [warning for warning in explain(cycle).warnings if warning.code is WarningCode.UNPRICED]
    assert [warning.value for warning in found] == [1]


def test_a_view_that_no_stamp_can_be_laid_around_is_not_told_of() -> None:
    class Turned(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.T + 1  # a property

    assert not measured(Turned(), x=torch.randn(5, 8)).graph.notes


def test_the_flag_of_a_wrapper_alone_is_no_training_mode() -> None:
    wrapped = nn.DataParallel(nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1)).eval())
    assert wrapped.training
    assert not cyclescope.measure(wrapped, inputs={"input": torch.ones(2, 4)}, budget=0.1).notes


def test_a_module_that_differs_in_training_is_named() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)).eval()
    model[1].train()
    cycle = cyclescope.measure(model, inputs={"input": torch.ones(2, 4)}, budget=0.1)
    assert [str(note) for note in cycle.notes] == [
        "1 is in training mode, so what it does only in training is part of what was measured."
    ]
