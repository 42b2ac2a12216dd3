"""A generation on the page: its figures with their definitions, its phases, its growth, and its steps in the timeline."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hostile_names import HOSTILE
from paper_generation import SLOPE_NS, paper_decoder, paper_generation
from paper_html import render
from playwright.sync_api import Page
from syrupy.assertion import SnapshotAssertion
from visiting import Open, Visit

from cyclescope.core.statistics import Estimate
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.generation import StepRow
from cyclescope.explaining.metrics.definition import DEFINITIONS, Definition, MetricName, define
from cyclescope.explaining.metrics.dialects import dialects_of
from cyclescope.report.drawings.curve import FLOOR, MOST_POINTS, TOP, curve
from cyclescope.report.drawings.steps import choose_steps, ranges, spread, step_frames
from cyclescope.report.media.html.metric_cards import metric_card
from cyclescope.report.pages.definitions import formula_text

MEGABYTE = 1_000_000
STEPS = 40


def said(seen: Visit) -> str:
    return seen.page.locator("[data-part=live]").inner_text()


def open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")


def data_of(page: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(re.findall(r'id="data">(.*?)</script>', page)[0])
    return found


# ---- the section ----


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_text_of_the_section(
    visit: Open, generation: Explanation, snapshot: SnapshotAssertion, language: str
) -> None:
    page = visit(render(generation, lang=language)).page
    open_all(page)
    assert page.locator("#generation").inner_text() == snapshot


@pytest.mark.browser
def test_it_stands_right_after_the_answer_and_its_bottlenecks(visit: Open, generated: str) -> None:
    page = visit(generated).page
    sections = page.locator("main > section").evaluate_all("all => all.map(s => s.id)")
    assert sections[:4] == ["answer", "findings", "generation", "stages"]
    assert page.locator('nav a[href="#generation"]').count() == 1


def test_a_cycle_that_writes_nothing_has_no_such_section(english: str) -> None:
    assert 'id="generation"' not in english
    assert "formula-metric-" not in english
    assert data_of(english)["timeline"]["spans"]["steps"] == []


@pytest.mark.browser
def test_every_metric_opens_its_definition_by_keyboard(visit: Open, generated: str) -> None:
    page = visit(generated).page
    for definition in DEFINITIONS:
        card = page.locator(f"#formula-metric-{definition.name.value}")
        page.locator(f"button.f[popovertarget=formula-metric-{definition.name.value}]").first.focus()
        page.keyboard.press("Enter")
        assert card.is_visible()
        box = card.bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 900
        text = card.inner_text()
        assert str(formula_text(definition)) in text
        assert f"from {definition.begin.value} to {definition.end.value}" in text
        for dialect in dialects_of(definition.name):
            assert dialect.name in text
            assert dialect.source.url in text
        page.keyboard.press("Escape")
        assert not card.is_visible()


@pytest.mark.parametrize("definition", DEFINITIONS, ids=[d.name.value for d in DEFINITIONS])
def test_a_formula_is_drawn_from_the_formula_that_is_computed(definition: Definition) -> None:
    drawn = str(metric_card(definition, str).formula)
    for quantity in definition.formula.quantities():
        assert f"<mtext>{quantity.value}</mtext>" in drawn
    assert drawn.count("<mfrac>") == str(definition.formula).count("÷") + (definition.name is MetricName.GROWTH)


def test_a_difference_that_is_multiplied_keeps_its_brackets() -> None:
    by_name = {d.name: d for d in DEFINITIONS}
    drawn = str(metric_card(by_name[MetricName.DECODE_THROUGHPUT], str).formula)
    top = re.findall(
        r"<mfrac><mrow>(.*?)</mrow><mrow>", drawn.replace("<mrow><mo>(", "(").replace(")</mo></mrow>", ")")
    )
    assert re.sub(r"<[^>]+>", "", top[0]) == "sequences×(tokens−1)"


@pytest.mark.browser
def test_percentiles_that_too_few_gaps_support_are_absent(visit: Open) -> None:
    page = visit(render(explain(paper_generation(paper_decoder(5), runs=9)))).page  # 36 gaps
    figure = page.locator("#generation .figures > div", has_text="inter-token latency").inner_text()
    assert "p90" in figure
    assert "p99 needs 299 gaps" in figure
    row = page.locator("#generation table").first.locator("tr", has_text="inter-token latency")
    assert row.locator("td").last.inner_text() == "–"


@pytest.mark.browser
def test_one_token_has_no_time_per_token_and_no_curve_and_says_so(visit: Open) -> None:
    page = visit(render(explain(paper_generation(paper_decoder(1))))).page
    section = page.locator("#generation")
    assert "Undefined at this number of tokens (1): tpot, itl" in section.inner_text()
    assert section.get_by_text("time per output token").count() == 0
    assert page.locator("#growth-curve").count() == 0
    assert page.locator("#formula-metric-tpot").count() == 0


@pytest.mark.browser
def test_without_a_light_pass_the_metrics_stand_alone(visit: Open) -> None:
    page = visit(render(explain(paper_generation(paper_decoder(5), instrumented=False)))).page
    assert page.locator("#generation .figures > div").count() == 5
    assert page.locator("#generation svg.stack, #growth-curve, #timeline").count() == 0


def test_the_phases_fill_their_bar(generated: str, generation: Explanation) -> None:
    told = generation.generation
    assert told is not None
    bar = re.findall(r'<svg class="stack" role="img" aria-label="([^"]*)".*?</svg>', generated, flags=re.DOTALL)[0]
    assert [part.rsplit(" ", 2)[0] for part in bar.split(", ")] == [row.phase.value for row in told.phases]
    section = generated[generated.index("<h3>Phases</h3>") : generated.index('id="curve-title"')]
    widths = re.findall(r'<rect class="s\d" x="[^"]*" y="4" width="([\d.]+)%"', section)
    assert sum(map(float, widths)) == pytest.approx(100, abs=0.02)
    assert len(widths) == 2 * len(told.phases)


# ---- the curve ----


def steps(times: list[float], *, n: int = 9, cache: int = 1000) -> tuple[StepRow, ...]:
    def row(k: int, ns: float) -> StepRow:
        time = Estimate(ns, 0.9 * ns, 1.1 * ns, n)
        return StepRow(k, 10 + k if k else 0, time, ns / 2, ns / 2, 0.0, time if k else None, cache * k)

    return tuple(row(k, ns) for k, ns in enumerate(times))


def test_the_curve_is_drawn_to_scale_and_the_fitted_line_goes_through_a_straight_one() -> None:
    drawn = curve(steps([9000.0, *(1000.0 + 10 * k for k in range(1, 9))]))
    assert drawn is not None
    assert drawn.trend is not None
    assert drawn.line is not None
    assert drawn.trend.slope == pytest.approx(10)
    assert len(drawn.points) == 8  # the prefill is no step of the curve
    heights = [float(point.y) for point in drawn.points]
    assert heights == sorted(heights, reverse=True)
    assert all(TOP <= float(p.high_y) < float(p.y) < float(p.low_y) <= FLOOR for p in drawn.points)
    ends = (drawn.line.x1, drawn.line.y1, drawn.line.x2, drawn.line.y2)
    assert ends == (drawn.points[0].x, drawn.points[0].y, drawn.points[-1].x, drawn.points[-1].y)
    assert not drawn.from_zero
    first, last = drawn.points[0], drawn.points[-1]
    assert float(first.cache_x.rstrip("%")) >= 0
    assert float(last.cache_x.rstrip("%")) + float(drawn.cache_width.rstrip("%")) <= 100
    bars = [float(point.cache_height) for point in drawn.points]
    assert bars[-1] == pytest.approx(8 * bars[0], rel=0.01)


def test_a_step_that_doubles_is_drawn_from_zero() -> None:
    drawn = curve(steps([1.0, 1000.0, 1500.0, 2000.0, 2500.0]))
    assert drawn is not None
    assert drawn.from_zero
    assert drawn.times[0].value == 0


def test_many_steps_share_points() -> None:
    drawn = curve(steps([1.0, *(1000.0 + k for k in range(3 * MOST_POINTS))]))
    assert drawn is not None
    assert drawn.grouped == 3
    assert len(drawn.points) == MOST_POINTS
    assert drawn.points[0].step.step == 2  # of steps 1 to 3 the one with the median time
    assert drawn.trend is not None
    assert drawn.trend.slope == pytest.approx(1)  # of all steps, not of the drawn ones


def test_few_steps_have_no_trend_as_the_metric_has_none_and_one_has_no_curve() -> None:
    least = define("growth").least_tokens
    enough = curve(steps([1.0, *(1000.0 + k for k in range(least - 1))]))
    assert enough is not None
    assert enough.trend is not None
    drawn = curve(steps([1.0, *(1000.0 + k for k in range(least - 2))]))
    assert drawn is not None
    assert drawn.trend is None
    assert drawn.line is None
    assert curve(steps([1.0, 1000.0])) is None


def test_steps_that_all_take_the_same_time_and_keep_no_cache_are_drawn() -> None:
    flat = tuple(
        replace(row, gap=None, time=replace(row.time, low_ns=1000.0, high_ns=1000.0)) for row in steps([1000.0] * 5)
    )
    drawn = curve(tuple(replace(row, cache_bytes=0) for row in flat))
    assert drawn is not None
    assert not drawn.unprofiled
    assert drawn.cache == ()
    assert len({point.y for point in drawn.points}) == 1


def test_the_slope_on_the_page_is_the_planted_one(generated: str) -> None:
    per_thousand = 3 * SLOPE_NS * 1000  # attention in three layers
    found = re.findall(r"Fitted slope \(Theil–Sen\): ([\d.]+) µs per 1000 positions", generated)
    assert float(found[0]) * 1000 == pytest.approx(per_thousand, rel=0.02)


@pytest.mark.browser
def test_the_curve_tells_a_step_by_keyboard_and_by_pointer(visit: Open, generated: str) -> None:
    page = visit(generated).page
    told = page.locator("#curve-said")
    page.locator("#growth-curve").focus()
    assert told.inner_text().startswith(f"step {STEPS - 1}, position 44")
    page.keyboard.press("Home")
    assert told.inner_text().startswith("step 1, position 6")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert told.inner_text().startswith("step 3, ")
    assert "cache" in told.inner_text()
    assert page.locator("#growth-curve .point.here").count() == 1
    plot = page.locator("#growth-curve .plot").first
    box = plot.bounding_box()
    assert box is not None
    plot.hover(position={"x": box["width"] - 2, "y": 40})
    assert told.inner_text().startswith(f"step {STEPS - 1}, ")


@pytest.mark.browser
def test_enter_on_the_curve_shows_the_step_in_the_timeline(visit: Open, generated: str) -> None:
    seen = visit(generated)
    whole = seen.view
    seen.page.locator("#growth-curve").focus()
    for key in ("Home", "ArrowRight", "Enter"):
        seen.page.keyboard.press(key)
    assert said(seen).startswith("step 2,")
    assert seen.view[1] - seen.view[0] < (whole[1] - whole[0]) / 10
    assert seen.page.evaluate("document.activeElement.dataset.part") == "stage"


# ---- the timeline ----


@pytest.mark.browser
def test_keys_and_buttons_go_from_step_to_step(visit: Open, generated: str) -> None:
    seen = visit(generated)
    whole = seen.view
    seen.page.locator("[data-part=stage]").focus()
    walk = []
    for key in ("s", "s", "s", "S"):
        seen.page.keyboard.press(key)
        walk.append(said(seen).split(",")[0])
    assert walk == ["prefill", "step 1", "step 2", "step 1"]
    assert seen.view[1] - seen.view[0] < (whole[1] - whole[0]) / 10
    assert "PaperForCausalLM" in said(seen)
    seen.page.get_by_role("button", name="next step").click()
    assert said(seen).startswith("step 2,")
    # From inside a step, back goes to where that step begins.
    seen.page.locator("[data-part=stage]").focus()
    for key in ("ArrowDown", "ArrowRight", "S"):
        seen.page.keyboard.press(key)
    assert said(seen).startswith("step 2,")
    seen.page.keyboard.press("S")
    assert said(seen).startswith("step 1,")


@pytest.mark.browser
def test_one_operation_in_one_step_can_be_reached(visit: Open, generated: str) -> None:
    seen = visit(generated)
    seen.page.get_by_role("searchbox").fill("step 17")
    assert seen.data("found") == 1
    seen.page.keyboard.press("Enter")
    assert said(seen).startswith("step 17,")
    seen.page.locator("[data-part=stage]").focus()
    for key in ("Enter", "ArrowDown", "ArrowDown", "Enter"):
        seen.page.keyboard.press(key)
    assert "linear" in said(seen) or "attention" in said(seen)
    assert seen.view[1] - seen.view[0] < 10_000


@pytest.mark.browser
@pytest.mark.parametrize(("language", "query"), [("en", "step 1"), ("zh", "第 1 步"), ("zh", "step 1")])
def test_step_1_is_not_step_17(visit: Open, generation: Explanation, language: str, query: str) -> None:
    seen = visit(render(generation, lang=language))
    seen.page.get_by_role("searchbox").fill(query)
    assert seen.data("found") == 1
    seen.page.get_by_role("searchbox").fill(query + "7")
    assert seen.data("found") == (0 if query.endswith("步") else 1)


@pytest.mark.browser
def test_added_up_the_prefill_stays_apart_from_the_steps(visit: Open, generated: str) -> None:
    seen = visit(generated)
    seen.page.get_by_role("radio", name="Added up, heaviest first").check()
    stage = seen.page.locator("[data-part=stage]")
    stage.focus()
    for key in ("ArrowDown", "ArrowDown"):
        seen.page.keyboard.press(key)
    assert said(seen).startswith(f"decode steps × {STEPS - 1},")
    seen.page.get_by_role("searchbox").fill("prefill")
    assert seen.data("found") == 1
    # A step is something that happened.
    stage.focus()
    seen.page.keyboard.press("s")
    assert seen.page.get_by_role("radio", name="As it happened").is_checked()
    assert said(seen).startswith("prefill,")


def test_steps_are_known_by_what_runs_in_them(generation: Explanation) -> None:
    found = step_frames(generation.spans)
    assert list(found.values()) == list(range(STEPS))
    assert all(generation.spans[i].name == "PaperForCausalLM" for i in found)


def test_the_encoder_is_no_step() -> None:
    told = explain(paper_generation(paper_decoder(4, encoder=True)))
    found = step_frames(told.spans)
    assert list(found.values()) == [0, 1, 2, 3]
    assert "Encoder" not in {told.spans[i].name for i in found}


@pytest.mark.parametrize("most", [400, 700, 1200])
def test_whole_steps_are_kept_rather_than_a_little_of_each(generation: Explanation, most: int) -> None:
    spans = generation.spans
    shown = choose_steps(spans, most)
    assert len(shown.spans) <= most
    assert shown.left_out == 0
    assert {0, 1, 20, STEPS - 1} <= set(shown.whole)
    assert shown.all_steps == STEPS
    assert [step for _, step in shown.steps] == list(range(STEPS))
    first = {step: i for i, step in step_frames(spans).items()}
    for at, step in shown.steps:
        inside = 0
        while shown.spans[at + inside + 1].depth > 1:
            inside += 1
        there = 0
        while spans[first[step] + there + 1].depth > 1:
            there += 1
        assert inside == (there if step in shown.whole else 0)


def test_four_steps_that_are_too_many_spans_lose_their_shortest(generation: Explanation) -> None:
    shown = choose_steps(generation.spans, 150)
    assert len(shown.spans) == 150
    assert shown.left_out > 0
    assert all(shown.spans[at].name == "PaperForCausalLM" for at, _ in shown.steps)


def test_all_spans_are_drawn_where_they_fit(generation: Explanation) -> None:
    shown = choose_steps(generation.spans, 12_000)
    assert shown.spans == generation.spans
    assert shown.whole == tuple(range(STEPS))


def test_every_beginning_of_the_order_is_spread() -> None:
    order = spread(range(41))
    assert sorted(order) == list(range(41))
    assert order[:4] == [0, 1, 40, 20]
    assert sorted(order[1:6]) == [1, 10, 20, 30, 40]
    assert [spread(range(n)) for n in range(5)] == [[], [0], [0, 1], [0, 1, 2], [0, 1, 3, 2]]


def test_ranges_gather_neighbours() -> None:
    assert ranges([0, 1, 5, 7, 8, 9]) == [(0, 1), (5, 5), (7, 9)]


@pytest.mark.browser
def test_a_page_that_folds_steps_says_which_it_draws(
    visit: Open, generation: Explanation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cyclescope.report.drawings.timeline._MOST_SPANS", 500)
    seen = visit(render(generation))
    note = seen.page.locator("#timeline .keys", has_text="steps are drawn with what is inside").inner_text()
    assert re.search(r"^\d of 40 steps", note)
    assert "0 – 1, " in note
    assert ", 39." in note
    seen.page.get_by_role("searchbox").fill("step 2")
    seen.page.keyboard.press("Enter")
    assert "not drawn" in said(seen)


def test_a_long_generation_is_below_a_megabyte() -> None:
    long = explain(paper_generation(paper_decoder(400), runs=3))
    assert len(long.spans) > 20_000
    page = render(long)
    assert len(page.encode()) < MEGABYTE
    columns = data_of(page)["timeline"]["spans"]
    assert [step for _, step in columns["steps"]] == list(range(400))


# ---- from the tables to the timeline ----


@pytest.mark.browser
@pytest.mark.parametrize("by", ["click", "Enter"])
def test_a_row_of_the_costliest_leads_to_its_span(visit: Open, english: str, by: str) -> None:
    seen = visit(english)
    whole = seen.view
    seen.page.get_by_role("radio", name="Added up, heaviest first").check()
    open_all(seen.page)
    link = seen.page.locator("#costliest table").last.locator("tbody a").nth(1)
    site = seen.page.locator("#costliest table").last.locator("tbody tr").nth(1).locator("td").first.inner_text()
    if by == "click":
        link.click()
    else:
        link.focus()
        seen.page.keyboard.press("Enter")
    assert said(seen).startswith(link.inner_text())
    assert site.split(" · ")[-1] in said(seen)
    near = seen.view
    assert near[1] - near[0] < (whole[1] - whole[0]) / 5
    assert seen.page.get_by_role("radio", name="As it happened").is_checked()
    assert seen.page.evaluate("document.activeElement.dataset.part") == "stage"
    # The arrows go on from there.
    seen.page.keyboard.press("ArrowUp")
    assert not said(seen).startswith("cycle")


def test_a_place_leads_to_its_longest_span_and_what_is_not_drawn_leads_nowhere(
    explanation: Explanation, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = render(explanation)
    section = page[page.index('<section id="costliest"') :]
    table = section[section.index("<table") : section.index("</table>")]
    spans = data_of(page)["timeline"]["spans"]
    linked = [int(i) for i in re.findall(r'<a href="#timeline" data-span="(\d+)">', table)]
    assert len(linked) == table.count("<tr>") - 1
    slow = spans["layer"][linked[0]]
    assert slow == 7  # the slow layer
    monkeypatch.setattr("cyclescope.report.drawings.timeline._MOST_SPANS", 30)
    thin = render(explanation)
    assert 0 <= thin.count("data-span=") < page.count("data-span=") / 2


# ---- for everybody ----


@pytest.mark.browser
def test_hostile_names_in_a_generation_stay_text(visit: Open) -> None:
    graph = paper_decoder(9)
    frames = tuple(
        replace(frame, class_name=HOSTILE[0], module=f"{HOSTILE[1]}.{frame.module}") if k else frame
        for k, frame in enumerate(graph.frames)
    )
    # `argmax` tells the fake clock when a token is out.
    names = tuple(name if name == "argmax" else HOSTILE[0] for name in graph.names)
    seen = visit(render(explain(paper_generation(replace(graph, frames=frames, names=names)))))
    page = seen.page
    assert page.title() != "owned"
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 3
    page.locator("[data-part=stage]").focus()
    page.keyboard.press("s")
    assert said(seen).startswith("prefill,")
    assert "onerror" in said(seen)
    page.locator("#costliest tbody a").first.click()
    assert "onerror" in said(seen)
    assert page.locator("img").count() == 0


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
def test_no_width_makes_the_page_scroll_sideways(
    visit: Open, generation: Explanation, width: int, language: str, scheme: str
) -> None:
    page = visit(render(generation, lang=language), width=width, scheme=scheme).page
    open_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
def test_tables_and_drawings_have_names_and_ids_are_unique(visit: Open, generated: str) -> None:
    page = visit(generated).page
    assert page.evaluate("[...document.querySelectorAll('main table')].every(t => t.caption?.textContent.trim())")
    assert page.evaluate("[...document.querySelectorAll('[role=img]')].every(e => e.getAttribute('aria-label').trim())")
    assert page.evaluate(
        "new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size === document.querySelectorAll('[id]').length"
    )
    missing = page.evaluate(
        """[...document.querySelectorAll('[aria-labelledby], [aria-describedby], [popovertarget]')]
            .flatMap(e => ['aria-labelledby', 'aria-describedby', 'popovertarget'].map(a => e.getAttribute(a)))
            .filter(id => id && !document.getElementById(id))"""
    )
    assert missing == []


@pytest.mark.browser
def test_it_prints_with_the_steps_as_a_table(visit: Open, generated: str) -> None:
    page = visit(generated, scheme="dark").page
    assert page.pdf().startswith(b"%PDF")
    page.emulate_media(media="print")
    assert not page.locator("#curve-said").is_visible()
    assert page.locator("#growth-curve circle").first.is_visible()
