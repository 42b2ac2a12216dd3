"""The sections of ceilings, findings, dependencies and data flow in HTML, with their drawings and what the scripts read."""

from __future__ import annotations

import json
import re

import pytest
from paper_models import paper_bert, paper_cycle
from paper_roofline import on_paper_machine, paper_ceilings

from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.drawings.link_targets import LinkTargets
from cyclescope.report.media.html.html import to_html
from cyclescope.report.media.terminal import to_text
from cyclescope.report.page import Cell, Claims, Page, Section, Table
from cyclescope.report.sections.arrangement import arrangement_section
from cyclescope.report.sections.findings import findings_section
from cyclescope.report.sections.flow import flow_section
from cyclescope.report.sections.roofline import roofline_section, what_if_section

# What stands in the drawings only, and must be there for the scripts.
PARTS = ("roofline-plot", "roofline-keys", "what-if-panel", "flow-chart", "flow-inside")


@pytest.fixture(scope="module")
def told() -> Explanation:
    return explain(on_paper_machine(paper_cycle(paper_bert(2)), paper_ceilings(faster=5.0)))


@pytest.fixture(scope="module")
def links(told: Explanation) -> LinkTargets:
    return LinkTargets.of(told.spans, told.cycle.graph)


@pytest.fixture(scope="module")
def page(told: Explanation, links: LinkTargets) -> Page:
    graph = told.cycle.graph
    assert told.arrangement is not None
    sections = (
        findings_section(told.findings, graph, links),
        roofline_section(told, links),
        what_if_section(told),
        arrangement_section(told.arrangement, graph, 2),
        flow_section(told),
    )
    return Page("Why", (), tuple(section for section in sections if section is not None))


def data_of(html: str) -> dict[str, dict[str, object]]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found
    data: dict[str, dict[str, object]] = json.loads(found[1])
    return data


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_drawing_is_there_with_its_data_and_its_definitions(page: Page, language: str) -> None:
    html = to_html(page, language)
    assert [section.id for section in page.sections] == ["findings", "roofline", "what-if", "arrangement", "flow"]
    assert all(f'id="{part}"' in html for part in PARTS)
    assert set(data_of(html)) == {"texts", "roofline", "what-if", "flow"}
    named = set(re.findall(r'popovertarget="(formula-[\w-]+)"', html))
    assert named == {f"formula-{term}" for term in ("roofline", "what-if", "critical-path", "edge")}
    assert all(f'id="{name}"' in html for name in named)


def test_the_data_of_the_scripts_are_translated(page: Page) -> None:
    english, chinese = (data_of(to_html(page, language)) for language in ("en", "zh"))
    for name in ("roofline", "what-if", "flow"):
        assert english[name].keys() == chinese[name].keys()
        texts = [data[name]["texts"] for data in (english, chinese)]
        assert texts[0] != texts[1]
        assert all(re.search("[\u4e00-\u9fff]|FLOP/s", text) for text in texts[1].values())  # type: ignore[attr-defined]


def test_a_terminal_leaves_out_what_is_nothing_but_a_drawing(page: Page) -> None:
    text = to_text(page, 100)
    assert "Distance to the ceilings" in text
    assert "What-if analysis" not in text
    assert "Data flow" not in text


def test_places_and_findings_lead_to_their_spans(told: Explanation, links: LinkTargets, page: Page) -> None:
    sections: dict[str, Section] = {section.id: section for section in page.sections}
    table = next(block for block in sections["roofline"].blocks if isinstance(block, Table))
    cells = [row[0] for row in table.rows]
    assert all(isinstance(cell, Cell) and cell.span is not None for cell in cells)
    first = cells[0]
    assert isinstance(first, Cell)
    assert first.span is not None
    assert told.roofline is not None
    assert links.places[told.roofline.places[0].place] == first.span
    (claims,) = sections["findings"].blocks
    assert isinstance(claims, Claims)
    assert all(claim.span is not None or claim.section == "set-up" for claim in claims.items)


def test_there_is_no_such_section_where_nothing_is_known() -> None:
    blind = explain(paper_cycle(paper_bert(1), instrumented=False))
    assert roofline_section(blind) is None
    assert what_if_section(blind) is None
    assert findings_section((), blind.cycle.graph) is None
