"""The page of a cycle in HTML, for tests."""

from __future__ import annotations

from cyclescope.core.cycle import Cycle
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.media.html.html import to_html
from cyclescope.report.media.html.notebook import to_fragment
from cyclescope.report.pages.cycle import IN_A_NOTEBOOK, cycle_page


def render(explanation: Explanation, *, lang: str = "en") -> str:
    """The page of `explanation` as a file."""
    return to_html(cycle_page(explanation), lang)


def notebook_html(found: Cycle | Explanation, *, lang: str = "en") -> str:
    """The page of a cycle as a fragment."""
    explanation = found if isinstance(found, Explanation) else explain(found)
    return to_fragment(cycle_page(explanation), IN_A_NOTEBOOK, lang)
