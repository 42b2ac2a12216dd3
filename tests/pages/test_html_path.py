"""The temporal arrangement on the page, and the critical path in the drawing of the data flow."""

from __future__ import annotations

from dataclasses import replace

import pytest
from paper_html import render
from paper_models import paper_bert, paper_cycle
from syrupy.assertion import SnapshotAssertion
from visiting import Open

from cyclescope.explaining.dataflow import Level, data_flow, inside
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.report import format as fmt
from cyclescope.report.drawings.flow import DrawnPath, drawn_flow, drawn_path


def test_the_path_takes_one_of_query_key_and_value(calibrated: Explanation) -> None:
    graph, told = calibrated.cycle.graph, calibrated.arrangement
    assert told is not None
    flow = drawn_flow(graph, Level.LAYER)
    layer = next(node for node in flow.nodes if node.repeats > 1)
    detail = inside(graph, layer)
    found = drawn_path(detail, told)
    products = [k for k, node in enumerate(detail.nodes) if node.module.endswith(("query", "key", "value"))]
    assert len(products) == 3
    assert len(found.nodes.intersection(products)) == 1
    # Every marked arrow joins marked boxes and is an arrow of the drawing.
    arrows = {(edge.source, edge.target) for edge in detail.edges}
    assert found.edges <= arrows
    assert all({a, b} <= found.nodes for a, b in found.edges)
    # From the first to the last box without a gap: the path is one line.
    assert len(found.edges) == len(found.nodes) - 1


def test_what_a_drawing_leaves_out_is_stepped_over(calibrated: Explanation) -> None:
    graph, told = calibrated.cycle.graph, calibrated.arrangement
    assert told is not None
    views = [op for op in told.path.tolist() if graph.kinds[op].value == "view"]
    assert views  # the path runs through views, which no drawing has
    whole = data_flow(graph, Level.OPERATION)
    drawn = {op for node in whole.nodes for op in node.ops}
    assert drawn.isdisjoint(views)
    assert len(drawn_path(whole, told).nodes) == len(told.path) - len(views)


def test_without_an_arrangement_nothing_is_marked(calibrated: Explanation) -> None:
    assert drawn_path(data_flow(calibrated.cycle.graph), None) == DrawnPath()
    page = render(replace(calibrated, arrangement=None))
    assert 'id="arrangement"' not in page
    assert '"critical":true' not in page
    assert 'class="critical-key"' not in page


@pytest.mark.browser
def test_the_drawing_marks_the_path_and_says_so(visit: Open, why: str) -> None:
    page = visit(why).page
    opened = page.locator("[data-part=inside]")
    assert opened.locator(".box.operation").count() == 13
    assert opened.locator(".box.operation.critical").count() == 11
    uninstrumented = opened.locator(".box.operation:not(.critical) title").all_text_contents()
    marked = opened.locator(".box.operation.critical title").all_text_contents()
    assert all(text.endswith("on the critical path") for text in marked)
    assert not any("critical" in text for text in uninstrumented)
    assert opened.locator("path.arrow.critical").count() == opened.locator(".box.critical").count() - 1
    stroke = "e => getComputedStyle(e.querySelector('rect')).stroke"
    assert opened.locator(".box.critical").first.evaluate(stroke) != opened.locator(".box.operation:not(.critical)").first.evaluate(stroke)  # fmt: skip
    assert page.locator("#flow .legend").inner_text().strip() == "critical path"


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_text_of_the_section(
    visit: Open, calibrated: Explanation, snapshot: SnapshotAssertion, language: str
) -> None:
    page = visit(render(calibrated, lang=language)).page
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert page.locator("#arrangement").inner_text() == snapshot


@pytest.mark.browser
def test_it_stands_before_the_data_flow_with_its_figures(visit: Open, calibrated: Explanation, why: str) -> None:
    page = visit(why).page
    sections = page.locator("main > section").evaluate_all("all => all.map(s => s.id)")
    assert sections[sections.index("arrangement") + 1] == "flow"
    told = calibrated.arrangement
    assert told is not None
    text = page.locator("#arrangement").inner_text()
    assert fmt.time(told.work_ns) in text
    assert fmt.time(told.span_ns) in text
    tables = page.locator("#arrangement table")
    assert tables.count() == 3
    page.emulate_media(media="print")
    assert all(table.is_visible() for table in tables.all())


def test_a_cycle_that_nobody_stamped_has_no_arrangement() -> None:
    page = render(explain(paper_cycle(paper_bert(2), instrumented=False, partial=True)))
    assert 'id="arrangement"' not in page
    assert 'id="roofline"' not in page
    assert 'id="what-if"' not in page
