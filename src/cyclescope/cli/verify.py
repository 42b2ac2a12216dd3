"""`cyclescope verify RECIPE`: its exit code is the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.deliver import Forms, Result, deliver
from cyclescope.cli.files import given_texts, require_places
from cyclescope.cli.gate import EXCEEDED, KEPT, UNKNOWN
from cyclescope.cli.options import (
    ModelInstead,
    RecipeArgument,
    RowsOption,
    TextFile,
    Texts,
    TokensOption,
    budget_option,
)
from cyclescope.core.errors import Interrupted
from cyclescope.core.message import N_, m

if TYPE_CHECKING:
    from cyclescope.report.page import Page


def verify(
    recipe: RecipeArgument,
    *,
    model: ModelInstead = None,
    text: Texts = None,
    text_file: TextFile = None,
    tokens: TokensOption = None,
    batch: RowsOption = None,
    budget: Annotated[
        float, budget_option(N_("Running time for both plans, such as 60s or 5m; loading comes on top"), "60s")
    ] = 60.0,
    forms: Forms,
) -> None:
    """Check whether a recipe still holds on this machine."""
    require_places(forms.files, (recipe, text_file))
    texts = given_texts(text, text_file)
    from cyclescope.cli.progress import progress
    from cyclescope.optimizing.recipes.verify import RecipeStatus
    from cyclescope.optimizing.recipes.verify import verify as verified

    with progress(forms.language) as notify:
        found = verified(recipe, texts, model=model, tokens=tokens, batch=batch, budget=budget, progress=notify)

    def page() -> Page:
        from cyclescope.report.pages.verification import verification_page

        return verification_page(found)

    def document() -> str:
        from cyclescope.report.documents.figures import dump
        from cyclescope.report.documents.verification import verification_document

        return dump(verification_document(found))

    deliver(Result(page, document), forms)
    if found.partial:
        raise Interrupted(m("Interrupted."), m("The report shows what was measured before."))
    codes = {RecipeStatus.HOLDS: KEPT, RecipeStatus.FAILS: EXCEEDED, RecipeStatus.INCONCLUSIVE: UNKNOWN}
    raise typer.Exit(codes[found.status])
