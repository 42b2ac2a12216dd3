"""Pages about an optimization and its recipe in a real browser: nothing asked of the network, readable narrow and dark."""

from __future__ import annotations

import pytest
from optimizing.optimizations import ELSEWHERE, FOUND, OTHER
from visiting import Open

from cyclescope.report.media.html.page_html import to_html
from cyclescope.report.page import Page
from cyclescope.report.pages.applied import applied_page
from cyclescope.report.pages.optimization import optimization_page
from cyclescope.report.pages.verification import verification_page

PAGES = {
    "optimization": optimization_page(FOUND),
    "verification": verification_page(ELSEWHERE),
    "applied": applied_page(OTHER),
}


@pytest.mark.parametrize(("width", "lang", "scheme"), [(360, "zh", "dark"), (1280, "en", "light")])
@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_it_opens_without_a_complaint_and_fits(visit: Open, page: Page, width: int, lang: str, scheme: str) -> None:
    opened = visit(to_html(page, lang), width=width, scheme=scheme).page

    assert opened.locator("h1").is_visible()
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_the_headline_numbers_and_the_interval_are_those_of_the_best_plan(visit: Open) -> None:
    page = visit(to_html(PAGES["optimization"])).page
    row = FOUND.rows[FOUND.best]
    assert row.ratio is not None

    assert "×2.80" in page.locator(".figures").inner_text()
    place = {what: page.locator(f".ratio .{what}").bounding_box() for what in ("value", "one", "interval")}
    value, one = (place[what]["x"] + place[what]["width"] / 2 for what in ("value", "one"))  # type: ignore[index]
    scale = (value - one) / (row.speed_up - 1)
    assert place["interval"] is not None
    assert place["interval"]["x"] - one == pytest.approx(scale * (1 / row.ratio.high - 1), abs=1.5)


def test_a_plan_faster_than_the_baseline_ends_before_the_line_of_the_baseline(visit: Open) -> None:
    page = visit(to_html(PAGES["optimization"])).page
    first = page.locator("#plans tbody tr").first
    bar, line = (first.locator(f"svg {what}").bounding_box() for what in ("rect.good", "line.zero"))

    assert "(recommended)" in first.inner_text()
    assert bar is not None
    assert line is not None
    assert bar["x"] + bar["width"] < line["x"]
