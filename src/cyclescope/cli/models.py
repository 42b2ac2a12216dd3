"""`cyclescope models`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclescope.cli.deliver import Forms, Result, deliver
from cyclescope.cli.files import require_places

if TYPE_CHECKING:
    from cyclescope.report.page import Page


def models(*, forms: Forms) -> None:
    """List the built-in architectures."""
    require_places(forms.files)
    from cyclescope.models.listing import model_rows

    rows = model_rows()

    def page() -> Page:
        from cyclescope.report.pages.models import models_page

        return models_page(rows)

    def document() -> str:
        from cyclescope.report.documents.figures import dump
        from cyclescope.report.documents.models import models_document

        return dump(models_document(rows))

    deliver(Result(page, document), forms)
