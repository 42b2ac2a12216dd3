"""OpenVINO as an engine that writes: the decoder's own file, and a writer that runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cyclescope.backends.exported.shelf import made_in
from cyclescope.backends.exported.standalone.decoding import ends_in
from cyclescope.backends.exported.stepped_writer import SteppedWriter
from cyclescope.backends.openvino.decoder import decoder_of
from cyclescope.backends.openvino.preparing import FILE, group_of, precision_of, quantized, save
from cyclescope.backends.openvino.quiet import import_openvino
from cyclescope.backends.openvino.standalone.openvino_stepper import OpenVinoStepper, compiled_decoder
from cyclescope.core.errors import Unsupported
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan


def build_writer(model: Any, plan: Plan, machine: Machine, folder: Path) -> SteppedWriter:
    """What writes with `model` by `plan`; its files are made in `folder` unless they are there. Raises `Unsupported`."""
    if plan.threads_between > 1:
        raise Unsupported("OpenVINO runs the operations of one call one after the other.", "", "Leave them out.")
    openvino = import_openvino()
    precision = precision_of(plan, openvino.Core())

    def make() -> None:
        made = decoder_of(model)
        save(made if plan.quantization == "off" else quantized(made, plan.quantization), folder)

    made_in(folder, make)
    path = folder / FILE
    cache = cache_precision(plan, precision)
    compiled = compiled_decoder(str(path), plan.threads, precision, group_of(plan), cache)
    return SteppedWriter(
        plan.engine,
        OpenVinoStepper(compiled),
        (path, path.with_suffix(".bin")),
        plan,
        never=ends_in(model.generation_config),
    )


def cache_precision(plan: Plan, precision: str) -> str:
    """What keys and values are kept in: 8 bits where the weights are quantized too, else what is computed in.

    Left alone the plugin keeps them in 8 bits whatever is asked for.
    """
    return precision if plan.quantization == "off" else "u8"
