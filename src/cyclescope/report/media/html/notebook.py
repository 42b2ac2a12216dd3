"""A page as a fragment for a notebook: the opening and a few sections, without any script or style sheet."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.report.media.html.environment import environment
from cyclescope.report.page import Page, Paragraph
from cyclescope.report.words.translate import ENGLISH


def to_fragment(page: Page, sections: Sequence[str], language: str = ENGLISH) -> str:
    """The opening of `page` and those of its sections whose ids are in `sections`, in `language`.

    Of a section its notes, bars and tables are shown. Raises `UsageError` for a language without a catalog.
    """
    lead = next((block for block in page.opening if isinstance(block, Paragraph) and block.lead), None)
    return (
        environment(language)
        .get_template("notebook.html.j2")
        .render(
            lead=lead,
            opening=[block for block in page.opening if block is not lead],
            sections=[section for section in page.sections if section.id in sections],
        )
        .strip()
    )
