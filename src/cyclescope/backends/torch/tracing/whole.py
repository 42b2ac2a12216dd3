"""A model whose calls cannot be told apart: one operation, with the cost of what it consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cyclescope.backends.torch.steps import Steps, describe_inputs
from cyclescope.backends.torch.tracing.compiled import uncompiled
from cyclescope.backends.torch.tracing.tracing import Traced, Tracer


def trace_whole(steps: Steps, device: str, prepare: Callable[[], None], *, generates: bool) -> Traced:
    """The cycle of `steps` with the model's part as one operation. `prepare` is called before the run, whose mode of
    gradients is the caller's.

    FLOPs are those of the model as it is written: compiling joins operations and leaves out no product. Of bytes only
    those count that stood there before (weights, inputs) or are the result, since what lies between may never reach memory.
    """
    tracer = Tracer(steps.model, None, device)
    with uncompiled():
        inputs = steps.inputs()
        describe_inputs(tracer, steps, inputs, steps.fixed)
        prepare()
        result: Any = tracer.run_whole(type(steps.model).__name__, lambda: steps.run(inputs))
        if steps.read_out is not None:
            tracer.read_out(type(steps.read_out).__name__, result)
    traced = tracer.finish(device, generates=generates)
    return Traced(replace(traced.graph, opaque=True), traced.keys)
