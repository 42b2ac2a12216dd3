"""A cycle on an engine that has no Python between its operations is told without a word of it, nor the advice to take an engine."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from paper_generation import paper_decoder, paper_generation
from paper_html import render
from paper_models import paper_bert, paper_cycle, slot_times
from planted import PLANTED, with_ceilings

from cyclescope.core.cycle import Cycle
from cyclescope.explaining.comparison import compare
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.report.documents.cycle.document import cycle_document
from cyclescope.report.documents.figures import dump
from cyclescope.report.media.html.html import to_html
from cyclescope.report.media.terminal import to_text
from cyclescope.report.naming.between import between_label_of_both
from cyclescope.report.pages.comparison import comparison_page
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.report.words.translate import say_in

OF_EAGER_PYTORCH = re.compile(r"Python|eager|torch\.compile|ONNX Runtime|OpenVINO|--attention|即时")
ON_A_PROCESSOR = [code for code in FindingCode if code is not FindingCode.LAUNCH_BOUND]


def on_an_engine(cycle: Cycle) -> Explanation:
    """`cycle` explained, and told as if an engine had been between its operations."""
    told = explain(cycle)
    return replace(told, cycle=replace(cycle, graph=replace(cycle.graph, engine_between=True)))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("code", ON_A_PROCESSOR, ids=lambda code: code.value)
def test_no_finding_of_an_engine_speaks_of_python(code: FindingCode, language: str) -> None:
    told = on_an_engine(PLANTED[code]())
    assert code in [finding.code for finding in told.findings]
    text = to_text(cycle_page(told), 100, language=language)
    assert not OF_EAGER_PYTORCH.search(text), OF_EAGER_PYTORCH.search(text)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "cycle",
    [
        with_ceilings(paper_cycle(paper_bert(2)), flops=2.5e12, bandwidth=1e12),
        paper_generation(paper_decoder(4)),
    ],
    ids=["ceilings", "generation"],
)
def test_nor_does_any_other_section(cycle: Cycle, language: str) -> None:
    python = {"en": "Python between operations", "zh": "算子之间的 Python"}[language]
    assert python in to_text(cycle_page(explain(cycle)), 100, language=language)
    told = on_an_engine(cycle)
    text = to_text(cycle_page(told), 100, language=language)
    assert not OF_EAGER_PYTORCH.search(text), OF_EAGER_PYTORCH.search(text)
    shown = re.sub(
        r"(?s)<script.*?</script>|<style.*?</style>|<dt>software</dt>.*?</dd>", "", render(told, lang=language)
    )
    if language == "zh":
        shown = re.sub(r"<dt>软件</dt>.*?</dd>", "", shown)
    assert not re.search("Python", shown)


def test_the_dispatch_of_an_engine_in_full() -> None:
    dispatch = next(
        finding
        for finding in json.loads(dump(cycle_document(on_an_engine(PLANTED[FindingCode.DISPATCH_BOUND]()))))["findings"]
        if finding["code"] == "dispatch-bound"
    )
    assert "the engine between operations" in dispatch["claim"]
    assert dispatch["evidence_text"].startswith("Evidence: the engine between operations ")
    assert dispatch["remedy"] == "Give each operation more to do with a larger batch."


@pytest.mark.parametrize(
    ("a", "b", "between"),
    [
        (False, False, ("Python between operations", "算子之间的 Python")),
        (True, True, ("Engine between operations", "算子之间的引擎")),
        (False, True, ("Between operations", "算子之间")),
        (True, False, ("Between operations", "算子之间")),
    ],
)
def test_what_is_python_in_one_of_two_cycles_only_is_neither(a: bool, b: bool, between: tuple[str, str]) -> None:
    graph = paper_bert(2)
    here, there = (
        paper_cycle(replace(graph, engine_between=engine), factor * slot_times(graph))
        for engine, factor in ((a, 1), (b, 3))
    )
    for language, words in zip(("en", "zh"), between, strict=True):
        assert say_in(language)(between_label_of_both(here.graph, there.graph)) == words
        told = to_text(comparison_page(compare(here, there)), 100, language=language)
        page = to_html(comparison_page(compare(here, there)), language)
        assert words in told
        assert words in page
        if a or b:
            assert "Python between" not in told + page
            assert "之间的 Python" not in told + page
