"""Stages and layers, found in the tree of calls of every shape of model, without knowing any."""

from __future__ import annotations

import pytest

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.structure import (
    DECODE,
    EMBED,
    ENCODE,
    HEAD,
    READ_OUT,
    TOKENIZE,
    WHOLE,
    StackSpan,
    stack_spans,
    unassigned_stage,
)

from .small_graphs import Call, build, call


def placed(graph: Graph) -> list[tuple[str, str, int | None]]:
    """(module, stage, layer) of every call, in order of entry."""
    return [(frame.module, frame.stage, frame.layer) for frame in graph.frames[1:]]


def layers(container: str, count: int, flops: int = 1000) -> list[Call]:
    return [call(f"{container}.{i}", flops) for i in range(count)]


def test_a_bert_has_an_embedding_numbered_layers_and_a_head() -> None:
    graph = build(
        call("", 1, stage=TOKENIZE),
        call("", call("embeddings", 10, 10), call("encoder", *layers("encoder.layer", 3)), call("pooler", 10, 10)),
    )
    assert placed(graph) == [
        ("", TOKENIZE, None),
        ("", "", None),
        ("embeddings", EMBED, None),
        ("encoder", "", None),
        ("encoder.layer.0", ENCODE, 0),
        ("encoder.layer.1", ENCODE, 1),
        ("encoder.layer.2", ENCODE, 2),
        ("pooler", HEAD, None),
    ]
    assert graph.stages == (TOKENIZE, EMBED, ENCODE, HEAD)


@pytest.mark.parametrize("shared", ["encoder.groups.0", "encoder.block"])
def test_one_module_called_again_and_again_is_a_stack_of_layers(shared: str) -> None:
    """ALBERT shares one layer: there is one module path, and its calls are the layers."""
    repeated = (call(shared, call(f"{shared}.inner.0", 1000)) for _ in range(3))
    graph = build(call("", call("embeddings", 10), call("encoder", *repeated), call("pooler", 10)))
    assert [(stage, layer) for module, stage, layer in placed(graph) if module == shared] == [
        (ENCODE, 0),
        (ENCODE, 1),
        (ENCODE, 2),
    ]
    assert [layer for module, _, layer in placed(graph) if module.endswith("inner.0")] == [0, 1, 2]


def test_two_stacks_are_encoder_and_decoder_and_each_has_what_belongs_to_it() -> None:
    """T5: the final norm of the encoder finishes the encoder, the decoder has an embedding of its own."""
    graph = build(
        call(
            "",
            call("encoder", call("encoder.embed", 10), *layers("encoder.block", 2), call("encoder.final_norm", 10)),
            call("decoder", call("decoder.embed", 10), *layers("decoder.block", 2), call("decoder.final_norm", 10)),
            call("lm_head", 40),
        )
    )
    assert placed(graph)[1:] == [
        ("encoder", "", None),
        ("encoder.embed", EMBED, None),
        ("encoder.block.0", ENCODE, 0),
        ("encoder.block.1", ENCODE, 1),
        ("encoder.final_norm", ENCODE, None),
        ("decoder", "", None),
        ("decoder.embed", EMBED, None),
        ("decoder.block.0", DECODE, 0),
        ("decoder.block.1", DECODE, 1),
        ("decoder.final_norm", HEAD, None),
        ("lm_head", HEAD, None),
    ]


def test_a_model_of_one_layer_has_that_layer() -> None:
    graph = build(call("", call("embeddings", 10), call("encoder", call("encoder.layer.0", 1000)), call("pooler", 10)))
    assert ("encoder.layer.0", ENCODE, 0) in placed(graph)
    assert graph.stages == (EMBED, ENCODE, HEAD)


def test_numbered_parts_inside_a_layer_belong_to_that_layer() -> None:
    """Experts, branches of convolutions, blocks of blocks: the outermost repetition counts the layers."""
    graph = build(
        call(
            "",
            call("embed", 10),
            *(
                call(
                    f"layers.{i}",
                    *(call(f"layers.{i}.experts.{e}", call(f"layers.{i}.experts.{e}.0", 9)) for e in (0, 1)),
                )
                for i in range(2)
            ),
        )
    )
    for module, stage, layer in placed(graph):
        if module.startswith("layers."):
            assert (stage, layer) == (ENCODE, int(module.split(".")[1]))


def test_a_small_sequential_head_is_no_stack() -> None:
    graph = build(
        call("", call("embed", 10), *layers("layers", 2), call("classifier", *layers("classifier", 2, flops=20)))
    )
    assert [(stage, layer) for module, stage, layer in placed(graph) if "classifier" in module] == [(HEAD, None)] * 3
    assert graph.stages == (EMBED, ENCODE, HEAD)


@pytest.mark.parametrize(("flops", "stages"), [(98, (WHOLE,)), (99, (EMBED, ENCODE))])
def test_a_repetition_is_a_stack_from_a_twentieth_of_the_work_on(flops: int, stages: tuple[str, ...]) -> None:
    """The embedding weighs 3800 (its FLOPs, and 1 for being an operation): two calls of 100 are 200 of 4000 exactly."""
    graph = build(call("", call("embed", 3799), *layers("part", 2, flops=flops)))
    assert graph.stages == stages


def test_where_nothing_repeats_there_is_one_stage() -> None:
    graph = build(call("", call("first", 10), 5, call("second", call("second.inner", 10))))
    assert graph.stages == (WHOLE,)
    assert {stage for module, stage, _ in placed(graph)} == {WHOLE}
    assert set(graph.slots.stage) == {WHOLE}


def test_the_only_stack_of_a_model_that_writes_text_is_a_decoder() -> None:
    parts = call("", call("wte", 10), *layers("h", 2), call("lm_head", 10))
    assert build(parts, generates=True).stages == (EMBED, DECODE, HEAD)
    assert build(parts, generates=False).stages == (EMBED, ENCODE, HEAD)


def test_the_encoder_of_a_model_that_writes_text_stays_an_encoder() -> None:
    graph = build(
        call("", call("encoder", *layers("encoder.block", 2)), call("decoder", *layers("decoder.block", 2))),
        generates=True,
    )
    assert graph.stages == (ENCODE, DECODE)


def test_two_encoders_are_numbered_in_order_of_time() -> None:
    graph = build(
        call(
            "",
            call("vision", call("vision.patch", 10), *layers("vision.layers", 2)),
            call("text", call("text.embed", 10), *layers("text.layers", 2)),
            call("projection", 10),
        )
    )
    assert graph.stages == (EMBED, "encode 1", "encode 2", HEAD)
    assert ("text.layers.1", "encode 2", 1) in placed(graph)


def test_stages_that_the_tracer_set_are_kept() -> None:
    graph = build(
        call("", 1, stage=TOKENIZE), call("", call("embed", 10), *layers("layers", 2)), call("", 1, stage=READ_OUT)
    )
    assert graph.stages == (TOKENIZE, EMBED, ENCODE, READ_OUT)
    assert graph.frames[1].layer is None


def test_a_call_between_two_layers_belongs_to_their_stack_but_to_no_layer() -> None:
    graph = build(call("", call("embed", 10), call("layers.0", 1000), call("adapter", 10), call("layers.1", 1000)))
    assert ("adapter", ENCODE, None) in placed(graph)


def test_a_loose_operation_is_placed_by_what_stands_around_it() -> None:
    graph = build(call("", 1, call("embed", 10), 2, call("layers.0", 1000), 3, call("layers.1", 1000), 4))
    flops_to_stage = {int(graph.flops[i]): graph.stage_of(i) for i in range(len(graph))}
    assert [flops_to_stage[flops] for flops in (1, 2, 3, 4)] == [EMBED, EMBED, ENCODE, HEAD]
    assert all(graph.location(i).layer is None for i in range(len(graph)) if graph.flops[i] < 5)


def test_parts_of_the_embedding_and_of_the_head_inherit_their_stage() -> None:
    graph = build(
        call(
            "",
            call("embed", call("embed.words", call("embed.words.table", 10))),
            *layers("h", 2),
            call("top", call("top.fc", 10)),
        )
    )
    stage_of = {module: stage for module, stage, _ in placed(graph)}
    assert (stage_of["embed.words.table"], stage_of["top.fc"]) == (EMBED, HEAD)


def test_spans_of_stacks_and_the_stages_of_what_is_loose_between_them() -> None:
    graph = build(
        call(
            "",
            5,
            call("encoder", *layers("encoder.block", 2)),
            5,
            call("decoder", *layers("decoder.block", 2)),
            5,
        )
    )
    spans = stack_spans(graph.frames)
    assert spans == (StackSpan(1, 3, ENCODE, 1), StackSpan(4, 6, DECODE, 1))
    assert [unassigned_stage(op, spans) for op in range(7)] == [EMBED, ENCODE, ENCODE, DECODE, DECODE, DECODE, HEAD]
    assert unassigned_stage(3, ()) == WHOLE
