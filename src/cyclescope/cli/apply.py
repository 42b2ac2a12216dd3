"""`cyclescope apply RECIPE`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.deliver import Forms, Result, deliver
from cyclescope.cli.files import require_places
from cyclescope.cli.options import ModelInstead, RecipeArgument, Texts
from cyclescope.core.errors import EngineError
from cyclescope.core.message import N_, m

if TYPE_CHECKING:
    from cyclescope.report.page import Page


def apply(
    recipe: RecipeArgument,
    *,
    out: Annotated[Path, typer.Option(help=N_("Output folder: new, empty, or written by apply before"))],
    model: ModelInstead = None,
    text: Texts = None,
    forms: Forms,
) -> None:
    """Generate standalone code for the optimized model, and check its outputs."""
    require_places(forms.files, (recipe,))
    from cyclescope.optimizing.recipes.apply import apply as applied

    done = applied(recipe, out, model=model, text=text or None)

    def page() -> Page:
        from cyclescope.report.pages.applied import applied_page

        return applied_page(done)

    def document() -> str:
        from cyclescope.report.documents.applied import applied_document
        from cyclescope.report.documents.figures import dump

        return dump(applied_document(done))

    deliver(Result(page, document), forms)
    if not done.agrees:
        raise EngineError(
            m("The outputs of the code differ from those of the plan."),
            m("The report shows by how much."),
            m("Do not use the code in {folder}.", folder=str(out)),
        )
