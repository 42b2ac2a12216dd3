"""`cyclescope apply RECIPE`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cyclescope.cli.defects import forget_output
from cyclescope.cli.forms import Language
from cyclescope.cli.options import AsJson, LanguageOption, ModelInstead
from cyclescope.core.errors import EngineError


def apply(
    recipe: Annotated[Path, typer.Argument(help="What `optimize --recipe FILE` wrote.", metavar="RECIPE")],
    out: Annotated[Path, typer.Option(help="The folder to write to; new, empty, or written by this before.")],
    model: ModelInstead = None,
    text: Annotated[
        list[str] | None, typer.Option("--text", "-t", help="What both are run on; several times.", show_default=False)
    ] = None,
    as_json: AsJson = False,
    lang: LanguageOption = Language.ENGLISH,
) -> None:
    """Write the optimised model as Python code without cyclescope in it, with the files that it needs.

    The code is then run on a few texts, and what it gives is compared with what the plan gives in a trial process: what
    is handed over is what was measured.
    """
    from cyclescope.optimizing.recipes.apply import apply as applied

    done = applied(recipe, out, model=model, text=text or None)
    try:
        if as_json:
            from cyclescope.report.documents.applied import applied_document
            from cyclescope.report.documents.figures import dump

            typer.echo(dump(applied_document(done)), nl=False)
        else:
            from cyclescope.report.media.terminal import print_page
            from cyclescope.report.pages.applied import applied_page

            print_page(applied_page(done, lang.value))
    except BrokenPipeError:
        forget_output()
    if not done.agrees:
        raise EngineError(
            "The code gives other outputs than the plan.",
            "Told above, with how far they are apart.",
            f"Do not use what is in {out}.",
        )
