"""`cyclescope predict MODEL`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.cycles import deliver_cycle, save_run
from cyclescope.cli.deliver import Forms, deliver
from cyclescope.cli.files import require_places
from cyclescope.cli.options import (
    ENGINE,
    AttentionOption,
    DtypeOption,
    ModelArgument,
    NewTokensOption,
    SeedOption,
    Task,
    TrustRemoteCode,
    budget_option,
    known_engine,
    optional,
)
from cyclescope.core.errors import UsageError
from cyclescope.core.message import N_, m
from cyclescope.core.plan import REFERENCE_ENGINE

if TYPE_CHECKING:
    from cyclescope.core.cycle import Cycle


def predict(
    model: ModelArgument,
    *,
    on: Annotated[
        str,
        typer.Option(
            metavar="MACHINE", help=N_("Machine: this (as calibrated), or one of the catalogue, such as 'H100 PCIe'")
        ),
    ] = "this",
    tokens: Annotated[int | None, optional(N_("Length of each sequence of synthetic tokens (default: 128)"))] = None,
    batch: Annotated[int | None, optional(N_("Batch size (default: 1)"))] = None,
    new_tokens: NewTokensOption = None,
    cache_length: Annotated[
        int | None,
        optional(
            N_(
                "Predict one decode step with this many tokens in the KV cache; --tokens is then the length of the "
                "encoder's input"
            )
        ),
    ] = None,
    task: Annotated[Task, typer.Option(help=N_("Task, which determines the model's head"))] = Task.AUTO,
    dtype: DtypeOption = "float32",
    attention: AttentionOption = None,
    threads: Annotated[int | None, optional(N_("Intra-op threads (default: all cores)"))] = None,
    engine: Annotated[str, typer.Option(ENGINE, parser=known_engine, metavar="ENGINE", help=N_("Inference engine"))] = (
        REFERENCE_ENGINE
    ),
    timing_model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="KIND",
            help=N_("Timing model; auto: the one with the least error on cycles that it was not fitted on"),
        ),
    ] = "auto",
    seed: SeedOption = 0,
    trust_remote_code: TrustRemoteCode = False,
    check: Annotated[
        bool,
        typer.Option("--check", help=N_("Measure the same here and show how far the prediction is off, part by part")),
    ] = False,
    budget: Annotated[
        float | None,
        budget_option(N_("Measuring time of --check, such as 90s or 5m (default: 10s, 30s for a generation)")),
    ] = None,
    out: Annotated[Path | None, optional(N_("Save the run to this file (.cycle)"))] = None,
    forms: Forms,
) -> None:
    """Predict the compute cycle of a model."""
    require_places((out, *forms.files))
    if check:
        _require_checkable(on, cache_length)
    elif budget is not None:
        raise UsageError(m("--budget needs --check."), m("A prediction measures nothing."), m("Remove --budget."))
    from cyclescope.cli.progress import progress
    from cyclescope.predicting.predict import predict as predicted

    with progress(forms.language) as notify:
        cycle = predicted(
            model,
            on=on,
            tokens=tokens,
            batch=batch,
            new_tokens=new_tokens,
            cache_length=cache_length,
            task=task.value,
            dtype=dtype,
            attention=attention.value if attention else None,
            threads=threads,
            engine=engine,
            model_kind=timing_model,
            seed=seed,
            trust_remote_code=trust_remote_code,
            progress=notify,
        )
    if check:
        _check(cycle, model, trust_remote_code, budget, out, forms)
    else:
        deliver_cycle(cycle, out, forms)


def _require_checkable(on: str, cache_length: int | None) -> None:
    """Raise `UsageError` for a prediction that cannot be measured here."""
    if on != "this":
        raise UsageError(
            m("--check needs --on this (got {on}).", on=on),
            m("The prediction is about another machine, which cannot be measured here."),
            m("Remove --on, or compare with a run that was saved there: cyclescope compare."),
        )
    if cache_length is not None:
        raise UsageError(
            m("--check takes no --cache-length."),
            m("A decode step is measured within its generation only."),
            m("Use --new-tokens instead."),
        )


def _check(
    cycle: Cycle, model: str, trust_remote_code: bool, budget: float | None, out: Path | None, forms: Forms
) -> None:
    """Measure what `cycle` predicts, and report how far it is off."""
    from cyclescope.backends.base import Request
    from cyclescope.cli.comparisons import comparison_result
    from cyclescope.cli.progress import progress
    from cyclescope.explaining.comparison import compare
    from cyclescope.measuring.measure import measure_request

    work, plan = cycle.workload, cycle.plan
    own = plan.attention in ("eager", "sdpa")
    request = Request(
        model=model,
        tokens=work.tokens_in,
        batch=work.batch,
        new_tokens=work.tokens_out or None,
        task=work.task,
        dtype=plan.dtype,
        attention=plan.attention if own and plan.engine == REFERENCE_ENGINE else None,
        threads=plan.threads,
        engine=plan.engine,
        seed=plan.seed,
        trust_remote_code=trust_remote_code,
    )
    with progress(forms.language) as notify:
        measured = measure_request(request, budget, notify)
    saves = [partial(save_run, cycle, out, forms.language)] if out is not None else []
    deliver(comparison_result(compare(cycle, measured)), forms, *saves)
