"""All timing models, which of them there are for a plan, and which of them predicts where none is named."""

from __future__ import annotations

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.errors import UsageError
from cyclescope.core.message import listed, m
from cyclescope.core.plan import REFERENCE_ENGINE, Plan
from cyclescope.core.prediction import ANALYTIC
from cyclescope.predicting.analytic import AnalyticModel
from cyclescope.predicting.fitted import models_for
from cyclescope.predicting.fused.fitted import engine_for
from cyclescope.predicting.fused.models import NETWORK, FusedAnalytic
from cyclescope.predicting.learned import HYBRID, LEARNED
from cyclescope.predicting.prediction import mean_error
from cyclescope.predicting.timing_model import Durations, TimingModel

AUTO = "auto"


# THE tuple of all timing models, by the names that `--model` takes.
KINDS = (ANALYTIC, LEARNED, NETWORK, HYBRID)


def fuses(plan: Plan) -> bool:
    """Whether the engine of `plan` runs a model as a whole, and not operation by operation."""
    return plan.engine != REFERENCE_ENGINE


def available(plan: Plan, machine: Ceilings) -> tuple[TimingModel, ...]:
    """The timing models that there are for `plan` on `machine`, in the order of `KINDS`; what is not there was not learned."""
    on_cpu = plan.device == "cpu"
    if fuses(plan):
        fitted = engine_for(machine, plan.engine) if on_cpu else None
        return tuple(fitted.models()) if fitted is not None else (FusedAnalytic(),)
    models = models_for(machine, plan.engine) if on_cpu else None
    return (AnalyticModel(), *((models.learned, models.hybrid) if models is not None else ()))


def named_model(name: str, plan: Plan, machine: Ceilings) -> TimingModel:
    """The timing model of the kind `name`. Raises `UsageError` for an unknown kind and where none of it is there."""
    if name not in KINDS:
        raise UsageError(
            m("--model must be a timing model (got {name}).", name=name),
            "",
            m("Known are {known}.", known=listed((AUTO, *KINDS))),
        )
    for model in available(plan, machine):
        if model.name == name:
            return model
    raise UsageError(
        m(
            "There is no {name} timing model for {engine} on {machine}.",
            name=name,
            engine=plan.engine,
            machine=machine.machine,
        ),
        m("Nothing was learned there."),
        m("Run `{command}`, or use --model {analytic}.", command=_learning(plan), analytic=ANALYTIC),
    )


def _learning(plan: Plan) -> str:
    command = "cyclescope calibrate --learn"
    return f"{command} --engine {plan.engine}" if fuses(plan) else command


def best(predictions: list[tuple[TimingModel, Durations]]) -> int:
    """The position of the prediction whose model had the least mean error on unseen cycles; the first, where none is known."""

    def error(durations: Durations) -> float:
        cycles = durations.errors.cycles
        return mean_error(cycles) if cycles else float("inf")

    return min(range(len(predictions)), key=lambda i: error(predictions[i][1]))
