"""The section about memory: what makes up the peak, on both sides, and the curve over the operations."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from paper_generation import paper_decoder, paper_generation
from paper_html import render
from paper_models import paper_bert, paper_cycle
from syrupy.assertion import SnapshotAssertion
from visiting import Open

from cyclescope.core.cycle import Cycle
from cyclescope.core.samples import MemorySamples
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.drawings.step_plot import FLOOR, MOST_STEPS, TOP, memory_curve

EXTRA = 200_000
MEGABYTE = 1_000_000


def observed(cycle: Cycle, *, extra: int = EXTRA, at: int | None = None) -> Explanation:
    """A cycle that was seen to hold what is computed, and `extra` bytes more while operation `at`, or the peak's, ran."""
    computed = explain(cycle).memory
    assert computed is not None
    held = computed.computed
    # One piece for each operation, there at one look only, as large as all that is held.
    sizes = held.activations + held.cache
    sizes[held.peak_op if at is None else at] += extra
    rows = np.arange(len(sizes), dtype=np.int64)
    seen = MemorySamples(
        sizes, rows + 10_000, rows, rows, rows, held.weights, held.buffers, held.inputs, 900_000_000, 901_500_000
    )
    return explain(replace(cycle, samples=replace(cycle.samples, memory=seen)))


@pytest.fixture(scope="module")
def seen() -> Explanation:
    return observed(paper_cycle(paper_bert(2)))


@pytest.fixture(scope="module")
def page_of_seen(seen: Explanation) -> str:
    return render(seen)


# ---- the section ----


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_text_of_the_section(visit: Open, seen: Explanation, snapshot: SnapshotAssertion, language: str) -> None:
    page = visit(render(seen, lang=language)).page
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert page.locator("#memory").inner_text() == snapshot


@pytest.mark.browser
def test_it_stands_after_the_account_and_in_the_contents(visit: Open, page_of_seen: str) -> None:
    page = visit(page_of_seen).page
    sections = page.locator("main > section").evaluate_all("all => all.map(s => s.id)")
    assert sections[sections.index("memory") - 1] == "account"
    assert page.locator('nav a[href="#memory"]').count() == 1


def test_without_anything_about_memory_there_is_no_such_section(seen: Explanation) -> None:
    page = render(replace(seen, memory=None))
    assert 'id="memory"' not in page
    assert "#memory" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    assert "formula-memory" not in page


def test_what_nobody_looked_at_has_no_column_no_bar_no_line_and_no_formula(english: str) -> None:
    section = english[english.index('id="memory"') : english.index('id="set-up"')]
    assert section.count('class="stack"') == 1
    assert 'class="measured"' not in section
    assert "formula-memory-measured" not in english
    assert "only the computed side" in section


@pytest.mark.browser
def test_both_sides_have_a_formula(visit: Open, page_of_seen: str) -> None:
    page = visit(page_of_seen).page
    for side in ("computed", "measured"):
        page.locator(f"button.f[popovertarget=formula-memory-{side}]").focus()
        page.keyboard.press("Enter")
        formula = page.locator(f"#formula-memory-{side}")
        assert formula.is_visible()
        assert "operation i" in formula.inner_text()
        page.keyboard.press("Escape")
        assert not formula.is_visible()


def test_both_bars_are_on_one_scale_and_the_larger_fills_it(page_of_seen: str, seen: Explanation) -> None:
    told = seen.memory
    assert told is not None
    assert told.measured is not None
    section = page_of_seen[page_of_seen.index('<section id="memory"') :]
    sides = section[section.index('class="sides"') : section.index("<table")]
    bars = re.findall(r"<svg.*?</svg>", sides, flags=re.DOTALL)
    computed, measured = (sum(map(float, re.findall(r'width="([\d.]+)%" height="18"/', bar))) for bar in bars)
    assert measured == pytest.approx(100, abs=0.02)
    assert computed == pytest.approx(100 * told.computed.peak / told.measured.peak, abs=0.02)


@pytest.mark.browser
def test_a_generation_shows_its_cache(visit: Open) -> None:
    section = visit(render(observed(paper_generation(paper_decoder(8))))).page.locator("#memory")
    assert section.locator("tbody tr", has_text="cache").first.is_visible()
    assert "At the end the cache takes" in section.inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_fits_a_telephone(visit: Open, seen: Explanation, scheme: str, language: str) -> None:
    page = visit(render(seen, lang=language), width=360, scheme=scheme).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    # The figures are seen without scrolling, and no name of a peak leaves the drawing.
    assert page.locator("#memory table").first.evaluate("t => t.scrollWidth <= t.parentElement.clientWidth")
    outside = page.locator("#memory-course .peak text").evaluate_all(
        "all => all.filter(t => { const box = t.getBoundingClientRect(); return box.left < 0 || box.right > innerWidth; }).length"
    )
    assert outside == 0


@pytest.mark.browser
def test_it_prints_whole(visit: Open, page_of_seen: str) -> None:
    page = visit(page_of_seen).page
    page.emulate_media(media="print")
    assert page.locator("#memory-course").is_visible()
    assert not page.locator("#course-said").is_visible()
    assert not page.locator("#course-keys").is_visible()


# ---- the curve ----


def heights(path: str) -> list[float]:
    return [float(y) for y in re.findall(r"V([\d.]+)", path)]


def test_the_stairs_are_drawn_to_scale_from_zero() -> None:
    drawn = memory_curve([0, 100, 400, 200], [0, 100, 300, 250])
    assert drawn.sizes[0].value == 0
    assert drawn.sizes[-1].value == 400
    assert drawn.computed.line == f"M0 {FLOOR:.2f}V190.00H1V153.00H2V{TOP:.2f}H3V116.00H4"
    assert drawn.measured is not None
    assert heights(drawn.measured.line) == [190, 153, 79, 97.5]
    assert (drawn.computed.peak.bytes, drawn.computed.peak.x, drawn.computed.peak.y) == (400, "62.500%", "42.00")
    assert [tick.value for tick in drawn.numbers] == [1, 2, 3, 4]
    assert drawn.numbers[0].at == drawn.steps[0].x


def test_a_name_at_the_edge_stays_inside() -> None:
    def at(k: int) -> str:
        return memory_curve([9 if i == k else 1 for i in range(10)], None).computed.peak.anchor

    assert [at(0), at(5), at(9)] == ["start", "middle", "end"]


def test_one_operation_that_holds_nothing_is_drawn() -> None:
    drawn = memory_curve([0], None)
    assert drawn.computed.line == "M0 190.00V190.00H1"
    assert drawn.measured is None
    assert len(drawn.steps) == 1


def test_many_operations_share_steps_and_no_peak_is_lost() -> None:
    n = 3 * MOST_STEPS - 1
    computed, measured = [10] * n, [10] * n
    computed[100], measured[333] = 999, 1000
    drawn = memory_curve(computed, measured)
    assert drawn.few == 3
    assert len(drawn.steps) == MOST_STEPS
    assert drawn.steps[drawn.peak_step].most == 100
    assert drawn.computed.peak.bytes == 999
    assert drawn.measured is not None
    assert drawn.measured.peak.bytes == 1000
    assert (drawn.steps[-1].first, drawn.steps[-1].last) == (n - 2, n - 1)


@pytest.mark.browser
def test_the_curve_tells_an_operation_by_keyboard_and_by_pointer(visit: Open, page_of_seen: str) -> None:
    page = visit(page_of_seen).page
    told, drawing = page.locator("#course-said"), page.locator("#memory-course")
    peak = told.inner_text()
    assert peak.endswith(": computed 541 kB, measured 741 kB")
    drawing.focus()
    assert told.inner_text() == peak
    count = drawing.locator(".point").count()
    page.keyboard.press("ArrowLeft")
    assert told.inner_text() != peak
    page.keyboard.press("ArrowRight")
    assert told.inner_text() == peak  # the script says it in the words of the markup
    assert drawing.locator(".point.here").count() == 1
    page.keyboard.press("Home")
    assert told.inner_text().startswith(f"operation 1 of {count}, ")
    page.keyboard.press("ArrowRight")
    assert told.inner_text().startswith(f"operation 2 of {count}, ")
    box = drawing.locator(".plot").bounding_box()
    assert box is not None
    drawing.locator(".plot").hover(position={"x": box["width"] - 2, "y": 100})
    assert told.inner_text().startswith(f"operation {count} of {count}, ")


@pytest.mark.browser
def test_a_step_of_several_operations_names_the_first_and_the_last(visit: Open) -> None:
    page = visit(render(explain(paper_generation(paper_decoder(40))))).page
    page.locator("#memory-course").focus()
    page.keyboard.press("Home")
    told = page.locator("#course-said").inner_text()
    assert re.match(r"operations 1 – 5 of 963, most in .*: computed [\d.]+ kB$", told)


@pytest.mark.browser
def test_enter_on_the_curve_shows_the_operation_in_the_timeline(visit: Open, page_of_seen: str) -> None:
    opened = visit(page_of_seen)
    whole = opened.view
    opened.page.locator("#memory-course").focus()
    told = opened.page.locator("#course-said").inner_text()
    opened.page.keyboard.press("Enter")
    assert opened.view[1] - opened.view[0] < (whole[1] - whole[0]) / 2
    operation = re.findall(r"\(([^()]+)\): ", told)[0]
    assert opened.page.locator("[data-part=live]").inner_text().startswith(operation)


@pytest.mark.browser
def test_without_a_timeline_enter_on_the_curve_does_no_harm(
    visit: Open, without_instrumented_runs: Explanation
) -> None:
    page = visit(render(without_instrumented_runs)).page
    page.locator("#memory-course").focus()
    before = page.locator("#course-said").inner_text()
    page.keyboard.press("Enter")
    assert page.locator("#course-said").inner_text() == before


def test_the_place_of_the_measured_peak_is_named_also_where_it_is_another(seen: Explanation) -> None:
    def places(page: str) -> tuple[str, str]:
        computed = re.search(r"It is in (.*?)\. If every tensor", page)
        measured = re.search(r"<strong>measured</strong> activations and cache over .*?, in (.*?)</figcaption>", page)
        assert computed
        assert measured
        return computed[1], measured[1]

    computed, measured = places(render(seen))
    assert computed == measured
    computed, measured = places(render(observed(paper_cycle(paper_bert(2)), extra=10**9, at=3)))
    assert computed != measured
    assert "(embedding)" in measured or "embed" in measured


def test_hostile_names_stay_text(hostile: Explanation) -> None:
    page = render(hostile)
    section = page[page.index('id="memory"') : page.index("<footer>")]
    assert "&lt;img src=x onerror" in section
    assert "\u202e" not in section
    assert "<img" not in section
    assert "<script" not in section


@pytest.mark.parametrize("prefix", ["", "包装模块之内的" * 22])
def test_a_page_of_ten_thousand_spans_with_both_sides_is_below_a_megabyte(prefix: str) -> None:
    graph = paper_bert(172, hidden=64, vocabulary=100)
    frames = tuple(replace(frame, module=prefix + frame.module if frame.module else "") for frame in graph.frames)
    deep = observed(paper_cycle(replace(graph, frames=frames)))
    for language in ("en", "zh"):
        assert len(render(deep, lang=language).encode()) < MEGABYTE
