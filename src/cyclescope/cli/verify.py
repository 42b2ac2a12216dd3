"""`cyclescope verify RECIPE`: its exit code is the answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.defects import forget_output
from cyclescope.cli.forms import Language
from cyclescope.cli.gate import EXCEEDED, KEPT, UNKNOWN
from cyclescope.cli.measure import require_different, require_folder
from cyclescope.cli.optimize import lines
from cyclescope.cli.options import (
    AsJson,
    LanguageOption,
    MarkdownFile,
    ModelInstead,
    RowsOption,
    TextFile,
    Texts,
    TokensOption,
    budget_option,
)
from cyclescope.core.errors import Interrupted

if TYPE_CHECKING:
    from cyclescope.optimizing.recipes.verify import Verification


def verify(
    recipe: Annotated[Path, typer.Argument(help="What `optimize --recipe FILE` wrote.", metavar="RECIPE")],
    model: ModelInstead = None,
    text: Texts = None,
    text_file: TextFile = None,
    tokens: TokensOption = None,
    batch: RowsOption = None,
    budget: Annotated[
        float,
        budget_option("How long to run both: 60s, 5m. Loading comes on top.", "60s"),
    ] = 60.0,
    markdown: MarkdownFile = None,
    as_json: AsJson = False,
    lang: LanguageOption = Language.ENGLISH,
) -> None:
    """Does the recipe still hold, here and now? Exit 0: it holds, 1: it no longer does, 2: inconclusive.

    Its plan runs in turns with the one that it was proved against; outputs are compared. Without a text, on made-up
    tokens of the shape that it was proved on.
    """
    require_different(markdown, recipe, text_file)
    if markdown is not None:
        require_folder(markdown)
    texts = [*(text or ()), *(lines(text_file, "--text-file") if text_file else ())]
    from cyclescope.cli.progress import progress
    from cyclescope.optimizing.recipes.verify import RecipeStatus
    from cyclescope.optimizing.recipes.verify import verify as verified

    with progress() as notify:
        found = verified(recipe, texts, model=model, tokens=tokens, batch=batch, budget=budget, progress=notify)
    try:
        _tell(found, as_json, lang)
    except BrokenPipeError:
        forget_output()  # whoever read has seen enough; the file and the exit code are still wanted
    if markdown is not None:
        from cyclescope.report.media.markdown import to_markdown
        from cyclescope.report.pages.verification import verification_page
        from cyclescope.store.writing import write_text

        write_text(markdown, to_markdown(verification_page(found, lang.value)))
        typer.echo(f"Wrote Markdown: {markdown}", err=True)
    if found.partial:
        raise Interrupted("Interrupted.", "What was measured until then is told above.")
    codes = {RecipeStatus.HOLDS: KEPT, RecipeStatus.FAILS: EXCEEDED, RecipeStatus.INCONCLUSIVE: UNKNOWN}
    raise typer.Exit(codes[found.status])


def _tell(found: Verification, as_json: bool, lang: Language) -> None:
    if as_json:
        from cyclescope.report.documents.document_verification import to_json, verification_document

        typer.echo(to_json(verification_document(found)), nl=False)
        return
    from cyclescope.report.media.terminal import print_page
    from cyclescope.report.pages.verification import verification_page

    print_page(verification_page(found, lang.value))
