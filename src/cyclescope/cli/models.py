"""`cyclescope models`."""

from __future__ import annotations

import typer

from cyclescope.cli.forms import Language
from cyclescope.cli.options import AsJson, LanguageOption


def models(
    as_json: AsJson = False,
    lang: LanguageOption = Language.ENGLISH,
) -> None:
    """List the built-in architectures, with their sizes and where each configuration was published."""
    from cyclescope.models.listing import model_rows
    from cyclescope.report.documents.figures import dump
    from cyclescope.report.documents.models import models_document
    from cyclescope.report.media.terminal import print_page
    from cyclescope.report.pages.models import models_page

    rows = model_rows()
    if as_json:
        typer.echo(dump(models_document(rows)), nl=False)
    else:
        print_page(models_page(rows), language=lang.value)
