"""The result of a comparison: what `compare` gives, and `predict --check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclescope.cli.deliver import Result

if TYPE_CHECKING:
    from cyclescope.explaining.comparison import Comparison
    from cyclescope.report.page import Page


def comparison_result(comparison: Comparison, limit: float | None = None) -> Result:
    """The page and the document of a comparison."""

    def page() -> Page:
        from cyclescope.report.pages.comparison import comparison_page

        return comparison_page(comparison, limit)

    def document() -> str:
        from cyclescope.report.documents.comparison import comparison_document
        from cyclescope.report.documents.figures import dump

        return dump(comparison_document(comparison, limit))

    return Result(page, document)
