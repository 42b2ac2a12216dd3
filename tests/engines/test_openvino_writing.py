"""What OpenVINO writes is what the model itself writes: rows with padding, guesses that fail, a cache that is made anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers
from installed import needs
from small_writers import SMALL, SMALL_GPT2, model_of, written_by

from cyclescope.backends.artifacts.standalone.decoding import ends_in
from cyclescope.backends.base import Request
from cyclescope.backends.openvino.decoder import decoder_of
from cyclescope.backends.openvino.standalone import openvino_stepper
from cyclescope.backends.openvino.writing import build_writer
from cyclescope.backends.registry import open_session
from cyclescope.core.errors import Unsupported
from cyclescope.core.plan import Plan
from cyclescope.machines.host import read_machine

pytestmark = needs("openvino")
ALONE = Plan(engine="openvino", threads=1)
MODELS: dict[str, Callable[[], Any]] = {
    "llama": lambda: transformers.LlamaConfig(**SMALL),
    "gpt2": lambda: transformers.GPT2Config(**SMALL_GPT2),
    "qwen3": lambda: transformers.Qwen3Config(**SMALL, head_dim=16),
}


@pytest.mark.parametrize("name", list(MODELS))
def test_it_writes_what_the_model_writes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_stepper, "_MOST_DEAD", 8)
    model = model_of(MODELS[name]())
    ids = np.random.default_rng(0).integers(3, 64, (3, 7))
    mask = np.ones_like(ids)
    mask[0, :3] = mask[2, :5] = 0
    writer = build_writer(model, ALONE, read_machine("cpu"), tmp_path)
    rows = writer.write({"input_ids": ids, "attention_mask": mask}, 9)
    assert np.array_equal(rows, written_by(model, ids, mask, 9))
    assert len(writer.calls_ns) == len(writer.emitted_ns) == 9
    made = _Remade(monkeypatch)
    guessing = build_writer(model, replace(ALONE, drafting="prompt-lookup"), read_machine("cpu"), tmp_path)
    one = guessing.write({"input_ids": ids[1:2], "attention_mask": mask[1:2]}, 60)
    assert np.array_equal(one, written_by(model, ids[1:2], mask[1:2], 60))
    assert len(guessing.calls_ns) < 60
    assert made.times > 0
    assert not set(one[0].tolist()) & set(ends_in(model.generation_config))


class _Remade:
    """Counts how often a cache was made anew."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0
        real = openvino_stepper.OpenVinoStepper._make_anew

        def counted(stepper: Any) -> None:
            self.times += 1
            real(stepper)

        monkeypatch.setattr(openvino_stepper.OpenVinoStepper, "_make_anew", counted)


def test_attention_and_its_cache_are_one_node_in_the_precision_that_is_asked_for(tmp_path: Path) -> None:
    build_writer(model_of(MODELS["llama"]()), ALONE, read_machine("cpu"), tmp_path)
    compiled = openvino_stepper.compiled_decoder(str(tmp_path / "model.xml"), 1, "f32", 0, "f32")
    kinds = [op.get_rt_info()["layerType"].value for op in compiled.get_runtime_model().get_ordered_ops()]
    assert kinds.count("ScaledDotProductAttention") == SMALL["num_hidden_layers"]
    assert "Softmax" not in kinds
    assert str(compiled.get_property("KV_CACHE_PRECISION")) == "<Type: 'float32'>"


def test_a_window_is_refused_unless_it_is_as_wide_as_any_text() -> None:
    narrow = model_of(transformers.MistralConfig(**SMALL, sliding_window=16))
    with pytest.raises(Unsupported, match="not supported on OpenVINO"):
        decoder_of(narrow)
    decoder_of(model_of(transformers.MistralConfig(**SMALL, sliding_window=256)))


def test_a_cache_of_another_kind_is_refused() -> None:
    hybrid = transformers.Lfm2Config(**SMALL, layer_types=["conv", "full_attention"], block_multiple_of=16)
    with pytest.raises(Unsupported, match="not supported on OpenVINO"):
        decoder_of(model_of(hybrid))


def test_eight_bits_and_guesses_stack() -> None:
    model = model_of(MODELS["gpt2"]())
    asked = Request(model=model, tokens=9, batch=1, new_tokens=30)
    plan = replace(ALONE, quantization="int8-weights")
    alone = open_session(replace(asked, plan=plan))
    guessing = open_session(replace(asked, plan=replace(plan, drafting="prompt-lookup")))
    try:
        tokens = [session.results().tokens for session in (alone, guessing)]
        assert tokens[0] is not None
        assert np.array_equal(*tokens)  # guesses change nothing, whatever the weights are stored in
        assert len(guessing.trace()) < len(alone.trace()) == 30
    finally:
        alone.close()
        guessing.close()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"drafting": "layers:1"}, "speculative decoding"),
        ({"cache": "off"}, "manages its own cache"),
        ({"decoding": "sample"}, "sampling"),
    ],
)
def test_what_it_does_not_do_is_refused(changed: dict[str, str], why: str) -> None:
    asked = Request(model=model_of(MODELS["gpt2"]()), tokens=9, batch=1, new_tokens=3)
    with pytest.raises(Unsupported, match=why):
        open_session(replace(asked, plan=replace(ALONE, **changed)))


def test_a_model_with_rules_of_its_own_for_writing_is_refused() -> None:
    model = model_of(MODELS["gpt2"]())
    model.generation_config.repetition_penalty = 1.3
    with pytest.raises(Unsupported, match="repetition_penalty"):
        open_session(Request(model=model, tokens=9, batch=1, new_tokens=3, plan=ALONE))
