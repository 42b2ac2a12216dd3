"""From an exported file to the one that ONNX Runtime runs: joined, quantized, and through its own passes once."""

from __future__ import annotations

from pathlib import Path

import onnx

from cyclescope.backends.artifacts.exported_model import AttentionForm, Exported
from cyclescope.backends.onnxruntime.fusing import join_projections
from cyclescope.backends.onnxruntime.runtime import settings, start
from cyclescope.backends.silence import silence
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import Plan

UNFUSED = "unfused"  # the change of a plan that leaves the projections of attention apart
FILE = "engine.onnx"
_STEPS = ("source", "quantized")
_BLOCK = 32  # weights that share a scale, where they are packed to less than a byte each
# The accuracy level at which products with packed weights are computed in 8 bits; in float32 those with 8 bits take ten times
# as long here.
_IN_BYTES = 4
_LARGE_BYTES = 1 << 30  # one protobuf message holds 2 GB at most


def prepare(exported: Exported, plan: Plan, folder: Path, *, vnni: bool) -> None:
    """Make the file that is run, `FILE` in `folder`. `vnni`: the processor sums products of bytes without saturating on the way."""
    model = onnx.load(str(exported.path))
    fused = exported.attention is AttentionForm.FUSED and not any(c.name == UNFUSED for c in plan.changes)
    if fused:
        join_projections(model)
    _finish(model, plan, folder, vnni=vnni)


def _finish(model: onnx.ModelProto, plan: Plan, folder: Path, *, vnni: bool) -> None:
    """Quantize `model`, let the engine make its passes, and keep what comes of them."""
    source = folder / "source.onnx"
    _save(model, source)
    quantized = _quantize(source, plan.quantization, folder, vnni=vnni)
    made = folder / FILE
    options = settings(plan)
    options.optimized_model_filepath = str(made)
    weights = "session.optimized_model_external_initializers"
    options.add_session_config_entry(f"{weights}_file_name", f"{made.name}.weights")
    options.add_session_config_entry(f"{weights}_min_size_in_bytes", "1024")
    start(quantized, options)
    for step in _STEPS:
        for path in folder.glob(f"{step}.onnx*"):
            path.unlink()


def _save(model: onnx.ModelProto, path: Path) -> None:
    onnx.save_model(model, str(path), save_as_external_data=True, location=f"{path.name}.weights", size_threshold=1024)


def _quantize(source: Path, how: str, folder: Path, *, vnni: bool) -> Path:
    if how == "off":
        return source
    made = folder / "quantized.onnx"
    large = sum(path.stat().st_size for path in folder.glob(f"{source.name}*")) > _LARGE_BYTES
    with silence():  # the quantizers advise and count aloud
        if how == "int8-dynamic":
            from onnxruntime.quantization import QuantType, quantize_dynamic

            # Without those instructions sums of two products saturate at 16 bits, unless weights have 7.
            quantize_dynamic(
                source,
                made,
                weight_type=QuantType.QInt8,
                per_channel=True,
                reduce_range=not vnni,
                use_external_data_format=large,
                extra_options={"MatMulConstBOnly": True},
            )
        elif how in ("int8-weights", "int4-weights"):
            from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

            bits = 8 if how == "int8-weights" else 4
            quantizer = MatMulNBitsQuantizer(
                onnx.load(str(source)), bits=bits, block_size=_BLOCK, is_symmetric=True, accuracy_level=_IN_BYTES
            )
            quantizer.process()
            quantizer.model.save_model_to_file(str(made), use_external_data_format=large)
        else:
            raise Unsupported(
                m("ONNX Runtime does not support the quantization {how}.", how=repr(how)),
                "",
                m("Use int8-dynamic, int8-weights or int4-weights."),
            )
    return made
