"""The reference and PyTorch agree: on fused attention, on `nn.MultiheadAttention`, and on a layer of a real BERT."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from cyclescope.core.units import FloatArray
from cyclescope.explaining.attention_reference import attention, multi_head


def _random(*shape: int, seed: int) -> FloatArray:
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize(("n", "m", "d_k", "d_v"), [(5, 5, 1, 1), (16, 16, 64, 64), (3, 7, 8, 5)])
def test_scaled_dot_product_attention(n: int, m: int, d_k: int, d_v: int) -> None:
    q, k, v = _random(n, d_k, seed=1), _random(m, d_k, seed=2), _random(m, d_v, seed=3)
    theirs = scaled_dot_product_attention(*(torch.from_numpy(x)[None, None] for x in (q, k, v)))

    assert np.allclose(attention(q, k, v).output, theirs[0, 0].numpy(), rtol=1e-10, atol=1e-12)


def test_worked_example_of_the_tutorial() -> None:
    q, v = torch.arange(1.0, 6.0).reshape(1, 1, 5, 1), torch.tensor([1.0, 0, 1, 0, 1]).reshape(1, 1, 5, 1)
    theirs = scaled_dot_product_attention(q, torch.ones_like(q), v, scale=10**-0.5)

    assert torch.allclose(theirs, torch.tensor(0.6))


def test_multi_head_attention() -> None:
    h, d = 4, 6
    x = _random(9, h * d, seed=4)
    block = torch.nn.MultiheadAttention(h * d, h, bias=False, batch_first=True, dtype=torch.float64).eval()
    with torch.no_grad():
        theirs, weights = block(*(torch.from_numpy(x)[None],) * 3, average_attn_weights=False)
    # One matrix holds the projections of Q, K and V, each [h · d, d_model]; row i · d begins head i.
    w_q, w_k, w_v = (w.detach().numpy().reshape(h, d, h * d).transpose(0, 2, 1) for w in block.in_proj_weight.chunk(3))
    ours = multi_head(x, x, x, w_q, w_k, w_v, block.out_proj.weight.detach().numpy().T)

    assert np.allclose(ours.output, theirs[0].numpy(), rtol=1e-10, atol=1e-12)
    assert np.allclose([head.weights for head in ours.heads], weights[0].numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_attention_of_a_transformers_bert_layer(implementation: str) -> None:
    from transformers import BertConfig, BertModel

    h, d = 3, 8
    config = BertConfig(
        vocab_size=50, hidden_size=h * d, num_hidden_layers=1, num_attention_heads=h, intermediate_size=32
    )
    config._attn_implementation = implementation
    block = BertModel(config).double().eval().encoder.layer[0].attention
    x = _random(7, h * d, seed=5)
    inner, outer = block.self, block.output.dense
    with torch.no_grad():
        for projection in (inner.query, inner.key, inner.value):
            projection.bias.zero_()  # as the paper has it
        theirs = inner(torch.from_numpy(x)[None])[0][0].reshape(7, h * d) @ outer.weight.T
    w_q, w_k, w_v = (
        p.weight.detach().numpy().reshape(h, d, h * d).transpose(0, 2, 1) for p in (inner.query, inner.key, inner.value)
    )
    ours = multi_head(x, x, x, w_q, w_k, w_v, outer.weight.detach().numpy().T)

    assert np.allclose(ours.output, theirs.numpy(), rtol=1e-9, atol=1e-12)
