"""Every plan on PyTorch does what it says: the same outputs by another way, or a smaller model by exactly so much."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from architectures import config

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.plan import ModelChange, Plan
from cyclescope.core.results import Results
from cyclescope.models.packaged import minilm_folder
from cyclescope.optimizing.search.drift import drift

TOKENS = 12
ALONE = Plan(threads=1, attention="")
TEXTS = (
    "How fast is this?",
    "A cat sat on the mat and looked at the dog for a long time.",
    "Yes.",
    "Text goes in, and text comes out.",
    "这是一个简单的例子。",
)

needs_minilm = pytest.mark.skipif(minilm_folder() is None, reason="the weights of MiniLM are not installed")


def folder_of(name: str, parent: Path) -> str:
    """A folder with the small configuration of that name and nothing else: random weights."""
    folder = parent / name
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config(name).to_dict()))
    return str(folder)


def opened(model: str, plan: Plan = ALONE, **asked: Any) -> Any:
    given = {"tokens": TOKENS} if not asked.keys() & {"texts", "tokens"} else {}
    attention = plan.attention or None
    return open_session(Request(model=model, plan=plan, attention=attention, dtype=plan.dtype, **given, **asked))


def outputs(model: str, plan: Plan = ALONE, **asked: Any) -> Results:
    session = opened(model, plan, **asked)
    try:
        found: Results = session.results()
        return found
    finally:
        session.close()


def size(graph: Graph) -> tuple[int, int]:
    """FLOPs of a cycle, and the numbers in the parameters that it reads."""
    parameters = [t for t in graph.tensors if t.role is TensorRole.PARAMETER]
    return int(graph.flops.sum()), sum(prod(t.shape) for t in parameters)


def saved(model: str, *changes: ModelChange) -> tuple[int, int]:
    """By how much `changes` make FLOPs and parameters fewer, by what is traced in the changed model itself."""
    before = size(opened(model).trace())
    after = size(opened(model, replace(ALONE, changes=changes)).trace())
    return before[0] - after[0], before[1] - after[1]


# The same outputs by another way ---------------------------------------------------------------------------------------


@needs_minilm
@pytest.mark.parametrize(
    "plan",
    [
        replace(ALONE, batch=1),
        replace(ALONE, batch=2),
        replace(ALONE, batch=2, batching="length"),
        replace(ALONE, batch=2, batching="length", overlap=True),
        replace(ALONE, batch=1, overlap=True),
        replace(ALONE, batching="packed", attention="sdpa"),
        replace(ALONE, batching="packed", attention="eager"),
        replace(ALONE, batching="packed", batch=3),
        replace(ALONE, attention="eager"),
    ],
    ids=str,
)
def test_several_calls_groups_and_packing_give_what_one_padded_call_gives(plan: Plan) -> None:
    whole = outputs("minilm", texts=TEXTS)
    found = drift(whole, outputs("minilm", plan, texts=TEXTS))
    assert found.same, found
    assert found.cosine_least == pytest.approx(1.0, abs=1e-6)


@needs_minilm
def test_grouping_gives_the_texts_back_in_their_order() -> None:
    plan = replace(ALONE, batch=2, batching="length")
    forth, back = outputs("minilm", plan, texts=TEXTS), outputs("minilm", plan, texts=TEXTS[::-1])
    assert forth.hidden is not None
    assert back.hidden is not None
    for k in range(len(TEXTS)):
        mine, theirs = forth.hidden[k][forth.mask[k] > 0], back.hidden[-1 - k][back.mask[-1 - k] > 0]
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


@needs_minilm
def test_packing_makes_nothing_of_padding() -> None:
    """The packed call has exactly the real tokens in one row."""
    session = opened("minilm", replace(ALONE, batching="packed"), texts=TEXTS)
    real = int(session.results().mask.sum())
    inner = {t.shape for t in session.trace().tensors if t.shape[-1:] == (1536,) and len(t.shape) == 3}
    assert inner == {(1, real, 1536)}


def test_of_several_calls_each_tells_when_its_tokens_came_out(tmp_path: Path) -> None:
    model = folder_of("LlamaConfig", tmp_path)
    session = opened(model, replace(ALONE, batch=1), texts=("a b c", "d e f g"), new_tokens=5)
    (run,) = session.uninstrumented(1)
    assert [len(call) for call in run.emitted_by_call] == [5, 5]
    assert all(0 < a < b for call in run.emitted_by_call for a, b in pairwise(call))
    assert sum(call[-1] for call in run.emitted_by_call) <= run.wall_ns


def test_what_is_written_is_the_same_with_a_static_cache_and_with_guesses(tmp_path: Path) -> None:
    model = folder_of("LlamaConfig", tmp_path)
    plain = outputs(model, new_tokens=8)
    assert plain.tokens is not None
    assert plain.tokens.shape == (1, 8)
    for plan in (
        replace(ALONE, cache="static"),
        replace(ALONE, drafting="prompt-lookup"),
        replace(ALONE, drafting="layers:1"),
    ):
        other = outputs(model, plan, new_tokens=8, cache=plan.cache)
        assert drift(plain, other).tokens == 1.0, plan


def test_packing_counts_positions_as_the_model_does(tmp_path: Path) -> None:
    """RoBERTa's first position is behind the padding index."""
    model = folder_of("RobertaConfig", tmp_path)
    found = drift(outputs(model, texts=TEXTS), outputs(model, replace(ALONE, batching="packed"), texts=TEXTS))
    assert found.same, found


def test_compiled_gives_the_same(tmp_path: Path) -> None:
    model = folder_of("BertConfig", tmp_path)
    for kind in ("inductor", "inductor-freezing"):
        found = drift(outputs(model), outputs(model, replace(ALONE, compiling=kind)))
        assert found.same, (kind, found)


@needs_minilm
def test_eight_bits_move_the_outputs_a_little_and_no_more() -> None:
    found = drift(
        outputs("minilm", texts=TEXTS), outputs("minilm", replace(ALONE, quantization="int8-dynamic"), texts=TEXTS)
    )
    assert 1e-4 < found.amount < 0.1


@needs_minilm
def test_half_precision_moves_the_outputs_less_than_eight_bits() -> None:
    whole = outputs("minilm", texts=TEXTS)
    half = drift(whole, outputs("minilm", replace(ALONE, dtype="bfloat16"), texts=TEXTS))
    assert 1e-7 < half.amount < 2e-3


def test_a_decoder_behind_an_encoder_is_compared_by_its_own_tokens(tmp_path: Path) -> None:
    """Its outputs are not of the tokens that the mask of the encoder is about."""
    found = outputs(folder_of("T5Config", tmp_path))
    assert found.hidden is not None
    assert found.mask.shape == found.hidden.shape[:2]
    assert drift(found, found).same


# A smaller model by exactly so much ------------------------------------------------------------------------------------

LAYERS, WIDTH, FORWARD = 3, 64, 128


@pytest.mark.parametrize("name", ["BertConfig", "DistilBertConfig"])
def test_half_the_heads_are_half_of_attention(name: str, tmp_path: Path) -> None:
    flops, parameters = saved(folder_of(name, tmp_path), ModelChange("prune-heads", 0.5))
    projections = 4 * WIDTH * WIDTH // 2  # rows of query, key, value; columns of the output
    biases = 3 * WIDTH // 2
    assert parameters == LAYERS * (projections + biases)
    # Two products of every token with every other, over half of the width.
    assert flops == LAYERS * (2 * TOKENS * projections + 2 * 2 * TOKENS * TOKENS * WIDTH // 2)


def test_heads_that_share_keys_go_together(tmp_path: Path) -> None:
    flops, parameters = saved(folder_of("LlamaConfig", tmp_path), ModelChange("prune-heads", 0.5))
    projections = (WIDTH + WIDTH // 2 + WIDTH // 2 + WIDTH) * WIDTH // 2  # two of four queries, one of two keys
    assert parameters == LAYERS * projections
    assert flops == LAYERS * (2 * TOKENS * projections + 2 * 2 * TOKENS * TOKENS * WIDTH // 2)


@pytest.mark.parametrize(
    ("name", "matrices", "biases", "layers", "rows"),
    [
        ("BertConfig", 2, 1, LAYERS, TOKENS),
        ("DistilBertConfig", 2, 1, LAYERS, TOKENS),
        ("LlamaConfig", 3, 0, LAYERS, TOKENS),  # gated
    ],
)
def test_half_the_inner_width_is_half_of_feed_forward(
    name: str, matrices: int, biases: int, layers: int, rows: int, tmp_path: Path
) -> None:
    flops, parameters = saved(folder_of(name, tmp_path), ModelChange("prune-feed-forward", 0.5))
    products = matrices * WIDTH * FORWARD // 2
    assert parameters == layers * (products + biases * FORWARD // 2)
    assert flops == layers * 2 * rows * products


def test_both_stacks_of_an_encoder_decoder_are_pruned(tmp_path: Path) -> None:
    flops, parameters = saved(folder_of("T5Config", tmp_path), ModelChange("prune-feed-forward", 0.5))
    products = 2 * WIDTH * FORWARD // 2
    assert parameters == 2 * LAYERS * products
    assert flops == LAYERS * 2 * (TOKENS + 1) * products  # the decoder reads one token


def test_thin_factors_leave_half_of_the_multiplications(tmp_path: Path) -> None:
    flops, parameters = saved(folder_of("BertConfig", tmp_path), ModelChange("low-rank", 0.5))
    square, oblong = WIDTH * WIDTH // (4 * WIDTH), FORWARD * WIDTH // (2 * (FORWARD + WIDTH))
    fewer = 4 * (WIDTH * WIDTH - square * 2 * WIDTH) + 2 * (WIDTH * FORWARD - oblong * (WIDTH + FORWARD))
    assert parameters == LAYERS * fewer
    assert flops == LAYERS * 2 * TOKENS * fewer


@pytest.mark.parametrize("name", ["BertConfig", "LlamaConfig", "GPT2Config", "MambaConfig"])
def test_one_layer_less_is_one_layer_less(name: str, tmp_path: Path) -> None:
    model = folder_of(name, tmp_path)
    one, two = saved(model, ModelChange("drop-layers", 1)), saved(model, ModelChange("drop-layers", 2))
    assert one[0] > 0
    assert one[1] > 0
    assert two == (2 * one[0], 2 * one[1])  # layers of these models are alike


@pytest.mark.parametrize("change", ["tanh-gelu", "relu"])
def test_another_activation_costs_as_many_products(change: str, tmp_path: Path) -> None:
    model = folder_of("BertConfig", tmp_path)
    assert saved(model, ModelChange(change)) == (0, 0)
    found = drift(outputs(model), outputs(model, replace(ALONE, changes=(ModelChange(change),))))
    assert found.cosine is not None
    assert (found.cosine > 0.9999) is (change == "tanh-gelu")


def test_changes_stack(tmp_path: Path) -> None:
    model = folder_of("BertConfig", tmp_path)
    heads, forward = ModelChange("prune-heads", 0.5), ModelChange("prune-feed-forward", 0.5)
    both = saved(model, forward, heads)
    assert both == tuple(np.add(saved(model, heads), saved(model, forward)))


def test_the_edits_that_were_made_can_be_made_again_without_deciding(tmp_path: Path) -> None:
    model = folder_of("BertConfig", tmp_path)
    plan = replace(ALONE, changes=(ModelChange("drop-layers", 1), ModelChange("prune-heads", 0.25)))
    session = opened(model, plan)
    again = opened(model, plan, edits=session.edits)
    assert again.edits == session.edits
    assert drift(session.results(), again.results()).largest == 0.0
    kept = next(edit for edit in session.edits if edit.what == "keep-layers")
    others = tuple(replace(edit, numbers=kept.numbers[::-1]) if edit is kept else edit for edit in session.edits)
    assert not drift(session.results(), opened(model, plan, edits=others).results()).same  # and no others are


# What cannot be is refused with the reason -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("FNetConfig", ModelChange("prune-heads", 0.5), "No attention with separate"),
        ("MambaConfig", ModelChange("prune-feed-forward", 0.5), "No feed-forward network"),
        ("MambaConfig", ModelChange("low-rank", 0.5), "No weight matrices of layers"),
        ("GPT2Config", ModelChange("low-rank", 0.5), "Conv1D"),
        ("T5Config", ModelChange("prune-heads", 0.5), "does not run"),
        ("LlamaConfig", ModelChange("tanh-gelu"), "no exact GELU"),
        ("T5Config", ModelChange("relu"), "no activation"),
        ("BertConfig", ModelChange("prune-heads", 0.1), "too few heads"),
        ("BertConfig", ModelChange("prune-feed-forward", 0.01), "too small"),
        ("BertConfig", ModelChange("drop-layers", 3), "cannot be removed"),
        ("AlbertConfig", ModelChange("drop-layers", 1), "no stack of equal layers"),
        ("BertConfig", ModelChange("no-such-change"), "Unknown model change"),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "name", ""),
)
def test_a_change_that_a_model_cannot_take_is_refused(
    name: str, change: ModelChange, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(Unsupported) as refused:
        opened(folder_of(name, tmp_path), replace(ALONE, changes=(change,)))
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("plan", "asked", "reason"),
    [
        (replace(ALONE, quantization="int4-weights"), {}, "does not support the quantization"),
        (replace(ALONE, threads_between=2), {}, "one after the other"),
        (replace(ALONE, quantization="int8-dynamic", compiling="inductor"), {}, "cannot be compiled"),
        (replace(ALONE, drafting="prompt-lookup"), {}, "needs batch size 1"),
        (replace(ALONE, batching="packed"), {"task": "classify"}, "need --task embed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_plan_that_pytorch_cannot_make_real_is_refused(
    plan: Plan, asked: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(Unsupported) as refused:
        opened(folder_of("BertConfig", tmp_path), plan, **asked)
    assert reason in str(refused.value)
