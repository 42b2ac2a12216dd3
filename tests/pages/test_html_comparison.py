"""The page about two cycles in a real browser: nothing asked of the network, readable narrow and dark, drawn to scale."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hostile_names import HOSTILE, hostile_graph
from noise import NoisyMachine, in_turns
from paper_models import PAPER_BERT_WORKLOAD, paper_bert, paper_cycle, slot_times
from visiting import Open

from cyclescope.explaining.comparison import Comparison, compare
from cyclescope.report.media.html.page_html import to_html
from cyclescope.report.pages.comparison import comparison_page
from cyclescope.report.sections.changes import MOST_ROWS

GRAPH = paper_bert(12)


def slowdown() -> Comparison:
    uninstrumented = in_turns(NoisyMachine(0), 1e7, 1.1e7, 16)
    cycles = paper_cycle(GRAPH), paper_cycle(GRAPH, slot_times(GRAPH, slow_layer=7))
    a, b = (
        replace(c, samples=replace(c.samples, uninstrumented=p)) for c, p in zip(cycles, uninstrumented, strict=True)
    )
    return compare(a, b)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_opens_without_a_complaint_and_fits(visit: Open, lang: str, width: int, scheme: str) -> None:
    page = visit(to_html(comparison_page(slowdown(), 0.05), lang), width=width, scheme=scheme).page

    assert page.locator("h1").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_interval_is_drawn_where_its_numbers_say(visit: Open) -> None:
    comparison = slowdown()
    page = visit(to_html(comparison_page(comparison, 0.05))).page

    def x(selector: str, part: str = "x") -> float:
        box = page.locator(f".ratio {selector}").first.bounding_box()
        assert box is not None
        return box["x"] + (box["width"] / 2 if part == "middle" else box["width"] if part == "right" else 0)

    scale = (x(".value", "middle") - x(".one", "middle")) / (comparison.ratio.value - 1)
    assert x(".interval") - x(".one", "middle") == pytest.approx(scale * (comparison.ratio.low - 1), abs=1.5)
    assert x(".interval", "right") - x(".one", "middle") == pytest.approx(scale * (comparison.ratio.high - 1), abs=1.5)
    assert x(".threshold", "right") - x(".one", "middle") == pytest.approx(scale * 0.01, abs=1.5)


def test_more_grows_to_the_right_and_less_to_the_left(visit: Open) -> None:
    slow, fast = paper_cycle(GRAPH, slot_times(GRAPH, slow_layer=7)), paper_cycle(GRAPH)
    for a, b, side in ((fast, slow, "more"), (slow, fast, "less")):
        page = visit(to_html(comparison_page(compare(a, b)))).page
        row = page.locator("#layers tbody tr").first  # the layer that changed most
        assert "encode 7" in row.inner_text()
        bar, zero = (row.locator(f"svg {what}").bounding_box() for what in (f"rect.{side}", "line.zero"))
        assert bar is not None
        assert zero is not None
        middle = zero["x"] + zero["width"] / 2
        edge = bar["x"] if side == "more" else bar["x"] + bar["width"]
        assert edge == pytest.approx(middle, abs=1.5)
        assert bar["width"] > 10


def test_the_end_of_a_long_table_shows_on_demand(visit: Open) -> None:
    comparison = compare(paper_cycle(GRAPH), paper_cycle(paper_bert(6)))
    page = visit(to_html(comparison_page(comparison))).page
    more = len(comparison.operations) - MOST_ROWS

    assert more > 0
    assert page.locator("#operations tbody tr:visible").count() == MOST_ROWS
    page.get_by_text(f"{more} more places").click()
    assert page.locator("#operations tbody tr:visible").count() == len(comparison.operations)


def test_hostile_names_are_text(visit: Open) -> None:
    model = replace(PAPER_BERT_WORKLOAD.model, reference=HOSTILE[0], class_name=HOSTILE[1])
    other = paper_cycle(hostile_graph(), workload=replace(PAPER_BERT_WORKLOAD, model=model))
    machine = replace(other.machine, processor=HOSTILE[0], packages=((HOSTILE[0], HOSTILE[1]),))
    page = visit(to_html(comparison_page(compare(paper_cycle(GRAPH), replace(other, machine=machine))))).page

    assert page.locator("script:not([src]):not([type])").count() == 1  # ours
    assert page.evaluate("document.querySelectorAll('img, iframe, object, embed, link, form').length") == 0
