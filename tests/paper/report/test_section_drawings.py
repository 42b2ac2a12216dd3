"""The drawings of a cycle's sections in HTML: bars of phases and of memory, the curve of the steps, the course of memory."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from paper_generation import paper_decoder, paper_generation
from paper_structures import EVEN, UNEVEN, mixture

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.media.html.html import to_html
from cyclescope.report.page import Page
from cyclescope.report.sections.experts import experts_section
from cyclescope.report.sections.generation import generation_section
from cyclescope.report.sections.memory import memory_section

STEPS = 10
HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def written() -> Explanation:
    return explain(paper_generation(paper_decoder(STEPS)))


def html(told: Explanation, language: str = "en") -> str:
    graph = told.cycle.graph
    sections = (
        generation_section(told.generation, graph),
        experts_section(graph),
        memory_section(told.memory, graph, {3: 5}),
    )
    page = to_html(Page("page", (), tuple(section for section in sections if section is not None)), language)
    return page[page.index("<main") : page.index("</main>")]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_text_of_them_is_in_the_language(written: Explanation, language: str) -> None:
    page = html(written, language)
    assert "Message(" not in page
    assert "Series(" not in page
    words = re.sub(r"<[^>]*>", " ", page)
    for english in ("position: tokens before", "held for activations", "The curve as a table", "Fitted slope"):
        assert (english in words) == (language == "en")


def test_the_scripts_find_what_they_look_for(written: Explanation) -> None:
    page = html(written)
    for name in (
        "growth-curve",
        "curve-said",
        "curve-keys",
        "curve-title",
        "memory-course",
        "course-said",
        "course-keys",
    ):
        assert page.count(f'id="{name}"') == 1
    curve, course = page.split('id="memory-course"')
    assert len(re.findall(r'class="point" data-target="\d+"', curve)) == STEPS - 1
    assert 'data-target="5"' in course
    rows = course[course.index('id="course-rows"') :].partition("</tbody>")[0]
    assert rows.count("<tr>") == course.count('class="point"')
    assert 'data-spoken="operation' in course or 'data-spoken="operations' in course
    assert "{number} of " in course


def test_the_phases_fill_their_bar(written: Explanation) -> None:
    told = written.generation
    assert told is not None
    bar = re.findall(r'<svg class="stack" role="img" aria-label="([^"]*)".*?</svg>', html(written), flags=re.DOTALL)[0]
    assert [part.rsplit(" ", 2)[0] for part in bar.split(", ")] == [row.phase.value for row in told.phases]
    section = html(written).partition('class="sides"')[0]
    widths = re.findall(r'<rect class="s\d" x="[^"]*" y="4" width="([\d.]+)%"', section)
    assert sum(map(float, widths)) == pytest.approx(100, abs=0.02)
    assert len(widths) == 2 * len(told.phases)


def test_every_metric_offers_its_definition(written: Explanation) -> None:
    page = html(written)
    for term in ("metric-ttft", "metric-growth", "interval", "share", "memory-computed"):
        assert f'popovertarget="formula-{term}"' in page
    assert "memory-measured" not in page


def test_experts_have_a_section() -> None:
    graph = mixture(EVEN, UNEVEN)
    section = experts_section(graph)
    assert section is not None
    page = to_html(Page("page", (), (section,)))
    assert "2.00 times the average" in page


def renamed(graph: Graph) -> Graph:
    return replace(graph, names=tuple(HOSTILE if n == "scaled_dot_product_attention" else n for n in graph.names))


def test_hostile_names_stay_text() -> None:
    page = html(explain(paper_generation(renamed(paper_decoder(STEPS)))))
    assert "&lt;/script&gt;" in page
    assert "<img" not in page
