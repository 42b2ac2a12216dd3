"""CTranslate2 as an engine: what it gives is what the model gives, padding, prompts of several lengths and all."""

from __future__ import annotations

import json
import pickle
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("ctranslate2")

import torch
import transformers
from command_line import CommandLine, model_folder

from cyclescope.backends.base import Request
from cyclescope.backends.ctranslate2.vocabulary import names_of
from cyclescope.backends.registry import open_session
from cyclescope.core.edits import Edit
from cyclescope.core.errors import EngineError, MissingExtra, Unsupported
from cyclescope.core.graph.op import OpKind
from cyclescope.core.plan import ModelChange, Plan
from cyclescope.explaining.explain import explain
from cyclescope.measuring.measure import measure_session

ON = Plan(engine="ctranslate2", threads=1)
_SMALL = {
    "vocab_size": 100,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "pad_token_id": 0,
}
_BOTH = {
    "vocab_size": 100,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": 64,
}
_T5 = {"vocab_size": 100, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
_GPT2 = {"vocab_size": 100, "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64, "bos_token_id": 1}
RIGHT = {
    "input_ids": torch.tensor([[5, 6, 7, 8, 9], [10, 11, 0, 0, 0]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]),
}
LEFT = {name: torch.stack([tensor[0], tensor[1].flip(0)]) for name, tensor in RIGHT.items()}
# A prompt of one token is read in another way.
LEFT_OF_ONE = {
    "input_ids": torch.tensor([[5, 6, 7, 8], [0, 0, 0, 9], [0, 3, 4, 5]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1], [0, 0, 0, 1], [0, 1, 1, 1]]),
}


def model_of(kind: str, config: dict[str, Any]) -> Any:
    torch.manual_seed(0)
    settings = getattr(transformers, f"{kind}Config")(**config)
    head = {"GPT2": "GPT2LMHeadModel", "Marian": "MarianMTModel"}.get(kind)
    if head is None:
        head = f"{kind}ForConditionalGeneration" if settings.is_encoder_decoder else f"{kind}ForCausalLM"
    return getattr(transformers, head if kind not in ("Bert", "Roberta", "DistilBert") else f"{kind}Model")(
        settings
    ).eval()


def results_of(model: Any, plan: Plan, **asked: Any) -> Any:
    session = open_session(Request(model, plan=plan, **asked))
    try:
        return session.results()
    finally:
        session.close()


ENCODERS = {
    "Bert": _SMALL,
    "Roberta": _SMALL | {"pad_token_id": 1},
    "DistilBert": {"vocab_size": 100, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64},
}


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize("batch", [0, 1], ids=["one call", "calls of one text"])
def test_an_encoder_gives_the_models_vectors(kind: str, batch: int) -> None:
    model = model_of(kind, ENCODERS[kind])
    given, wanted = (
        results_of(model, plan, inputs=RIGHT) for plan in (Plan(ON.engine, threads=1, batch=batch), Plan())
    )
    real = wanted.mask > 0
    assert given.hidden.shape == wanted.hidden.shape
    assert np.abs(given.hidden - wanted.hidden)[real].max() < 1e-5
    if wanted.pooled is not None:
        assert np.abs(given.pooled - wanted.pooled).max() < 1e-5


def test_token_types_are_handed_on() -> None:
    model = model_of("Bert", _SMALL)
    kinds = torch.tensor([[0, 0, 1, 1, 1], [0, 1, 0, 0, 0]])
    given, wanted, without = (
        results_of(model, plan, inputs=inputs).hidden
        for plan, inputs in (
            (ON, RIGHT | {"token_type_ids": kinds}),
            (Plan(), RIGHT | {"token_type_ids": kinds}),
            (ON, RIGHT),
        )
    )
    real = RIGHT["attention_mask"].numpy() > 0
    assert np.abs(given - wanted)[real].max() < 1e-5
    assert np.abs(given - without)[real].max() > 1e-3


def test_positions_that_padding_moves_are_another_model() -> None:
    """BERT counts positions from the left edge, padding included; the engine counts them from the first token."""
    with pytest.raises(EngineError, match="other results"):
        results_of(model_of("Bert", _SMALL), ON, inputs=LEFT)


WRITERS: dict[str, tuple[str, dict[str, Any], dict[str, torch.Tensor]]] = {
    "gpt2": ("GPT2", _GPT2 | {"eos_token_id": 2}, LEFT),
    "gpt2 without an end": ("GPT2", _GPT2 | {"eos_token_id": None}, LEFT),
    "gpt2 with an end beyond its vocabulary": ("GPT2", _GPT2 | {"eos_token_id": 50256}, LEFT),
    "llama": ("Llama", _SMALL | {"num_key_value_heads": 2, "rope_theta": 50000.0}, LEFT),
    "llama, one of one token": ("Llama", _SMALL | {"num_key_value_heads": 2}, LEFT_OF_ONE),
    "qwen2": ("Qwen2", _SMALL | {"num_key_value_heads": 2}, LEFT),
    "t5": ("T5", _T5 | {"decoder_start_token_id": 0}, RIGHT),
    "bart, whose last token is forced": ("Bart", _BOTH | {"forced_eos_token_id": 2}, RIGHT),
    "marian, which never writes padding": (
        "Marian",
        _BOTH | {"pad_token_id": 99, "decoder_start_token_id": 99, "eos_token_id": 0, "bad_words_ids": [[99]]},
        RIGHT,
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_writes_the_models_tokens(name: str) -> None:
    kind, config, inputs = WRITERS[name]
    model = model_of(kind, config)
    asked = {"inputs": inputs, "new_tokens": 6}
    given, wanted = (results_of(model, plan, **asked).tokens for plan in (ON, Plan()))
    assert given.shape == (len(inputs["input_ids"]), 6)
    assert np.array_equal(given, wanted)


def test_moments_of_tokens_lie_in_the_cycle() -> None:
    session = open_session(Request(model_of("Llama", _SMALL), plan=ON, inputs=LEFT, new_tokens=6))
    for run in session.uninstrumented(2):
        assert len(run.emitted_ns) == 6
        assert list(run.emitted_ns) == sorted(run.emitted_ns)
        assert run.called_ns <= run.emitted_ns[0]
        assert run.emitted_ns[-1] <= run.wall_ns
    session.close()


@pytest.mark.parametrize("writes", [0, 4])
def test_a_call_is_one_operation_with_the_models_work(writes: int) -> None:
    model = model_of("Llama", _SMALL) if writes else model_of("Bert", _SMALL)
    asked = {"inputs": LEFT, "new_tokens": writes} if writes else {"inputs": RIGHT}
    session = open_session(Request(model, plan=ON, **asked))
    alone = open_session(Request(model, plan=Plan(threads=1), **asked))
    graph, traced = session.trace(), alone.trace()
    graph.self_check()
    assert graph.names == (("prefill", "step", "step", "step") if writes else ("forward_batch",))
    assert set(graph.kinds) == {OpKind.OTHER}
    assert graph.total.flops == traced.total.flops
    cycle = measure_session(session, 200_000_000)
    slots = np.diff(cycle.samples.instrumented.boundaries_ns, axis=1)
    assert (slots >= 0).all()
    assert np.array_equal(slots.sum(axis=1), cycle.samples.instrumented.wall_ns)
    assert explain(cycle).stages[0].time.value_ns > 0
    session.close()
    alone.close()


def test_int8_reads_a_quarter_of_the_weights_and_gives_nearly_the_same() -> None:
    model = model_of("Bert", _SMALL)
    sessions = [
        open_session(Request(model, plan=Plan(ON.engine, threads=1, quantization=how), inputs=RIGHT))
        for how in ("off", "int8-dynamic")
    ]
    full, packed = (session.trace().total.read_bytes for session in sessions)
    held = sum(p.numel() for p in model.parameters())
    assert 0 < full - packed <= 3 * held
    wanted, given = (session.results().hidden for session in sessions)
    apart = np.abs(given - wanted)[RIGHT["attention_mask"].numpy() > 0].max()
    assert 1e-5 < apart < 0.2
    for session in sessions:
        session.close()


def test_layers_that_were_left_out_are_not_converted() -> None:
    model = model_of("Bert", _SMALL)
    plan = Plan(ON.engine, threads=1, changes=(ModelChange("drop-layers", 1.0),))
    session = open_session(Request(model, plan=plan, inputs=RIGHT))
    assert [edit.what for edit in session.edits] == ["keep-layers"]
    with torch.inference_mode():  # the model in hand has one layer now
        wanted = model(**RIGHT).last_hidden_state.numpy()
    real = RIGHT["attention_mask"].numpy() > 0
    assert np.abs(session.results().hidden - wanted)[real].max() < 1e-5
    session.close()


@pytest.mark.parametrize(
    ("kind", "config", "asked", "why"),
    [
        ("Bert", _SMALL, {"edits": (Edit("tanh-gelu", "encoder.layer.0"),)}, "edit"),
        ("Bert", _SMALL, {"plan": Plan(ON.engine, quantization="int4-weights")}, "quantization"),
        ("Bert", _SMALL, {"plan": Plan(ON.engine, dtype="float64")}, "float64"),
        ("Bert", _SMALL, {"plan": Plan(ON.engine, threads_between=2)}, "one after the other"),
        ("GPT2", _GPT2, {}, "that encodes"),
        ("Mamba", {"vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 1}, {"new_tokens": 2}, "no converter"),
        ("GPT2", _GPT2, {"new_tokens": 2, "plan": Plan(ON.engine, cache="off")}, "cache"),
    ],
    ids=str,
)
def test_what_cannot_be_had_is_refused(kind: str, config: dict[str, Any], asked: dict[str, Any], why: str) -> None:
    with pytest.raises(Unsupported) as refusal:
        open_session(Request(model_of(kind, config), inputs=RIGHT, **{"plan": ON, **asked}))
    assert why in f"{refusal.value.fact} {refusal.value.cause}"


def test_rules_that_the_engine_has_not_are_refused() -> None:
    model = model_of("GPT2", _GPT2)
    model.generation_config.no_repeat_ngram_size = 2
    with pytest.raises(Unsupported, match="no_repeat_ngram_size"):
        open_session(Request(model, plan=ON, inputs=LEFT, new_tokens=2))


def test_a_model_without_a_converter_is_refused_before_it_is_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "mamba", "vocab_size": 100}))
    monkeypatch.setattr(
        "cyclescope.backends.torch.exporting.loading.load", lambda request: pytest.fail("it was loaded")
    )
    with pytest.raises(Unsupported, match="no converter"):
        open_session(Request(str(tmp_path), plan=ON, tokens=4, new_tokens=2))


def test_a_missing_package_tells_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cyclescope.backends.engine.find_spec", lambda name: None if name == "ctranslate2" else True)
    with pytest.raises(MissingExtra) as missing:
        open_session(Request("minilm", plan=ON))
    assert "cyclescope[ctranslate2]" in str(missing.value.way_out)


def test_the_model_in_hand_is_left_whole() -> None:
    """Converters take layers apart while they read them."""
    model = model_of("Llama", _SMALL)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    results_of(model, Plan(ON.engine, threads=1, quantization="int8-dynamic"), inputs=LEFT, new_tokens=2)
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(weight, after[name]) for name, weight in before.items())


def test_nothing_is_looked_up_and_nothing_is_unpickled(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for owner, name in ((socket.socket, "connect"), (socket, "getaddrinfo"), (torch, "load"), (pickle, "Unpickler")):
        monkeypatch.setattr(owner, name, lambda *given, **named: pytest.fail("it reached out"))
    results_of("minilm", ON, texts=("One text.", "Another text that is longer."))
    assert capfd.readouterr() == ("", "")


class _Tokenizer:
    def __init__(self, found: dict[str, int]) -> None:
        self._found = found

    def get_vocab(self) -> dict[str, int]:
        return self._found


def test_every_token_has_a_name_of_its_own() -> None:
    names = names_of(_Tokenizer({"a": 0, "b": 1, "<2>": 3, "beyond": 9}), 6, pad=5)
    assert names == ["a", "b", "<<2>>", "<2>", "<4>", "<pad>"]
    assert names_of(None, 2, None) == ["<0>", "<1>"]


def test_it_is_measured_and_its_folder_kept_from_the_command_line(run: CommandLine, tmp_path: Path) -> None:
    model, out = model_folder(tmp_path), tmp_path / "kept"
    options = ("--engine", "ctranslate2", "--threads", "1", "--text", "One text.", "--text", "Another longer text.")
    document = run.succeeds("measure", model, *options, "--export-to", out, "--budget", "0.2", "--json").document
    assert document["plan"]["engine"] == "ctranslate2"
    assert {"model.bin", "config.json", "vocabulary.json"} <= {path.name for path in out.iterdir()}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


def test_nobody_imports_the_engine_but_the_process_that_runs_it() -> None:
    """Trials are copies of a process that has loaded the model: an engine with threads of its own must not be in it."""
    code = "import sys, cyclescope.optimizing.optimize, cyclescope.optimizing.processes.worker; print('ctranslate2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
