"""What the opening of an exported model must know about OpenVINO."""

from __future__ import annotations

from pathlib import Path

from cyclescope.backends.artifacts.cache import build_once
from cyclescope.backends.artifacts.exported_model import AttentionForm, Exported
from cyclescope.backends.artifacts.samples import CalibrationInputs
from cyclescope.backends.openvino.preparing import FILE, prepare
from cyclescope.backends.openvino.program import OpenVinoProgram
from cyclescope.backends.openvino.writing import build_writer
from cyclescope.backends.torch.exporting.runtime import Runtime
from cyclescope.core.errors import Unsupported
from cyclescope.core.machine import Machine
from cyclescope.core.message import m
from cyclescope.core.plan import Plan


def _build(
    exported: Exported, plan: Plan, machine: Machine, folder: Path, samples: CalibrationInputs
) -> OpenVinoProgram:
    if plan.threads_between > 1:
        raise Unsupported(
            m("OpenVINO runs the operations of one call one after the other."),
            m("Its streams run calls in parallel, not operations."),
            m("Leave threads between operations out."),
        )
    build_once(folder, lambda: prepare(exported, plan, folder, samples))
    return OpenVinoProgram(folder / FILE, plan, exported.outputs, exported.scopes)


RUNTIME = Runtime((AttentionForm.SPELLED_OUT,), _build, build_writer)
