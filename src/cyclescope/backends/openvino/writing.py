"""OpenVINO as an engine that writes: the decoder's own file, and a writer that runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cyclescope.backends.artifacts.cache import build_once
from cyclescope.backends.artifacts.standalone.decoding import ends_in
from cyclescope.backends.artifacts.stepped_writer import SteppedWriter
from cyclescope.backends.openvino.computing import cache_precision_of, group_of, precision_of
from cyclescope.backends.openvino.decoder import decoder_of
from cyclescope.backends.openvino.preparing import FILE, quantized, refuse_on_this_processor, save
from cyclescope.backends.openvino.standalone.openvino_stepper import OpenVinoStepper, compiled_decoder
from cyclescope.core.errors import Unsupported
from cyclescope.core.machine import Machine
from cyclescope.core.message import m
from cyclescope.core.plan import Plan, Quantization


def build_writer(model: Any, plan: Plan, machine: Machine, folder: Path) -> SteppedWriter:
    """What writes with `model` by `plan`; its files are made in `folder` unless they are there. Raises `Unsupported`."""
    if plan.threads_between > 1:
        raise Unsupported(m("OpenVINO runs the operations of one call one after the other."), "", m("Leave them out."))
    refuse_on_this_processor(plan)

    def make() -> None:
        made = decoder_of(model)
        save(made if plan.quantization == Quantization.OFF else quantized(made, plan.quantization), folder)

    build_once(folder, make)
    path = folder / FILE
    precision, cache = precision_of(plan), cache_precision_of(plan)
    compiled = compiled_decoder(str(path), plan.threads, precision, group_of(plan), cache)
    return SteppedWriter(
        plan.engine,
        OpenVinoStepper(compiled),
        (path, path.with_suffix(".bin")),
        plan,
        never=ends_in(model.generation_config),
    )
