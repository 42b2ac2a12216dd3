"""What the opening of exported models needs to know about OpenVINO."""

from __future__ import annotations

from pathlib import Path

from cyclescope.backends.exported.opening import Engine
from cyclescope.backends.exported.samples import Samples
from cyclescope.backends.exported.shelf import made_in
from cyclescope.backends.openvino.preparing import FILE, prepare
from cyclescope.backends.openvino.program import OpenVinoProgram
from cyclescope.backends.torch.exporting.exporting import AttentionForm, Exported
from cyclescope.core.errors import Unsupported
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan


def _build(exported: Exported, plan: Plan, machine: Machine, folder: Path, samples: Samples) -> OpenVinoProgram:
    if plan.threads_between > 1:
        raise Unsupported(
            "OpenVINO runs the operations of one call one after the other.",
            "Its streams share out calls, not operations.",
            "Leave threads between operations out.",
        )
    made_in(folder, lambda: prepare(exported, plan, folder, samples))
    return OpenVinoProgram(folder / FILE, plan, exported.outputs, exported.scopes)


ENGINE = Engine((AttentionForm.SPELLED_OUT,), _build)
