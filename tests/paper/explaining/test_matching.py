"""Operations of one graph found again in another: the same, shorter, renamed, fused, and huge."""

from __future__ import annotations

import random
from difflib import SequenceMatcher

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_models import paper_bert

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.explaining.matching import Matching, common_subsequence, match, paired_in_order
from cyclescope.explaining.places import places

SYMBOLS = st.lists(st.integers(0, 4), max_size=12)


def chain(layers: int, calls: list[tuple[str, str]], path: str = "layer") -> Graph:
    """A stack of layers, each of which calls `calls`: (module, operation)."""
    b = GraphBuilder()
    x = b.tensor((1, 4), role=TensorRole.INPUT)
    with b.frame("", "Model"):
        for i in range(layers):
            with b.frame(f"{path}.{i}", "Layer"):
                for module, name in calls:
                    with b.frame(f"{path}.{i}.{module}", "Module"):
                        y = b.tensor((1, 4))
                        b.op(name, OpKind.MATMUL, [x], [y], Cost(100, 0, 16, 16))
                        x = y
    return b.build(traced_on="paper")


def matched(a: Graph, b: Graph) -> Matching:
    found = match(a, b, places(a), places(b))
    for side, graph in ((found.a, a), (found.b, b)):
        assert len(set(side.tolist())) == len(side) <= len(graph)
    return found


def names(graph: Graph, ops: np.ndarray) -> list[tuple[str, str]]:
    return [(graph.names[i], graph.location(i).module) for i in ops.tolist()]


def test_a_graph_is_itself() -> None:
    graph = paper_bert(3)
    found = matched(graph, graph)

    assert sorted(found.a) == list(range(len(graph)))
    assert found.a.tolist() == found.b.tolist()


def test_fewer_layers_match_the_first_ones() -> None:
    a, b = paper_bert(4), paper_bert(2)
    found = matched(a, b)

    assert names(a, found.a) == names(b, found.b)
    assert len(found.b) == len(b)
    alone = {a.location(i).layer for i in set(range(len(a))) - set(found.a.tolist())}
    assert alone == {2, 3}


def test_renamed_modules_are_found_by_their_order() -> None:
    calls = ["norm", "linear", "softmax", "linear", "add", "norm", "linear", "gelu", "linear", "add"]
    a = chain(3, [(f"old{i}", name) for i, name in enumerate(calls)])
    b = chain(3, [(f"new{i}", name) for i, name in enumerate(calls)])
    found = matched(a, b)

    assert found.a.tolist() == found.b.tolist() or dict(zip(found.a.tolist(), found.b.tolist(), strict=True)) == {
        i: i for i in range(len(a))
    }


def test_what_an_engine_fused_is_alone_and_its_neighbours_are_not() -> None:
    a = chain(2, [("q", "linear"), ("k", "linear"), ("v", "linear"), ("o", "linear"), ("act", "gelu")])
    b = chain(2, [("qkv", "fused_linear"), ("o", "linear"), ("act", "gelu")])
    found = matched(a, b)

    assert names(a, found.a) == names(b, found.b)
    assert len(found.a) == 4


def test_nothing_is_matched_across_stages() -> None:
    a, b = chain(2, [("x", "linear")], path="encoder.layer"), chain(2, [("y", "linear")], path="decoder.layer")

    assert len(matched(a, b).a) == 0


def test_an_empty_graph_matches_nothing() -> None:
    empty = chain(0, [])

    assert len(matched(empty, paper_bert(1)).a) == len(matched(empty, empty).a) == 0


def longest(a: list[int], b: list[int]) -> int:
    """Length of the longest common subsequence, straight from its definition."""
    if not a or not b:
        return 0
    if a[-1] == b[-1]:
        return longest(a[:-1], b[:-1]) + 1
    return max(longest(a[:-1], b), longest(a, b[:-1]))


@settings(deadline=None)
@given(st.lists(st.integers(0, 2), max_size=7), st.lists(st.integers(0, 2), max_size=7))
def test_the_common_subsequence_is_a_longest(a: list[int], b: list[int]) -> None:
    left, _ = common_subsequence(np.asarray(a, dtype=np.int64), np.asarray(b, dtype=np.int64))

    assert len(left) == longest(a, b)


@settings(deadline=None)
@given(SYMBOLS, SYMBOLS)
def test_both_alignments_rise_on_both_sides_and_pair_equals(a: list[int], b: list[int]) -> None:
    first, second = np.asarray(a, dtype=np.int64), np.asarray(b, dtype=np.int64)
    for align in (common_subsequence, paired_in_order):
        left, right = align(first, second)
        assert np.all(np.diff(left) > 0)
        assert np.all(np.diff(right) > 0)
        assert first[left].tolist() == second[right].tolist()


def test_pairing_in_order_is_as_good_as_difflib_where_symbols_are_many() -> None:
    rng = random.Random(1)
    a = list(range(3000))
    b = [x for x in a if rng.random() > 0.1]
    for _ in range(200):
        b.insert(rng.randrange(len(b)), rng.randrange(5000, 9000))
    left, _ = paired_in_order(np.asarray(a), np.asarray(b))
    by_difflib = sum(block.size for block in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks())

    assert len(left) >= by_difflib


@pytest.mark.parametrize("renamed", [False, True])
def test_twenty_thousand_operations(renamed: bool) -> None:
    """Renamed, all of them go through the alignment, of which layers alike need one."""
    calls = [(f"m{i}", f"op{i % 7}") for i in range(100)]
    a = chain(200, calls)
    b = chain(200, [(f"n{module}" if renamed else module, name) for module, name in calls])

    assert len(matched(a, b).a) == len(a) == 20_000
