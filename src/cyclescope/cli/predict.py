"""`cyclescope predict MODEL`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.cycles import deliver_cycle, save_run
from cyclescope.cli.deliver import Forms, Result, deliver
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
    from cyclescope.backends.base import Request
    from cyclescope.core.cycle import Cycle
    from cyclescope.predicting.settings import Setting, Settings
    from cyclescope.predicting.target import Target
    from cyclescope.report.page import Page


def predict(
    model: ModelArgument,
    *,
    on: Annotated[
        str,
        typer.Option(
            metavar="MACHINE", help=N_("Machine: this (as calibrated), or one of the catalogue, such as 'H100 PCIe'")
        ),
    ] = "this",
    machine: Annotated[
        Path | None,
        optional(N_("File with the figures of a machine (TOML, as in the catalogue); of several, --on names one")),
    ] = None,
    changes: Annotated[
        list[str] | None,
        optional(
            N_("Change one thing: bandwidth=2x, flops=1.5x, overhead=0x, memory=2x, threads=8, dtype=int8 …"), "--set"
        ),
    ] = None,
    sweeps: Annotated[
        list[str] | None,
        optional(
            N_("Predict for each of several values: batch=1,2,4,8, tokens=…, cache=…, threads=…; twice: a grid"),
            "--sweep",
        ),
    ] = None,
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
    tensor: Annotated[int, optional(N_("Ranks that share every layer (tensor parallel)"))] = 1,
    pipeline: Annotated[int, optional(N_("Stages that have some of the layers each (pipeline parallel)"))] = 1,
    data: Annotated[int, optional(N_("Replicas that share the batch (data parallel)"))] = 1,
    microbatches: Annotated[
        int | None,
        optional(
            N_("Parts of a replica's batch that pass the stages one behind the other (default: as many as stages)")
        ),
    ] = None,
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
    from cyclescope.predicting.settings import Settings, grid, parse_setting, parse_sweep

    what_if, swept = Settings(tuple(map(parse_setting, changes or ()))), tuple(map(parse_sweep, sweeps or ()))
    grid(swept)  # what it refuses is refused before the machine is looked for
    if check and (machine is not None or changes or sweeps):
        raise UsageError(
            m("--check takes no --machine, --set or --sweep."),
            m("What is predicted is not what could be measured here."),
            m("Remove them, or remove --check."),
        )
    if check:
        _require_checkable(on, cache_length)
    elif budget is not None:
        raise UsageError(m("--budget needs --check."), m("A prediction measures nothing."), m("Remove --budget."))
    from cyclescope.cli.progress import progress
    from cyclescope.predicting.predict import predict as predicted

    if swept:
        if out is not None:
            raise UsageError(
                m("--out takes no --sweep."),
                m("A run holds one cycle."),
                m("Use --json or --html FILE for the table, or predict one point."),
            )
        from cyclescope.backends.base import Request as Asked

        request = Asked(
            model=model, tokens=tokens, batch=batch, new_tokens=new_tokens, cache_length=cache_length, task=task.value,
            dtype=dtype, attention=attention.value if attention else None, threads=threads, seed=seed,
            trust_remote_code=trust_remote_code, engine=engine, tensor=tensor, pipeline=pipeline, data=data, microbatches=microbatches,
        )  # fmt: skip
        _sweep(request, _target(on, engine, machine), swept, what_if, timing_model, forms)
        return
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
            tensor=tensor,
            pipeline=pipeline,
            data=data,
            microbatches=microbatches,
            model_kind=timing_model,
            machine=_target(on, engine, machine) if machine is not None else None,
            what_if=what_if,
            seed=seed,
            trust_remote_code=trust_remote_code,
            progress=notify,
        )
    if check:
        _check(cycle, model, trust_remote_code, budget, out, forms)
    else:
        deliver_cycle(cycle, out, forms)


def _target(on: str, engine: str, machine: Path | None) -> Target:
    """The machine of a prediction: of a file, or as --on names it."""
    from cyclescope.machines.machine_file import read_machine_file
    from cyclescope.predicting.target import THIS, target, target_of_row

    if machine is None:
        return target(on, engine)
    return target_of_row(read_machine_file(machine, None if on == THIS else on))


def _sweep(
    request: Request, found: Target, sweeps: tuple[tuple[Setting, ...], ...], what_if: Settings, kind: str, forms: Forms
) -> None:
    """Predict over a grid and report it."""
    from cyclescope.cli.progress import progress
    from cyclescope.predicting.sweep import sweep

    with progress(forms.language) as notify:
        done = sweep(replace(request, device=found.device), found, sweeps, what_if, kind, notify)

    def page() -> Page:
        from cyclescope.report.pages.what_if import what_if_page

        return what_if_page(done)

    def document() -> str:
        from cyclescope.report.documents.figures import dump
        from cyclescope.report.documents.what_if import what_if_document

        return dump(what_if_document(done))

    deliver(Result(page, document), forms)


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
