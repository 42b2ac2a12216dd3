"""From an exported file to a compiled model of OpenVINO: its weights packed if asked for, its precision as the plan says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cyclescope.backends.exported.samples import Samples
from cyclescope.backends.openvino.calibrating import calibrated
from cyclescope.backends.openvino.quiet import import_nncf, import_openvino, without_telemetry
from cyclescope.backends.silence import silence
from cyclescope.backends.torch.exporting import Exported
from cyclescope.core.errors import MissingExtra, Unsupported
from cyclescope.core.plan import Plan

_GROUP = 32  # activations that share a scale where they are quantized as they come
FILE = "model.xml"
_INSTALL = "pip install 'cyclescope[openvino]'"
# By dtype: what the plugin calls it as a precision, and as a capability of the processor.
_PRECISIONS = {"float32": ("f32", "FP32"), "bfloat16": ("bf16", "BF16"), "float16": ("f16", "FP16")}


def prepare(exported: Exported, plan: Plan, folder: Path, samples: Samples) -> None:
    """Make the model's own file, `FILE` (with its weights beside it), in `folder`."""
    openvino = import_openvino()
    model = openvino.Core().read_model(str(exported.path))
    if plan.quantization != "off":
        model = quantized(model, plan.quantization, samples)
    save(model, folder)


def save(model: Any, folder: Path) -> None:
    """Write `model` as `FILE`, with its weights beside it, into `folder`."""
    openvino = import_openvino()
    with without_telemetry():
        openvino.save_model(model, str(folder / FILE), compress_to_fp16=False)


_COMPRESSED = {"int8-dynamic": "INT8_SYM", "int8-weights": "INT8_ASYM", "int4-weights": "INT4_ASYM"}
_CALIBRATED = "int8-static"


def quantized(model: Any, how: str, samples: Samples | None = None) -> Any:
    """A model of OpenVINO in fewer bits; one that is calibrated is so on `samples`. Raises `Unsupported`, `MissingExtra`."""
    if how not in _COMPRESSED and how != _CALIBRATED:
        raise Unsupported(
            f"OpenVINO has no quantization {how!r}.", "", f"Use {', '.join((_CALIBRATED, *_COMPRESSED))}."
        )
    try:
        nncf = import_nncf()
    except ImportError as exc:
        raise MissingExtra("nncf is not installed.", "OpenVINO's models are quantized by it.", _INSTALL) from exc
    with silence():  # it draws bars and tells what it does
        if how == _CALIBRATED:
            if samples is None:
                raise Unsupported("What writes is not calibrated here.", "", "Use int8-dynamic or int8-weights.")
            return calibrated(model, nncf, samples)
        return nncf.compress_weights(model, mode=getattr(nncf.CompressWeightsMode, _COMPRESSED[how]))


def precision_of(plan: Plan, core: Any) -> str:
    """What the plugin calls the dtype of `plan`. Raises `Unsupported` where the processor lacks the precision."""
    if plan.dtype not in _PRECISIONS:
        raise Unsupported(f"OpenVINO does not compute in {plan.dtype}.", "", f"Use {', '.join(_PRECISIONS)}.")
    precision, capability = _PRECISIONS[plan.dtype]
    if capability not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise Unsupported(
            f"OpenVINO does not compute in {plan.dtype} on this processor.",
            "The processor has no instructions for it.",
            "Leave --dtype out.",
        )
    return precision


def group_of(plan: Plan) -> int:
    """How many activations share a scale where they are quantized as they come; 0 where they are not."""
    return _GROUP if plan.quantization == "int8-dynamic" else 0


def compile_model(path: Path, plan: Plan, *, counters: bool) -> Any:
    """A compiled model for one request at a time. Raises `Unsupported` where the processor lacks the precision."""
    openvino = import_openvino()
    core = openvino.Core()
    return core.compile_model(
        str(path),
        "CPU",
        {
            # Left alone it takes bfloat16 wherever the processor has it, whatever the model is stored in.
            "INFERENCE_PRECISION_HINT": precision_of(plan, core),
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": plan.threads,
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": group_of(plan),
            "PERF_COUNT": counters,
        },
    )
