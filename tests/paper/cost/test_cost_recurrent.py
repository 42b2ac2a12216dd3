"""Recurrent layers and sparse products, by hand."""

from __future__ import annotations

from cost_calls import priced, spec

from cyclescope.core.graph.op import OpKind
from cyclescope.cost.registry import EngineCall, estimate_cost

TOKENS, INPUT, HIDDEN = (7, 2), 32, 48


def test_a_layer_meets_its_two_matrices_with_each_token():
    """Two layers of the LSTM whose products `torch.utils.flop_counter` counts as 946,176 where it runs unfused."""
    x, y, state = spec(*TOKENS, INPUT), spec(*TOKENS, HIDDEN), spec(2, HIDDEN)
    first = priced(
        "mkldnn_rnn_layer", [x, spec(192, INPUT), spec(192, HIDDEN), spec(192), spec(192), state, state], [y]
    )
    second = priced(
        "mkldnn_rnn_layer", [y, spec(192, HIDDEN), spec(192, HIDDEN), spec(192), spec(192), state, state], [y]
    )
    assert first.kind is OpKind.MATMUL
    assert first.cost.flops + second.cost.flops == 946_176


def test_all_layers_at_once_count_like_one_after_the_other():
    x, y, state = spec(*TOKENS, INPUT), spec(*TOKENS, HIDDEN), spec(2, 2, HIDDEN)
    weights = [spec(192, INPUT), spec(192, HIDDEN), spec(192), spec(192), spec(192, HIDDEN), spec(192, HIDDEN)]
    whole = priced("_cudnn_rnn", [x, *weights, spec(192), spec(192), state, state], [y], mode=2, hidden_size=HIDDEN)
    packed = priced("quantized_lstm", [x, state, state], [y], num_layers=2, bidirectional=False)
    assert whole.cost.flops == packed.cost.flops == 946_176
    assert whole.cost.elementwise_flops == packed.cost.elementwise_flops > 0
    assert packed.cost.read_bytes - 4 * (x.elements + 2 * state.elements) == 946_176 // (2 * 14)  # a byte a weight


def test_a_gated_unit_has_three_gates():
    x, y, state = spec(*TOKENS, INPUT), spec(*TOKENS, HIDDEN), spec(1, 2, HIDDEN)
    assert priced("quantized_gru", [x, state], [y]).cost.flops == 2 * 14 * 3 * HIDDEN * (INPUT + HIDDEN)


def sparse(name: str, reads, kept, result):
    return estimate_cost(EngineCall(f"aten.{name}", tuple(reads), (result,), nonzeros=tuple(kept)))


def test_each_element_that_is_kept_meets_a_row_of_the_other_side():
    left, right, result = spec(6, 8), spec(8, 5), spec(6, 5)
    assert sparse("mm", [left, right], (10, -1), result).cost.flops == 2 * 10 * 5
    assert sparse("mm", [left, right], (-1, 10), result).cost.flops == 2 * 10 * 6
    assert sparse("mv", [left, spec(8)], (10, -1), spec(6)).cost.flops == 2 * 10
    added = sparse("_sparse_addmm", [result, left, right], (-1, 10, -1), result)
    assert (added.cost.flops, added.cost.elementwise_flops) == (2 * 10 * 5, 30)
    sampled = sparse("sparse_sampled_addmm", [result, left, right], (4, -1, -1), result)
    assert sampled.cost.flops == 2 * 4 * 8


def test_of_two_sparse_sides_only_the_data_know():
    both = sparse("mm", [spec(6, 8), spec(8, 5)], (10, 12), spec(6, 5))
    assert not both.known
    assert both.cost.flops == 0
