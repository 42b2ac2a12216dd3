"""The page of a predicted cycle: nothing on it is said to have been measured or to have run."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from importlib.resources import files

import pytest
from paper_generation import paper_decoder
from paper_models import PAPER_BERT_WORKLOAD, paper_bert
from paper_predictions import ERRORS, MACHINE, PLAN, ceilings, predicted, predicted_generation

from cyclescope.core.ceilings import Overheads
from cyclescope.core.cycle import Cycle
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.findings.finding import EvidenceName, FindingCode
from cyclescope.predicting.analytic import AnalyticModel
from cyclescope.predicting.prediction import predicted_cycle
from cyclescope.report.media.html.html import to_html
from cyclescope.report.media.terminal import to_text
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.report.terms import TERMS

# How a page of a measured cycle speaks.
OF_A_RUN = {
    "en": r"real run|instrumented run|measured time|\bas measured|on the running model|order statistics|timestamps?\b|measured here",
    "zh": r"真实的运行|插桩运行|实测时间|测量时|运行中的模型|顺序统计|时间戳|本机实测",
}
# Errors of which the middle one is 30 %: a prediction is moved by it.
MOVED = replace(ERRORS, cycles=tuple(error + 0.3 for error in ERRORS.cycles))


def said_by(cycle: Cycle, timing_model: str) -> Cycle:
    """The same times, said by another timing model."""
    said = cycle.samples.prediction
    assert said is not None
    return replace(cycle, samples=replace(cycle.samples, prediction=replace(said, timing_model=timing_model)))


CYCLES = {
    "encoder": lambda: predicted(paper_bert(6)),
    "learned": lambda: said_by(predicted(), "learned"),
    "generation": lambda: predicted_generation(paper_decoder(9)),
}


@cache
def html_of(name: str, language: str) -> str:
    return to_html(cycle_page(explain(CYCLES[name]())), language)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", CYCLES)
def test_nothing_of_it_ran(name: str, language: str) -> None:
    shown = re.sub(r"<(script|style)\b.*?</\1>", "", html_of(name, language), flags=re.DOTALL)
    words = re.sub(r"<[^>]*>", "", shown)
    assert re.findall(OF_A_RUN[language], words) == []
    attributes = " ".join(re.findall(r'aria-label="([^"]*)"', shown))
    assert re.findall(OF_A_RUN[language], attributes) == []


@pytest.mark.parametrize("name", CYCLES)
def test_every_definition_that_it_offers_is_there(name: str) -> None:
    html = html_of(name, "en")
    offered = set(re.findall(r'popovertarget="(formula-[\w-]+)"', html))
    assert "formula-predicted" in offered
    assert offered == set(re.findall(r'popover id="(formula-[\w-]+)"', html))


def test_every_definition_has_a_formula() -> None:
    source = (files("cyclescope.report.media.html") / "templates" / "terms.html.j2").read_text(encoding="utf-8")
    assert set(re.findall(r'call formula\("([\w-]+)"\)', source)) == set(TERMS)


def explained(timing_model: str) -> Explanation:
    return explain(said_by(predicted(errors=MOVED), timing_model))


def test_what_is_predicted_at_its_ceilings_has_no_gap() -> None:
    found = explained("analytic").roofline
    assert found is not None
    assert not found.gap_ns.any()
    assert found.faster == 0
    assert found.gap_total_ns == found.python_ns
    other = explained("learned").roofline
    assert other is not None
    assert other.gap_ns.sum() > 0.2 * other.time_ns.sum()


def test_the_error_of_a_prediction_is_no_gain() -> None:
    def products(timing_model: str) -> tuple[float, set[EvidenceName]]:
        (found,) = (each for each in explained(timing_model).findings if each.code is FindingCode.COMPUTE_BOUND)
        return found.gain, {each.name for each in found.evidence}

    assert products("analytic") == (0.0, {EvidenceName.FLOPS_CEILING})
    gain, evidence = products("learned")
    assert gain > 0.2
    assert EvidenceName.OF_CEILING in evidence


def test_what_a_datasheet_does_not_state_is_unknown_and_not_nothing() -> None:
    known = ceilings()
    bare = replace(known, overheads=Overheads())
    graph = paper_bert(2)
    model = AnalyticModel(ERRORS, None)
    machine = replace(MACHINE, ceilings=bare)
    cycle = predicted_cycle(graph, PAPER_BERT_WORKLOAD, PLAN, machine, model, model.predict(graph, PLAN, bare))
    text = to_text(cycle_page(explain(cycle)), 80)
    assert re.search(r"Python between operations +– +– +–", text)
    assert not re.search(r"^(overhead|Python between operations) .*\b0 ns", text, re.MULTILINE)
    assert "Python takes 0 ns" not in text
