"""From an exported file to a compiled model of OpenVINO: its weights packed if asked for, its precision as the plan says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cyclescope.backends.artifacts.exported_model import Exported
from cyclescope.backends.artifacts.samples import CalibrationInputs
from cyclescope.backends.engine import install_command
from cyclescope.backends.openvino.calibrating import calibrated
from cyclescope.backends.openvino.computing import capability_of, group_of, precision_of
from cyclescope.backends.openvino.quiet import import_nncf, import_openvino, without_telemetry
from cyclescope.backends.openvino.standalone.openvino_model import plugin_settings
from cyclescope.backends.silence import silence
from cyclescope.core.errors import MissingExtra, Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import Plan, Quantization

FILE = "model.xml"


def prepare(exported: Exported, plan: Plan, folder: Path, samples: CalibrationInputs) -> None:
    """Make the model's own file, `FILE` (with its weights beside it), in `folder`."""
    openvino = import_openvino()
    model = openvino.Core().read_model(str(exported.path))
    if plan.quantization != Quantization.OFF:
        model = quantized(model, plan.quantization, samples, fixed_shape=exported.fixed_shape)
    save(model, folder)


def save(model: Any, folder: Path) -> None:
    """Write `model` as `FILE`, with its weights beside it, into `folder`."""
    openvino = import_openvino()
    with without_telemetry():
        openvino.save_model(model, str(folder / FILE), compress_to_fp16=False)


_COMPRESSED = {"int8-dynamic": "INT8_SYM", "int8-weights": "INT8_ASYM", "int4-weights": "INT4_ASYM"}
_CALIBRATED = "int8-static"


def quantized(model: Any, how: str, samples: CalibrationInputs | None = None, *, fixed_shape: bool = False) -> Any:
    """A model of OpenVINO in fewer bits; one that is calibrated is so on `samples`. Raises `Unsupported`, `MissingExtra`."""
    if how not in _COMPRESSED and how != _CALIBRATED:
        raise Unsupported(
            m("OpenVINO does not support the quantization {how}.", how=repr(how)),
            "",
            m("Use {names}.", names=", ".join((_CALIBRATED, *_COMPRESSED))),
        )
    try:
        nncf = import_nncf()
    except ImportError as exc:
        raise MissingExtra(
            m("nncf is not installed."), m("It quantizes the models of OpenVINO."), install_command("openvino")
        ) from exc
    with silence():  # it draws bars and tells what it does
        if how == _CALIBRATED:
            if samples is None:
                raise Unsupported(
                    m("Models that generate cannot be calibrated."), "", m("Use int8-dynamic or int8-weights.")
                )
            return calibrated(model, nncf, samples, fixed_shape=fixed_shape)
        return nncf.compress_weights(model, mode=getattr(nncf.CompressWeightsMode, _COMPRESSED[how]))


def refuse_on_this_processor(plan: Plan) -> None:
    """Raise `Unsupported` where the processor lacks the precision of `plan`."""
    capable = import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if capability_of(plan) not in capable:
        raise Unsupported(
            m("OpenVINO does not compute in {dtype} on this processor.", dtype=plan.dtype),
            m("The processor has no instructions for it."),
            m("Leave --dtype out."),
        )


def compile_model(path: Path, plan: Plan, *, counters: bool) -> Any:
    """A compiled model for one request at a time. Raises `Unsupported` where the processor lacks the precision."""
    refuse_on_this_processor(plan)
    settings = plugin_settings(plan.threads, precision_of(plan), group_of(plan))
    return import_openvino().Core().compile_model(str(path), "CPU", settings | {"PERF_COUNT": counters})
