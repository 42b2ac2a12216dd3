"""`cyclescope optimize MODEL`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.deliver import Forms, Result, deliver, notify
from cyclescope.cli.files import given_texts, read_lines, require_places
from cyclescope.cli.options import (
    ModelArgument,
    NewTokensOption,
    RowsOption,
    SeedOption,
    Task,
    TaskOption,
    TextFile,
    Texts,
    TokensOption,
    WeightsOption,
    WeightsWanted,
    budget_option,
    optional,
)
from cyclescope.core.errors import Interrupted
from cyclescope.core.message import N_, m

if TYPE_CHECKING:
    from cyclescope.optimizing.optimization import Optimization
    from cyclescope.report.page import Page


class GoalWanted(StrEnum):
    """What is to be short."""

    LATENCY = "latency"
    THROUGHPUT = "throughput"


def optimize(
    model: ModelArgument,
    *,
    text: Texts = None,
    text_file: TextFile = None,
    tokens: TokensOption = None,
    batch: RowsOption = None,
    task: TaskOption = Task.AUTO,
    new_tokens: NewTokensOption = None,
    weights: WeightsOption = WeightsWanted.AUTO,
    goal: Annotated[
        GoalWanted,
        typer.Option(help=N_("latency: one text per call; throughput: shortest total time for all texts")),
    ] = GoalWanted.LATENCY,
    threads: Annotated[int | None, optional(N_("Maximum number of threads (default: all cores)"))] = None,
    max_drift: Annotated[
        float,
        typer.Option(
            help=N_(
                "Maximum drift of the outputs: 1 - cosine similarity, or the share of tokens that differ; 0 allows "
                "rounding only"
            )
        ),
    ] = 0.0,
    labels: Annotated[
        Path | None, optional(N_("File with ground-truth labels, one per line; - reads standard input"))
    ] = None,
    max_loss: Annotated[float, typer.Option(help=N_("Maximum drop in accuracy (0-1); needs --labels"))] = 0.0,
    strategy: Annotated[list[str] | None, optional(N_("Slow strategy to try in addition (distil); repeatable"))] = None,
    without: Annotated[list[str] | None, optional(N_("Strategy to leave out; repeatable"))] = None,
    draft: Annotated[str | None, optional(N_("Smaller draft model for speculative decoding"))] = None,
    budget: Annotated[
        float,
        budget_option(N_("Total time, such as 90s, 5m or 1h; loading counts for at most a tenth of it"), "5m"),
    ] = 300.0,
    seed: SeedOption = 0,
    recipe: Annotated[Path | None, optional(N_("Write the recipe to this file (TOML)"))] = None,
    forms: Forms,
) -> None:
    """Find the fastest way to run a model, and prove it."""
    require_places((recipe, *forms.files), (text_file, labels))
    texts = given_texts(text, text_file)
    from cyclescope.cli.progress import progress
    from cyclescope.optimizing.optimize import optimize as optimized

    with progress(forms.language) as show:
        found = optimized(
            model,
            texts,
            tokens=tokens,
            batch=batch,
            task=task.value,
            new_tokens=new_tokens,
            weights=weights.value,
            goal=goal.value,
            threads=threads,
            max_drift=max_drift,
            labels=read_lines(str(labels)) if labels else None,
            max_loss=max_loss,
            strategies=strategy or (),
            without=without or (),
            draft=draft or "",
            budget=budget,
            seed=seed,
            files_to=str(recipe.parent) if recipe is not None else None,
            progress=show,
        )

    def page() -> Page:
        from cyclescope.report.pages.optimization import optimization_page

        return optimization_page(found)

    def document() -> str:
        from cyclescope.report.documents.figures import dump
        from cyclescope.report.documents.optimization import optimization_document

        return dump(optimization_document(found))

    def save() -> None:
        if recipe is not None:
            _save(found, recipe, forms.language)

    deliver(Result(page, document), forms, save)
    if found.partial:
        raise Interrupted(m("Interrupted."), m("The report shows what was found before."))


def _save(found: Optimization, recipe: Path, language: str) -> None:
    """Write the recipe of the best plan, if there is one that is faster."""
    if not found.best:
        notify(m("No recipe was written: no plan was proved to be faster."), language)
        return
    from cyclescope.optimizing.recipes.recipe import recipe_of, save_recipe

    made = recipe_of(found)
    save_recipe(made, recipe)
    if made.proof.proved:
        notify(m("Wrote the recipe: {path}", path=str(recipe)), language)
    else:
        notify(m("Wrote the recipe: {path} (its plan is not proved)", path=str(recipe)), language)
