"""THE tuple of all timing models, and which of them predicts where none is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.errors import UsageError
from cyclescope.core.message import listed, m
from cyclescope.core.plan import Plan
from cyclescope.predicting import analytic
from cyclescope.predicting.fitted import models_for
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


def _analytic(plan: Plan, machine: Ceilings) -> TimingModel:
    return analytic.AnalyticModel()


def _learned(plan: Plan, machine: Ceilings) -> TimingModel | None:
    models = models_for(machine, plan.engine) if plan.device == "cpu" else None
    return models.learned if models is not None else None


def _hybrid(plan: Plan, machine: Ceilings) -> TimingModel | None:
    models = models_for(machine, plan.engine) if plan.device == "cpu" else None
    return models.hybrid if models is not None else None


KINDS: tuple[Kind, ...] = (Kind(analytic.NAME, _analytic), Kind(LEARNED, _learned), Kind(HYBRID, _hybrid))


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
        m("Run `cyclescope calibrate --learn`, or use --model {analytic}.", analytic=analytic.NAME),
    )


def best(predictions: list[tuple[TimingModel, Durations]]) -> int:
    """The position of the prediction whose model had the least mean error on unseen cycles; the first, where none is known."""

    def error(durations: Durations) -> float:
        cycles = durations.errors.cycles
        return mean_error(cycles) if cycles else float("inf")

    return min(range(len(predictions)), key=lambda i: error(predictions[i][1]))
