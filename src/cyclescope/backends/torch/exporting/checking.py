"""Whether an engine gives what the model itself gives, and what no engine that runs a file can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from cyclescope.backends.artifacts.program import Arrays
from cyclescope.backends.artifacts.writer import EngineWriter
from cyclescope.backends.artifacts.writing_session import written
from cyclescope.backends.engine import Engine
from cyclescope.backends.torch.exporting.array_calls import array_call
from cyclescope.backends.torch.exporting.named_outputs import named_outputs
from cyclescope.backends.torch.exporting.token_settings import requested_settings
from cyclescope.backends.torch.generating.writing import Writer
from cyclescope.backends.torch.steps import Steps
from cyclescope.core.errors import EngineError, Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import REFERENCE_ENGINE, Batching, Cache, Compiling, Decoding, Plan
from cyclescope.core.units import AnyArray

# Float32 on another engine adds up in another order; a larger difference than this means another model.
_MOST_APART = 1e-3
_CHECKED = 8  # tokens that the engine must write as the model itself does
_WAY_OUT = m("Use --engine {engine}, which runs the model itself.", engine=REFERENCE_ENGINE)


def refuse_plan(plan: Plan, engine: Engine) -> None:
    """Raise `Unsupported` for what no engine of a file makes real."""
    looks_up = plan.drafting == "prompt-lookup" and engine.capabilities.checks_guesses
    refused = (
        (plan.device != "cpu", m("device {device}", device=repr(plan.device))),
        (plan.compiling != Compiling.OFF, m("torch.compile")),
        (plan.drafting != "off" and not looks_up, m("speculative decoding")),
        (plan.decoding != Decoding.GREEDY, m("sampling")),
        (plan.batching == Batching.PACKED, m("packed texts")),
    )
    for is_refused, what in refused:
        if is_refused:
            raise Unsupported(
                m("{engine} does not support {what}.", engine=plan.engine, what=what),
                "",
                m("Use --engine {engine}, or leave it out.", engine=REFERENCE_ENGINE),
            )


def refuse_generation(model: Any, plan: Plan, texts: Sequence[Sequence[int]]) -> None:
    """Raise `Unsupported` for what no engine does that writes here."""
    if plan.cache != Cache.DYNAMIC:
        raise Unsupported(m("{engine} manages its own cache.", engine=plan.engine), "", m("Leave --cache out."))
    if plan.drafting != "off" and any(len(some) > 1 for some in texts):
        raise Unsupported(m("Drafting needs batch size 1."), "", m("Use --batch 1."))
    requested = requested_settings(model.generation_config)
    if requested:
        raise Unsupported(
            m("The model's generation configuration sets {asked}.", asked=", ".join(requested)),
            m("{engine} decodes greedily.", engine=plan.engine),
            _WAY_OUT,
        )


def results_of_model(steps: Steps, inputs: Mapping[str, torch.Tensor]) -> dict[str, AnyArray]:
    """What the model itself gives."""
    with torch.inference_mode():
        given = steps.model(**inputs)
    return {name: value.float().numpy() for name, value in named_outputs(given).items()}


def refuse_other_results(engine: str, given: Arrays, expected: Arrays) -> None:
    """Raise `EngineError` where the engine's results are not those of the model."""
    for name, wanted in expected.items():
        if name not in given:
            raise EngineError(
                m("The exported model gives no {name} on {engine}.", engine=engine, name=name), "", _WAY_OUT
            )
        apart = float(np.max(np.abs(given[name] - wanted), initial=0.0))
        if given[name].shape != wanted.shape or not apart <= _MOST_APART * max(
            1.0, float(np.abs(wanted).max(initial=0))
        ):
            raise EngineError(
                m("The exported model gives other results on {engine} than the model itself.", engine=engine),
                m("{name} differs by up to {apart}.", name=name, apart=f"{apart:.2g}"),
                _WAY_OUT,
            )


def refuse_other_tokens(writer: EngineWriter, steps: Steps) -> None:
    """Raise `EngineError` where the first tokens of the engine are not those of the model."""
    assert steps.writer is not None
    few = Writer(steps.model, min(_CHECKED, steps.writer.new_tokens), sample=False, cache="dynamic")
    with torch.inference_mode():
        wanted = few(steps.inputs()).numpy()
    call = array_call(replace(steps, writer=few), "generate")
    given = written(writer, call, call.arrays())
    if not np.array_equal(given[:, -few.new_tokens :], wanted[:, -few.new_tokens :]):
        raise EngineError(
            m("The exported model generates other tokens on {engine} than the model itself.", engine=writer.engine),
            m("They differ within the first {new_tokens}, in float32.", new_tokens=few.new_tokens),
            _WAY_OUT,
        )
