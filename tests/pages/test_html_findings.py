"""Findings on the page: first of all, each with a way to its place in the timeline, and back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from paper_html import render
from syrupy.assertion import SnapshotAssertion
from visiting import Open, Visit

from cyclescope.explaining.explanation import Explanation, Span
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Location, Quantity
from cyclescope.report.drawings.link_targets import LinkTargets
from cyclescope.report.page import Claims
from cyclescope.report.sections.findings import findings_section


def tab_to(seen: Visit, selector: str) -> None:
    """Press Tab until the focus is on what `selector` finds first."""
    for _ in range(60):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate("s => document.activeElement === document.querySelector(s)", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab")


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_text_of_the_findings(
    visit: Open, calibrated: Explanation, snapshot: SnapshotAssertion, language: str
) -> None:
    assert visit(render(calibrated, lang=language)).page.locator("#findings").inner_text() == snapshot


@pytest.mark.browser
def test_they_stand_right_under_the_answer_and_the_doubts(visit: Open, calibrated: Explanation) -> None:
    page = visit(render(replace(calibrated, cycle=replace(calibrated.cycle, partial=True)))).page
    tops = page.evaluate(
        "['h1', '.answer > .note.warning', '.figures', '.answer > .facts', '#findings', '#stages', '#timeline'].map(s => document.querySelector(s).getBoundingClientRect().top)"
    )
    assert tops == sorted(tops)
    assert page.locator("#findings li").count() == len(calibrated.findings) > 1
    assert page.locator('nav a[href="#findings"]').count() == 1


def test_a_cycle_without_findings_has_no_such_list(calibrated: Explanation) -> None:
    page = render(replace(calibrated, findings=()))
    assert 'id="findings"' not in page
    assert 'href="#findings"' not in page


@pytest.mark.browser
def test_by_keyboard_a_finding_leads_into_the_timeline_and_escape_leads_back(
    visit: Open, why: str, calibrated: Explanation
) -> None:
    seen = visit(why)
    page = seen.page
    tab_to(seen, "#findings a.go")
    link = page.locator("#findings a.go").first
    target = int(link.get_attribute("data-span") or -1)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.part") == "stage"
    assert seen.data("selected") == target
    assert seen.data("flagged") == target
    span = calibrated.spans[target]
    begin, end = seen.view
    assert begin <= span.start_ns
    assert span.start_ns + span.duration_ns <= end
    assert end - begin < calibrated.spans[0].duration_ns / 5
    assert page.locator("[data-part=live]").first.inner_text().startswith(span.name)
    assert page.locator("#timeline-chart").evaluate("e => e.getBoundingClientRect().top < innerHeight")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.querySelector('#findings a.go')")
    assert seen.data("selected") == -1
    assert seen.data("flagged") == target  # the mark stays, to be found again


@pytest.mark.browser
def test_the_mark_is_drawn_where_the_span_is(visit: Open, why: str) -> None:
    seen = visit(why)
    column = "document.querySelector('[data-part=canvas]').getContext('2d').getImageData(X, Y, 1, 1).data.join()"
    # In the empty band of the ruler, in the middle of the view: where a click leads, the span stands in the middle.
    middle = seen.page.evaluate("document.querySelector('[data-part=canvas]').width / 2 | 0")
    corner = column.replace("X", str(middle + 40)).replace("Y", "20")
    before = seen.page.evaluate(corner)
    seen.page.locator("#findings a.go").first.click()
    assert seen.data("flagged") >= 0
    assert seen.page.evaluate(corner) != before
    seen.page.get_by_role("radio", name="Added up, heaviest first").check()
    assert seen.data("flagged") >= 0
    assert seen.page.evaluate(corner) == before  # added up it is not one place
    seen.complaints[:] = [
        text for text in seen.complaints if "getImageData" not in text
    ]  # only this test reads it back


@pytest.mark.browser
def test_every_finding_leads_somewhere_that_is_there(visit: Open, calibrated: Explanation) -> None:
    noise = Finding(FindingCode.NOISE, 0.0, 0.0, ())
    first = Finding(
        FindingCode.FIRST_CALL, 0.0, 0.0, (Evidence(EvidenceName.TIMES_STEADY, Quantity.RATIO, 3.0),), Location()
    )
    page = visit(render(replace(calibrated, findings=(*calibrated.findings, noise, first)))).page
    links = page.locator("#findings a.go")
    assert links.count() == len(calibrated.findings) + 2
    targets = links.evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert targets[-2:] == ["#method", "#set-up"]
    assert all(page.locator(target).count() == 1 for target in targets)
    assert page.locator("#findings svg.weight").count() == len(calibrated.findings)  # these two have no share


def spans() -> tuple[Span, ...]:
    return (
        Span("cycle", "frame", "", None, "", 0, 100, 0),
        Span("python", "python", "encode", 0, "", 0, 5, 1),
        Span("Layer", "frame", "encode", 0, "l.0", 5, 40, 1),
        Span("linear", "matmul", "encode", 0, "l.0", 5, 40, 2, op=3),
        Span("Layer", "frame", "encode", 1, "l.1", 45, 40, 1),
    )


@pytest.mark.parametrize(
    ("place", "evidence_op", "target"),
    [
        (Location("encode", 0, 3), -1, 3),
        (Location("encode", 1, 7), 3, 3),  # its own operation is not drawn, but that of its evidence
        (Location("encode", 1, 7), -1, 4),  # nor that, so its layer
        (Location("encode", 5, 7), -1, 2),  # nor that, so the first of its stage
        (Location("embed"), -1, None),
        (Location(), -1, None),
    ],
)
def test_where_a_finding_leads(calibrated: Explanation, place: Location, evidence_op: int, target: int | None) -> None:
    evidence = (Evidence(EvidenceName.OF_CEILING, Quantity.SHARE, 0.5, evidence_op),)
    found = Finding(FindingCode.COMPUTE_BOUND, 0.5, 0.25, evidence, place)
    graph = calibrated.cycle.graph
    section = findings_section([found], graph, LinkTargets.of(spans(), graph))
    assert section is not None
    (claims,) = section.blocks
    assert isinstance(claims, Claims)
    (claim,) = claims.items
    assert claim.span == target
    assert (claim.weight, claim.gain) == (0.5, 0.25)


@pytest.mark.browser
def test_the_subject_of_a_finding_stays_text(visit: Open, calibrated: Explanation) -> None:
    attack = '<img src=x onerror="document.title=1">'
    evidence = (Evidence(EvidenceName.TIMES_FLOOR, Quantity.RATIO, 9.0),)
    found = Finding(FindingCode.SCALAR_ACTIVATION, 0.2, 0.1, evidence, Location(), attack)
    page = visit(render(replace(calibrated, findings=(found,)))).page
    assert attack in page.locator("#findings .claim").inner_text()
    assert page.locator("img").count() == 0
