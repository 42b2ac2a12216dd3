"""The page about texts, in both languages, at every width, with hostile texts and without the texts in JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from paper_texts import COSTS, COUNTS, FAST, SLOW, TEXTS, WITH_CYCLES, run, unlabelled
from rich.cells import cell_len

from cyclescope.backends.paper import PAPER_MACHINE
from cyclescope.core.errors import UsageError
from cyclescope.core.samples import Load
from cyclescope.core.tokenization import TextCosts, TokenCount
from cyclescope.explaining.languages import explain_texts
from cyclescope.report import format as fmt
from cyclescope.report.documents.figures import dump
from cyclescope.report.documents.tokens import tokens_document
from cyclescope.report.media.markdown import to_markdown
from cyclescope.report.media.terminal import to_text
from cyclescope.report.pages.tokens import tokens_page

from .conftest import HOSTILE


def shown(costs: TextCosts, language: str = "en", width: int = 80) -> str:
    return to_text(tokens_page(explain_texts(costs)), width, language=language)


def test_the_answer_and_its_rows() -> None:
    lines = [" ".join(line.split()) for line in shown(COSTS).splitlines()]

    assert "Arabic takes 3.35 times as many tokens as English (67 and 20); its tokenization" in lines
    assert "takes 3.00 times as long." in lines
    assert "English 92 92 20 2 0.217 4.60 0 % ×1.00" in lines
    assert "Chinese 24 72 24 2 1.00 1.00 50.0 % ×1.20" in lines
    assert "Arabic 240 µs ±0 % 3.04 µs 3.000 [3.000 – 3.000]" in lines
    assert "Arabic 240 µs 600 µs 2.500 [2.500 – 2.500]" in lines
    assert "Whole cycle" not in lines


def test_unknown_tokens_are_not_taken_for_cheap_ones() -> None:
    lines = " ".join(shown(COSTS).split())

    assert "More than 10.0 % of the tokens are unknown: Chinese." in lines


def test_cycles_with_the_share_of_tokenizing() -> None:
    lines = [" ".join(line.split()) for line in shown(WITH_CYCLES).splitlines()]
    found = explain_texts(WITH_CYCLES).texts[0].cycle

    assert found is not None
    row = next(line for line in lines[lines.index("Whole cycle") :] if line.startswith("English"))
    assert row.startswith(f"English {fmt.time(found.wall.value_ns)} ")
    assert row.endswith(f" {fmt.share(found.tokenize_share)} 1.00")
    assert f"A cycle takes {fmt.estimate(found.wall)} and {fmt.estimate(found.wall)}." in " ".join(lines)


def test_doubts_of_the_cycles_are_told_once_with_the_worst_value() -> None:
    quiet, loud, louder = (
        replace(cycle, samples=replace(cycle.samples, load=Load(other_busy=busy)))
        for cycle, busy in zip(WITH_CYCLES.cycles, (0.0, 0.3, 0.6), strict=True)
    )

    lines = " ".join(shown(replace(COSTS, cycles=(quiet, louder, loud))).split())

    assert "Chinese, Arabic, at worst: Other processes used 60.0 % of the cores. Stop them" in lines
    assert lines.count("Other processes used") == 1


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("costs", [COSTS, WITH_CYCLES], ids=["tokens", "cycles"])
@pytest.mark.parametrize("width", [46, 80, 100, 132])
def test_no_line_is_wider_than_the_terminal(language: str, costs: TextCosts, width: int) -> None:
    assert max(map(cell_len, shown(costs, language, width).splitlines())) <= width


def test_a_wide_terminal_tells_what_fits() -> None:
    assert "chars that fit" in shown(COSTS, width=132)
    assert "2,346" in shown(COSTS, width=132)


def test_one_text_has_nothing_to_be_compared_with() -> None:
    text = shown(unlabelled("Where does the time go?"))

    assert "20 tokens from 1,000 characters (0.0200 per character), tokenized in 80.0 µs" in text
    assert "×1.00" not in text
    assert "reference text" not in text


def test_texts_of_ones_own_are_numbered_and_shortened() -> None:
    text = shown(unlabelled("Where does the time go, and why?", "short"))

    assert "\n1. Where does the t…" in text
    assert "\n2. short…" in text
    assert "and why" not in text
    assert "No text takes more tokens than text 1 (20)." in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_texts_stay_text(hostile: str) -> None:
    text = shown(unlabelled(hostile, "other"))

    assert all(character.isprintable() or character == "\n" for character in text)
    assert max(map(cell_len, text.splitlines())) <= 80
    assert "<script>alert" not in to_markdown(tokens_page(explain_texts(unlabelled(hostile, "other"))))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_labels_and_names_stay_text(hostile: str) -> None:
    costs = replace(COSTS, model=hostile, texts=tuple(replace(text, label=hostile) for text in TEXTS), notes=(hostile,))

    assert all(character.isprintable() or character == "\n" for character in shown(costs))
    assert json.loads(dump(tokens_document(explain_texts(costs))).encode())["schema"] == "cyclescope/tokens/2"


def test_what_a_reader_must_know_is_said() -> None:
    stand_in = run(replace(FAST, stand_in=True), COUNTS, 80_000)
    other = run(SLOW, (*COUNTS[:2], TokenCount(66, 2, 0)), 80_000)
    costs = replace(COSTS, runs=(stand_in, other), longest=60, partial=True, notes=("The hub could not be reached.",))

    lines = " ".join(shown(costs).split())

    assert "stand-in" in lines
    assert "Longer than the 60 tokens that the model accepts: Arabic." in lines
    assert "disagree about 1 text." in lines
    assert "interrupted" in lines
    assert "The hub could not be reached." in lines


def test_nothing_is_warned_of_without_a_reason() -> None:
    counts = tuple(TokenCount(20 + place, 2, 0) for place in range(3))

    assert "▲" not in shown(replace(COSTS, runs=(run(FAST, counts, 80_000),)))


def test_json_has_the_figures_and_no_text() -> None:
    document = json.loads(dump(tokens_document(explain_texts(WITH_CYCLES))))

    assert (document["model"], document["reference"], document["longest_tokens"]) == ("paper", 0, 512)
    assert document["machine"]["processor"] == "paper"
    assert [text["label"] for text in document["texts"]] == ["en", "zh", "ar"]
    arabic = document["texts"][2]
    assert (arabic["characters"], arabic["utf8_bytes"], arabic["too_long"]) == (79, 146, False)
    own, counterpart = arabic["tokenizers"]
    assert (own["tokens"], own["special_tokens"], own["unknown_tokens"], own["token_ratio"]) == (67, 2, 0, 3.35)
    assert own["time"] == {"value": 0.00024, "low": 0.00024, "high": 0.00024, "n": 20, "unit": "s"}
    assert counterpart["time_to_own_ratio"]["value"] == 2.5
    assert arabic["cycle"]["ratio"]["value"] == 1.0
    assert "train" not in json.dumps(document)


def test_json_of_a_text_without_tokens() -> None:
    empty = TextCosts("paper", PAPER_MACHINE, TEXTS[:1], (run(FAST, (TokenCount(0, 2, 0),), 80_000),), None)

    document = json.loads(dump(tokens_document(explain_texts(empty))))

    assert document["texts"][0]["tokenizers"][0]["characters_per_token"] is None
    assert document["texts"][0]["cycle"] is None


def test_an_unknown_language() -> None:
    with pytest.raises(UsageError, match="got tlh"):
        to_text(tokens_page(explain_texts(COSTS)), language="tlh")
