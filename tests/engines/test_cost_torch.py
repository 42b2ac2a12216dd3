"""Prices against the engine: an independent count of FLOPs, and the calls that real model classes make."""

from __future__ import annotations

from collections import Counter
from math import prod

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from torch.nn import functional  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from cyclescope.core.graph.op import Cost, OpKind  # noqa: E402
from cyclescope.core.graph.tensor import TensorSpec  # noqa: E402
from cyclescope.cost.registry import FORMULAS, EngineCall, OpCost, estimate_cost  # noqa: E402


def _spec(tensor):
    return TensorSpec(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."), 0)


def _footprint(tensor):
    """Bytes behind a tensor: an axis of stride 0 (expanded) lies in memory once."""
    sizes = [n for n, stride in zip(tensor.shape, tensor.stride(), strict=True) if stride]
    return prod(sizes) * tensor.element_size() if tensor.numel() else 0


class Recorder(TorchDispatchMode):
    """Prices every ATen call that passes by."""

    def __init__(self):
        super().__init__()
        self.priced: list[tuple[str, OpCost]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        schema = func._schema
        named = dict(zip((a.name for a in schema.arguments), args, strict=False)) | (kwargs or {})
        outs = {a.name for a in schema.arguments if a.is_out}
        read = [t for name, value in named.items() if name not in outs for t in _tensors(value)]
        call = EngineCall(
            name=schema.name.replace("::", "."),
            reads=tuple(map(_spec, read)),
            writes=tuple(map(_spec, _tensors(result))),
            arguments={name: value for name, value in named.items() if not _tensors(value)},
            is_view=func.is_view,
            footprints=tuple(map(_footprint, read)),
        )
        self.priced.append((call.name, estimate_cost(call)))
        return result

    @property
    def total(self):
        return sum((priced.cost for _, priced in self.priced), Cost())

    @property
    def kinds(self):
        return {priced.kind for _, priced in self.priced}


def _tensors(value):
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, torch.Tensor)]


def priced(function):
    """Our account of `function`. Not in inference mode, in which composites reach a mode undivided."""
    with torch.no_grad(), Recorder() as recorder:
        function()
    return recorder


def counted(function):
    """FLOPs by the counter that comes with torch."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()


SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "vocab_size": 99,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GROUPED_QUERY = SMALL | {"num_key_value_heads": 2, "head_dim": 8}
RELATIVE = SMALL | {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]}
SEQ2SEQ = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "vocab_size": 99, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 2, "decoder_start_token_id": 2, "forced_eos_token_id": 2, "max_position_embeddings": 64,
}  # fmt: skip
FAMILIES = {
    "Bert": SMALL,
    "Roberta": SMALL,
    "XLMRoberta": SMALL,
    "Electra": SMALL | {"embedding_size": 16},
    "Albert": SMALL | {"embedding_size": 16},
    "DistilBert": {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 4, "vocab_size": 99},
    "ModernBert": SMALL | {"local_attention": 8, "cls_token_id": 1, "sep_token_id": 2},
    "MobileBert": SMALL | {"embedding_size": 16, "true_hidden_size": 32, "intra_bottleneck_size": 32},
    "Deberta": RELATIVE,
    "DebertaV2": RELATIVE | {"position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True},
    "MPNet": SMALL,
    "RoFormer": SMALL | {"embedding_size": 32},
    "Longformer": SMALL | {"attention_window": [8, 8]},
    "FNet": SMALL | {"tpu_short_seq_length": 16},
    "ConvBert": SMALL | {"embedding_size": 32},
    "SqueezeBert": SMALL | {"embedding_size": 32, "q_groups": 2, "k_groups": 2, "v_groups": 2, "output_groups": 2},
    "Nystromformer": SMALL | {"segment_means_seq_len": 16, "num_landmarks": 4},
    "Funnel": {"d_model": 32, "n_head": 4, "d_head": 8, "d_inner": 64, "block_sizes": [1, 1], "vocab_size": 99},
    "XLNet": {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64, "vocab_size": 99},
    "T5": {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "vocab_size": 99},
    "Bart": SEQ2SEQ,
    "Marian": SEQ2SEQ,
    "GPT2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "vocab_size": 99, "bos_token_id": 1, "eos_token_id": 2},
    "Llama": GROUPED_QUERY,
    "Qwen3": GROUPED_QUERY,
    "Gemma2": GROUPED_QUERY,
    "Mixtral": GROUPED_QUERY | {"num_local_experts": 4},
    "Mamba": SMALL | {"state_size": 8},
    "Mamba2": SMALL | {"state_size": 8, "num_heads": 8, "head_dim": 8, "n_groups": 1, "expand": 2, "chunk_size": 8},
}  # fmt: skip
# Their attention is a scan or a transform, or they have no fused form.
FUSED = [
    "Bert",
    "Roberta",
    "DistilBert",
    "ModernBert",
    "MobileBert",
    "Albert",
    "Electra",
    "T5",
    "Bart",
    "GPT2",
    "Llama",
    "Qwen3",
]
BATCH, TOKENS = 2, 16


def forward(family, attention="eager", **extra):
    """A call of a tiny model of this family with random weights."""
    config = getattr(transformers, f"{family}Config")(**FAMILIES[family], **extra)
    config._attn_implementation = attention
    torch.manual_seed(0)
    # The stock counter follows gradients by hooks on modules, and fails on a view of a parameter that requires one.
    model = getattr(transformers, f"{family}Model")(config).eval().requires_grad_(False)
    ids = torch.arange(BATCH * TOKENS).reshape(BATCH, TOKENS) % 90 + 3
    inputs = {"input_ids": ids}
    if family in ("T5", "Bart", "Marian"):
        inputs["decoder_input_ids"] = ids[:, :5]
    return lambda: model(**inputs)


@pytest.mark.parametrize("family", [f for f in FAMILIES if f != "Mixtral"])
def test_flops_of_eager_models_are_exactly_those_of_the_stock_counter(family):
    call = forward(family)
    assert priced(call).total.flops == counted(call)


def test_experts_in_one_grouped_product_cost_what_they_cost_one_by_one():
    """The stock counter does not know the grouped product, so it counts the experts' loop."""
    grouped = priced(forward("Mixtral", experts_implementation="grouped_mm"))
    assert "aten._grouped_mm" in {name for name, _ in grouped.priced}
    assert grouped.total.flops == counted(forward("Mixtral", experts_implementation="eager"))


@pytest.mark.parametrize("family", FUSED)
def test_fused_attention_costs_the_flops_of_eager_attention(family):
    """The stock counter says 0 for the fused kernel of the CPU (pytorch issue 195460)."""
    fused = priced(forward(family, "sdpa"))
    assert OpKind.ATTENTION in fused.kinds
    assert fused.total.flops == counted(forward(family))


@pytest.mark.parametrize("family", FAMILIES)
def test_no_call_of_a_common_model_is_other(family):
    recorder = priced(forward(family))
    assert Counter(name for name, p in recorder.priced if p.kind is OpKind.OTHER) == {}
    assert recorder.total.read_bytes > 0
    assert recorder.total.written_bytes > 0


def test_every_name_in_the_tables_is_an_operation_of_the_engine():
    names = [name.removeprefix("aten.") for name in FORMULAS if name.startswith("aten.")]
    assert [name for name in names if not hasattr(torch.ops.aten, name)] == []


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("transposed", [False, True])
def test_convolutions_agree_with_the_stock_counter(groups, transposed):
    layer = torch.nn.ConvTranspose1d if transposed else torch.nn.Conv1d
    model = layer(8, 12, kernel_size=3, stride=2, groups=groups)
    x = torch.randn(2, 8, 17)
    assert priced(lambda: model(x)).total.flops == counted(lambda: model(x))


def test_two_dimensional_and_dilated_convolutions_agree_with_the_stock_counter():
    model = torch.nn.Conv2d(4, 6, kernel_size=(3, 2), padding=1, dilation=2)
    x = torch.randn(3, 4, 11, 9)
    assert priced(lambda: model(x)).total.flops == counted(lambda: model(x))


@pytest.mark.parametrize(
    ("left", "right"), [((3, 5), (5, 7)), ((2, 3, 5), (2, 5, 7)), ((2, 4, 3, 5), (5, 7)), ((2, 1, 3, 5), (1, 4, 5, 7))]
)
def test_matrix_products_agree_with_the_stock_counter(left, right):
    a, b = torch.randn(left), torch.randn(right)
    recorder = priced(lambda: a @ b)
    assert recorder.total.flops == counted(lambda: a @ b)
    assert recorder.total.flops == 2 * (a @ b).numel() * left[-1]


def test_einsum_agrees_with_the_stock_counter():
    q, k = torch.randn(2, 5, 3, 8), torch.randn(2, 6, 3, 8)

    def scores():
        return torch.einsum("bqhd,bkhd->bhqk", q, k)

    assert priced(scores).total.flops == counted(scores) == 2 * 2 * 3 * 5 * 6 * 8


@pytest.mark.parametrize(("left", "right", "flops"), [((5, 7), (7,), 70), ((7,), (7,), 14), ((2, 3, 7), (7,), 84)])
def test_vectors_are_counted(left, right, flops):
    a, b = torch.randn(left), torch.randn(right)
    assert priced(lambda: a @ b).total.flops == flops


@pytest.mark.parametrize("kernel", ["efficient", "flash", "cudnn"])
def test_fused_kernels_of_other_devices_agree_with_the_stock_counter(kernel):
    operation = getattr(torch.ops.aten, f"_scaled_dot_product_{kernel}_attention")
    q = torch.empty(2, 8, 5, 16, device="meta", dtype=torch.float16)
    k = torch.empty(2, 8, 9, 16, device="meta", dtype=torch.float16)
    extra = {"efficient": (None, False), "flash": (), "cudnn": (None, False)}[kernel]
    recorder = priced(lambda: operation(q, k, k, *extra))
    assert recorder.kinds == {OpKind.ATTENTION}
    assert recorder.total.flops == counted(lambda: operation(q, k, k, *extra)) == 2 * 2 * 8 * 5 * 9 * 32


def test_fewer_key_heads_save_bytes_and_no_flops():
    q, k = torch.randn(1, 8, 5, 16), torch.randn(1, 2, 9, 16)
    recorder = priced(lambda: functional.scaled_dot_product_attention(q, k, k, enable_gqa=True))
    every_head = priced(lambda: functional.scaled_dot_product_attention(q, k.repeat(1, 4, 1, 1), k.repeat(1, 4, 1, 1)))
    assert recorder.total.flops == every_head.total.flops == 2 * 8 * 5 * 9 * 32
    assert recorder.total.read_bytes < every_head.total.read_bytes


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_the_fused_encoder_layer_costs_what_its_parts_cost(activation):
    layer = torch.nn.TransformerEncoderLayer(16, 4, 40, batch_first=True, activation=activation).eval()
    x = torch.randn(3, 7, 16)
    fused = priced(lambda: layer(x))
    assert {name for name, _ in fused.priced} == {"aten._transformer_encoder_layer_fwd"}
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        parts = priced(lambda: layer(x))
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    assert fused.total.flops == parts.total.flops
    assert fused.total.elementwise_flops == parts.total.elementwise_flops
    assert fused.total.read_bytes + fused.total.written_bytes < parts.total.read_bytes + parts.total.written_bytes


def test_a_store_of_one_value_into_many_places_is_not_taken_for_a_scalar():
    x = torch.ones(4, 8)
    recorder = priced(lambda: x.__setitem__(x > 0, 0.0))
    stored = next(p for name, p in recorder.priced if name == "aten.index_put_")
    assert stored.cost.written_bytes == 4 * 8 * 4


def test_expanded_inputs_are_read_once():
    row, x = torch.randn(1, 8), torch.randn(64, 8)
    assert priced(lambda: x + row.expand(64, 8)).total.read_bytes == (64 * 8 + 8) * 4
