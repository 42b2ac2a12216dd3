"""What the page says, in both languages, and that everybody can read and use it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import resources

import pytest
from paper_html import notebook_html, render
from paper_models import paper_bert, paper_cycle, slot_times
from syrupy.assertion import SnapshotAssertion
from visiting import Open

from cyclescope.core.errors import UsageError
from cyclescope.core.statistics import Estimate
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import AccountRow, Explanation, Span
from cyclescope.report import format as fmt
from cyclescope.report.drawings.bars import bar_shape, column_shape, segments
from cyclescope.report.drawings.spans import breakable, choose
from cyclescope.report.page import Bar


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_text_of_the_page(
    visit: Open, explanation: Explanation, snapshot: SnapshotAssertion, language: str
) -> None:
    page = visit(render(explanation, lang=language)).page
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    # Words in the drawings are cut to the width of a font, and fonts differ.
    page.evaluate("document.querySelectorAll('svg.flow').forEach(drawing => drawing.remove())")
    page.evaluate("document.getElementById('memory').remove()")  # has a snapshot of its own
    assert page.locator("html").get_attribute("lang") == {"en": "en", "zh": "zh-CN"}[language]
    assert page.locator("main").inner_text() == snapshot


@pytest.mark.browser
def test_every_formula_opens_and_closes_by_keyboard(visit: Open, english: str) -> None:
    page = visit(english).page
    buttons = page.locator("button.f")
    named = {button.get_attribute("popovertarget") for button in buttons.all()}
    drawn = {f"{formula.get_attribute('id')}" for formula in page.locator("[popover]").all()}
    assert named == drawn
    for target in sorted(drawn):
        page.locator(f"button.f[popovertarget={target}]").first.focus()
        page.keyboard.press("Enter")
        formula = page.locator(f"#{target}")
        assert formula.is_visible()
        box = formula.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= 1280
        assert box["y"] + box["height"] <= 900
        assert (formula.locator("math").text_content() or "").strip()
        assert formula.locator(".source").inner_text().strip()
        page.keyboard.press("Escape")
        assert not formula.is_visible()


@pytest.mark.browser
def test_a_table_sorts_by_keyboard(visit: Open, english: str) -> None:
    page = visit(english).page
    table = page.locator("#costliest table").first
    times = [
        float(v or 0) for v in table.locator("tbody td:nth-of-type(3)").evaluate_all("c => c.map(x => x.dataset.value)")
    ]
    assert times == sorted(times, reverse=True)
    head = table.get_by_role("button", name="count")
    head.focus()
    for direction in ("descending", "ascending"):
        page.keyboard.press("Enter")
        assert table.locator("th[aria-sort]").count() == 1
        assert table.locator("th[aria-sort]").get_attribute("aria-sort") == direction
        counts = [
            int(v) for v in table.locator("tbody td:nth-of-type(2)").evaluate_all("c => c.map(x => x.dataset.value)")
        ]
        assert counts == sorted(counts, reverse=direction == "descending")


@pytest.mark.browser
def test_a_part_of_the_data_flow_opens_by_keyboard(visit: Open, english: str) -> None:
    page = visit(english).page
    title = page.locator("[data-part=inside-title]")
    assert "encode" in title.inner_text()  # the heaviest part is open from the start
    page.locator("[data-part=whole] g.opens", has_text="embed").focus()
    page.keyboard.press("Enter")
    assert "embed" in title.inner_text()
    assert page.locator("[data-part=inside] .box.operation").count() == 3
    page.locator("#flow").get_by_role("radio", name="Stages").check()
    assert page.locator("[data-part=whole] .box").count() == 6


@pytest.mark.browser
def test_the_theme_follows_the_system_and_can_be_chosen(visit: Open, english: str) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light = visit(english, scheme="light").page
    dark = visit(english, scheme="dark").page
    bright, dim = light.evaluate(ground), dark.evaluate(ground)
    assert bright != dim
    button = dark.locator("#theme")
    seen = [dim]
    for _ in range(3):
        button.click()
        seen.append(dark.evaluate(ground))
    assert seen == [dim, bright, dim, dim]  # system (dark), light, dark, system again


@pytest.mark.browser
@pytest.mark.parametrize("width", [768, 1200, 1280, 1600, 1920])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_menu_shows_every_section(visit: Open, calibrated: Explanation, width: int, language: str) -> None:
    page = visit(render(calibrated, lang=language), width=width).page
    assert page.evaluate("(nav => nav.scrollWidth <= nav.clientWidth)(document.querySelector('.top nav'))")
    page.evaluate("document.documentElement.style.scrollBehavior = 'auto'; location.hash = 'costliest'")
    below = "document.querySelector('.top').getBoundingClientRect().bottom"
    assert page.evaluate(f"document.getElementById('costliest').getBoundingClientRect().top >= {below} - 1")


@pytest.mark.browser
def test_a_line_ends_after_a_point_or_an_underscore_of_a_name(visit: Open, explanation: Explanation) -> None:
    page = visit(render(explanation), width=1200).page
    name = page.locator("#costliest bdi", has_text="scaled_dot_product_attention").first
    assert {part[-1] for part in name.inner_html().split("<wbr>")[:-1]} == {".", "_"}
    last = "n => { const r = document.createRange(), t = n.lastChild; r.selectNodeContents(t); return r.getClientRects().length }"
    assert name.evaluate(last) == 1, "the last word is torn"


def test_no_number_is_broken_at_its_point() -> None:
    assert breakable("1.21 GB/s") == "1.21 GB/s"
    assert breakable("a_b.<c>") == "a_<wbr>b.&lt;c&gt;"


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_width_makes_the_page_scroll_sideways(
    visit: Open, explanation: Explanation, width: int, language: str
) -> None:
    page = visit(render(explanation, lang=language), width=width).page
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
def test_it_prints(visit: Open, english: str) -> None:
    page = visit(english, scheme="dark").page
    pdf = page.pdf()
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) > 3
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(253, 253, 251)"


@pytest.mark.browser
def test_the_page_has_landmarks_names_and_one_headline(visit: Open, english: str) -> None:
    page = visit(english).page
    assert page.locator("main").count() == 1
    assert page.locator("h1").count() == 1
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, input, [role=application], [role=img], [role=region]')]
            .filter(e => !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.textContent.trim() || e.closest('label')?.textContent.trim()))
            .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert unnamed == []
    assert page.evaluate("[...document.querySelectorAll('table')].every(t => t.caption?.textContent.trim())")
    assert page.evaluate(
        "new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size === document.querySelectorAll('[id]').length"
    )
    dangling = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.querySelector(a.getAttribute('href'))).length"
    )
    assert dangling == 0


@pytest.mark.browser
def test_without_a_light_pass_the_page_says_so_and_leaves_out_what_it_cannot_know(
    visit: Open, without_instrumented_runs: Explanation
) -> None:
    page = visit(render(without_instrumented_runs)).page
    assert page.locator("#timeline, #stages, #account, #layers").count() == 0
    assert page.locator("#flow").count() == 1
    assert "interrupted" in page.locator("#answer").inner_text()
    assert page.locator("#warnings .note.warning").count() == 2


@pytest.mark.browser
def test_numbers_in_the_scripts_read_like_numbers_in_python(visit: Open, english: str) -> None:
    """The same figures through `format.js` and `report/format.py`."""
    values = [0, 1, 9.994, 999.4, 999.6, 1000, 1234, 12_345, 123_456, 999_499, 999_500, 1_230_000, 6.3e9, 7.1e13]
    source = (resources.files("cyclescope.report.media.html") / "static" / "format.js").read_text("utf-8")
    page = visit("<!doctype html><title>numbers</title>").page
    run = f"(values) => {{ {source}; return values.map(v => [format.time(v), format.data(v), format.flops(v), format.flopRate(v)]); }}"
    assert page.evaluate(run, values) == [[fmt.time(v), fmt.data(v), fmt.flops(v), fmt.flop_rate(v)] for v in values]
    shares = [0, 1e-6, 0.004, 0.0094, 0.0096, 0.463, 0.9999, 1]
    ratios = [0.5, 0.7744, 1, 1.19, 2, 7.996, 1234]
    assert page.evaluate(f"(ratios) => {{ {source}; return ratios.map(format.significant); }}", ratios) == [
        fmt.significant(ratio) for ratio in ratios
    ]
    assert page.evaluate(f"(shares) => {{ {source}; return shares.map(format.share); }}", shares) == [
        fmt.share(share) for share in shares
    ]


@pytest.mark.browser
def test_many_layers_share_columns_and_none_that_is_unlike_is_lost(visit: Open) -> None:
    graph = paper_bert(450, hidden=64, vocabulary=100)
    page = visit(render(explain(paper_cycle(graph, slot_times(graph, slow_layer=301))))).page
    columns = page.locator("#layers .column")
    assert columns.count() == 150
    assert page.locator("#layers .column.unlike").count() == 1
    assert "heaviest of 3 neighbours" in page.locator("#layers figcaption").inner_text()
    assert page.locator("#layers table tbody tr").count() == 200


def test_an_account_with_more_parts_than_wall_is_drawn_to_its_parts(explanation: Explanation) -> None:
    closure = explanation.closure
    wall = closure.wall.value_ns
    rows = (AccountRow("operations", "encode", 1.1 * wall, 1.1), AccountRow("unexplained", "", -0.1 * wall, -0.1))
    over = replace(explanation, closure=replace(closure, attributed_ns=1.1 * wall, rest_ns=-0.1 * wall, rows=rows))
    page = render(over)
    assert 'class="wall" x1="90.909%"' in page
    assert 'class="rest" x="100.000%" y="8" width="0.000%"' in page
    assert "-10.0 %" in page


def test_bars_share_one_scale_and_python_follows_operations() -> None:
    shape = bar_shape(Bar("", (300, 100), 380, 440, ()), 800)
    assert shape.parts == (("0.000%", "37.500%"), ("37.500%", "12.500%"))
    assert (shape.low, shape.high) == ("47.500%", "55.000%")
    assert bar_shape(Bar("", (0, 0), 0, 0, ()), 0).parts[0][1] == "0.000%"


def test_columns_stand_on_the_floor_and_reach_the_top() -> None:
    shape = column_shape(1, 4, 50, 50, Estimate(100, 100, 100, 9), 100)
    assert float(shape.op_y) + float(shape.op_height) == 102
    assert float(shape.python_y) == 4
    assert float(shape.python_y) + float(shape.python_height) == float(shape.op_y)
    assert shape.middle == "37.500%"


def test_segments_fill_the_whole() -> None:
    shapes = segments([25, 75, -5], 100)
    assert [(s.x, s.width) for s in shapes] == [("0.000%", "25.000%"), ("25.000%", "75.000%"), ("100.000%", "0.000%")]


def nested(count: int) -> tuple[Span, ...]:
    """A cycle of `count` frames of 10, 20, … ns, each with an operation of the same length inside."""
    spans = [Span("cycle", "frame", "", None, "", 0, 5 * count * (count + 1), 0)]
    at = 0
    for k in range(1, count + 1):
        spans.append(Span(f"f{k}", "frame", "", None, "", at, 10 * k, 1))
        spans.append(Span(f"o{k}", "matmul", "", None, "", at, 10 * k, 2, k))
        at += 10 * k
    return tuple(spans)


def test_all_spans_are_drawn_where_they_fit() -> None:
    spans = nested(5)
    assert choose(spans, most=100).spans == spans
    assert choose(spans, most=100).left_out == 0


def test_the_shortest_spans_are_left_out_and_no_child_without_its_parent() -> None:
    shown = choose(nested(5), most=6)
    assert [span.name for span in shown.spans] == ["cycle", "f3", "f4", "o4", "f5", "o5"]
    assert shown.left_out == 5
    assert shown.left_out_ns == 10 + 20 + 30  # f1 and f2 with what is inside them, and o3
    assert shown.shorter_than_ns == 30


def test_a_page_that_leaves_spans_out_says_so(explanation: Explanation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cyclescope.report.drawings.timeline._MOST_SPANS", 150)
    page = render(explanation)
    data = json.loads(re.findall(r'id="data">(.*?)</script>', page)[0])
    assert len(data["timeline"]["spans"]["duration"]) == 150
    assert f"{len(explanation.spans) - 150} spans shorter than" in page


def test_an_unknown_language_is_refused(explanation: Explanation) -> None:
    with pytest.raises(UsageError, match="fr"):
        render(explanation, lang="fr")


def test_a_cycle_shows_itself_in_a_notebook(explanation: Explanation) -> None:
    fragment = notebook_html(explanation.cycle)
    assert fragment == notebook_html(explanation)
    assert fragment.startswith("<div")
    assert fragment.count("<tr>") == len(explanation.stages) + len(explanation.closure.rows) + 2


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        digits = colour.lstrip("#")
        digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
        channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dim = sorted((luminance(a), luminance(b)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def palettes() -> list[dict[str, str]]:
    css = (resources.files("cyclescope.report.media.html") / "static" / "page.css").read_text("utf-8")
    blocks = re.findall(r":root(?:\[[^\]]*\])? \{(.*?)\}", css, flags=re.DOTALL)
    return [dict(re.findall(r"(--[\w-]+): (#[0-9a-f]+);", block)) for block in blocks]


def test_text_has_contrast_aa_in_every_palette() -> None:
    light, dark, automatic = palettes()
    assert dark == automatic
    for palette in (light, dark):
        for text, ground in (
            ("ink", "paper"), ("ink", "raised"), ("soft", "paper"), ("soft", "raised"), ("accent", "paper"),
            ("warning", "warning-ground"), ("soft", "warning-ground"), ("ink", "frame"),
        ):  # fmt: skip
            assert contrast(palette[f"--{text}"], palette[f"--{ground}"]) >= 4.5, (text, ground)
        for name, colour in palette.items():
            if name.startswith("--k-") and f"{name}-ink" in palette and name != "--k-python":
                assert contrast(colour, palette[f"{name}-ink"]) >= 4.5, name
                assert contrast(colour, palette["--paper"]) >= 3, name
