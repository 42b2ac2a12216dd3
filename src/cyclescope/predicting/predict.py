"""`predict`: from a model, a workload and a machine to a cycle that was never run."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cyclescope.backends.base import DEFAULT_NEW_TOKENS, DEFAULT_TOKENS, ModelOutline, Request
from cyclescope.backends.request_checks import check
from cyclescope.core.ceilings import Ceilings, Origin
from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Text, m, sentences
from cyclescope.core.plan import REFERENCE_ENGINE, Plan
from cyclescope.core.prediction import ANALYTIC, Alternative
from cyclescope.core.progress import Notify, silent
from cyclescope.core.workload import InputSource, Workload
from cyclescope.predicting.models import AUTO, available, best, fuses, named_model
from cyclescope.predicting.prediction import mean_error, predicted_cycle
from cyclescope.predicting.scenarios import has_interval
from cyclescope.predicting.settings import Settings, changed_machine, require_no_threads
from cyclescope.predicting.spreading.cycle import spread_cycle
from cyclescope.predicting.spreading.request import of_one_microbatch, settled
from cyclescope.predicting.target import THIS, Target, target
from cyclescope.predicting.timing_model import Durations, TimingModel
from cyclescope.predicting.weights import with_weights_in
from cyclescope.tracing.structures import outline_of, structure_of


def predict(
    model: str,
    *,
    tokens: int | None = None,
    batch: int | None = None,
    new_tokens: int | None = None,
    cache_length: int | None = None,
    task: str = "auto",
    dtype: str | None = None,
    attention: str | None = None,
    threads: int | None = None,
    engine: str = REFERENCE_ENGINE,
    on: str = THIS,
    machine: Ceilings | Target | None = None,
    tensor: int = 1,
    pipeline: int = 1,
    data: int = 1,
    microbatches: int | None = None,
    model_kind: str = AUTO,
    what_if: Settings = Settings(),  # noqa: B008  frozen
    seed: int = 0,
    trust_remote_code: bool = False,
    progress: Notify = silent,
) -> Cycle:
    """Predict the cycle of `model` for `batch` × `tokens` tokens, without its weights or their memory.

    With `new_tokens` (32 for generative tasks) it is a generation of so many, with `cache_length` one decode step behind so
    many tokens. `on` is `this` machine, as it was calibrated, or one
    of the catalogue; `machine` gives the figures of any other instead. `model_kind` is the timing model; `auto` takes the
    one with the least error on cycles that it was not fitted on. `what_if` changes figures of the machine by factors, and what
    is run. `tensor` ranks share every layer, `pipeline` stages the layers and pass on `microbatches`, and `data` replicas of
    all that share the batch: then it is the cycle of one rank. The other options are those of `measure`.

    Raises like `trace`, and `Unsupported` where the machine lacks a figure that is needed.
    """
    found = target(on, engine, machine)
    if found.device != "cpu":
        require_no_threads((change.name for change in what_if.changes), "--set", found.machine)
    found = changed_target(found, what_if)
    request = Request(
        model=model,
        tokens=tokens,
        batch=batch,
        new_tokens=new_tokens,
        cache_length=cache_length,
        task=task,
        dtype=dtype,
        attention=attention,
        threads=threads,
        device=found.device,
        seed=seed,
        trust_remote_code=trust_remote_code,
        engine=engine,
        tensor=tensor,
        pipeline=pipeline,
        data=data,
        microbatches=microbatches,
    )
    request = settled(requested(request, what_if))
    check(request)
    progress("trace", 0.0)
    outline, request = outlined(request)
    graph = weighed(structure_of(of_one_microbatch(request)), what_if)
    progress("predict", 0.0)
    return predict_request(request, outline, graph, found, model_kind)


def predict_request(
    request: Request, outline: ModelOutline, graph: Graph, found: Target, model_kind: str = AUTO
) -> Cycle:
    """The predicted cycle of `request`, whose `graph` is that of one microbatch; of one rank where it asks for several."""
    workload, plan = workload_of(request, outline), plan_of(request, outline, found)
    if plan.ranks == 1:
        return predict_graph(graph, workload, plan, found, model_kind)
    return spread_cycle(graph, workload, plan, found, lambda rank: chosen(rank, plan, found.ceilings, model_kind).model)


def outlined(request: Request) -> tuple[ModelOutline, Request]:
    """What is known of the model, and the request with the length of a generation where it makes one."""
    outline = outline_of(request)
    if outline.writes and request.cache_length is None and request.new_tokens is None:
        request = replace(request, new_tokens=DEFAULT_NEW_TOKENS)
    return outline, request


def requested(request: Request, settings: Settings) -> Request:
    """`request` with what `settings` change of it."""
    return replace(
        request,
        batch=settings.count("batch", request.batch),
        tokens=settings.count("tokens", request.tokens),
        cache_length=settings.count("cache", request.cache_length),
        threads=settings.count("threads", request.threads),
        dtype=settings.name("dtype", request.dtype),
        attention=settings.name("attention", request.attention),
        tensor=settings.count("tensor", request.tensor) or 1,
        pipeline=settings.count("pipeline", request.pipeline) or 1,
        data=settings.count("data", request.data) or 1,
        microbatches=settings.count("microbatches", request.microbatches),
    )


def changed_target(found: Target, settings: Settings) -> Target:
    """The machine of a prediction with what `settings` change of it, which its notes say."""
    if not settings.changes:
        return found
    machine, ceilings = changed_machine(found.machine, found.ceilings, settings)
    return replace(found, machine=machine, ceilings=ceilings, notes=(*found.notes, *settings.notes))


def weighed(graph: Graph, settings: Settings) -> Graph:
    """`graph` with its weights in the dtype that `settings` name, if they do."""
    dtype = settings.name("weights", None)
    return graph if dtype is None else with_weights_in(graph, dtype)


def predict_graph(graph: Graph, workload: Workload, plan: Plan, found: Target, model_kind: str = AUTO) -> Cycle:
    """The predicted cycle of a graph that is there already."""
    said = chosen(graph, plan, found.ceilings, model_kind)
    return predicted_cycle(
        graph,
        workload,
        plan,
        found.machine,
        said.model,
        said.durations,
        alternatives=said.alternatives,
        notes=(*found.notes, *_of_engine(plan, found, said)),
    )


def _of_engine(plan: Plan, found: Target, said: Chosen) -> tuple[Text, ...]:
    """What a reader must know of a prediction for an engine that fuses: whose graph and figures it rests on."""
    if not fuses(plan):
        return ()
    rests_on = sentences(
        m(
            "{engine} fuses operations and moves them: predicted is the graph as {reference} runs it, with pointwise operations "
            "within the kernels before them.",
            engine=plan.engine,
            reference=REFERENCE_ENGINE,
        ),
        m("The ceilings are those measured with {measured}.", measured=found.ceilings.engine)
        if found.ceilings.origin is Origin.MEASURED and found.ceilings.engine
        else m("The ceilings are those of a datasheet."),
    )
    if said.model.name != ANALYTIC or has_interval(said.durations.errors):
        return (rests_on,)
    if found.device != "cpu" or found.ceilings.origin is not Origin.MEASURED:
        return (
            rests_on,
            m("Nothing was learned of {engine} there, so that its overheads are unknown.", engine=plan.engine),
        )
    return (
        rests_on,
        m(
            "Nothing was learned of {engine} on this machine, so that its overheads are unknown and no interval is stated: "
            "run `cyclescope calibrate --learn --engine {engine}`.",
            engine=plan.engine,
        ),
    )


@dataclass(frozen=True, eq=False)
class Chosen:
    """The timing model that predicts, what it says, and what the others would have said."""

    model: TimingModel
    durations: Durations
    alternatives: tuple[Alternative, ...] = ()


def chosen(graph: Graph, plan: Plan, machine: Ceilings, kind: str = AUTO) -> Chosen:
    """What the timing model named `kind` says of `graph`; by `auto` the one with the least error."""
    if kind != AUTO:
        model = named_model(kind, plan, machine)
        return Chosen(model, model.predict(graph, plan, machine))
    said = [(model, model.predict(graph, plan, machine)) for model in available(plan, machine)]
    number = best(said)
    others = tuple(_alternative(*each) for i, each in enumerate(said) if i != number)
    return Chosen(*said[number], others)


def _alternative(model: TimingModel, durations: Durations) -> Alternative:
    cycles = durations.errors.cycles
    known = has_interval(durations.errors)
    bias = float(np.exp(np.median(cycles))) if known else 1.0
    return Alternative(model.name, float(np.nansum(durations.slot_ns)) * bias, mean_error(cycles) if known else None)


def plan_of(request: Request, outline: ModelOutline, found: Target) -> Plan:
    """How the cycle is run: as asked for, on all cores of a processor."""
    threads = request.threads or (found.machine.cores if found.device == "cpu" else 0)
    return Plan(
        engine=request.engine,
        device=found.device,
        threads=threads,
        dtype=request.dtype or "float32",
        # An engine that runs a file computes attention in a way of its own.
        attention=outline.attention if request.engine == REFERENCE_ENGINE else "engine",
        seed=request.seed,
        tensor=request.tensor,
        pipeline=request.pipeline,
        data=request.data,
        microbatches=request.microbatches or 1,
    )


def workload_of(request: Request, outline: ModelOutline) -> Workload:
    """What is asked of the model: made-up tokens of the length that was given."""
    batch = request.batch or 1
    step = request.cache_length is not None
    tokens = 1 if step and not outline.has_encoder else request.tokens or DEFAULT_TOKENS
    return Workload(
        model=outline.model,
        task=outline.task,
        input_source=InputSource.SYNTHETIC,
        batch=batch,
        tokens_in=tokens,
        real_tokens=batch * tokens,
        characters=0,
        text_bytes=0,
        tokens_out=request.new_tokens or 0,
    )
