"""Predictions over a grid of settings, and how many sequences the memory of the machine holds at each.

Points that differ only in sizes and in factors of the machine are computed together (`sweep_together.py`) where the analytic
model predicts; all others one after the other (`sweep_singly.py`). Either way each is what `predict` gives for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cyclescope.backends.base import Request
from cyclescope.backends.request_checks import check
from cyclescope.core.errors import UsageError
from cyclescope.core.message import m
from cyclescope.core.progress import Notify, silent
from cyclescope.predicting.models import AUTO
from cyclescope.predicting.predict import outlined, plan_of, predict_request, requested, weighed, workload_of
from cyclescope.predicting.settings import FACTORS, Setting, Settings, grid, require_no_threads
from cyclescope.predicting.spreading.request import is_spread, of_one_microbatch, settled
from cyclescope.predicting.sweep_rows import Common, Sweep, SweepRow
from cyclescope.predicting.sweep_singly import Singly
from cyclescope.predicting.sweep_together import Ready, together
from cyclescope.predicting.sweep_variant import SIZES, Variant
from cyclescope.predicting.target import Target

_MOST_SINGLY = 1_000  # predictions that one waits for
_FEW_POINTS = 3  # so many are traced one by one: a family needs as many traces itself


def sweep(
    request: Request,
    found: Target,
    sweeps: Sequence[Sequence[Setting]],
    settings: Settings = Settings(),  # noqa: B008  frozen
    model_kind: str = AUTO,
    progress: Notify = silent,
) -> Sweep:
    """Predict `request` on the machine `found` for every combination of `sweeps`, with `settings` for all of them.

    Raises like `predict`.
    """
    points = grid(sweeps)
    if found.device != "cpu":
        require_no_threads((each[0].name for each in sweeps), "--sweep", found.machine)
        require_no_threads((change.name for change in settings.changes), "--set", found.machine)
    progress("trace", 0.0)
    variants = _variants(request, found, points, settings)
    singly = Singly.of([of_one_microbatch(asked) for variant in variants for asked in variant.ends()])
    ready = Ready()
    rows: list[SweepRow | None] = [None] * len(points)
    for variant in variants:
        done = None
        if len(variant.points) > _FEW_POINTS and not is_spread(variant.request):
            progress("trace", variant.at[0] / len(points))
            families = singly.families(variant.request)
            progress("predict", variant.at[0] / len(points))
            done = together(variant, model_kind, families, ready)
        if done is None and len(variant.points) > _MOST_SINGLY:
            raise UsageError(
                m(
                    "--sweep must make at most {most} predictions here (got {points}).",
                    most=_MOST_SINGLY,
                    points=len(points),
                ),
                m("This timing model predicts them one after the other, or this model follows no simple rule."),
                m("Give fewer values, or use --model analytic."),
            )
        for k, at in enumerate(variant.at):
            if done is None:
                progress("predict", at / len(points))
            rows[at] = done[k] if done is not None else singly.row(variant, k, model_kind)
    return _summed_up(variants[-1], singly, sweeps, settings, [row for row in rows if row is not None], model_kind)


def _variants(
    request: Request, found: Target, points: Sequence[tuple[Setting, ...]], settings: Settings
) -> list[Variant]:
    """The points by all of their settings but sizes and factors."""
    places: dict[tuple[Setting, ...], list[int]] = {}
    for at, point in enumerate(points):
        places.setdefault(tuple(each for each in point if each.name not in (*SIZES, *FACTORS)), []).append(at)
    variants = []
    for kept, here in places.items():
        own = settings.joined(kept)
        first = requested(request, settings.joined(points[here[0]]))
        check(settled(first))
        outline, asked = outlined(first)
        variant = Variant(asked, outline, found, own, tuple(here), tuple(points[k] for k in here))
        for end in variant.ends():
            check(end)
        variants.append(variant)
    return variants


def _summed_up(
    variant: Variant,
    singly: Singly,
    sweeps: Sequence[Sequence[Setting]],
    settings: Settings,
    rows: Sequence[SweepRow],
    kind: str,
) -> Sweep:
    """All rows with what holds for all of them, as one prediction says it: that of the last point, on the machine that
    `settings` make.
    """
    found = variant.found
    asked = variant.asked(len(variant.points) - 1)
    there = variant.target(settings)
    graph = weighed(singly.graph(of_one_microbatch(asked)), variant.settings)
    workload, plan = workload_of(asked, variant.outline), plan_of(asked, variant.outline, there)
    cycle = predict_request(asked, variant.outline, graph, replace(there, notes=found.notes), kind)
    said = cycle.samples.prediction
    assert said is not None
    names, step = tuple(each[0].name for each in sweeps), asked.cache_length is not None
    return Sweep(
        model=workload.model,
        machine=found.machine.processor,
        memory_bytes=found.machine.memory_bytes,
        names=names,
        fixed=settings.changes,
        step=step,
        common=Common.of(workload, plan, asked.cache_length, names, step=step),
        rows=tuple(rows),
        prediction=said,
        ceilings=found.ceilings,
        notes=cycle.notes,
    )
