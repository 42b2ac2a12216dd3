"""One call of a transformers decoder as an ONNX file, with the keys and values of what was read going in and out.

A generation is many such calls. Attention is `com.microsoft.GroupQueryAttention`: it writes what is new into the buffers that
it is given, so that nothing is copied from call to call, and it takes a length for each row, so that rows of other lengths
stand side by side without a mask. Rows therefore begin at the left, and padding is on the right.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from cyclescope.backends.errors import memory_error_in
from cyclescope.backends.silence import silence
from cyclescope.backends.torch.exporting.caching import given_cache, layers_kept
from cyclescope.backends.torch.exporting.exporting import OPSET, reason
from cyclescope.backends.torch.exporting.norms import norms_in_one
from cyclescope.core.errors import EngineError, Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import REFERENCE_ENGINE

# Sizes of the example: rows, new tokens, wanted logits, places in the buffers. No two alike, and none 1, which is fixed.
_ROWS, _NEW, _WANTED, _PLACES = 2, 5, 3, 11
_ATTENTION = "cyclescope_step"
_ROTATE = "apply_rotary_pos_emb"
_WAY_OUT = m("Use --engine {engine}, which runs the model itself.", engine=REFERENCE_ENGINE)
# Arguments of attention functions of transformers that change what is computed, beyond those that are passed on here.
_UNKNOWN = ("s_aux", "position_bias", "head_mask", "encoder_hidden_states", "indices", "block_sequence_ids")


def export_step(model: Any, path: Path) -> None:
    """Write one call of `model` to `path`, its weights beside it. Raises `Unsupported` with what cannot be right, `EngineError`
    with the exporter's reason.

    Goes in: `input_ids` and `position_ids` [B, n], `last_read` [B] (tokens that a row holds after the call, less 1),
    `longest` [] (of the rows after the call), `wanted` [B, k] (which of the B · n tokens have their logits computed), and of
    each layer `past_keys.N`, `past_values.N` [B, heads, places, width]. Comes out: `logits` [B, k, vocabulary],
    `present_keys.N`, `present_values.N`, which may be the very buffers that went in.
    """
    layers, heads, width = _cache_of(model)
    step = _Step(model, layers)
    ids = torch.ones(_ROWS, _NEW, dtype=torch.int64)
    read = torch.full((_ROWS,), _NEW - 1, dtype=torch.int32)
    wanted = torch.arange(_ROWS * _WANTED).reshape(_ROWS, _WANTED)
    past = [torch.zeros(_ROWS, heads, _PLACES, width) for _ in range(2 * layers)]
    example = (ids, ids.cumsum(1) - 1, read, torch.tensor(_NEW, dtype=torch.int32), wanted, *past)
    free = torch.export.Dim.DYNAMIC
    axes = (
        {0: free, 1: free},
        {0: free, 1: free},
        {0: free},
        {},
        {0: free, 1: free},
        *[{0: free, 2: free} for _ in past],
    )
    names = ["input_ids", "position_ids", "last_read", "longest", "wanted"]
    kinds = [f"{kind}.{layer}" for layer in range(layers) for kind in ("keys", "values")]
    with torch.no_grad(), _prepared(model, step), norms_in_one(model):
        try:
            with silence():
                torch.onnx.export(
                    step,
                    example,
                    str(path),
                    input_names=[*names, *(f"past_{kind}" for kind in kinds)],
                    output_names=["logits", *(f"present_{kind}" for kind in kinds)],
                    dynamic_shapes=(axes,),
                    opset_version=OPSET,
                    dynamo=True,
                    optimize=False,  # engines make passes of their own
                    external_data=True,
                    verbose=False,
                )
        except _Refused as refused:
            raise Unsupported(
                m("Generation with a {name} is not supported.", name=type(model).__name__), refused.why, _WAY_OUT
            ) from None
        except Exception as exc:
            if memory_error_in(exc) is not None:
                raise
            raise EngineError(
                m(
                    "A decode step of a {class_name} cannot be exported to ONNX.",
                    class_name=type(model).__name__,
                ),
                reason(exc),
                _WAY_OUT,
            ) from exc


def _cache_of(model: Any) -> tuple[int, int, int]:
    """Layers of the cache of `model`, their heads and their width. Raises `Unsupported` unless all are keys and values."""
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    name = type(model).__name__
    if getattr(model.config, "is_encoder_decoder", False):
        raise Unsupported(
            m("Generation with a {name} is not supported.", name=name),
            m("Its decoder also attends to an encoder."),
            _WAY_OUT,
        )
    if model.get_output_embeddings() is None:
        raise Unsupported(
            m("Generation with a {name} is not supported.", name=name),
            m("It has no head that predicts the next token."),
            _WAY_OUT,
        )
    try:
        kept = layers_kept(model)
    except Exception as exc:
        raise Unsupported(
            m("A {name} keeps its cache in an unsupported way.", name=name), reason(exc), _WAY_OUT
        ) from exc
    kinds = {type(layer) for layer in kept}
    if not kinds or not kinds <= {DynamicLayer, DynamicSlidingWindowLayer}:
        others = sorted(kind.__name__ for kind in kinds - {DynamicLayer, DynamicSlidingWindowLayer})
        raise Unsupported(
            m("Generation with a {name} is not supported.", name=name),
            m("It keeps more than keys and values: {others}.", others=", ".join(others) or "no cache at all"),
            _WAY_OUT,
        )
    shapes = {tuple(t.shape) for layer in kept for t in (layer.keys, layer.values)}
    if len(shapes) != 1:
        raise Unsupported(
            m("Generation with a {name} is not supported.", name=name),
            m("Its layers have caches of several shapes."),
            _WAY_OUT,
        )
    _, heads, _, width = shapes.pop()
    return len(kept), heads, width


class _Step(torch.nn.Module):
    """One call of the model over buffers; it stands in for the model's attention and for its cache while it is exported."""

    def __init__(self, model: Any, layers: int) -> None:
        super().__init__()
        self.model = model
        self._layers = layers
        self._now: _Now | None = None

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        ids, positions, read, longest, wanted, *past = tensors
        self._now = now = _Now(read, longest, wanted, past)
        cache = _cache(self._layers, now)
        given = self.model(input_ids=ids, position_ids=positions, **given_cache(self.model, cache))
        if sorted(now.present) != list(range(self._layers)):
            raise _Refused("Its attention is not that of transformers' interface in every layer.")
        return (given.logits, *(tensor for layer in range(self._layers) for tensor in now.present[layer]))

    def attend(
        self,
        module: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,
        scaling: float | None = None,
        sliding_window: int | None = None,
        softcap: float | None = None,
        **others: Any,
    ) -> tuple[torch.Tensor, None]:
        """An attention function of transformers: query [B, H, n, D], key and value [B, heads, n, D] of the new tokens."""
        now = self._now
        assert now is not None
        meant = [name for name in _UNKNOWN if others.get(name) is not None]
        if meant or attention_mask is not None or not getattr(module, "is_causal", True):
            raise _Refused(f"Its attention takes {', '.join(meant) or 'a mask of its own'}.")
        if now.layer is None or now.layer in now.present:
            raise _Refused("A layer attends without keeping its keys, or twice.")
        rows, heads, tokens, width = query.shape
        attributes: dict[str, Any] = {"num_heads": heads, "kv_num_heads": key.shape[1]}
        if scaling is not None:
            attributes["scale"] = float(scaling)
        if softcap is not None:
            attributes["softcap"] = float(softcap)
        if sliding_window is not None:
            attributes["local_window_size"] = int(sliding_window)
        past = now.past[2 * now.layer : 2 * now.layer + 2]
        out, keys, values = torch.onnx.ops.symbolic_multi_out(
            "com.microsoft::GroupQueryAttention",
            (_flat(query), _flat(key), _flat(value), *past, now.read, now.longest),
            attributes,
            dtypes=[query.dtype] * 3,
            shapes=[(rows, tokens, heads * width), past[0].shape, past[1].shape],
            version=1,
        )
        now.present[now.layer] = (keys, values)
        now.layer = None
        return out.view(rows, tokens, heads, width), None

    def pick(self, _: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """Before the head: of the tokens [B, n, width] those that are wanted [B, k, width]."""
        now = self._now
        assert now is not None
        hidden = given[0]
        return (hidden.reshape(-1, hidden.shape[-1])[now.wanted], *given[1:])

    def rotate(self, query: torch.Tensor, key: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> Any:
        """What `apply_rotary_pos_emb` of Llama gives, one operation each: the table is that of the tokens of this call."""
        rows, tokens = query.shape[0], query.shape[2]
        half = cos.shape[-1] // 2
        table = [t[..., :half].reshape(-1, half) for t in (cos, sin)]
        places = torch.arange(rows * tokens).reshape(rows, tokens)
        turned = []
        for tensor in (query, key):
            flat = torch.onnx.ops.symbolic(
                "com.microsoft::RotaryEmbedding",
                (_flat(tensor), places, *table),
                {"num_heads": tensor.shape[1]},
                dtype=tensor.dtype,
                shape=(rows, tokens, tensor.shape[1] * tensor.shape[3]),
                version=1,
            )
            turned.append(flat.view(rows, tokens, tensor.shape[1], tensor.shape[3]).transpose(1, 2))
        return tuple(turned)


class _Refused(BaseException):
    """What cannot be right, found while the model is exported. No `Exception`, of which the exporter would try two other ways."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(eq=False)
class _Now:
    """The tensors of the call that is being exported; `layer` is the one that has handed over its keys and not attended yet."""

    read: torch.Tensor
    longest: torch.Tensor
    wanted: torch.Tensor
    past: list[torch.Tensor]
    layer: int | None = None

    def __post_init__(self) -> None:
        self.present: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}


def _cache(layers: int, now: _Now) -> Any:
    """A cache of transformers that keeps nothing: attention itself joins what is new with what was read."""
    from transformers.cache_utils import Cache, DynamicLayer

    class Passing(Cache):
        def update(self, key_states: Any, value_states: Any, layer_idx: int, *_: Any, **__: Any) -> tuple[Any, Any]:
            now.layer = layer_idx
            return key_states, value_states

    return Passing(layers=[DynamicLayer() for _ in range(layers)])


def _flat(tensor: torch.Tensor) -> torch.Tensor:
    """[B, H, n, D] as [B, n, H · D]."""
    rows, heads, tokens, width = tensor.shape
    return tensor.transpose(1, 2).reshape(rows, tokens, heads * width)


@contextmanager
def _prepared(model: Any, step: _Step) -> Iterator[None]:
    """Let `model` attend, rotate and predict as `step` has it while it is exported."""
    from transformers import AttentionInterface

    before = model.config._attn_implementation
    AttentionInterface.register(_ATTENTION, step.attend)
    with silence():  # one without a mask: none is made. A model that ignores it is recognized by what it lacks
        model.set_attn_implementation(_ATTENTION)
    hook = model.get_output_embeddings().register_forward_pre_hook(step.pick)
    places = [sys.modules[name] for name in {type(module).__module__ for module in model.modules()}]
    own = [(place, getattr(place, _ROTATE)) for place in places if hasattr(place, _ROTATE)]
    try:
        for place, rotate in own:
            if _is_plain(rotate):
                setattr(place, _ROTATE, _in_place_of(rotate, step))
        yield
    finally:
        for place, rotate in own:
            setattr(place, _ROTATE, rotate)
        hook.remove()
        model.set_attn_implementation(before)


def _is_plain(rotate: Any) -> bool:
    """Whether `rotate` turns the first half of a head's numbers against the second, which one operation can do."""
    generator = torch.Generator().manual_seed(0)
    query, key = (torch.randn(2, heads, 3, 8, generator=generator) for heads in (4, 2))
    angle = torch.randn(2, 3, 4, generator=generator).repeat(1, 1, 2)
    cos, sin = angle.cos(), angle.sin()

    def turned(x: torch.Tensor) -> torch.Tensor:
        return x * cos[:, None] + torch.cat((-x[..., 4:], x[..., :4]), dim=-1) * sin[:, None]

    try:
        given = rotate(query, key, cos, sin)
    except (TypeError, ValueError, RuntimeError):
        return False
    return all(torch.allclose(a, turned(b), atol=1e-6) for a, b in zip(given, (query, key), strict=True))


def _in_place_of(rotate: Any, step: _Step) -> Any:
    """`rotate` by one operation, where it is called in the usual way."""
    usual = inspect.signature(rotate)

    def turn(*given: Any, **named: Any) -> Any:
        call = usual.bind(*given, **named)
        q, k, cos, sin = list(call.arguments.values())[:4]
        whole = cos.dim() == 3 and q.dim() == 4 and cos.shape[-1] == q.shape[-1]
        if not whole or call.arguments.get("unsqueeze_dim", 1) != 1:
            return rotate(*given, **named)
        return step.rotate(q, k, cos, sin)

    return turn
