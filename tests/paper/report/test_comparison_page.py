"""What is told about two cycles: in both languages, at every width, with hostile names, as JSON and as a page."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from string import Formatter

import jsonschema
import numpy as np
import pytest
from paper_comparisons import ALL, APART, BASE, FEW, GRAPH, SLOWER
from paper_models import PAPER_BERT_WORKLOAD, paper_bert, paper_cycle, slot_times
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion

from cyclescope.core.errors import UsageError
from cyclescope.explaining.comparison import Aspect, Comparison, Limit, Why, compare
from cyclescope.report.documents.comparison import ComparisonDocument, comparison_document
from cyclescope.report.documents.figures import dump, json_schema
from cyclescope.report.media.html.comparison_view import render_comparison
from cyclescope.report.media.markdown import to_markdown
from cyclescope.report.media.terminal import to_text
from cyclescope.report.pages.comparison import comparison_page
from cyclescope.report.words.text_comparison import EN, ZH, ComparisonText, comparison_text

from .conftest import HOSTILE, hostile_graph


def hostile() -> Comparison:
    model = replace(PAPER_BERT_WORKLOAD.model, reference=HOSTILE[2], class_name=HOSTILE[0])
    workload = replace(PAPER_BERT_WORKLOAD, model=model)
    other = paper_cycle(hostile_graph(), workload=workload)
    machine = replace(other.machine, processor=HOSTILE[1], packages=((HOSTILE[2], HOSTILE[3]),))
    return compare(paper_cycle(paper_bert(2)), replace(other, machine=machine))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_about_a_slowdown(snapshot: SnapshotAssertion, language: str) -> None:
    assert to_text(comparison_page(SLOWER, language, 0.05)) == snapshot


def test_the_page_about_two_graphs_that_were_measured_apart(snapshot: SnapshotAssertion) -> None:
    assert to_text(comparison_page(APART)) == snapshot


def test_the_markdown_of_a_slowdown(snapshot: SnapshotAssertion) -> None:
    assert to_markdown(comparison_page(SLOWER, "en", 0.05)) == snapshot


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ALL)
def test_no_line_is_too_wide_and_no_number_is_cut(name: str, language: str, width: int) -> None:
    text = to_text(comparison_page(ALL[name], language, 0.05), width)

    assert max(map(cell_len, text.splitlines())) <= width
    assert "…" not in text


def test_one_model_in_two_ways_is_titled_by_what_differs() -> None:
    other = replace(BASE, plan=replace(BASE.plan, threads=1, dtype="bfloat16"))
    heading = to_text(comparison_page(compare(BASE, other)), 120).splitlines()[0]

    assert heading == "bert-base-chinese: threads 2, dtype float32 (A) and threads 1, dtype bfloat16 (B)"
    assert comparison_page(compare(BASE, other), "zh").title.endswith("（B）")
    assert to_text(comparison_page(APART)).splitlines()[0].startswith("bert-base-chinese (A) and")
    assert f"<title>{heading}</title>" in render_comparison(compare(BASE, other)).replace("\u2060", "")


def test_turns_of_unlike_numbers_of_cycles_are_explained() -> None:
    rounds = replace(SLOWER, ratio=replace(SLOWER.ratio, n=44))
    unlike = replace(rounds, wall_a=replace(rounds.wall_a, n=264), wall_b=replace(rounds.wall_b, n=88))
    alike = replace(unlike, wall_b=unlike.wall_a)

    assert "a turn holds 3 × A or 1 × B" in " ".join(to_text(comparison_page(unlike), 200).split())
    assert "a turn holds" not in " ".join(to_text(comparison_page(alike), 200).split())


@pytest.mark.parametrize("name", ALL)
def test_the_answer_says_what_the_verdict_is(name: str) -> None:
    comparison = ALL[name]
    lead = to_text(comparison_page(comparison), 300).splitlines()[3]

    assert {
        "slower": "B is slower than A: ",
        "apart": "B is faster than A: ",
        "few": "Inconclusive: 3 samples or rounds are too few",
        "loaded": "Inconclusive: others used the cores",
        "wall only": "Inconclusive: B takes ",
        "same": "No difference that reaches 10.0 %",
        "disturbed": "the same differed from the same by ±2,990 %",
    }[name] in lead


def test_what_was_measured_apart_is_flagged_and_what_was_not_is_not() -> None:
    apart, turns = (to_text(comparison_page(c), 200) for c in (APART, SLOWER))

    assert "not measured in turns" in apart
    assert "widened by 25.0 %" in apart
    assert "not measured in turns" not in turns
    assert "in turns, A B B A, 12 rounds" in turns


@pytest.mark.parametrize("limit", list(Limit))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_state_of_a_limit_has_its_sentence(limit: Limit, language: str) -> None:
    share = {Limit.KEPT: 0.3, Limit.EXCEEDED: 0.02, Limit.UNKNOWN: SLOWER.ratio.value - 1}[limit]
    expected = comparison_text(language).limit[limit].split("{")[0]

    assert SLOWER.slower_by_more_than(share) is limit
    assert expected in to_markdown(comparison_page(SLOWER, language, share))


def test_a_part_of_one_cycle_only_says_so() -> None:
    text = to_text(comparison_page(APART))

    assert "only in A" in text
    assert "only in B" not in text


def texts(t: ComparisonText) -> Iterator[tuple[str, str]]:
    for field in dataclasses.fields(t):
        value = getattr(t, field.name)
        if isinstance(value, Mapping):
            yield from ((f"{field.name}.{key}", text) for key, text in value.items())
        elif field.name != "language":
            yield field.name, value


def test_both_languages_say_the_same() -> None:
    english, chinese = dict(texts(EN)), dict(texts(ZH))

    assert english.keys() == chinese.keys()
    for key, text in english.items():
        fields = [{name for _, name, _, _ in Formatter().parse(t) if name} for t in (text, chinese[key])]
        assert fields[0] == fields[1], key
        assert re.search("[\u4e00-\u9fff]", chinese[key]) or key in ("footer", "separator"), key
        assert not re.search("[\u3000-\u9fff]", text), key


@pytest.mark.parametrize("t", [EN, ZH], ids=["en", "zh"])
def test_every_code_has_its_words(t: ComparisonText) -> None:
    assert set(t.aspects) == set(Aspect)
    assert set(t.no_verdict) == set(Why)
    assert set(t.limit) == set(Limit)


def test_a_language_without_texts_is_a_clear_error() -> None:
    for tell in (comparison_page, lambda c, language: render_comparison(c, lang=language)):
        with pytest.raises(UsageError, match="'tlh'"):
            tell(SLOWER, "tlh")


def strict(text: str) -> object:
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("limit", [None, 0.05])
def test_every_document_keeps_to_the_schema(name: str, limit: float | None) -> None:
    jsonschema.validate(
        strict(dump(comparison_document(ALL[name], limit))), json.loads(json_schema(ComparisonDocument))
    )


def test_a_document_with_hostile_names_keeps_to_the_schema_and_is_ascii() -> None:
    text = dump(comparison_document(hostile()))

    assert text.isascii()
    jsonschema.validate(strict(text), json.loads(json_schema(ComparisonDocument)))


def test_the_parts_of_a_document_add_up() -> None:
    data = json.loads(dump(comparison_document(APART)))

    for name in ("stages", "layers", "kinds", "operations"):
        assert sum(part["delta_s"] for part in data[name]) == pytest.approx(data["delta_s"], abs=1e-9)
    assert data["delta_s"] == pytest.approx(data["b"]["attributed_s"] - data["a"]["attributed_s"])


def test_too_few_samples_have_no_ends_in_a_document() -> None:
    data = json.loads(dump(comparison_document(FEW, 0.05)))

    assert (data["why"], data["ratio"]["low"], data["ratio"]["high"]) == ("too-few", None, None)
    assert data["limit_kept"] == "unknown"
    assert (data["a"]["wall"]["low"], data["a"]["wall"]["high"]) == (None, None)
    assert {part["ratio"]["low"] for part in data["layers"]} == {None}
    assert "Too few cycles to tell which of 12 layers changed" in to_text(comparison_page(FEW), 120)
    assert "99.0 % interval" not in to_text(comparison_page(FEW), 120)


def test_hostile_names_stay_text_everywhere() -> None:
    comparison = hostile()
    terminal, page = to_text(comparison_page(comparison)), render_comparison(comparison)

    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", terminal)
    assert "<script" not in page
    assert "<script" not in to_markdown(comparison_page(comparison)).replace("\\<script", "")


def test_the_page_has_no_script_and_may_not_load_anything() -> None:
    page = render_comparison(SLOWER, limit=0.05)

    assert "script-src &#39;none&#39;" in page or "script-src 'none'" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_an_interval_without_an_end_is_no_number_in_a_document() -> None:
    times = slot_times(GRAPH)
    noisy = times.copy()
    noisy[GRAPH.slots.op < 0] = 1  # shorter than what its stamp costs: an interval that reaches down to nothing
    comparison = compare(paper_cycle(GRAPH, noisy), paper_cycle(GRAPH, times.astype(np.int64)))

    strict(dump(comparison_document(comparison)))
