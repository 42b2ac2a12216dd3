"""From the exported call of a decoder to the file that ONNX Runtime runs: in fewer bits, fused, and through its passes once."""

from __future__ import annotations

from pathlib import Path

import onnx

from cyclescope.backends.onnxruntime.hidden_weights import HiddenWeights, constants_as_weights, hide_weights
from cyclescope.backends.onnxruntime.packing import pack_products, quantize_products
from cyclescope.backends.onnxruntime.passes import ALL, CONSTANTS, passed
from cyclescope.backends.onnxruntime.preparing import FILE
from cyclescope.backends.onnxruntime.screened_head import head_of, screen
from cyclescope.backends.onnxruntime.step_fusing import fuse_step, name_norms, split_sums, turn_weights
from cyclescope.backends.torch.exporting.norms import DOMAIN, OPERATOR
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import Text, m
from cyclescope.core.plan import Plan, Quantization

_PACKED_BITS = {Quantization.INT8_HEAD: 8, Quantization.INT8_WEIGHTS: 8, Quantization.INT4_WEIGHTS: 4}


def prepare_step(exported: Path, plan: Plan, folder: Path, *, vnni: bool) -> None:
    """Make the file that is run, `FILE` in `folder`, of that of one call of a decoder. Raises `Unsupported`.

    `vnni`: the processor sums products of bytes without saturating on the way.
    """
    model = onnx.load(str(exported), load_external_data=False)
    weights = hide_weights(model, exported.parent)
    constants_as_weights(model.graph)
    name_norms(model.graph, DOMAIN, OPERATOR)
    if plan.quantization != Quantization.OFF:
        split_sums(model)
    _quantize(model.graph, weights, plan.quantization, vnni=vnni)
    model = passed(model, plan, CONSTANTS)
    fuse_step(model)
    model = passed(model, plan, ALL)
    turn_weights(model.graph, weights)
    weights.put_back(model, folder / FILE)


def _quantize(graph: onnx.GraphProto, weights: HiddenWeights, how: Quantization, *, vnni: bool) -> None:
    """Quantize the products of `graph`, the head alone or all. Tokens are chosen in float32 where weights have 8 bits."""
    if how is Quantization.INT8_DYNAMIC:
        return quantize_products(graph, weights, vnni=vnni)
    bits = _PACKED_BITS.get(how)
    if bits is None:
        if how is not Quantization.OFF:
            raise _unsupported(how, "", m("Use {known}.", known=", ".join((Quantization.INT8_DYNAMIC, *_PACKED_BITS))))
        return None
    head = head_of(graph, weights)
    if how is Quantization.INT4_WEIGHTS:
        return pack_products(graph, weights, bits)
    if head is not None:
        screen(graph, weights, head)
    if how is Quantization.INT8_WEIGHTS:
        return pack_products(graph, weights, bits)
    if head is None:
        why = m("The logits of this model are more than a product with a weight.")
        raise _unsupported(how, why, m("Use {known}.", known=Quantization.INT8_WEIGHTS))
    return pack_products(graph, weights, bits, lambda node: node.output[0] == head.output[0])


def _unsupported(how: str, why: Text, way_out: Text) -> Unsupported:
    return Unsupported(m("ONNX Runtime does not support the quantization {how}.", how=repr(str(how))), why, way_out)
