"""`cyclescope define [NAME]`."""

from __future__ import annotations

from typing import Annotated

import typer

from cyclescope.cli.forms import Language
from cyclescope.cli.options import AsJson, LanguageOption


def define(
    name: Annotated[
        str | None, typer.Argument(help="A metric (tpot, itl, …); without it, all are listed.", show_default=False)
    ] = None,
    as_json: AsJson = False,
    lang: LanguageOption = Language.ENGLISH,
) -> None:
    """Say what a metric means here, to the point of the clock, and what other tools mean by the same name."""
    from cyclescope.explaining.metrics.definition import DEFINITIONS
    from cyclescope.explaining.metrics.definition import define as find
    from cyclescope.report.documents.definitions import definitions_document
    from cyclescope.report.documents.figures import dump
    from cyclescope.report.media.terminal import print_page
    from cyclescope.report.pages.definitions import definition_page, definitions_page

    found = None if name is None else find(name)
    if as_json:
        typer.echo(dump(definitions_document(DEFINITIONS if found is None else (found,))), nl=False)
    else:
        page = definitions_page() if found is None else definition_page(found)
        print_page(page, language=lang.value)
