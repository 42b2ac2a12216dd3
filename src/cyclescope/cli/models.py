"""`cyclescope models`."""

from __future__ import annotations

from typing import Annotated

import typer

from cyclescope.cli.forms import Language


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    lang: Annotated[Language, typer.Option(help="Language of the report.")] = Language.ENGLISH,
) -> None:
    """List the built-in architectures, with their sizes and where each configuration was published."""
    from cyclescope.models.listing import model_rows
    from cyclescope.report.models import models_json, models_page
    from cyclescope.report.terminal import print_page

    rows = model_rows()
    if as_json:
        typer.echo(models_json(rows))
    else:
        print_page(models_page(rows, lang.value))
