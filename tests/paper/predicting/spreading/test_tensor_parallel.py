"""Tensor parallelism: ranks together do the work of one, and what cannot be shared is said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_layers import chain, decoder

from cyclescope.core.collectives import CollectiveKind
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.predicting.spreading.rules import leads_to
from cyclescope.predicting.spreading.split import find_split
from cyclescope.predicting.spreading.tensor import tensor_parallel


def _work(graph: Graph) -> dict[str, int]:
    """FLOPs of each module."""
    found: dict[str, int] = {}
    for op in graph.ops():
        if op.kind in (OpKind.MATMUL, OpKind.ATTENTION):
            found[op.site.module] = found.get(op.site.module, 0) + op.cost.flops
    return found


@settings(max_examples=25, deadline=None)
@given(
    ranks=st.sampled_from([2, 4]),
    groups=st.sampled_from([4, 8]),
    more=st.integers(1, 3),
    size=st.integers(1, 9),
    batch=st.integers(1, 9),
    tokens=st.integers(1, 9),
    layers=st.integers(1, 3),
)
def test_ranks_together_do_the_work_of_one(
    ranks: int, groups: int, more: int, size: int, batch: int, tokens: int, layers: int
) -> None:
    whole = decoder(layers, groups * more, groups, size, batch, tokens)
    part = tensor_parallel(whole, ranks)  # checks itself: shapes, order, frames
    assert {module: flops * ranks for module, flops in _work(part).items()} == _work(whole)
    reduced = [c for c in part.collectives if c.kind is CollectiveKind.ALL_REDUCE]
    assert len(reduced) == 2 * layers, "one behind attention and one behind the pair of each layer"
    assert {c.message_bytes for c in reduced} == {4 * batch * tokens * groups * more * size}
    gathered = [c for c in part.collectives if c.kind is CollectiveKind.ALL_GATHER]
    assert [c.message_bytes for c in gathered] == [32 * batch * tokens * groups * more * size], (
        "the logits of the whole vocabulary"
    )
    weights = [spec for spec in part.tensors if spec.name.startswith("layers.")]
    assert sum(spec.bytes for spec in weights) * ranks == sum(
        spec.bytes for spec in whole.tensors if spec.name.startswith("layers.")
    )


def test_where_two_sizes_are_one_heads_are_still_what_is_split() -> None:
    """As many tokens as heads: a transposition does not show which is which."""
    part = tensor_parallel(decoder(heads=8, groups=8, tokens=8, size=8, batch=8), 4)
    attention = part.kinds.index(OpKind.ATTENTION)
    assert {part.tensors[t].shape for t in part.reads(attention)} == {(8, 2, 8, 8)}


def test_more_ranks_than_groups_of_heads_are_refused_with_those_that_work() -> None:
    with pytest.raises(Unsupported) as caught:
        tensor_parallel(decoder(heads=8, groups=4), 8)
    assert "must divide" in str(caught.value)
    assert "1, 2, 4." in str(caught.value)


def test_a_model_without_pairs_is_refused() -> None:
    with pytest.raises(Unsupported, match="cannot be split"):
        tensor_parallel(chain(), 2)


def test_a_head_that_ranks_do_not_divide_stays_whole() -> None:
    part = tensor_parallel(decoder(vocabulary=1025), 4)
    assert all(c.kind is CollectiveKind.ALL_REDUCE for c in part.collectives)
    assert _work(part)["head"] == _work(decoder(vocabulary=1025))["head"]


def test_one_rank_is_the_graph_itself() -> None:
    whole = decoder()
    assert tensor_parallel(whole, 1) is whole


def test_degrees_are_the_divisors_of_what_is_shared() -> None:
    assert find_split(decoder(heads=12, groups=6)).degrees == (1, 2, 3, 6)
    assert find_split(chain()).degrees == (1,)


@pytest.mark.parametrize(
    ("name", "kind", "operand", "dim", "result", "expected"),
    [
        ("view", OpKind.VIEW, (2, 5, 12), 2, (2, 5, 3, 4), {2, 3}),
        ("reshape", OpKind.VIEW, (2, 5, 3, 4), 2, (2, 5, 12), {2}),
        ("transpose", OpKind.VIEW, (2, 5, 3, 4), 2, (2, 3, 5, 4), {1}),
        ("transpose", OpKind.VIEW, (2, 3, 3, 4), 2, (2, 3, 3, 4), {1, 2}),
        ("split", OpKind.VIEW, (2, 5, 12), 2, (2, 5, 4), {2}),
        ("expand", OpKind.VIEW, (2, 3, 1, 4), 1, (2, 3, 7, 4), {1}),
        ("softmax", OpKind.SOFTMAX, (2, 3, 5), 2, (2, 3, 5), set()),
        ("softmax", OpKind.SOFTMAX, (2, 3, 5), 1, (2, 3, 5), {1}),
        ("mean", OpKind.REDUCTION, (2, 3, 5), 2, (2, 3, 1), set()),
        ("sum", OpKind.REDUCTION, (2, 3, 5), 0, (2, 5), {0}),
        ("mul", OpKind.ELEMENTWISE, (3, 5), 0, (2, 3, 5), {1}),
        ("conv1d", OpKind.CONVOLUTION, (2, 3, 5), 1, (2, 3, 5), set()),
    ],
)  # fmt: skip
def test_where_a_dimension_leads(
    name: str, kind: OpKind, operand: tuple[int, ...], dim: int, result: tuple[int, ...], expected: set[int]
) -> None:
    assert leads_to(name, kind, operand, dim, result) == expected
