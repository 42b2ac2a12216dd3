"""`cyclescope optimize MODEL`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.defects import forget_output
from cyclescope.cli.forms import Language
from cyclescope.cli.measure import require_different, require_folder
from cyclescope.cli.options import (
    AsJson,
    LanguageOption,
    MarkdownFile,
    NewTokensOption,
    RowsOption,
    SeedOption,
    TaskOption,
    TextFile,
    Texts,
    TokensOption,
    WeightsOption,
    WeightsWanted,
    budget_option,
)
from cyclescope.core.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from cyclescope.optimizing.optimization import Optimization


class GoalWanted(StrEnum):
    """What is to be short."""

    LATENCY = "latency"
    THROUGHPUT = "throughput"


def optimize(
    model: Annotated[str, typer.Argument(help="As for `measure`.", metavar="MODEL")],
    text: Texts = None,
    text_file: TextFile = None,
    tokens: TokensOption = None,
    batch: RowsOption = None,
    task: TaskOption = "auto",
    new_tokens: NewTokensOption = None,
    weights: WeightsOption = WeightsWanted.AUTO,
    goal: Annotated[
        GoalWanted, typer.Option(help="latency: every text by itself. throughput: all of them, soon.")
    ] = GoalWanted.LATENCY,
    threads: Annotated[int | None, typer.Option(help="The most threads that may be used.", show_default=False)] = None,
    max_drift: Annotated[
        float,
        typer.Option(help="How far outputs may move: 1 - cosine, or share of tokens. 0: the same but for rounding."),
    ] = 0.0,
    labels: Annotated[
        Path | None, typer.Option(help="The right label of each text, one a line.", show_default=False)
    ] = None,
    max_loss: Annotated[float, typer.Option(help="With --labels: share of right ones that may be lost.")] = 0.0,
    strategy: Annotated[
        list[str] | None, typer.Option(help="A slow strategy to be tried as well (distil).", show_default=False)
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="A strategy that is not to be tried.", show_default=False)
    ] = None,
    draft: Annotated[
        str | None, typer.Option(help="A smaller model that may guess tokens for this one.", show_default=False)
    ] = None,
    budget: Annotated[
        float,
        budget_option("How long all of it may take: 90s, 5m, 1h. Loading counts for a tenth at most.", "5m"),
    ] = 300.0,
    seed: SeedOption = 0,
    recipe: Annotated[
        Path | None, typer.Option(help="Write the recipe to this file (TOML).", show_default=False)
    ] = None,
    markdown: MarkdownFile = None,
    as_json: AsJson = False,
    lang: LanguageOption = Language.ENGLISH,
) -> None:
    """Find the fastest honest way to run MODEL on these texts here, and prove it.

    Plans are tried in processes of their own, in turns with the model as it is; outputs are compared on every one. What
    survives is proved at length and taken apart again. The recipe is for `cyclescope apply` and `verify`.
    """
    files = (recipe, markdown)
    require_different(*files, text_file, labels)
    for path in files:
        if path is not None:
            require_folder(path)
    texts = [*(text or ()), *(lines(text_file, "--text-file") if text_file else ())]
    from cyclescope.cli.progress import progress
    from cyclescope.optimizing.optimize import optimize as optimized

    with progress() as notify:
        found = optimized(
            model,
            texts,
            tokens=tokens,
            batch=batch,
            task=task,
            new_tokens=new_tokens,
            weights=weights.value,
            goal=goal.value,
            threads=threads,
            max_drift=max_drift,
            labels=lines(labels, "--labels") if labels else None,
            max_loss=max_loss,
            strategies=strategy or (),
            without=without or (),
            draft=draft or "",
            budget=budget,
            seed=seed,
            files_to=str(recipe.parent) if recipe is not None else None,
            progress=notify,
        )
    try:
        _tell(found, as_json, lang)
    except BrokenPipeError:
        forget_output()  # whoever read has seen enough; files are still wanted
    _write(found, recipe, markdown, lang)
    if found.partial:
        raise Interrupted("Interrupted.", "What was found until then is told above.")


def lines(path: Path, option: str) -> list[str]:
    """The lines of a text file that are not empty. Raises `UsageError`."""
    try:
        found = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as exc:
        raise UsageError(f"{option} {path} cannot be read.", f"{exc.strerror or exc}.", "Name a text file.") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{option} {path} is no text in UTF-8.", f"{exc.reason}.", "Save it as UTF-8.") from exc
    kept = [line.strip() for line in found if line.strip()]
    if not kept:
        raise UsageError(f"{option} {path} holds no line.", "", "Write one a line.")
    return kept


def _tell(found: Optimization, as_json: bool, lang: Language) -> None:
    if as_json:
        from cyclescope.report.documents.figures import dump
        from cyclescope.report.documents.optimization import optimization_document

        typer.echo(dump(optimization_document(found)), nl=False)
        return
    from cyclescope.report.media.terminal import print_page
    from cyclescope.report.pages.optimization import optimization_page

    print_page(optimization_page(found, lang.value))


def _write(found: Optimization, recipe: Path | None, markdown: Path | None, lang: Language) -> None:
    if markdown is not None:
        from cyclescope.report.media.markdown import to_markdown
        from cyclescope.report.pages.optimization import optimization_page
        from cyclescope.store.writing import write_text

        write_text(markdown, to_markdown(optimization_page(found, lang.value)))
        typer.echo(f"Wrote Markdown: {markdown}", err=True)
    if recipe is not None and found.best:
        from cyclescope.optimizing.recipes.recipe import recipe_of, save_recipe

        made = recipe_of(found)
        save_recipe(made, recipe)
        proved = "" if made.proof.proved else " (of a plan that is not proved)"
        typer.echo(f"Wrote the recipe: {recipe}{proved}", err=True)
    elif recipe is not None:
        typer.echo("No recipe was written: nothing was proved to be faster.", err=True)
