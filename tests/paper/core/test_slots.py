"""The cycle cut at its stamps: what every slot is, where it is booked, and what stamping adds to it."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.structure import DECODE, EMBED, ENCODE, HEAD, TOKENIZE, WHOLE

from .small_graphs import build, call, few_examples, graphs, small_bert

# Letters for the ends of a Python slot, to write a row of slots down: stamps of operations and of frames.
Ends = tuple[int, int]


def ends(graph: Graph) -> list[Ends | None]:
    """(stamps of operations, stamps of frames) of every Python slot; None for a slot inside an operation."""
    slots = graph.slots
    counted = zip(slots.op, slots.op_stamps.tolist(), slots.frame_stamps.tolist(), strict=True)
    return [None if op >= 0 else (by_op, by_frame) for op, by_op, by_frame in counted]


def timed(graph: Graph) -> set[str]:
    return {frame.module for frame in graph.frames if frame.timed}


def test_a_cycle_of_nothing_is_one_slot() -> None:
    graph = build()
    assert (len(graph.slots), ends(graph), graph.slots.stage) == (1, [(0, 0)], (WHOLE,))


def test_one_operation_makes_three_slots_and_the_outermost_stamps_cost_nothing() -> None:
    """The first and the last stamp of a cycle are taken by the uninstrumented runs as well."""
    graph = build(1)
    assert graph.slots.op.tolist() == [-1, 0, -1]
    assert ends(graph) == [(1, 0), None, (1, 0)]


def test_a_frame_with_two_operations_is_stamped_on_entry_and_on_exit() -> None:
    graph = build(call("block", 1, 1))
    assert timed(graph) == {"block"}
    assert graph.slots.op.tolist() == [-1, -1, 0, -1, 1, -1, -1]
    assert ends(graph) == [(0, 1), (1, 1), None, (2, 0), None, (1, 1), (0, 1)]
    assert graph.slots.frame.tolist() == [0, 1, 1, 1, 1, 1, 0]


def test_a_leaf_with_one_operation_is_stamped_by_its_operation() -> None:
    graph = build(call("linear", 1))
    assert timed(graph) == set()
    assert graph.slots.op.tolist() == [-1, 0, -1]


def test_an_empty_frame_is_stamped_since_nothing_else_would_show_it() -> None:
    graph = build(call("dropout"), 1)
    assert timed(graph) == {"dropout"}
    assert ends(graph) == [(0, 1), (0, 2), (1, 1), None, (1, 0)]
    assert graph.slots.frame.tolist() == [0, 1, 0, 0, 0]


def test_a_frame_around_a_frame_is_stamped_even_if_it_holds_one_operation() -> None:
    graph = build(call("outer", call("inner", 1)))
    assert timed(graph) == {"outer"}


def test_all_calls_of_a_module_are_stamped_if_one_must_be() -> None:
    """A recorder decides by module, not by call."""
    graph = build(call("shared", 1), call("shared", 1, 1))
    assert [frame.timed for frame in graph.frames] == [False, True, True]


def test_a_frame_whose_stage_was_set_by_the_tracer_is_not_stamped() -> None:
    graph = build(call("", 1, stage=TOKENIZE), 1)
    assert timed(graph) == set()


def test_python_time_around_the_layers_has_a_stage_and_inside_a_layer_its_layer() -> None:
    graph = build(
        call(
            "",
            call("embed", 10, 10),
            call("encoder", call("encoder.layer.0", 100, 100), call("encoder.layer.1", 100, 100)),
            call("pooler", 10, 10),
        )
    )
    gaps = [
        (graph.frames[frame].module, stage, layer)
        for op, frame, stage, layer in zip(
            graph.slots.op.tolist(),
            graph.slots.frame.tolist(),
            graph.slots.stage,
            graph.slots.layer.tolist(),
            strict=True,
        )
        if op < 0
    ]
    embed, pooler = [("embed", EMBED, -1)] * 3, [("pooler", HEAD, -1)] * 3
    first, second = [("encoder.layer.0", ENCODE, 0)] * 3, [("encoder.layer.1", ENCODE, 1)] * 3
    assert gaps == [
        ("", EMBED, -1),  # before the model is called
        ("", EMBED, -1),  # before the embedding
        *embed,
        ("", ENCODE, -1),  # before the encoder
        ("encoder", ENCODE, -1),  # before the first layer
        *first,
        ("encoder", ENCODE, -1),  # between the layers
        *second,
        ("encoder", HEAD, -1),  # after the last layer
        ("", HEAD, -1),  # before the pooler
        *pooler,
        ("", HEAD, -1),  # after the pooler
        ("", HEAD, -1),  # after the model
    ]


def test_python_time_before_the_tokenizer_is_the_tokenizers() -> None:
    assert small_bert().slots.stage[:2] == (TOKENIZE, TOKENIZE)


def test_python_time_between_encoder_and_decoder_prepares_the_decoder() -> None:
    stack = [call(part, call(f"{part}.0", 100, 100), call(f"{part}.1", 100, 100)) for part in ("encoder", "decoder")]
    slots = build(call("", *stack)).slots
    order = list(dict.fromkeys(slots.stage))
    assert order == [ENCODE, DECODE, HEAD]
    loose = [stage for frame, stage in zip(slots.frame.tolist(), slots.stage, strict=True) if frame == 1]
    assert loose == [ENCODE, DECODE, HEAD]


@pytest.mark.parametrize(("inside", "outside"), [(400, 800), (0, 4), (4, 0)])
def test_what_stamping_adds_is_a_whole_pair_for_every_operation_and_every_frame(inside: int, outside: int) -> None:
    graph = build(1, call("block", 1, call("block.inner", 1, 1)), call("empty"))
    cost = graph.slots.stamp_cost_ns(inside, outside)
    assert cost.sum() == (len(graph) + 3) * (inside + outside)
    assert set(cost[graph.slots.op >= 0].tolist()) == {inside}


def test_what_stamping_adds_is_split_between_the_slots_that_share_a_stamp() -> None:
    graph = build(call("block", 1, 1))
    # A frame's stamp costs (400 + 800) / 4 on each side of it, half an operation's outside 400 next to it.
    assert graph.slots.stamp_cost_ns(400, 800).tolist() == [300, 700, 400, 800, 400, 700, 300]


def test_stamping_nothing_adds_nothing() -> None:
    assert not small_bert().slots.stamp_cost_ns(0, 0).any()


def test_a_chain_of_a_hundred_nested_calls_is_cut_like_any_other() -> None:
    b = GraphBuilder()
    for depth in range(100):
        b.enter(f"m.{'x.' * depth}", "Module")
    for _ in range(2):
        b.op("linear", OpKind.MATMUL, (), [b.tensor((1,))])
    for _ in range(100):
        b.leave()
    assert len(b.build().slots) == 2 * 2 + 2 * 100 + 1


@few_examples
@given(graphs())
def test_slots_hold_every_operation_once_and_in_order(graph: Graph) -> None:
    ops = graph.slots.op[graph.slots.op >= 0]
    assert ops.tolist() == list(range(len(graph)))
    assert len(graph.slots) == 2 * len(graph) + 2 * sum(frame.timed for frame in graph.frames) + 1


@few_examples
@given(graphs())
def test_between_two_operations_there_is_always_python_and_never_two_operations_touch(graph: Graph) -> None:
    inside = (graph.slots.op >= 0).tolist()
    assert not any(a and b for a, b in pairwise(inside))
    assert not inside[0]
    assert not inside[-1]


@few_examples
@given(graphs())
def test_every_stamp_but_the_outermost_is_counted_once_at_each_of_its_sides(graph: Graph) -> None:
    slots = graph.slots
    frames = sum(frame.timed for frame in graph.frames)
    assert slots.op_stamps.sum() == 2 * len(graph)
    assert slots.frame_stamps.sum() == 2 * 2 * frames
    assert not slots.op_stamps[slots.op >= 0].any()
    assert slots.stamp_cost_ns(4, 8).sum() == (len(graph) + frames) * 12


@few_examples
@given(graphs())
def test_every_slot_has_a_stage_and_an_operation_the_same_as_its_slot(graph: Graph) -> None:
    slots = graph.slots
    assert "" not in slots.stage
    for s in np.flatnonzero(slots.op >= 0).tolist():
        site = graph.location(int(slots.op[s]))
        assert (slots.stage[s], slots.layer[s]) == (site.stage, -1 if site.layer is None else site.layer)
    assert Counter(slots.stage).keys() >= set(graph.stages)
