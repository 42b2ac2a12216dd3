"""Folders whose models read pictures or sound, or store their weights in another way; plain modules on engines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import nn

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session, open_trace
from cyclescope.cli.main import run
from cyclescope.core.errors import CyclescopeError, MissingExtra, UsageError, WeightsMissing
from cyclescope.core.workload import Weights
from cyclescope.models import quantized
from cyclescope.optimizing.optimize import optimize

SIZES = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
TOKENS = {"vocab_size": 100, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    sides = {f"{side}_{what}": n for side in ("encoder", "decoder") for what, n in (("layers", 1), ("ffn_dim", 16))}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "d_model": 16, "num_mel_bins": 8}
    vision = {**SIZES, "image_size": 32, "patch_size": 16}
    transformers.ViTModel(transformers.ViTConfig(**vision)).save_pretrained(root / "vit")
    transformers.WhisperForConditionalGeneration(
        transformers.WhisperConfig(max_source_positions=10, decoder_start_token_id=3, **sides, **heads, **TOKENS)
    ).save_pretrained(root / "whisper")
    clip = transformers.CLIPConfig(text_config={**SIZES, **TOKENS}, vision_config=vision)
    transformers.CLIPModel(clip).save_pretrained(root / "clip")
    transformers.LlamaForCausalLM(transformers.LlamaConfig(**SIZES, **TOKENS)).save_pretrained(root / "llama")
    shutil.copytree(root / "llama", root / "gptq")
    config = json.loads((root / "gptq" / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "gptq", "bits": 4}
    (root / "gptq" / "config.json").write_text(json.dumps(config))
    shutil.copytree(root / "llama", root / "variant")
    (root / "variant" / "model.safetensors").rename(root / "variant" / "model.fp16.safetensors")
    return root


def refused(call: Callable[[], object], code: int) -> CyclescopeError:
    with pytest.raises(CyclescopeError) as error:
        call()
    assert error.value.exit_code == code
    return error.value


@pytest.mark.parametrize(("name", "inputs"), [("vit", "pixel_values"), ("whisper", "input_features")])
def test_what_reads_no_text_says_what_it_reads_and_how_to_give_it(folders: Path, name: str, inputs: str) -> None:
    model = str(folders / name)
    tasks = ("auto", "generate") if name == "whisper" else ("auto",)
    for request in (*(Request(model=model, task=task) for task in tasks), Request(model=model, tokens=16)):
        error = refused(lambda request=request: open_session(request), 6)
        assert f"inputs={{'{inputs}': …}}" in str(error.way_out)
    assert inputs in str(refused(lambda: open_trace(Request(model=model, tokens=16)), 6).way_out)


def test_what_compares_pictures_with_text_asks_for_both(folders: Path) -> None:
    error = refused(lambda: open_session(Request(model=str(folders / "clip"), tokens=16)), 6)
    assert "inputs={'input_ids': …, 'pixel_values': …}" in str(error.way_out)


def test_the_command_ends_with_the_code_of_what_is_not_supported(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["measure", str(folders / "vit")])
    assert ended.value.code == 6
    assert "reads pictures" in capsys.readouterr().err


def test_the_way_out_leads_out(folders: Path) -> None:
    """Also to a model that writes, whose class transformers keeps apart from those that read text."""
    sound = {"input_features": torch.zeros(2, 8, 20)}
    session = open_session(Request(model=str(folders / "whisper"), inputs=sound, task="generate", new_tokens=2))
    assert session.workload.batch == 2
    ids, picture = torch.ones(2, 4, dtype=torch.int64), torch.zeros(2, 3, 32, 32)
    session = open_session(Request(model=str(folders / "clip"), inputs={"input_ids": ids, "pixel_values": picture}))
    assert session.workload.shape == "input_ids 2×4, pixel_values 2×3×32×32"


def test_quantized_weights_need_the_package_that_reads_them(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantized, "find_spec", lambda name: None)
    model = str(folders / "gptq")
    with pytest.raises(MissingExtra) as error:
        open_session(Request(model=model, tokens=4))
    assert "pip install optimum gptqmodel" in str(error.value.way_out)
    session = open_session(Request(model=model, tokens=4, weights="random"))
    for notes in (session.notes, open_trace(Request(model=model, tokens=4)).notes):
        assert any("gptq, 4 bits" in str(note) for note in notes)


def test_random_weights_beside_weights_of_another_name_are_told(folders: Path) -> None:
    session = open_session(Request(model=str(folders / "variant"), tokens=4))
    assert session.workload.model.weights is Weights.RANDOM
    assert any("model.fp16.safetensors" in str(note) for note in session.notes)
    asked = open_session(Request(model=str(folders / "variant"), tokens=4, weights="random"))
    assert not any("model.fp16.safetensors" in str(note) for note in asked.notes)
    with pytest.raises(WeightsMissing, match="drift"):
        optimize(str(folders / "variant"), tokens=4, max_drift=0.1, budget=60)


def test_a_decoder_that_classifies_gets_a_padding_token(tmp_path: Path) -> None:
    transformers.GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=100, eos_token_id=2).save_pretrained(tmp_path)
    session = open_session(Request(model=str(tmp_path), task="classify", tokens=4, batch=2))
    assert session.uninstrumented(1)
    assert len(session.outcome().split(", ")) == 2
    session.close()


def test_a_decoder_in_hand_that_classifies_is_not_changed_and_the_cause_is_told() -> None:
    config = transformers.GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=100, bos_token_id=1, eos_token_id=2)
    model = transformers.GPT2ForSequenceClassification(config).eval()
    ids = torch.ones(2, 4, dtype=torch.int64)
    session = open_session(Request(model=model, task="classify", inputs={"input_ids": ids}))
    with pytest.raises(UsageError, match="pad_token_id"):
        session.uninstrumented(1)
    assert model.config.pad_token_id is None


# Plain modules on an engine ------------------------------------------------------------------------------------------


class Pair(nn.Module):
    """Gives a tuple, and takes a setting that is no tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor, *, double: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
        given = self.inner(x) * (2 if double else 1)
        return given, given.mean(0)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_a_plain_module_is_exported_for_exactly_its_shape(engine: str) -> None:
    pytest.importorskip(engine)
    model: Any = nn.Sequential(nn.Linear(8, 16)).eval()
    session = open_session(Request(model=model, inputs={"input": torch.ones(2, 8)}, engine=engine))
    graph = session.trace()
    assert {tensor.shape for tensor in graph.tensors} == {(2, 8), (16, 8), (16,), (2, 16)}
    assert graph.total.flops == 2 * 2 * 8 * 16
    assert any("exactly the shapes" in str(note) for note in session.notes)
    session.close()


def test_a_module_that_gives_a_tuple_is_exported_and_a_setting_is_not_dropped() -> None:
    pytest.importorskip("onnxruntime")
    session = open_session(Request(model=Pair().eval(), inputs={"x": torch.ones(2, 8)}, engine="onnxruntime"))
    session.uninstrumented(1)
    assert session.outcome() == "output_0 2×4, output_1 4"
    session.close()
    inputs = {"x": torch.ones(2, 8), "double": True}
    error = refused(lambda: open_session(Request(model=Pair().eval(), inputs=inputs, engine="onnxruntime")), 6)
    assert "'double' is a bool" in str(error.cause)
