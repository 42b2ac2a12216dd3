"""What the opening of exported models needs to know about ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

from cyclescope.backends.exported.opening import Engine
from cyclescope.backends.exported.samples import Samples
from cyclescope.backends.exported.shelf import made_in
from cyclescope.backends.onnxruntime.preparing import FILE, prepare
from cyclescope.backends.onnxruntime.program import OnnxRuntimeProgram
from cyclescope.backends.onnxruntime.runtime import refuse_dtype
from cyclescope.backends.torch.exporting.exporting import AttentionForm, Exported
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan


def _build(exported: Exported, plan: Plan, machine: Machine, folder: Path, _samples: Samples) -> OnnxRuntimeProgram:
    refuse_dtype(plan)
    vnni = "vnni" in machine.instruction_set
    made_in(folder, lambda: prepare(exported, plan, folder, vnni=vnni))
    return OnnxRuntimeProgram(folder / FILE, plan, exported.scopes)


ENGINE = Engine((AttentionForm.FUSED, AttentionForm.SPELLED_OUT), _build)
