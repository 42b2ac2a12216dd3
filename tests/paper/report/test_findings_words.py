"""Findings in words: all of it is said, no name does harm, and no number is cut."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache

import pytest
from planted import PLANTED, compute_bound, idle_cores, scalar_activation, slow_tokenizer, with_busy, with_ceilings

from cyclescope.core.cycle import Cycle
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.findings.finding import EvidenceName, FindingCode
from cyclescope.report.documents.cycle.document import cycle_document
from cyclescope.report.documents.figures import dump
from cyclescope.report.media.markdown import to_markdown
from cyclescope.report.media.terminal import to_text
from cyclescope.report.naming.findings import ADVICE, EVIDENCE
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.report.sections.findings import FindingWords, amount, finding_words
from cyclescope.report.words.translate import say_in

CODES = list(FindingCode)


def words(cycle: Cycle, code: FindingCode, language: str = "en") -> FindingWords:
    """The words of a finding as texts in `language`."""
    return said_in(explain(cycle), code, language)


@cache
def planted(code: FindingCode) -> Explanation:
    return explain(PLANTED[code]())


def said_in(explanation: Explanation, code: FindingCode, language: str) -> FindingWords:
    finding = next(finding for finding in explanation.findings if finding.code is code)
    said, say = finding_words(finding, explanation.cycle.graph), say_in(language)
    return FindingWords(say(said.claim), say(said.evidence), say(said.remedy), say(said.gain))


def test_every_code_and_every_number_has_its_words() -> None:
    assert set(ADVICE) == set(FindingCode)
    assert set(EVIDENCE) == set(EvidenceName)
    assert all("{value}" in message.text for message in EVIDENCE.values())


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("code", CODES, ids=lambda code: code.value)
def test_each_number_is_told_once(code: FindingCode, language: str) -> None:
    explanation = planted(code)
    told = said_in(explanation, code, language)
    finding = next(finding for finding in explanation.findings if finding.code is code)
    for each in finding.evidence:
        assert amount(each) in f"{told.claim} {told.evidence}"
    assert told.remedy
    assert bool(told.gain) == (finding.gain > 0)
    texts = [str(text) for text in (told.claim, told.evidence, told.remedy, told.gain)]
    assert not re.search(r"[{}]|None|nan", " ".join(texts))
    assert (language == "zh") == bool(re.search("[\u3000-\u9fff\uff00-\uffef]", " ".join(texts)))


def test_a_claim_in_full() -> None:
    assert words(scalar_activation(), FindingCode.SCALAR_ACTIVATION) == FindingWords(
        claim="43.5 % of the cycle is tanh: ×10.0 the time of one pass over its values.",
        evidence="Evidence: 200 µs each, 1 operation, 2.62 GB/s reached, elementwise operations of this cycle reach "
        "26.2 GB/s. Most at model · act (tanh).",
        remedy=str(ADVICE[FindingCode.SCALAR_ACTIVATION].remedy),
        gain="At most 39.1 % of the cycle could be saved.",
    )


def test_the_words_depend_on_what_is_known() -> None:
    code = FindingCode.COMPUTE_BOUND
    assert "`cyclescope calibrate`" in str(words(compute_bound(), code).claim)
    known = words(with_ceilings(compute_bound(), flops=2.5e12, bandwidth=1e12), code)
    assert "at 50.0 % of their ceiling" in str(known.claim)
    code = FindingCode.IDLE_CORES
    assert str(words(idle_cores(), code).remedy).startswith("Use --threads 2")
    assert "1.25 of 2 cores are busy" in str(words(with_busy(compute_bound(), 1.2), code).claim)


@pytest.mark.parametrize("name", ["[red]x[/red]", "\x1b[31mred\x1b[0m", "a|b**c**", "</script>", "{share}", "名字"])
def test_a_name_from_a_model_is_made_harmless(name: str) -> None:
    cycle = slow_tokenizer()
    model = replace(cycle.workload.model, tokenizer=name)
    told = explain(replace(cycle, workload=replace(cycle.workload, model=model)))
    text, markdown = to_text(cycle_page(told), 80), to_markdown(cycle_page(told))
    assert "\x1b" not in text + markdown
    assert ("[red]x[/red]" in text) == (name == "[red]x[/red]")
    assert "**c**" not in markdown
    assert "</script>" not in markdown.replace("\\<", "&lt;")
    assert json.loads(dump(cycle_document(told)))["findings"][0]["subject"] == name


@pytest.mark.parametrize("width", range(40, 120, 9))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_number_is_cut_or_torn_from_its_unit(language: str, width: int) -> None:
    for code in PLANTED:
        told = planted(code)
        lines = to_text(cycle_page(told), width, language=language).splitlines()
        joined = " ".join(line.strip() for line in lines)
        for finding in told.findings:
            for each in finding.evidence:
                assert amount(each) in joined
        for line in lines:
            assert not re.match(r"(?:%|[nµm]?s|[kMG]B(?:/s)?|[GT]FLOP/s)(?:[\s,;.:]|$)", line.strip()), line
