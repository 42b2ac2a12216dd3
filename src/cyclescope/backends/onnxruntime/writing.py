"""ONNX Runtime as an engine that writes: a file for one call of the decoder, and a writer that runs it step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cyclescope.backends.artifacts.cache import build_once
from cyclescope.backends.artifacts.standalone.decoding import ends_in
from cyclescope.backends.onnxruntime.preparing import FILE
from cyclescope.backends.onnxruntime.profiled_writer import OnnxRuntimeWriter
from cyclescope.backends.onnxruntime.runtime import refuse_dtype
from cyclescope.backends.onnxruntime.step_preparing import prepare_step
from cyclescope.backends.torch.exporting.exporting_step import export_step
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan

_STEP = "step.onnx"


def build_writer(model: Any, plan: Plan, machine: Machine, folder: Path) -> OnnxRuntimeWriter:
    """What writes with `model` by `plan`; its files are made in `folder` unless they are there, and what they are made of
    beside it, for every plan. Raises `Unsupported` and `EngineError`.
    """
    refuse_dtype(plan)
    vnni = "vnni" in machine.instruction_set
    exported = folder.parent / "onnxruntime-step"

    def make() -> None:
        build_once(exported, lambda: export_step(model, exported / _STEP))
        prepare_step(exported / _STEP, plan, folder, vnni=vnni)

    build_once(folder, make)
    return OnnxRuntimeWriter(folder / FILE, exported / _STEP, plan, ends_in(model.generation_config))
