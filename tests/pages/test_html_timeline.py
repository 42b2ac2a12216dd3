"""The timeline in the hands of a reader: keys, wheel, drag, search; and that it draws only what can be seen."""

from __future__ import annotations

import pytest
from paper_html import render
from playwright.sync_api import Locator
from visiting import Open, Visit

from cyclescope.explaining.explanation import Explanation

pytestmark = pytest.mark.browser


def stage(seen: Visit) -> Locator:
    return seen.page.locator("[data-part=stage]")


def said(seen: Visit) -> str:
    return seen.page.locator("[data-part=live]").inner_text()


def width(view: tuple[float, float]) -> float:
    return view[1] - view[0]


def test_the_whole_cycle_is_shown_first(visit: Open, english: str, explanation: Explanation) -> None:
    assert visit(english).view == (0, explanation.spans[0].duration_ns)


def test_tab_reaches_the_timeline_and_shows_where_it_is(visit: Open, english: str) -> None:
    seen = visit(english)
    for _ in range(80):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate("document.activeElement.dataset.part") == "stage":
            break
    assert seen.page.evaluate("document.activeElement.dataset.part") == "stage"
    assert seen.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_arrows_walk_the_tree_and_say_where_they_are(visit: Open, english: str) -> None:
    seen = visit(english)
    stage(seen).focus()
    walk = []
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowUp"):
        seen.page.keyboard.press(key)
        walk.append(said(seen).split(",")[0])
    assert walk[0] == "cycle"
    assert walk[-1] == "cycle"
    assert len(set(walk)) > 2
    assert "ms" in said(seen)
    assert "FLOP/s" in said(seen)


def test_enter_zooms_to_the_span_and_zero_shows_everything(visit: Open, english: str) -> None:
    seen = visit(english)
    whole = seen.view
    stage(seen).focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        seen.page.keyboard.press(key)
    assert width(seen.view) < width(whole)
    seen.page.keyboard.press("0")
    assert seen.view == whole


def test_plus_and_minus_zoom_and_shift_arrows_pan(visit: Open, english: str) -> None:
    seen = visit(english)
    whole = seen.view
    stage(seen).focus()
    seen.page.keyboard.press("+")
    near = seen.view
    assert width(near) < width(whole)
    seen.page.keyboard.press("Shift+ArrowRight")
    aside = seen.view
    assert aside[0] > near[0]
    assert width(aside) == pytest.approx(width(near))
    seen.page.keyboard.press("-")
    assert width(seen.view) > width(aside)


def test_the_wheel_zooms_only_once_the_chart_is_in_use(visit: Open, english: str) -> None:
    seen = visit(english)
    whole = seen.view
    stage(seen).scroll_into_view_if_needed()
    box = stage(seen).bounding_box()
    assert box is not None
    seen.page.mouse.move(box["x"] + 300, box["y"] + 60)
    seen.page.mouse.wheel(0, -400)
    assert seen.view == whole
    stage(seen).scroll_into_view_if_needed()
    stage(seen).click(position={"x": 300, "y": 60})
    seen.page.mouse.wheel(0, -400)
    near = seen.view
    assert width(near) < width(whole)
    # What is under the pointer stays under it.
    share = 300 / box["width"]
    assert near[0] + share * width(near) == pytest.approx(whole[0] + share * width(whole), rel=0.01)


def test_dragging_pans(visit: Open, english: str) -> None:
    seen = visit(english)
    stage(seen).focus()
    for _ in range(4):
        seen.page.keyboard.press("+")
    before = seen.view
    stage(seen).scroll_into_view_if_needed()
    box = stage(seen).bounding_box()
    assert box is not None
    seen.page.mouse.move(box["x"] + 600, box["y"] + 60)
    seen.page.mouse.down()
    seen.page.mouse.move(box["x"] + 400, box["y"] + 60, steps=5)
    seen.page.mouse.up()
    after = seen.view
    assert after[0] > before[0]
    assert width(after) == pytest.approx(width(before))


def test_pointing_at_a_span_says_what_it_is(visit: Open, english: str) -> None:
    seen = visit(english)
    stage(seen).scroll_into_view_if_needed()
    stage(seen).hover(position={"x": 500, "y": 30})
    tip = seen.page.locator("[data-part=tip]")
    tip.wait_for(state="visible")
    assert tip.locator("strong").inner_text() == "cycle"
    assert tip.locator("dd").count() >= 5


def test_search_marks_and_walks_through_what_matches(visit: Open, english: str) -> None:
    seen = visit(english)
    box = seen.page.get_by_role("searchbox")
    box.fill("query")
    assert seen.data("found") == 24  # a module and its operation in each of twelve layers
    seen.page.keyboard.press("Enter")
    first = said(seen)
    seen.page.keyboard.press("Enter")
    seen.page.keyboard.press("Enter")
    assert "query" in first
    assert "query" in said(seen)
    assert first != said(seen)
    box.fill("no such thing")
    assert seen.data("found") == 0


def test_heaviest_first_merges_equal_paths(visit: Open, english: str) -> None:
    seen = visit(english)
    whole = seen.view
    seen.page.get_by_role("radio", name="Added up, heaviest first").check()
    assert seen.view == whole  # the same time, in another arrangement
    stage(seen).focus()
    walk = []
    for _ in range(8):
        seen.page.keyboard.press("ArrowDown")
        walk.append(said(seen).split(",")[0])
    assert any("× 12" in label for label in walk)
    assert "*" in said(seen)  # the layer's number is gone from the path


def test_only_what_can_be_seen_is_looked_at(visit: Open, deep: Explanation) -> None:
    seen = visit(render(deep))
    spans = len(deep.spans)
    rows = max(span.depth for span in deep.spans) + 1
    pixels = seen.page.locator("[data-part=canvas]").bounding_box()
    assert pixels is not None
    looked_at = [seen.data("visited")]
    assert looked_at[0] <= rows * (pixels["width"] + 2)
    stage(seen).focus()
    for _ in range(12):
        seen.page.keyboard.press("+")
        looked_at.append(seen.data("visited"))
    assert looked_at[-1] < spans / 20
    assert looked_at == sorted(looked_at, reverse=True)


def test_ten_thousand_spans_cost_little_more_to_draw_than_a_few_hundred(
    visit: Open, english: str, deep: Explanation
) -> None:
    draw = """() => {
        const times = [];
        const zoom = document.querySelector('[data-part=in]');
        return new Promise(done => {
            const step = () => {
                if (times.length === 15) return done(times.sort((a, b) => a - b)[7]);
                const begin = performance.now();
                zoom.click();
                requestAnimationFrame(() => requestAnimationFrame(() => { times.push(performance.now() - begin); step(); }));
            };
            step();
        });
    }"""
    few = visit(english).page.evaluate(draw)
    many = visit(render(deep)).page.evaluate(draw)
    assert many < 8 * few
