"""What the calls of a black-box engine cost: the work that the model itself does in them, traced on PyTorch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cyclescope.backends.artifacts.black_box import CallCosts, StoredWeights, continued, costs_of_calls
from cyclescope.backends.base import OpenTimes
from cyclescope.backends.torch.generating.writing import Writer
from cyclescope.backends.torch.session import TorchSession
from cyclescope.backends.torch.steps import Steps
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost
from cyclescope.core.graph.tensor import bits_of
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan, Quantization
from cyclescope.core.workload import Workload

# What an engine stores weights in, by what the plan says of them; else in the plan's dtype.
_STORED = {"int8-dynamic": "int8", "int8-weights": "int8", "int8-static": "int8", "int4-weights": "int4"}
_TRACED = 4  # tokens that are traced: the prefill and some steps, from which the further ones follow


def weights_of(model: Any, plan: Plan) -> StoredWeights:
    """The parameters of `model`, each counted once, as an engine holds them that runs `plan`."""
    dtype = _STORED.get(plan.quantization, plan.dtype)
    held = {id(weight): weight for weight in model.parameters()}.values()
    number = sum(weight.numel() for weight in held)
    bits = sum(8 * weight.numel() * weight.element_size() for weight in held)
    stored = number * bits_of(dtype)
    if plan.quantization is Quantization.INT8_HEAD:
        stored -= model.get_output_embeddings().weight.numel() * (bits_of(dtype) - bits_of("int8"))
    return StoredWeights(number, dtype, stored / max(1, bits))


def cost_of_call(steps: Steps, workload: Workload, plan: Plan, machine: Machine, weights: StoredWeights) -> Cost:
    """The work of one call that encodes."""
    traced = _traced(steps, workload, plan, machine, generates=False)
    return sum(costs_of_calls(traced, weights.bytes_a_byte), Cost())


def generation_costs(steps: Steps, workload: Workload, plan: Plan, machine: Machine) -> CallCosts:
    """The work of each call of a generation, from that of the first few."""
    assert steps.writer is not None
    weights = weights_of(steps.model, plan)
    traced = _traced(_few(steps), workload, plan, machine, generates=True)
    costs = continued(costs_of_calls(traced, weights.bytes_a_byte), steps.writer.new_tokens)
    return CallCosts(costs, weights)


def _traced(steps: Steps, workload: Workload, plan: Plan, machine: Machine, *, generates: bool) -> Graph:
    here = TorchSession(
        steps, workload, Plan(threads=plan.threads), machine, OpenTimes(None, None), generates=generates
    )
    try:
        return here.trace()
    finally:
        here.close()


def _few(steps: Steps) -> Steps:
    """The same with fewer tokens, where the rest follows from them."""
    assert steps.writer is not None
    config = getattr(steps.model, "config", None)
    text = getattr(config, "get_text_config", lambda: config)()
    if getattr(text, "sliding_window", None) or steps.writer.new_tokens <= _TRACED:
        return steps
    return replace(steps, writer=Writer(steps.model, _TRACED, sample=False, cache="dynamic"))
