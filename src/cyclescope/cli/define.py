"""`cyclescope define [NAME]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.deliver import Forms, Result, deliver
from cyclescope.cli.files import require_places
from cyclescope.core.message import N_

if TYPE_CHECKING:
    from cyclescope.report.page import Page


def define(
    name: Annotated[
        str | None,
        typer.Argument(
            help=N_("Metric, such as tpot or itl (default: a list of all)"), metavar="NAME", show_default=False
        ),
    ] = None,
    *,
    forms: Forms,
) -> None:
    """Define one metric, or list all."""
    require_places(forms.files)
    from cyclescope.explaining.metrics.definition import DEFINITIONS
    from cyclescope.explaining.metrics.definition import define as find

    found = None if name is None else find(name)

    def page() -> Page:
        from cyclescope.report.pages.definitions import definition_page, definitions_page

        return definitions_page() if found is None else definition_page(found)

    def document() -> str:
        from cyclescope.report.documents.definitions import definitions_document
        from cyclescope.report.documents.figures import dump

        return dump(definitions_document(DEFINITIONS if found is None else (found,)))

    deliver(Result(page, document), forms)
