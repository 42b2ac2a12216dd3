"""THE tuple of all timing models, and which of them predicts where none is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.errors import UsageError
from cyclescope.core.message import listed, m
from cyclescope.core.plan import REFERENCE_ENGINE, Plan
from cyclescope.predicting import analytic
from cyclescope.predicting.fitted import models_for
from cyclescope.predicting.fused.fitted import FittedEngine, engine_for
from cyclescope.predicting.fused.models import NETWORK, FusedAnalytic
from cyclescope.predicting.learned import HYBRID, LEARNED
from cyclescope.predicting.prediction import mean_error
from cyclescope.predicting.timing_model import Durations, TimingModel

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of timing model. `open` gives the one for a plan on a machine; None where there is none: nothing was learned
    for that engine there.
    """

    name: str
    open: Callable[[Plan, Ceilings], TimingModel | None]


def fuses(plan: Plan) -> bool:
    """Whether the engine of `plan` runs a model as a whole, and not operation by operation."""
    return plan.engine != REFERENCE_ENGINE


def _analytic(plan: Plan, machine: Ceilings) -> TimingModel:
    if not fuses(plan):
        return analytic.AnalyticModel()
    fitted = _engine(plan, machine)
    return fitted.analytic if fitted is not None else FusedAnalytic()


def _learned(plan: Plan, machine: Ceilings) -> TimingModel | None:
    if fuses(plan):
        fitted = _engine(plan, machine)
        return fitted.learned if fitted is not None else None
    models = models_for(machine, plan.engine) if plan.device == "cpu" else None
    return models.learned if models is not None else None


def _network(plan: Plan, machine: Ceilings) -> TimingModel | None:
    fitted = _engine(plan, machine) if fuses(plan) else None
    return fitted.network if fitted is not None else None


def _hybrid(plan: Plan, machine: Ceilings) -> TimingModel | None:
    if fuses(plan):
        fitted = _engine(plan, machine)
        return fitted.hybrid if fitted is not None else None
    models = models_for(machine, plan.engine) if plan.device == "cpu" else None
    return models.hybrid if models is not None else None


def _engine(plan: Plan, machine: Ceilings) -> FittedEngine | None:
    return engine_for(machine, plan.engine) if plan.device == "cpu" else None


KINDS: tuple[Kind, ...] = (
    Kind(analytic.NAME, _analytic), Kind(LEARNED, _learned), Kind(NETWORK, _network), Kind(HYBRID, _hybrid),
)  # fmt: skip


def available(plan: Plan, machine: Ceilings) -> tuple[TimingModel, ...]:
    """The timing models that there are for `plan` on `machine`."""
    opened = (kind.open(plan, machine) for kind in KINDS)
    return tuple(model for model in opened if model is not None)


def named_model(name: str, plan: Plan, machine: Ceilings) -> TimingModel:
    """The timing model of the kind `name`. Raises `UsageError` for an unknown kind and where none of it is there."""
    names = [kind.name for kind in KINDS]
    if name not in names:
        raise UsageError(
            m("--model must be a timing model (got {name}).", name=name),
            "",
            m("Known are {known}.", known=listed((AUTO, *names))),
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
        m("Run `{command}`, or use --model {analytic}.", command=_learning(plan), analytic=analytic.NAME),
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
