"""Graphs by rule: found from a few traces, and equal to real traces at shapes that were not traced."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_trace
from cyclescope.core.codec import encode
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.family import Point
from cyclescope.core.graph.graph import Graph
from cyclescope.tracing import families
from cyclescope.tracing.families import Families, find_families

_DECODER = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "vocab_size": 40, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 512,
}  # fmt: skip
MODELS: Mapping[str, dict[str, Any]] = {
    "encoder": {
        "model_type": "bert", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "vocab_size": 40,
        "num_attention_heads": 4, "max_position_embeddings": 512,
    },
    "decoder": {"model_type": "llama", **_DECODER},
    "mixture": {"model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": 2, **_DECODER},
    "window": {"model_type": "mistral", "sliding_window": 40, **_DECODER},
    "encoder-decoder": {
        "model_type": "t5", "d_model": 32, "d_ff": 48, "d_kv": 8, "num_layers": 2, "num_decoder_layers": 2,
        "num_heads": 4, "vocab_size": 40, "n_positions": 512, "decoder_start_token_id": 0, "eos_token_id": 1,
    },
}  # fmt: skip
BATCH, LENGTH = (1, 24), (6, 300)
PROMPT = ("batch", "tokens")
STEP = ("batch", "cache_length")


def traced(path: Path, axes: tuple[str, ...], point: Point) -> Graph:
    return open_trace(Request(model=str(path), **dict(zip(axes, point, strict=True))))  # type: ignore[arg-type]


def found(path: Path, axes: tuple[str, ...], low: Point, high: Point) -> Families:
    return find_families(lambda point: traced(path, axes, point), axes, low, high)


def configured(tmp_path: Path, kind: str) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(MODELS[kind]))
    return tmp_path / "config.json"


def difference(a: Graph, b: Graph) -> list[str]:
    """The fields by which two graphs differ."""
    (one, arrays), (other, others) = encode(a), encode(b)
    fields = [name for name in one if one[name] != other.get(name)]
    numbers = [str(k) for k, (x, y) in enumerate(zip(arrays, others, strict=True)) if not (x == y).all()]
    return fields + numbers


@pytest.mark.parametrize(
    ("kind", "axes", "pieces"),
    [
        ("encoder", PROMPT, 1),
        ("decoder", PROMPT, 1),
        ("decoder", STEP, 1),
        ("mixture", STEP, 1),
        ("window", STEP, 2),
    ],
)
def test_graphs_by_rule_are_those_of_real_traces(tmp_path: Path, kind: str, axes: tuple[str, ...], pieces: int) -> None:
    path = configured(tmp_path, kind)
    family = found(path, axes, (BATCH[0], LENGTH[0]), (BATCH[1], LENGTH[1]))
    assert len(family.pieces) == pieces
    for point in ((1, 41), (7, 128), (19, 255)):
        assert difference(family.at(point), traced(path, axes, point)) == [], point
    family.at((5, 97)).self_check()


def test_prompts_of_a_window_change_structure_behind_it(tmp_path: Path) -> None:
    path = configured(tmp_path, "window")
    family = found(path, ("tokens",), (30,), (90,))
    assert [(piece.low, piece.high) for piece in family.pieces] == [((30,), (39,)), ((40,), (90,))]
    for tokens in (39, 40, 77):
        assert difference(family.at((tokens,)), traced(path, ("tokens",), (tokens,))) == [], tokens


def test_a_step_of_an_encoder_decoder_has_three_axes(tmp_path: Path) -> None:
    path = configured(tmp_path, "encoder-decoder")
    axes = ("batch", "tokens", "cache_length")
    family = found(path, axes, (1, 20, 3), (4, 60, 12))
    for point in ((1, 33, 4), (3, 47, 11)):
        assert difference(family.at(point), traced(path, axes, point)) == [], point


def test_what_follows_no_rule_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = configured(tmp_path, "decoder")
    one, other = traced(path, ("tokens",), (8,)), traced(path, ("tokens",), (9,))
    monkeypatch.setattr(families, "MOST_TRACES", 20)
    with pytest.raises(Unsupported, match="no simple rule in tokens"):
        # A structure that depends on whether the length is a multiple of three
        find_families(lambda point: one if point[0] % 3 else other, ("tokens",), (5,), (400,))


def test_a_point_outside_of_the_range_is_no_guess(tmp_path: Path) -> None:
    family = found(configured(tmp_path, "decoder"), ("tokens",), (5,), (7,))
    with pytest.raises(ValueError, match="outside"):
        family.at((8,))
