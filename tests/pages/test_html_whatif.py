"""The sliders: what the page computes is what the columns say, and nothing in it passes for a measurement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from paper_generation import paper_decoder, paper_generation
from paper_html import render
from paper_models import paper_bert, paper_cycle
from paper_roofline import on_paper_machine, paper_ceilings
from playwright.sync_api import Page
from visiting import Open, Visit

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.lower_bounds import find_lower_bounds
from cyclescope.explaining.roofline import Bound, Roofline
from cyclescope.report import format as fmt
from cyclescope.report.drawings.whatif import DIGITS, MOST_ROWS, gathered, thread_choices


def expected(
    graph: Graph,
    told: Roofline,
    *,
    bandwidth: float = 1,
    peak: float = 1,
    overhead: float = 1,
    threads: int | None = None,
) -> tuple[float, float]:
    """Floor and time at the same distance, operation by operation, without any gathering."""
    then = told if threads is None else find_lower_bounds(graph, told.ceilings, threads)
    floor = total = 0.0
    for i, time in enumerate(told.time_ns.tolist()):
        if told.bounds[i] is Bound.NOTHING:
            floor, total = floor + time, total + time
            continue
        c, m, o = float(told.compute_ns[i]), float(told.memory_ns[i]), float(told.overhead_ns[i])
        new = float(then.compute_ns[i]) / peak, float(then.memory_ns[i]) / bandwidth, o * overhead
        if max(c, m, o) == 0:
            total += time * overhead  # a view: the engine's alone
            continue
        floor += min(time, max(c, m, o)) * max(new) / max(c, m, o)
        total += time * (max(new[:2]) + new[2]) / (max(c, m) + o)
    return floor, total + told.python_ns * overhead


def roofline(explanation: Explanation) -> Roofline:
    assert explanation.roofline is not None
    return explanation.roofline


def move(page: Page, **positions: float) -> None:
    for name, position in positions.items():
        page.locator(f"#what-if-panel input[data-part={name}]").fill(str(position))


def outcome(seen: Visit) -> tuple[float, float]:
    seen.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    panel = seen.page.locator("#what-if-panel")
    return float(panel.get_attribute("data-floor") or 0), float(panel.get_attribute("data-total") or 0)


@pytest.mark.browser
def test_untouched_it_shows_the_cycle_as_it_is(visit: Open, why: str, calibrated: Explanation) -> None:
    told = roofline(calibrated)
    seen = visit(why)
    assert outcome(seen) == pytest.approx((told.floor_total_ns, told.total_ns))
    panel = seen.page.locator("#what-if-panel")
    assert panel.locator("[data-part=floor]").inner_text() == fmt.time(told.floor_total_ns)
    assert panel.locator("[data-part=total]").inner_text() == fmt.time(told.total_ns)
    assert panel.locator("[data-part=floor-change]").inner_text() == ""


@pytest.mark.browser
@pytest.mark.parametrize(
    ("positions", "factors"),
    [
        ({"bandwidth": 3}, {"bandwidth": 8}),
        ({"bandwidth": -2}, {"bandwidth": 0.25}),
        ({"peak": 1}, {"peak": 2}),
        ({"peak": 3, "bandwidth": -2}, {"peak": 8, "bandwidth": 0.25}),
        ({"overhead": 0}, {"overhead": 0}),
        ({"overhead": 2, "peak": 3}, {"overhead": 2, "peak": 8}),
        ({"threads": 0}, {"threads": 1}),
        ({"threads": 0, "peak": 1, "bandwidth": 1, "overhead": 0.5}, {"threads": 1, "peak": 2, "bandwidth": 2, "overhead": 0.5}),
    ],
)  # fmt: skip
def test_sliders_compute_what_the_columns_say(
    visit: Open, why: str, calibrated: Explanation, positions: dict[str, float], factors: dict[str, float]
) -> None:
    told = roofline(calibrated)
    seen = visit(why)
    move(seen.page, **positions)
    floor, total = expected(calibrated.cycle.graph, told, **factors)  # type: ignore[arg-type]
    assert outcome(seen) == pytest.approx((floor, total), rel=1e-6)
    panel = seen.page.locator("#what-if-panel")
    assert panel.locator("[data-part=floor]").inner_text() == fmt.time(floor)
    assert panel.locator("[data-part=total]").inner_text() == fmt.time(total)
    if total != told.total_ns:
        change = panel.locator("[data-part=total-change]").inner_text()
        assert change == f"×{fmt.significant(total / told.total_ns)} of now"
    seen.page.locator("#what-if-panel [data-part=reset]").click()
    assert outcome(seen) == pytest.approx((told.floor_total_ns, told.total_ns))


@pytest.mark.browser
def test_a_generation_computes_the_same(visit: Open) -> None:
    explanation = explain(on_paper_machine(paper_generation(paper_decoder(12)), paper_ceilings(faster=5.0)))
    seen = visit(render(explanation))
    move(seen.page, bandwidth=2, overhead=0.5)
    assert outcome(seen) == pytest.approx(
        expected(explanation.cycle.graph, roofline(explanation), bandwidth=4, overhead=0.5), rel=1e-6
    )


@pytest.mark.browser
def test_keys_move_a_slider_which_says_what_it_stands_at(visit: Open, why: str) -> None:
    seen = visit(why)
    before = outcome(seen)
    slider = seen.page.get_by_role("slider", name="compute")
    slider.focus()
    assert slider.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    for _ in range(4):
        seen.page.keyboard.press("ArrowRight")
    after = outcome(seen)
    assert after[0] < before[0]
    assert after[1] < before[1]
    assert slider.get_attribute("aria-valuetext") == "×2.00"
    assert seen.page.locator("[data-part=peak-value]").inner_text() == "×2.00"
    assert seen.page.get_by_role("slider").count() == 4


@pytest.mark.browser
def test_it_says_that_it_is_no_measurement_and_the_account_stays(visit: Open, why: str) -> None:
    seen = visit(why)
    account = seen.page.locator("#account").inner_text()
    move(seen.page, peak=3)
    outcome(seen)
    text = seen.page.locator("#what-if").inner_text()
    for words in ("A bound", "An extrapolation", "Not a measurement", "None of its times was measured"):
        assert words in text
    assert seen.page.locator("#account").inner_text() == account


@pytest.mark.browser
def test_on_paper_there_are_no_sliders_but_what_they_stood_at(visit: Open, why: str) -> None:
    seen = visit(why)
    move(seen.page, bandwidth=1)
    outcome(seen)
    seen.page.emulate_media(media="print")
    panel = seen.page.locator("#what-if-panel")
    assert not panel.locator("input").first.is_visible()
    assert not panel.get_by_role("button").first.is_visible()
    assert panel.locator("[data-part=bandwidth-value]").inner_text() == "×2.00"
    assert panel.locator("[data-part=total]").is_visible()
    assert not seen.page.locator("#findings a.go").first.is_visible()
    assert seen.page.locator("#findings .claim").first.is_visible()
    assert seen.page.locator("#roofline-plot svg").is_visible()


def test_equal_operations_are_gathered_and_nothing_is_lost(calibrated: Explanation) -> None:
    told = roofline(calibrated)
    found = gathered(told, calibrated.cycle.graph)
    assert found.digits == max(DIGITS)
    assert len(found.time_ns) < len(told.time_ns) / 5
    assert found.floor_ns.sum() + found.text_ns == pytest.approx(told.floor_total_ns)
    assert found.time_ns.sum() + found.text_ns + found.engine_ns == pytest.approx(told.time_ns.sum())


def test_a_hundred_thousand_different_operations_become_a_bounded_number_of_rows(calibrated: Explanation) -> None:
    n, random = 100_000, np.random.default_rng(7)
    compute, memory, overhead = 10 ** random.uniform(2, 7, n), 10 ** random.uniform(2, 7, n), np.full(n, 900.0)
    floor = np.maximum(np.maximum(compute, memory), overhead)
    time = floor * random.uniform(1, 5, n)
    told = replace(
        roofline(calibrated),
        compute_ns=compute,
        memory_ns=memory,
        overhead_ns=overhead,
        floor_ns=floor,
        bounds=(Bound.COMPUTE,) * n,
        levels=("memory",) * n,
        time_ns=time,
        gap_ns=time - floor,
    )
    found = gathered(told, calibrated.cycle.graph)
    assert found.digits < max(DIGITS)
    assert found.floor_ns.sum() == pytest.approx(floor.sum())
    assert found.time_ns.sum() == pytest.approx(time.sum())
    # What the page would say of half the bandwidth is what every operation by itself would say, within its digits.
    scaled = np.maximum(found.compute_ns, 2 * found.memory_ns) + found.overhead_ns
    now = np.maximum(found.compute_ns, found.memory_ns) + found.overhead_ns
    alone = (np.maximum(compute, 2 * memory) + overhead) / (np.maximum(compute, memory) + overhead)
    assert float((found.time_ns * scaled / now).sum()) == pytest.approx(float((time * alone).sum()), rel=0.05)
    tidy = replace(told, compute_ns=np.zeros(n), floor_ns=np.maximum(memory, overhead))
    assert len(gathered(tidy, calibrated.cycle.graph).time_ns) <= MOST_ROWS


def test_threads_can_be_chosen_up_to_the_cores_and_not_on_a_device() -> None:
    ceilings = paper_ceilings()
    assert thread_choices(ceilings, "float32", 2, 4) == (1, 2, 3, 4)
    assert thread_choices(ceilings, "float32", 24, 48) == (1, 2, 4, 8, 16, 24, 32, 48)
    assert thread_choices(ceilings, "float32", 1, 1) == ()
    assert thread_choices(ceilings, "int8", 2, 4) == ()
    device = replace(ceilings, products=tuple(replace(row, threads=0) for row in ceilings.products))
    assert thread_choices(device, "float32", 2, 4) == ()


@pytest.mark.browser
def test_without_threads_to_choose_from_there_is_no_such_slider(visit: Open, calibrated: Explanation) -> None:
    one = replace(calibrated.cycle, machine=replace(calibrated.cycle.machine, cores=1))
    one = replace(one, plan=replace(one.plan, threads=1))
    explanation = explain(one)
    seen = visit(render(explanation))
    assert seen.page.get_by_role("slider").count() == 3
    move(seen.page, peak=1)
    assert outcome(seen) == pytest.approx(expected(explanation.cycle.graph, roofline(explanation), peak=2), rel=1e-6)


@pytest.mark.browser
def test_ceilings_without_bandwidths_draw_and_compute(visit: Open) -> None:
    bare: Ceilings = replace(paper_ceilings(faster=5.0), bandwidths=())
    explanation = explain(on_paper_machine(paper_cycle(paper_bert(2)), bare))
    seen = visit(render(explanation))
    assert seen.page.locator("#roofline-plot circle").count() > 10
    move(seen.page, bandwidth=1)
    assert outcome(seen) == pytest.approx(
        expected(explanation.cycle.graph, roofline(explanation), bandwidth=2), rel=1e-6
    )
