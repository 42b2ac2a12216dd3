"""What the opening of an exported model must know about ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

from cyclescope.backends.artifacts.cache import build_once
from cyclescope.backends.artifacts.exported_model import AttentionForm, Exported
from cyclescope.backends.artifacts.samples import CalibrationInputs
from cyclescope.backends.onnxruntime.preparing import FILE, prepare
from cyclescope.backends.onnxruntime.program import OnnxRuntimeProgram
from cyclescope.backends.onnxruntime.runtime import refuse_dtype
from cyclescope.backends.onnxruntime.writing import build_writer
from cyclescope.backends.torch.exporting.runtime import Runtime
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan


def _build(
    exported: Exported, plan: Plan, machine: Machine, folder: Path, _samples: CalibrationInputs
) -> OnnxRuntimeProgram:
    refuse_dtype(plan)
    vnni = "vnni" in machine.instruction_set
    build_once(folder, lambda: prepare(exported, plan, folder, vnni=vnni))
    return OnnxRuntimeProgram(folder / FILE, plan, exported.scopes)


RUNTIME = Runtime((AttentionForm.FUSED, AttentionForm.SPELLED_OUT), _build, build_writer)
