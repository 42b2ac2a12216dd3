"""The page opens no connection and takes no orders from the names in it."""

from __future__ import annotations

import hashlib
import json
import re
from importlib import resources

import pytest
from hostile_names import HOSTILE
from paper_html import notebook_html, render
from visiting import Open

from cyclescope.explaining.explanation import Explanation
from cyclescope.report.media.html.data import embed

MEGABYTE = 1_000_000


def test_nothing_in_the_page_points_outside(english: str) -> None:
    markup = re.sub(r"<script\b.*?</script>", "", english, flags=re.DOTALL)
    attributes = re.findall(r"""\b(?:src|srcset|href|action|data|poster)=(["'])(.*?)\1""", markup)
    assert attributes
    assert all(value.startswith("#") for _, value in attributes)
    assert "@import" not in markup
    assert re.findall(r"url\((?!#)[^)]*\)", markup) == []


@pytest.mark.browser
def test_the_policy_stops_a_script_that_slipped_in(visit: Open, english: str) -> None:
    slipped = english.replace("</main>", "<script>document.title = 'owned'</script></main>")
    seen = visit(slipped)
    assert seen.page.title() != "owned"
    assert any("Content Security Policy" in complaint for complaint in seen.complaints)
    seen.complaints.clear()


@pytest.mark.browser
def test_the_policy_stops_a_connection(visit: Open, english: str) -> None:
    seen = visit(english)
    failed = seen.page.evaluate("() => fetch('https://example.org/').then(() => 'reached', () => 'stopped')")
    assert failed == "stopped"
    assert any("Content Security Policy" in complaint for complaint in seen.complaints)
    seen.complaints.clear()


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_hostile_names_stay_text(visit: Open, hostile: Explanation, language: str) -> None:
    seen = visit(render(hostile, lang=language))
    page = seen.page
    assert "owned" not in page.title().replace(HOSTILE[0], "")
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 3
    assert page.locator("h1").count() == 1
    subject = {"en": f"Compute cycle of {HOSTILE[0]}", "zh": f"{HOSTILE[0]} 的计算周期"}[language]
    assert page.locator(".subject").inner_text() == subject
    # The script read its data whole, so the charts are there.
    assert seen.data("visited") > 0
    assert page.locator("#flow-chart svg.flow").count() == 2
    page.get_by_role("searchbox").fill("onerror")
    page.keyboard.press("Enter")
    assert "onerror" in page.locator("[data-part=live]").inner_text()
    page.locator("[data-part=stage]").focus()
    page.locator("[data-part=tip]", has_text="onerror").wait_for(state="visible")
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.browser
def test_hostile_names_stay_text_in_a_notebook(visit: Open, hostile: Explanation) -> None:
    fragment = notebook_html(hostile.cycle)
    assert "<script" not in fragment
    assert "<style" not in fragment
    page = visit(f"<!doctype html><meta charset=utf-8><title>notebook</title><main>{fragment}</main>").page
    assert page.title() == "notebook"
    assert page.locator("img, script").count() == 0
    assert "onerror" in page.locator("main").inner_text()


def test_what_is_embedded_cannot_leave_its_element() -> None:
    value = {
        "</script>": [
            "<!--",
            "]]>",
            "&amp;",
            "a\u2028b\u2029c",
            "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
        ]
    }
    text = embed(value)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == value


def test_the_page_can_be_written_as_utf_8(hostile: Explanation) -> None:
    assert render(hostile).encode("utf-8").startswith(b"<!doctype html>")


def test_the_page_is_below_a_megabyte(english: str, deep: Explanation, hostile: Explanation) -> None:
    assert len(deep.spans) > 10_000 - 200
    for page in (english, render(deep), render(deep, lang="zh"), render(hostile)):
        assert len(page.encode()) < MEGABYTE


def test_the_foreign_script_is_the_one_that_its_readme_names() -> None:
    home = resources.files("cyclescope.report.media.html") / "static" / "vendor" / "dagre"
    digest = hashlib.sha256((home / "dagre.min.js").read_bytes()).hexdigest()
    assert digest in (home / "README.md").read_text("utf-8")


def test_the_foreign_script_travels_with_its_licence(english: str) -> None:
    home = resources.files("cyclescope.report.media.html") / "static" / "vendor" / "dagre"
    assert (home / "LICENSE").read_text("utf-8").strip() in english


def test_no_script_could_end_its_element_early(english: str) -> None:
    scripts = re.findall(r"<script\b[^>]*>(.*?)</script>", english, flags=re.DOTALL)
    assert len(scripts) == 3
    assert english.count("</script") == 3
    assert not any("<!--" in script for script in scripts)
