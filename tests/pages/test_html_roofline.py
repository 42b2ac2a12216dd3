"""The roofline: where its points stand, what they tell, and that it can be read at every width and without a mouse."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hostile_names import HOSTILE
from paper_generation import paper_decoder, paper_generation
from paper_html import render
from paper_models import paper_bert, paper_cycle
from paper_roofline import on_paper_machine, paper_ceilings
from playwright.sync_api import Page
from syrupy.assertion import SnapshotAssertion
from visiting import Open

from cyclescope.core.ceilings import Figure
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.roofline import Roofline
from cyclescope.report import format as fmt
from cyclescope.report.drawings.axis import decades
from cyclescope.report.drawings.roofline import MOST_POINTS, RooflineDrawing, roofline_drawing
from cyclescope.report.drawings.roofline_points import roofline_points
from cyclescope.report.naming.bounds import bound_name

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def view(calibrated: Explanation) -> RooflineDrawing:
    return of(calibrated)


@pytest.fixture(scope="module")
def told(calibrated: Explanation) -> Roofline:
    assert calibrated.roofline is not None
    return calibrated.roofline


def of(explanation: Explanation) -> RooflineDrawing:
    assert explanation.roofline is not None
    return roofline_drawing(explanation, explanation.roofline)


def circles(page: Page) -> list[dict[str, float]]:
    return page.locator("#roofline-plot circle").evaluate_all(
        "all => all.map(c => ({x: +c.getAttribute('cx'), y: +c.getAttribute('cy'), r: +c.getAttribute('r')}))"
    )


# ---- what is drawn ----


def test_every_place_with_time_is_under_the_roof_on_the_strip_or_counted_as_neither(
    view: RooflineDrawing, told: Roofline
) -> None:
    drawn = view.upper + view.lower
    assert {point.entry.name for point in view.upper}.isdisjoint(point.entry.name for point in view.lower)
    assert all(point.flops > 0 for point in view.upper)
    assert all(point.flops == 0 < point.bytes for point in view.lower)
    left = [point for point in view.points if point not in drawn]
    assert {point.kind.value for point in left} == {"view", "text"}
    assert sum(point.time_ns for point in view.points) == pytest.approx(told.time_ns.sum())
    (remark,) = map(str, view.remarks)
    assert remark.startswith(f"{len(left)} places")
    assert fmt.time(sum(point.time_ns for point in left)) in remark


def test_a_point_stands_at_its_intensity_and_rate(
    view: RooflineDrawing, told: Roofline, calibrated: Explanation
) -> None:
    graph = calibrated.cycle.graph
    (point,) = (point for point in view.upper if "intermediate.dense" in point.entry.name)
    ops = [
        i
        for i in range(len(graph))
        if graph.flops[i] == 2 * 16 * 768 * 3072 and i > 9 and "intermediate" in graph.location(i).module
    ]
    flops, moved = graph.flops[ops].sum(), (graph.read_bytes + graph.written_bytes)[ops].sum()
    assert point.entry.count == len(ops) == 12
    assert point.intensity == pytest.approx(flops / moved)
    assert point.flops_per_s == pytest.approx(flops / told.time_ns[ops].sum() * 1e9)


def test_the_pieces_of_the_bar_add_up_to_the_cycle(view: RooflineDrawing, told: Roofline) -> None:
    assert sum(piece.time_ns for piece in view.pieces) == pytest.approx(told.total_ns)
    assert [piece.paint for piece in view.pieces][-2:] == ["gap", "python"]


def test_more_places_than_can_be_told_apart_are_left_out_and_counted(told: Roofline, calibrated: Explanation) -> None:
    # Twice as many stacks as points, each layer of another width, so that no two places are the same.
    view = of(calibrated)
    many = replace(
        told,
        places=tuple(
            replace(gap, place=replace(gap.place, operation=f"{gap.place.operation}{k}"))
            for k in range(40)
            for gap in told.places
        ),
    )
    groups = tuple(
        replace(row, place=replace(row.place, operation=f"{row.place.operation}{k}"))
        for k in range(40)
        for row in calibrated.places
    )
    crowded = of(replace(calibrated, roofline=many, places=groups))
    assert len(crowded.upper) == len(crowded.lower) == MOST_POINTS
    assert len(crowded.remarks) == 2
    rest = (
        40 * len(view.points)
        - 2 * MOST_POINTS
        - 40 * sum(point.kind.value in ("view", "text") for point in view.points)
    )
    assert f"The {rest:,} places" in str(crowded.remarks[1])


def test_near_levels_and_near_products_share_a_line(
    view: RooflineDrawing, told: Roofline, calibrated: Explanation
) -> None:
    assert [line[0] for line in view.products] == [1000e9, 100e9, 10e9]
    assert "vector" in str(view.products[-1][1])
    near = tuple(
        replace(row, bytes_per_s=replace(row.bytes_per_s, value=1e12 if row.level in ("L1", "L2") else 1e9))
        for row in told.ceilings.bandwidths
    )
    ceilings = replace(told.ceilings, bandwidths=near)
    lines = of(replace(calibrated, roofline=replace(told, ceilings=ceilings))).bandwidths
    assert [str(line[2]) for line in lines] == ["L1, L2", "L3, main memory"]


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ([1, 1e4], (1, 10, 100, 1e3, 1e4)),
        ([30, 900], (20, 50, 100, 200, 500, 1000)),
        ([3.1, 3.2], (2, 5)),
        ([5.0], (5,)),
        ([0.0021, 0.002], (0.002,)),
    ],
)
def test_a_logarithmic_axis_has_round_marks(values: list[float], marks: tuple[float, ...]) -> None:
    found = decades(values)
    assert found.marks == pytest.approx(marks)
    assert found.low <= min(*found.marks, *values)
    assert found.high >= max(*found.marks, *values)


def test_marks_of_an_axis_have_no_idle_digits() -> None:
    assert [fmt.decade(10.0**k, "FLOP/s") for k in (3, 8, 12)] == ["1 kFLOP/s", "100 MFLOP/s", "1 TFLOP/s"]
    assert [fmt.decade(value, "") for value in (0.01, 0.5, 1, 20, 1000)] == ["0.01", "0.5", "1", "20", "1,000"]


# ---- in the browser ----


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_text_of_the_section(
    visit: Open, calibrated: Explanation, snapshot: SnapshotAssertion, language: str
) -> None:
    page = visit(render(calibrated, lang=language)).page
    page.evaluate("document.querySelector('#roofline-plot svg').remove()")  # cut to the width of a font
    assert page.locator("#roofline").inner_text() == snapshot


@pytest.mark.browser
def test_area_is_time_and_height_is_rate(visit: Open, why: str, view: RooflineDrawing) -> None:
    seen = circles(visit(why).page)
    points = view.upper + view.lower
    assert len(seen) == len(points)
    by_rate = sorted(range(len(view.upper)), key=lambda k: view.upper[k].flops_per_s)
    heights = [seen[k]["y"] for k in by_rate]
    assert heights == sorted(heights, reverse=True)
    large = [k for k in range(len(points)) if seen[k]["r"] > 3]
    assert len(large) > 4
    for k in large:
        assert seen[k]["r"] ** 2 / seen[large[0]]["r"] ** 2 == pytest.approx(
            points[k].time_ns / points[large[0]].time_ns, rel=0.05
        )
    # On a logarithmic scale equal factors are equal distances.
    a, b, c = (
        next(k for k, s in enumerate(view.upper) if part in s.entry.name) for part in ("query", "scaled", "pooler")
    )
    slope = [
        (seen[p]["x"] - seen[q]["x"]) / math.log(view.upper[p].intensity / view.upper[q].intensity)
        for p, q in ((a, b), (b, c))
    ]
    assert slope[0] == pytest.approx(slope[1], rel=0.02)


@pytest.mark.browser
def test_pointing_at_a_place_tells_it(visit: Open, why: str, view: RooflineDrawing) -> None:
    page = visit(why).page
    page.locator("#roofline-plot").scroll_into_view_if_needed()
    k = next(k for k, point in enumerate(view.lower) if point.entry.name.endswith("gelu"))
    point = view.lower[k]
    page.locator("#roofline-plot circle").nth(len(view.upper) + k).hover(force=True)
    tip = page.locator("#roofline-plot .tip")
    tip.wait_for(state="visible")
    assert tip.locator("strong").inner_text() == "encode · intermediate (gelu) × 12"
    told = dict(zip(tip.locator("dt").all_inner_texts(), tip.locator("dd").all_inner_texts(), strict=True))
    assert told == {
        "kind": "activations",
        "operations": "12",
        "time": fmt.time(point.entry.time_ns),
        "bound by": str(bound_name(point.entry.bound, point.entry.level)),
        "at the ceiling": fmt.time(point.entry.floor_ns),
        "reached": fmt.share(point.entry.reached),
        "bytes/s": fmt.bandwidth(point.bytes_per_s),
    }
    page.mouse.move(5, 5)
    tip.wait_for(state="hidden")


@pytest.mark.browser
def test_keys_walk_from_the_costliest_place_and_enter_leads_into_the_timeline(
    visit: Open, why: str, calibrated: Explanation
) -> None:
    seen = visit(why)
    page = seen.page
    root, live = page.locator("#roofline-plot"), page.locator("#roofline-plot [data-part=live]")
    page.locator("#roofline button.f").first.focus()
    while page.evaluate("document.activeElement.id") != "roofline-plot":
        page.keyboard.press("Tab")
    assert root.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    first = live.inner_text()
    assert "intermediate.dense" in first or "output.dense" in first
    assert "FLOP/s" in first
    page.keyboard.press("ArrowRight")
    assert live.inner_text() != first
    page.keyboard.press("ArrowLeft")
    assert live.inner_text() == first
    page.keyboard.press("End")
    last = live.inner_text()
    page.keyboard.press("ArrowRight")
    assert live.inner_text() == last
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.part") == "stage"
    assert calibrated.spans[int(seen.data("selected"))].kind == "matmul"


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 768, 420])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_name_covers_another(visit: Open, calibrated: Explanation, width: int, language: str) -> None:
    page = visit(render(calibrated, lang=language), width=width).page
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('#roofline-plot text')].filter(t => !t.getAttribute('transform')).map(t => {
            const b = t.getBoundingClientRect();
            return [t.textContent, b.left, b.right, b.top + 2, b.bottom - 2];
        })"""
    )
    assert len(boxes) > 12
    met = [
        (one[0], other[0])
        for k, one in enumerate(boxes)
        for other in boxes[k + 1 :]
        if one[1] < other[2] and other[1] < one[2] and one[3] < other[4] and other[3] < one[4]
    ]
    assert met == []
    plot = page.locator("#roofline-plot").bounding_box()
    assert plot is not None
    assert all(box[1] >= plot["x"] - 1 and box[2] <= plot["x"] + plot["width"] + 1 for box in boxes)


# Bytes a second of each level in GB/s: shared caches hardly faster than the memory, all near each other, and far apart.
BANDWIDTHS = [(100, 31, 31, 29), (40, 36, 33, 30), (500, 200, 31, 30), (31, 31, 31, 3)]


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 420])
@pytest.mark.parametrize("known", BANDWIDTHS, ids=str)
def test_no_line_of_a_level_goes_through_a_name(
    visit: Open, calibrated: Explanation, known: tuple[int, ...], width: int
) -> None:
    ceilings = calibrated.cycle.machine.ceilings
    assert ceilings is not None
    rates = dict(zip(("L1", "L2", "L3", "memory"), known, strict=True))
    levels = tuple(
        replace(row, bytes_per_s=Figure.stated(rates[row.level] * 1e9, "paper")) for row in ceilings.bandwidths
    )
    near = on_paper_machine(calibrated.cycle, replace(ceilings, bandwidths=levels))
    page = visit(render(explain(near)), width=width).page
    lines, names = page.evaluate(
        """() => [['line.ceiling.memory', l => l.x1.baseVal.value === l.x2.baseVal.value], ['text.name', t => /B.s$/.test(t.textContent)]].map(
            ([what, kept]) => [...document.querySelectorAll('#roofline-plot ' + what)].filter(kept).filter(e => !e.getAttribute('transform')).map(e => {
                const b = e.getBoundingClientRect();
                return [e.textContent, b.left, b.right, b.top + 2, b.bottom - 2];
            }))"""
    )
    assert len(lines) >= len(names) >= 2
    met = [
        name[0]
        for name in names
        for line in lines
        if line[1] < name[2] and name[1] < line[2] and line[3] < name[4] and name[3] < line[4]
    ]
    assert met == []
    assert not [
        1
        for k, a in enumerate(names)
        for b in names[k + 1 :]
        if a[1] < b[2] and b[1] < a[2] and a[3] < b[4] and b[3] < a[4]
    ]


@pytest.mark.browser
def test_on_paper_it_is_as_wide_as_paper_and_afterwards_as_before(visit: Open, why: str) -> None:
    page = visit(why).page
    width = "document.querySelector('#roofline-plot svg').getAttribute('width')"
    before = page.evaluate(width)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(width) == "690"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(width) == before


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_width_makes_it_scroll_sideways(visit: Open, calibrated: Explanation, language: str) -> None:
    page = visit(render(calibrated, lang=language), width=360).page
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.browser
def test_without_ceilings_one_line_says_how_to_get_them(visit: Open, english: str) -> None:
    page = visit(english).page
    assert "cyclescope calibrate" in page.locator("#roofline").inner_text()
    assert page.locator("#roofline svg, #what-if").count() == 0
    assert page.locator('nav a[href="#roofline"]').count() == 1
    assert page.locator('nav a[href="#what-if"]').count() == 0


@pytest.mark.browser
def test_hostile_names_stay_text_under_the_roof(visit: Open, hostile: Explanation) -> None:
    cycle = on_paper_machine(hostile.cycle, replace(paper_ceilings(), machine=HOSTILE[0], engine=HOSTILE[1]))
    page = visit(render(explain(cycle))).page
    assert page.locator("img").count() == 0
    page.locator("#roofline-plot").focus()
    page.keyboard.press("Home")
    assert "onerror" in page.locator("#roofline-plot .tip").inner_text()
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_page_with_ceilings_is_below_a_megabyte(why: str) -> None:
    deep = explain(on_paper_machine(paper_cycle(paper_bert(172, hidden=64, vocabulary=100))))
    written = explain(on_paper_machine(paper_generation(paper_decoder(40))))
    for page in (why, render(deep), render(deep, lang="zh"), render(written)):
        assert len(page.encode()) < MEGABYTE


def test_places_that_took_no_time_are_no_points(calibrated: Explanation) -> None:
    assert calibrated.roofline is not None
    gaps = tuple(replace(gap, time_ns=0.0) for gap in calibrated.roofline.places[:3]) + calibrated.roofline.places[3:]
    assert (
        len(roofline_points(gaps, calibrated.places))
        == len(roofline_points(calibrated.roofline.places, calibrated.places)) - 3
    )
