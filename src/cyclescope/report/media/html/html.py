"""A page as one HTML file that needs nothing else: no network, no font, no second file."""

from __future__ import annotations

from markupsafe import Markup

from cyclescope.core.message import in_context
from cyclescope.core.version import __version__
from cyclescope.report.media.html.data import THEMES, drawings_of, page_data
from cyclescope.report.media.html.definitions import formulas, metric_cards, terms_of
from cyclescope.report.media.html.environment import environment
from cyclescope.report.media.html.files import policy, script, style, vendored
from cyclescope.report.page import Page, Paragraph
from cyclescope.report.words.translate import ENGLISH, say_in

MOST_PAGE_BYTES = 980_000


def to_html(page: Page, language: str = ENGLISH) -> str:
    """`page` in `language` as one self-contained HTML file. Raises `UsageError` for a language without a catalog.

    Where the file would be too large, its drawings make room as far as they can.
    """
    while True:
        html = _rendered(page, language)
        excess = len(html.encode()) - MOST_PAGE_BYTES
        smaller = page.smaller(excess) if excess > 0 and page.smaller is not None else None
        if smaller is None:
            return html
        page = smaller


def _rendered(page: Page, language: str) -> str:
    say = say_in(language)
    drawings = tuple(drawings_of(page.opening, *(section.blocks for section in page.sections)))
    names = frozenset(drawing.name for drawing in drawings)
    styles, scripts, foreign = style(), script(names), vendored(names)
    lead = next((block for block in page.opening if isinstance(block, Paragraph) and block.lead), None)
    terms = terms_of(page)
    return (
        environment(language)
        .get_template("page.html.j2")
        .render(
            page=page,
            lead=lead,
            opening=[block for block in page.opening if block is not lead],
            tag=in_context("language tag after BCP 47", "en"),
            version=__version__,
            policy=policy(styles, list(filter(None, (foreign, scripts)))),
            themes=THEMES,
            style=Markup(styles),
            vendored=Markup(foreign),
            script=Markup(scripts),
            data=Markup(page_data(drawings, say)),
            terms=formulas(terms),
            metrics=metric_cards(terms, say),
        )
        .lstrip()
    )
