"""A real Chromium that may fetch nothing, and pages of paper cycles."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "paper"))

from hostile_names import HOSTILE, hostile_graph
from paper_generation import paper_decoder, paper_generation
from paper_html import render
from paper_models import PAPER_BERT_WORKLOAD, paper_bert, paper_cycle, slot_times
from paper_roofline import on_paper_machine, paper_ceilings
from visiting import Open, Tabs, Visit

from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation


@pytest.fixture(scope="session")
def explanation() -> Explanation:
    """Twelve layers, the eighth of them slow."""
    graph = paper_bert()
    return explain(paper_cycle(graph, slot_times(graph, slow_layer=7)))


@pytest.fixture(scope="session")
def calibrated() -> Explanation:
    """The same on a machine whose ceilings are known, and five times as high as its fellows' on paper."""
    graph = paper_bert()
    cycle = paper_cycle(graph, slot_times(graph, slow_layer=7))
    return explain(on_paper_machine(cycle, paper_ceilings(faster=5.0)))


@pytest.fixture(scope="session")
def deep() -> Explanation:
    """Some ten thousand spans."""
    return explain(paper_cycle(paper_bert(172, hidden=64, vocabulary=100)))


@pytest.fixture(scope="session")
def without_instrumented_runs() -> Explanation:
    """Interrupted before anything was stamped."""
    return explain(paper_cycle(paper_bert(2), instrumented=False, partial=True))


@pytest.fixture(scope="session")
def generation() -> Explanation:
    """Forty tokens, of which each takes a little longer than the one before."""
    return explain(paper_generation(paper_decoder(40)))


@pytest.fixture(scope="session")
def hostile() -> Explanation:
    """An explanation in which every text that comes from outside is hostile."""
    model = replace(PAPER_BERT_WORKLOAD.model, reference=HOSTILE[0], class_name=HOSTILE[1], tokenizer=HOSTILE[2])
    workload = replace(PAPER_BERT_WORKLOAD, model=model, outcome=" ".join(HOSTILE), texts=HOSTILE)
    cycle = paper_cycle(hostile_graph(), workload=workload, notes=HOSTILE)
    return explain(replace(cycle, machine=replace(cycle.machine, processor=HOSTILE[0], packages=((HOSTILE[0], "1"),))))


def _chromium() -> str | None:
    named = os.environ.get("CYCLESCOPE_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = _chromium()
    if path is None:
        pytest.skip("no Chromium on the path; `make browser` finds or installs one, CYCLESCOPE_CHROMIUM names one")
    quiet = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=quiet)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def tabs(browser: Browser) -> Tabs:
    return Tabs(browser)


@pytest.fixture
def visit(tabs: Tabs, tmp_path: Path) -> Iterator[Open]:
    """Opens HTML as a file. At the end of the test the page must have asked for nothing and complained of nothing."""
    visits: list[Visit] = []

    def open_page(html: str, *, width: int = 1280, height: int = 900, scheme: str = "light") -> Visit:
        path = tmp_path / f"page{len(visits)}.html"
        path.write_text(html, encoding="utf-8")
        made = tabs.open(len(visits), path.as_uri(), (width, height), scheme)
        visits.append(made)
        return made

    yield open_page
    for number, made in enumerate(visits):
        asked, complained = set(made.requests), list(made.complaints)
        tabs.leave(number, made)
        assert len(asked) == 1, asked
        assert complained == []


@pytest.fixture(scope="session")
def english(explanation: Explanation) -> str:
    return render(explanation)


@pytest.fixture(scope="session")
def why(calibrated: Explanation) -> str:
    return render(calibrated)


@pytest.fixture(scope="session")
def generated(generation: Explanation) -> str:
    return render(generation)
