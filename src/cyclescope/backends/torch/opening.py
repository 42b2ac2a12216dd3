"""From a request to a session on PyTorch."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from cyclescope.backends.base import ModelOutline, OpenTimes, Request
from cyclescope.backends.settings import note_imports
from cyclescope.backends.torch.keeping.settings import quiet
from cyclescope.backends.torch.packages import PACKAGES
from cyclescope.core.errors import UsageError
from cyclescope.core.machine import Machine
from cyclescope.core.message import m
from cyclescope.core.plan import Cache, Decoding, Plan, departs
from cyclescope.machines.host import read_machine
from cyclescope.models.reference import resolve

if TYPE_CHECKING:
    import torch

    from cyclescope.backends.torch.calls import TorchCalls
    from cyclescope.backends.torch.generating.dialogue import TorchDialogue
    from cyclescope.backends.torch.loading.loading import Loaded
    from cyclescope.backends.torch.session import TorchSession
    from cyclescope.backends.torch.steps import Steps
    from cyclescope.backends.torch.tracing.tracing import Traced
    from cyclescope.core.graph.graph import Graph

_LARGEST_SEED = 2**63 - 1
# The thread library ends the whole process, without a word of ours, where the system gives it no more threads.
_MOST_THREADS_A_CORE = 64


def open_torch(request: Request) -> TorchSession | TorchCalls:
    """Load what `request` names and make it ready to run. Importing the framework is timed apart."""
    import_ns = _ready(request)
    request = _where_it_lies(request)

    from cyclescope.backends.errors import engine_errors
    from cyclescope.backends.torch.keeping.repeats import Repeats
    from cyclescope.backends.torch.loading.generation_settings import generation_settings
    from cyclescope.backends.torch.loading.heads import is_decoder
    from cyclescope.backends.torch.loading.inputs import prepare
    from cyclescope.backends.torch.loading.loading import in_hand, load
    from cyclescope.backends.torch.session import TorchSession

    begin = perf_counter_ns()
    by_name = isinstance(request.model, str)
    loaded = load(request) if by_name else in_hand(request)
    load_ns = perf_counter_ns() - begin if by_name else None
    if request.plan is not None and departs(request.plan):
        return _open_planned(request, loaded, OpenTimes(import_ns, load_ns))
    with engine_errors(m("prepare the input")):
        steps, workload, notes = prepare(request, loaded)
    plan = _plan_of(request, loaded.model)
    if steps.writer is not None:
        plan = replace(plan, cache=generation_settings(loaded.model, request).cache)
    generates = is_decoder(getattr(loaded.model, "config", None))
    build = loaded.build
    return TorchSession(
        steps,
        workload,
        plan,
        _machine_of(request),
        OpenTimes(import_ns, load_ns),
        trace_on_meta=None
        if build is None or steps.writer is not None
        else lambda inputs: _trace_on_meta(build, steps, inputs, plan, generates),
        generates=generates,
        notes=(*((loaded.note,) if loaded.note else ()), *notes),
        repeats=None if by_name else Repeats(loaded.model, steps.given),
    )


def _open_planned(request: Request, loaded: Loaded, times: OpenTimes) -> TorchSession | TorchCalls:
    """A session for a plan other than the unmodified model."""
    from cyclescope.backends.torch.loading.heads import is_decoder
    from cyclescope.backends.torch.planning import open_planned

    assert request.plan is not None
    in_force = _plan_of(request, loaded.model)
    plan = replace(request.plan, dtype=in_force.dtype, attention=in_force.attention, threads=in_force.threads)
    build, generates = loaded.build, is_decoder(getattr(loaded.model, "config", None))

    def structure(steps: Steps, inputs: dict[str, Any]) -> Graph | None:
        traced = _trace_on_meta(build, steps, inputs, plan, generates) if build is not None else None
        return traced.graph if traced is not None else None

    return open_planned(request, loaded, plan, _machine_of(request), times, structure)


def preload_torch(request: Request) -> None:
    """Import the framework, load what `request` names and keep it. Raises like `open_torch`."""
    _ready(request)
    from cyclescope.backends.torch.loading.loading import keep

    keep(request)


def open_torch_dialogue(request: Request, template: str) -> TorchDialogue:
    """Load what `request` names and hold the dialogue of its texts once. Raises like `open_torch`."""
    _ready(request)
    request = _where_it_lies(request)
    from cyclescope.backends.torch.generating.dialogue import TorchDialogue
    from cyclescope.backends.torch.loading.loading import in_hand, load

    loaded = load(request) if isinstance(request.model, str) else in_hand(request)
    return TorchDialogue(request, loaded, _plan_of(request, loaded.model), _machine_of(request), template)


def _ready(request: Request) -> int | None:
    """Refuse what can be refused without a model, and import the framework; how long that took, as `_import_framework`."""
    if isinstance(request.model, str):
        resolve(request.model)  # a name that is none is refused at once, before seconds of imports
    import_ns = _import_framework()
    from cyclescope.backends.torch.stamping.device import check_device

    check_device(request.device)
    _check_numbers(request)
    return import_ns


def _where_it_lies(request: Request) -> Request:
    """A model in hand runs where it lies, and is not moved. Raises `UsageError` where another device was asked for."""
    import torch

    model = request.model
    first = next(model.parameters(), None) if isinstance(model, torch.nn.Module) else None
    if first is None or first.is_meta:
        return request
    lies, requested = str(first.device), request.device
    if requested in ("cpu", lies, first.device.type):  # `cpu` is the default
        return replace(request, device=lies)
    raise UsageError(
        m("The model is on {lies}, not on {asked}.", lies=lies, asked=requested),
        m("A model object is measured on its own device."),
        m("Move it first: model.to({asked}).", asked=repr(requested)),
    )


def _machine_of(request: Request) -> Machine:
    from cyclescope.backends.torch.stamping.device import device_name

    return read_machine(request.device, device_name(request.device), PACKAGES)


def _plan_of(request: Request, model: torch.nn.Module) -> Plan:
    from cyclescope.backends.torch.loading.sizes import computing_dtype

    return Plan(
        engine="torch",
        device=request.device,
        threads=request.threads or 0,
        dtype=str(computing_dtype(model)).removeprefix("torch."),
        attention=str(getattr(getattr(model, "config", None), "_attn_implementation", None) or "own"),
        seed=request.seed,
        cache=Cache(request.cache),
        decoding=Decoding(request.sampling),
    )


def outline_only(request: Request) -> ModelOutline:
    """What is known of a named model without its weights or their memory."""
    _import_framework()
    from cyclescope.backends.torch.loading.heads import WRITE
    from cyclescope.backends.torch.loading.inputs import facts_of, longest_input
    from cyclescope.backends.torch.loading.loading import named, recipe, shown_reference
    from cyclescope.backends.torch.loading.modalities import refuse_no_text
    from cyclescope.backends.torch.tracing.concrete_values import ConcreteValues
    from cyclescope.backends.torch.tracing.meta import build_on_meta

    made = recipe(request)
    refuse_no_text(made.config, shown_reference(str(request.model)))
    shell = build_on_meta(made.build, ConcreteValues())
    facts = facts_of(named(made, request, shell), longest_input(shell, None))
    attention = _plan_of(request, shell).attention
    has_encoder = bool(getattr(made.config, "is_encoder_decoder", False))
    return ModelOutline(facts, made.task, attention, made.head == WRITE, has_encoder)


def trace_only(request: Request) -> Graph:
    """The structure of a named model for an input of `request.tokens` tokens, without its weights or their memory; or of
    one decode step behind `request.cache_length` tokens.
    """
    _import_framework()
    from cyclescope.backends.errors import engine_errors
    from cyclescope.backends.torch.loading.heads import is_decoder
    from cyclescope.backends.torch.loading.inputs import synthetic_steps
    from cyclescope.backends.torch.loading.loading import recipe, shown_reference
    from cyclescope.backends.torch.loading.modalities import refuse_no_text
    from cyclescope.core.errors import EngineError
    from cyclescope.models.quantized import ignored

    made = recipe(request)
    refuse_no_text(made.config, shown_reference(str(request.model)))
    attention = request.attention or "sdpa"
    plan = Plan(device=request.device, dtype=request.dtype or "float32", attention=attention, seed=request.seed)
    generates = is_decoder(made.config)
    with engine_errors(m("trace the model")):
        if request.cache_length is not None:
            traced = _trace_step(made.build, request, request.cache_length, plan)
        elif request.new_tokens is not None:
            traced = _trace_generation(made.build, request, request.new_tokens, plan)
        else:
            steps = synthetic_steps(made.build, request)
            traced = _trace_on_meta(made.build, steps, steps.given, plan, generates)
    if traced is None:
        raise EngineError(
            m("{model} cannot be traced without its weights.", model=str(request.model)),
            m("Its control flow depends on values that depend on the weights."),
            m("Use `cyclescope measure`, which traces the model itself."),
        )
    if made.stored is not None:
        return replace(traced.graph, notes=(*traced.graph.notes, ignored(made.stored)))
    return traced.graph


def _trace_step(build: Callable[[], torch.nn.Module], request: Request, cache_length: int, plan: Plan) -> Traced | None:
    """One decode step, or None where the model decides by values that depend on its weights."""
    from cyclescope.backends.torch.loading.inputs import step_inputs
    from cyclescope.backends.torch.tracing.concrete_values import ValueUnknown
    from cyclescope.backends.torch.tracing.decode_step import trace_step

    try:
        return trace_step(build, step_inputs(build, request), cache_length, plan.device.partition(":")[0])
    except ValueUnknown:
        return None


def _trace_generation(
    build: Callable[[], torch.nn.Module], request: Request, new_tokens: int, plan: Plan
) -> Traced | None:
    """A whole generation, or None where the model decides by values that depend on its weights."""
    from cyclescope.backends.torch.generating.writing import refuse_beyond_context
    from cyclescope.backends.torch.loading.inputs import longest_input, synthetic_steps
    from cyclescope.backends.torch.tracing.concrete_values import ValueUnknown
    from cyclescope.backends.torch.tracing.decode_step import trace_generation

    steps = synthetic_steps(build, request)
    model: Any = steps.model
    tokens = int(steps.given["input_ids"].shape[1])
    refuse_beyond_context(tokens, new_tokens, longest_input(model, None), not model.config.is_encoder_decoder)
    try:
        return trace_generation(build, steps.given, new_tokens, plan.device.partition(":")[0])
    except ValueUnknown:
        return None


def _import_framework() -> int | None:
    """Nanoseconds that importing the framework takes; None where it was there already. From then on it is quiet."""
    if "torch" in sys.modules and "transformers" in sys.modules:
        note_imports()
        quiet()
        return None
    begin = perf_counter_ns()
    import torch
    import transformers
    import transformers.models.auto

    elapsed = perf_counter_ns() - begin
    assert torch.__version__
    assert transformers.__version__
    note_imports()
    quiet()
    return elapsed


def _check_numbers(request: Request) -> None:
    """Numbers that PyTorch cannot take. Raises `UsageError`."""
    if request.seed > _LARGEST_SEED:
        raise UsageError(
            m("--seed must be at most {largest_seed} (got {seed}).", largest_seed=_LARGEST_SEED, seed=request.seed),
            "",
            m("Give a whole number from 0 to {largest_seed}.", largest_seed=_LARGEST_SEED),
        )
    most = _MOST_THREADS_A_CORE * (os.cpu_count() or 1)
    if request.threads is not None and request.threads > most:
        raise UsageError(
            m("--threads must be at most {most} here (got {threads}).", most=most, threads=request.threads),
            m("This machine has {cores} cores.", cores=os.cpu_count() or 1),
            m("Give a whole number from 1 to {most}; more threads than cores seldom help.", most=most),
        )


def _trace_on_meta(
    build: Callable[[], torch.nn.Module], steps: Steps, inputs: dict[str, Any], plan: Plan, generates: bool
) -> Traced | None:
    """The structure from the model class alone, or None where it decides by values that depend on its weights."""
    import torch

    from cyclescope.backends.torch.steps import describe_inputs
    from cyclescope.backends.torch.tracing.concrete_values import ConcreteValues, ValueUnknown
    from cyclescope.backends.torch.tracing.meta import build_on_meta, to_meta
    from cyclescope.backends.torch.tracing.tracing import Tracer

    concrete_values = ConcreteValues()

    def moved(tensors: dict[str, Any]) -> dict[str, Any]:
        return {k: to_meta(v, concrete_values) if isinstance(v, torch.Tensor) else v for k, v in tensors.items()}

    model = build_on_meta(build, concrete_values)
    on_meta, fixed = moved(dict(inputs)), moved(steps.fixed)
    tracer = Tracer(model, concrete_values, plan.device.partition(":")[0])
    describe_inputs(tracer, steps, on_meta, fixed)
    try:
        with torch.no_grad():
            result = tracer.run(lambda: model(**on_meta, **fixed))
    except ValueUnknown:
        return None
    if steps.read_out is not None:
        tracer.read_out(type(steps.read_out).__name__, result)
    return tracer.finish("meta", generates=generates)
