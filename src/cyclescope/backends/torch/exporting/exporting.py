"""A transformers model as an ONNX file, for engines that read one.

The exporter is that of `torch.export` (`dynamo=True`): what it traces keeps the module path of every operation, and the
masks of transformers come out right, which they do not with the older TorchScript exporter (its mask ignores the padding).
Attention leaves the model through the interface of transformers for attention functions: as one operation that ONNX
Runtime has a kernel for, with no pattern to be found again afterwards, or spelled out in ONNX's own operations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from cyclescope.backends.artifacts.exported_model import AttentionForm, Exported
from cyclescope.backends.errors import memory_error_in
from cyclescope.backends.silence import silence
from cyclescope.backends.torch.exporting.named_outputs import named_outputs
from cyclescope.backends.torch.exporting.scopes import scopes_of
from cyclescope.core.errors import EngineError
from cyclescope.core.message import m
from cyclescope.core.plan import REFERENCE_ENGINE

Inputs = Mapping[str, torch.Tensor]

OPSET = 20  # the first that has GELU as an operation
_ROWS, _LENGTH = 2, 9  # of the example: sizes that no other axis is likely to have, and not 1, which is taken as fixed
_FUSED = "cyclescope_fused"


def export(model: Any, inputs: Inputs, path: Path, attention: AttentionForm, *, fixed_shape: bool = False) -> Exported:
    """Write `model`, as it is called with `inputs`, to `path`. Raises `EngineError` with the exporter's reason.

    The first two axes of whatever has those of the token ids stay free, unless `fixed_shape`.
    """
    example = dict(inputs) if fixed_shape else _example(inputs)
    with _attention(model, attention), torch.no_grad():
        given = model(**example, **_quiet_cache(model))
        outputs = tuple(named_outputs(given))
        wrapper = _Positional(model, tuple(example), outputs).eval()
        try:
            with silence():  # it tells of its steps, and of packages that it would like
                torch.onnx.export(
                    wrapper,
                    tuple(example.values()),
                    str(path),
                    input_names=list(example),
                    output_names=list(outputs),
                    dynamic_shapes=None if fixed_shape else (tuple(_free_axes(inputs, name) for name in example),),
                    opset_version=OPSET,
                    dynamo=True,
                    external_data=True,
                    verbose=False,
                )
        except Exception as exc:
            if memory_error_in(exc) is not None:
                raise
            raise EngineError(
                m("A {class_name} cannot be exported to ONNX.", class_name=type(model).__name__),
                reason(exc),
                m("Use --engine {engine}, which runs the model itself.", engine=REFERENCE_ENGINE),
            ) from exc
    return Exported(path, tuple(example), outputs, attention, fixed_shape, scopes_of(path))


class _Positional(torch.nn.Module):
    """The model with its inputs in a fixed order, and its named outputs as a tuple."""

    def __init__(self, model: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        super().__init__()
        self.model = model
        self._inputs, self._outputs = tuple(inputs), tuple(outputs)

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        given = self.model(**dict(zip(self._inputs, tensors, strict=True)), **_quiet_cache(self.model))
        named = named_outputs(given)
        return tuple(named[name] for name in self._outputs)


def _quiet_cache(model: Any) -> dict[str, Any]:
    """A decoder that only reads would return its cache, which the file must not contain."""
    return {"use_cache": False} if getattr(getattr(model, "config", None), "use_cache", False) else {}


def _example(inputs: Inputs) -> dict[str, torch.Tensor]:
    """`inputs` at another size: rows and tokens repeated or cut, so that no axis is 1 by chance."""
    made = {}
    for name, value in inputs.items():
        axes = _free_axes(inputs, name)
        wanted = {0: _ROWS, 1: _LENGTH}
        for axis in axes:
            times = -(-wanted[axis] // value.shape[axis])
            repeats = [times if k == axis else 1 for k in range(value.dim())]
            value = value.repeat(repeats).narrow(axis, 0, wanted[axis])
        made[name] = value.contiguous()
    return made


def _free_axes(inputs: Inputs, name: str) -> dict[int, Any]:
    """Axes of input `name` that are those of the batch and of the tokens."""
    first = next(value for value in inputs.values() if value.dim() >= 2)
    value = inputs[name]
    free = [axis for axis in range(min(2, value.dim())) if value.shape[axis] == first.shape[axis]]
    if name.startswith("decoder_"):  # a token to begin with, however long the text is
        free = [axis for axis in free if axis == 0]
    return dict.fromkeys(free, torch.export.Dim.DYNAMIC)


# Attention ----------------------------------------------------------------------------------------------------------


@contextmanager
def _attention(model: Any, form: AttentionForm) -> Iterator[None]:
    """Let `model` compute attention in `form` while it is exported."""
    before = getattr(getattr(model, "config", None), "_attn_implementation", None)
    choose = getattr(model, "set_attn_implementation", None)
    if before is None or choose is None:
        yield
        return
    _register()
    choose(_FUSED if form is AttentionForm.FUSED else "eager")
    try:
        yield
    finally:
        choose(before)


def _register() -> None:
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(_FUSED, _fused_attention)
    AttentionMaskInterface.register(_FUSED, _fused_mask)


def _fused_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """`com.microsoft.MultiHeadAttention` of query [B, H, S, D], key and value [B, H or fewer, T, D].

    A mask [B, T] tells which tokens are there, one [B or 1, H or 1, S, T] is added to the scores.
    """
    batch, heads, tokens, _depth = query.shape
    groups = heads // key.shape[1]
    key, value = (t.repeat_interleave(groups, dim=1) if groups > 1 else t for t in (key, value))
    padding = bias = None
    if attention_mask is not None:
        if attention_mask.dim() == 2:
            padding = attention_mask.to(torch.int32)
        else:
            bias = attention_mask
    attributes: dict[str, Any] = {"num_heads": heads}
    if scaling is not None:
        attributes["scale"] = float(scaling)

    def flat(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.transpose(1, 2).reshape(batch, tensor.shape[2], heads * tensor.shape[3])

    # While the outputs are named the model runs unmodified, with the same result in another way.
    if torch.onnx.is_in_onnx_export():
        joined = torch.onnx.ops.symbolic(
            "com.microsoft::MultiHeadAttention",
            (flat(query), flat(key), flat(value), None, padding, bias),
            attributes,
            dtype=query.dtype,
            shape=(batch, tokens, heads * value.shape[3]),
            version=1,
        )
        return joined.view(batch, tokens, heads, value.shape[3]), None
    seen = padding[:, None, None, :].bool() if padding is not None else bias
    result = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=seen, scale=scaling)
    return result.transpose(1, 2), None


def _fused_mask(*sizes: Any, mask_function: Any = None, attention_mask: Any = None, **rest: Any) -> Any:
    """Where every token sees every other, the kernel takes the mask of the tokenizer; else scores get a summand."""
    from transformers.masking_utils import bidirectional_mask_function, eager_mask

    if mask_function is bidirectional_mask_function:
        return attention_mask
    return eager_mask(*sizes, mask_function=mask_function, attention_mask=attention_mask, **rest)


# What the exporter says ---------------------------------------------------------------------------------------------


def reason(exc: BaseException) -> str:
    """One sentence of what the exporter says: that of the innermost cause, which names the construct."""
    while exc.__cause__ is not None:
        exc = exc.__cause__
    line = next((text.strip() for text in str(exc).splitlines() if text.strip()), "")
    return f"{type(exc).__name__}: {line[:300]}" if line else type(exc).__name__
