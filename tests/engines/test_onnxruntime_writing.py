"""What ONNX Runtime writes is what the model itself writes: rows with padding, guesses that fail, windows, fewer bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
import transformers
from small_writers import SMALL, SMALL_GPT2, VOCABULARY, model_of, written_by

pytest.importorskip("onnxruntime")

from cyclescope.backends.artifacts import profiled_session
from cyclescope.backends.artifacts.cache import name_of
from cyclescope.backends.artifacts.stepped_writer import SteppedWriter
from cyclescope.backends.base import Request, ReshapableSession
from cyclescope.backends.onnxruntime.preparing import FILE
from cyclescope.backends.onnxruntime.profiled_writer import OnnxRuntimeWriter
from cyclescope.backends.onnxruntime.standalone.onnx_stepper import OnnxStepper
from cyclescope.backends.onnxruntime.writing import build_writer
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.exporting.exporting_step import export_step
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.structure import PREPARE, SAMPLE
from cyclescope.core.plan import Plan
from cyclescope.explaining.cache import cache_bytes
from cyclescope.machines.host import read_machine

ALONE = Plan(engine="onnxruntime", threads=1)
_ONE_LAYER = SMALL | {"num_hidden_layers": 1}
MODELS: dict[str, Callable[[], Any]] = {
    "llama": lambda: transformers.LlamaConfig(**SMALL, tie_word_embeddings=True),
    "gpt2": lambda: transformers.GPT2Config(**SMALL_GPT2),
    # A window that the texts here outgrow, and norms of queries and keys.
    "mistral": lambda: transformers.MistralConfig(**_ONE_LAYER, sliding_window=5),
    "qwen3": lambda: transformers.Qwen3Config(**_ONE_LAYER, head_dim=16),
}
# What the engine runs for a layer of each, beside products and sums.
_KERNELS = {"llama": ("SimplifiedLayerNormalization", "RotaryEmbedding"), "gpt2": ("LayerNormalization", "FastGelu")}


def prompts(rows: int = 3) -> tuple[Any, Any]:
    """Token ids and mask, of rows that are padded on the left by other lengths."""
    ids = np.random.default_rng(0).integers(3, VOCABULARY, (rows, 7))
    mask = np.ones_like(ids)
    mask[0, :3] = mask[-1, :5] = 0 if rows > 1 else 1
    return ids, mask


@pytest.fixture(scope="module")
def machine() -> Any:
    return read_machine("cpu")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The folder in which sessions share what is exported of a model: that takes longer than all else here."""
    folder = tmp_path_factory.mktemp("shared")
    return lambda name: str(folder / name)


@pytest.fixture(scope="module")
def place(shared: Callable[[str], str]) -> Callable[[str], Path]:
    """Where a session has the files of a model there."""
    return lambda name: Path(shared(name)) / f"writer-{name_of((), [])}"


def _writer(model: Any, folder: Path, machine: Any, **more: Any) -> SteppedWriter:
    plan = replace(ALONE, **more)
    return build_writer(model, plan, machine, folder / f"onnxruntime-{plan.quantization}")


@pytest.mark.parametrize("name", list(MODELS))
def test_it_writes_what_the_model_writes(name: str, place: Callable[[str], Path], machine: Any) -> None:
    model = model_of(MODELS[name](), 8)
    ids, mask = prompts()
    writer = _writer(model, place(name), machine)
    rows = writer.write({"input_ids": ids, "attention_mask": mask}, 9)
    assert np.array_equal(rows, written_by(model, ids, mask, 9))
    assert len(writer.calls_ns) == len(writer.emitted_ns) == 9
    one, seen = prompts(1)
    # More tokens than its buffers have places at first, and guesses of which some fail.
    guessing = _writer(model, place(name), machine, drafting="prompt-lookup")
    wanted = written_by(model, one, seen, 150)
    assert np.array_equal(guessing.write({"input_ids": one}, 150), wanted)
    assert len(guessing.calls_ns) < 150
    graph = onnx.load(str(place(name) / "onnxruntime-off" / FILE), load_external_data=False).graph
    kinds = [node.op_type for node in graph.node]
    layers = model.config.num_hidden_layers
    assert kinds.count("GroupQueryAttention") == layers
    assert "Softmax" not in kinds
    assert all(kinds.count(kernel) >= layers for kernel in _KERNELS.get(name, ()))


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def prepared(request: pytest.FixtureRequest, place: Callable[[str], Path]) -> tuple[Any, Path]:
    """A model, and the folder in which what is exported of it is shared."""
    return model_of(MODELS[request.param](), 8), place(request.param)


@pytest.mark.parametrize(("how", "least"), [("int8-dynamic", 0.99), ("int8-weights", 0.999), ("int4-weights", 0.9)])
def test_every_product_is_quantized_and_logits_stay_near(
    prepared: tuple[Any, Path], how: str, least: float, machine: Any
) -> None:
    model, folder = prepared
    _writer(model, folder, machine, quantization=how)
    path = folder / f"onnxruntime-{how}" / FILE
    graph = onnx.load(str(path), load_external_data=False).graph
    kinds = [node.op_type for node in graph.node]
    products = (4 if "FastGelu" in kinds else 7) * model.config.num_hidden_layers
    assert sum(kind in ("MatMulNBits", "DynamicQuantizeMatMul") for kind in kinds) == products + 1
    weights = {tensor.name for tensor in graph.initializer}
    assert not [n for n in graph.node if n.op_type in ("MatMul", "FusedMatMul", "Gemm") and n.input[1] in weights]
    stepper = OnnxStepper(str(path), 1)
    stepper.start(1)
    ids, mask = prompts(1)
    given = stepper(ids, mask, mask.cumsum(axis=1) - 1, 7)
    with torch.inference_mode():
        wanted = model(torch.tensor(ids)).logits.numpy()
    cosine = (given * wanted).sum() / np.sqrt((given**2).sum() * (wanted**2).sum())
    assert least < cosine < 1.0


WIDE = 4096  # tokens, of which the candidates are a small part
_HEADS: dict[str, Callable[[], Any]] = {
    "tied": lambda: transformers.LlamaConfig(**{**SMALL, "vocab_size": WIDE}, tie_word_embeddings=True),
    "own": lambda: transformers.GPT2Config(**{**SMALL_GPT2, "vocab_size": WIDE}, tie_word_embeddings=False),
    "capped": lambda: transformers.Gemma2Config(
        **{**SMALL, "vocab_size": WIDE}, head_dim=8, final_logit_softcapping=3.0
    ),
}


@pytest.mark.parametrize("name", list(_HEADS))
def test_a_head_in_eight_bits_chooses_the_same_tokens(name: str, machine: Any, tmp_path: Path) -> None:
    """Logits in 8 bits differ; those of the likeliest tokens are those of the model, so that the highest is the same."""
    model = model_of(_HEADS[name](), 4)
    _writer(model, tmp_path, machine, quantization="int8-head")
    path = tmp_path / "onnxruntime-int8-head" / FILE
    graph = onnx.load(str(path), load_external_data=False).graph
    assert sum(node.op_type == "MatMulNBits" for node in graph.node) == 1
    ids, mask = prompts(1)
    with torch.inference_mode():
        wanted = model(torch.tensor(ids)).logits.numpy()
    stepper = OnnxStepper(str(path), 1)
    stepper.start(1)
    given = stepper(ids, mask, mask.cumsum(axis=1) - 1, ids.shape[1])
    apart = np.abs(given - wanted)
    assert np.array_equal(given.argmax(-1), wanted.argmax(-1))
    highest = np.argsort(-wanted, axis=-1)[..., :16]
    assert np.take_along_axis(apart, highest, -1).max() < 1e-4 * np.abs(wanted).max() < apart.max()


def test_a_head_whose_order_is_not_that_of_its_logits_is_not_packed(machine: Any, tmp_path: Path) -> None:
    model = model_of(_HEADS["own"](), 4)
    head = model.get_output_embeddings()
    head.bias = torch.nn.Parameter(torch.arange(WIDE, dtype=torch.float32))
    with pytest.raises(Unsupported, match="more than a product"):
        _writer(model, tmp_path, machine, quantization="int8-head")


def test_a_session_stacks_eight_bits_and_guesses(shared: Callable[[str], str]) -> None:
    asked = Request(model=model_of(MODELS["gpt2"](), 8), tokens=9, batch=1, new_tokens=30, shared=shared("gpt2"))
    plan = replace(ALONE, quantization="int8-weights")
    alone = open_session(replace(asked, plan=plan))
    guessing = open_session(replace(asked, plan=replace(plan, drafting="prompt-lookup")))
    try:
        tokens = [session.results().tokens for session in (alone, guessing)]
        assert tokens[0] is not None
        assert np.array_equal(*tokens)
        graph = guessing.trace()
        assert graph.opaque
        assert len(graph) <= 30
        assert any("drafted tokens" in str(note) for note in guessing.notes)
        assert not any("drafted tokens" in str(note) for note in alone.notes)
    finally:
        alone.close()
        guessing.close()


PROMPT, NEW = 6, 5


def test_a_model_that_is_ready_writes_at_another_shape(shared: Callable[[str], str]) -> None:
    model = model_of(MODELS["gpt2"](), 8)
    session = open_session(Request(model=model, tokens=9, batch=1, new_tokens=3, shared=shared("gpt2"), plan=ALONE))
    try:
        assert isinstance(session, ReshapableSession)
        other = session.reshaped(2, 5, 4)
        (run,) = other.uninstrumented(1)
        assert len(run.emitted_ns) == 4
        tokens = other.results().tokens
        assert tokens is not None
        assert tokens.shape == (2, 4)
        assert len(session.uninstrumented(1)[0].emitted_ns) == 3
    finally:
        session.close()


@pytest.mark.parametrize(
    ("name", "how"), [("llama", "int4-weights"), ("gpt2", "off"), ("gpt2", "int8-dynamic"), ("mistral", "off")]
)
def test_each_call_is_told_kernel_by_kernel(
    name: str, how: str, shared: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: list[str] = []
    watch = OnnxRuntimeWriter.watch
    monkeypatch.setattr(OnnxRuntimeWriter, "watch", lambda writer: watched.append(how) or watch(writer))
    config = MODELS[name]()
    layers = config.num_hidden_layers
    asked = Request(model=model_of(config, 8), tokens=PROMPT, batch=2, new_tokens=NEW, shared=shared(name))
    theirs, ours = open_session(asked), open_session(replace(asked, plan=replace(ALONE, quantization=how)))
    try:
        graph, whole = ours.trace(), theirs.trace()
        step, before = (g.slots.step[g.slots.of_op] for g in (graph, whole))
        assert not graph.opaque
        assert not any("one operation" in str(note) for note in ours.notes)
        # The same kernels in every call, of each layer its own, with the products of the model itself.
        assert len(graph) % NEW == 0
        assert list(graph.names) == list(graph.names[: len(graph) // NEW]) * NEW
        attending = np.flatnonzero(np.asarray(graph.names) == "GroupQueryAttention")
        assert graph.op_layer[attending].tolist() == list(range(layers)) * NEW
        assert set(graph.op_stage.names) == set(whole.op_stage.names) - {SAMPLE, PREPARE}
        flops = [[int(g.flops[at == k].sum()) for k in range(NEW)] for g, at in ((graph, step), (whole, before))]
        assert flops[0] == flops[1]
        if name != "mistral":  # whose window is shorter than what its buffers hold
            assert cache_bytes(graph, NEW).tolist() == cache_bytes(whole, NEW).tolist()
        # Each step follows from the one before.
        edges = graph.dependencies
        assert set(zip(step[edges.source].tolist(), step[edges.target].tolist(), strict=True)) >= {
            (k, k + 1) for k in range(NEW - 1)
        }
        if how == "off":
            assert np.array_equal(ours.results().tokens, theirs.results().tokens)
        # A watch holds no more than so much: three cycles are two and one, each behind one that warms up.
        monkeypatch.setattr(profiled_session, "MOST_WATCHED", 3 * len(graph))
        watched.clear()
        runs = ours.instrumented(graph, 3)
        assert len(watched) == 2
        cost = ours.calibrate(graph, 200_000_000)
    finally:
        ours.close()
        theirs.close()
    assert len(runs) == 3
    for run in runs:
        slots = np.diff(run.boundaries_ns)
        assert len(slots) == len(graph.slots)
        assert run.boundaries_ns[0] == 0
        assert np.all(slots >= 0)
        # Kernels were told apart, the loop and the engine have time of their own.
        inside = graph.slots.op >= 0
        assert np.count_nonzero(slots[inside]) > len(graph) / 2
        assert slots[~inside].sum() > 0
        assert all(slots[graph.slots.step == k].sum() > 0 for k in range(NEW))
    assert cost.how == "onnxruntime profile"
    # The engine spends part of it before it looks at the clock again: no slot is left to bear all of it.
    assert cost.inside_ns > 0.0
    assert cost.outside_ns > 0.0


def test_operations_side_by_side_are_not_told_apart(prepared: tuple[Any, Path], machine: Any) -> None:
    model, folder = prepared
    assert _writer(model, folder, machine).not_profiled_reason == ""
    assert "in parallel" in str(_writer(model, folder, machine, threads_between=2).not_profiled_reason)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (
            lambda: transformers.Lfm2Config(**SMALL, layer_types=["conv", "full_attention"], block_multiple_of=16),
            "more",
        ),
        (lambda: transformers.BloomConfig(vocab_size=64, hidden_size=32, n_layer=2, n_head=4), "interface"),
        (lambda: transformers.MambaConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2), "LinearAttention"),
    ],
)
def test_what_cannot_be_right_is_refused(config: Callable[[], Any], why: str, tmp_path: Path) -> None:
    model = model_of(config(), 8)
    before = model.config._attn_implementation
    with pytest.raises(Unsupported) as caught:
        export_step(model, tmp_path / "step.onnx")
    assert why in f"{caught.value.fact} {caught.value.cause}"
    assert model.config._attn_implementation == before


def test_padding_within_a_text_is_refused(prepared: tuple[Any, Path], machine: Any) -> None:
    model, folder = prepared
    _writer(model, folder, machine)
    stepper = OnnxStepper(str(folder / "onnxruntime-off" / FILE), 1)
    ids, mask = prompts(1)
    stepper.start(1)
    stepper(ids, mask, mask.cumsum(axis=1) - 1, 1)
    with pytest.raises(ValueError, match="before a text"):
        stepper(ids[:, :1], np.concatenate([mask, mask[:, :1] * 0], axis=1), ids[:, :1], 1)
