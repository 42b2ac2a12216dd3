"""A dialogue on paper: what a token costs to read and to write is planted, and must come out again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from paper_dialogue import NEW, READ_NS, TURNS, WRITE_NS, held

from cyclescope.backends.base import Request
from cyclescope.backends.registry import check, check_dialogue
from cyclescope.core.errors import UsageError
from cyclescope.explaining.dialogue import explain_dialogue
from cyclescope.report.documents.dialogue import dialogue_document
from cyclescope.report.documents.figures import dump
from cyclescope.report.media.terminal import to_text
from cyclescope.report.pages.dialogue import dialogue_page


def test_every_time_is_the_planted_one() -> None:
    costs = explain_dialogue(held()[0])
    for turn, facts in zip(costs.turns, TURNS, strict=True):
        assert turn.first_again.value_ns == facts.prompt_tokens * READ_NS
        assert turn.first_reused.value_ns == (facts.prompt_tokens - facts.cached_tokens) * READ_NS
        assert turn.wall_again.value_ns == turn.first_again.value_ns + NEW * WRITE_NS
        assert turn.wall_ratio.value == turn.wall_reused.value_ns / turn.wall_again.value_ns
    saved = sum(facts.cached_tokens for facts in TURNS) * READ_NS
    assert costs.again.value_ns == sum(facts.prompt_tokens * READ_NS + NEW * WRITE_NS for facts in TURNS)
    assert costs.again.value_ns - costs.reused.value_ns == saved
    assert costs.ratio.value == pytest.approx(1 - saved / costs.again.value_ns)


def test_runs_of_a_turn_go_there_and_back() -> None:
    dialogue, session = held()
    warm = 2 * len(TURNS)
    rounds = session.asked[warm:]
    assert [reuse for _, reuse in rounds[:4]] == [False, True, True, False]
    assert {number for number, _ in rounds[:4]} == {0}
    assert len(rounds) % (4 * len(TURNS)) == 0
    # Equal samples are narrow as soon as they have an interval, whatever budget is left.
    assert all(len(turn.again_wall_ns) == len(turn.reused_wall_ns) == 6 for turn in dialogue.turns)


def test_a_short_budget_still_gives_a_round() -> None:
    dialogue, _ = held(budget_ns=1)
    assert [len(turn.again_wall_ns) for turn in dialogue.turns] == [2, 2, 2]
    text = to_text(dialogue_page(explain_dialogue(dialogue)), 100)
    assert "too few for an interval" in text
    assert "It is unknown whether" in text


def test_an_interruption_keeps_whole_turns_or_says_that_there_is_nothing() -> None:
    warm, round_ = 2 * len(TURNS), 4 * len(TURNS)
    dialogue, _ = held(interrupt_at=warm + round_ + 1)
    assert dialogue.partial
    assert [len(turn.again_wall_ns) for turn in dialogue.turns] == [2, 2, 2], "half a visit is dropped"
    assert [len(turn.reused_wall_ns) for turn in dialogue.turns] == [2, 2, 2]
    with pytest.raises(KeyboardInterrupt):
        held(interrupt_at=warm + 1)


@pytest.mark.parametrize(("language", "word"), [("en", "Reusing the KV cache saves"), ("zh", "沿用 KV 缓存可节省")])
def test_the_page_answers_first(language: str, word: str) -> None:
    text = to_text(dialogue_page(explain_dialogue(held()[0])), 120, language=language)
    assert word in text
    assert "0.357 [0.357 – 0.357]" in text, "25 of 70 tokens are read"
    assert "[bold]" in text, "a note is no markup"


def test_a_cache_that_saves_nothing_is_told_as_such() -> None:
    dialogue, _ = held()
    slower = tuple(replace(turn, reused_wall_ns=turn.again_wall_ns + 1) for turn in dialogue.turns)
    costs = explain_dialogue(replace(dialogue, turns=slower))
    assert costs.ratio.low > 1
    assert "saves nothing" in to_text(dialogue_page(costs), 120)


def test_one_turn_has_nothing_to_compare() -> None:
    dialogue, _ = held()
    costs = explain_dialogue(replace(dialogue, turns=dialogue.turns[:1]))
    assert costs.ratio.value == 1
    assert "no turn before it" in to_text(dialogue_page(costs), 120)


def test_the_document_holds_every_turn() -> None:
    data = json.loads(dump(dialogue_document(explain_dialogue(held()[0]))))
    assert data["schema"] == "cyclescope/dialogue/2"
    assert [turn["prompt_tokens"] for turn in data["turns"]] == [10, 40, 70]
    assert [turn["same_reply"] for turn in data["turns"]] == [True, True, False]
    assert data["turns"][1]["first_token"]["reused"]["value"] == pytest.approx(28 * READ_NS / 1e9)
    replies = data["replies"]
    assert replies["ratio"]["value"] == pytest.approx(replies["reused"]["value"] / replies["again"]["value"])


@pytest.mark.parametrize(
    ("given", "fact"),
    [
        ({"texts": ()}, "needs the user's messages"),
        ({"texts": ("a", " ")}, "Text 2 is empty"),
        ({"texts": ("a",), "batch": 2}, "has no batch"),
        ({"texts": ("a",), "cache": "off"}, "(got off)"),
        ({"texts": ("a",), "new_tokens": 0}, "--new-tokens must be at least 1 (got 0)"),
        ({"texts": ("a",), "tokens": 5}, "Only one kind"),
    ],
)
def test_a_dialogue_that_cannot_be_is_refused(given: dict[str, object], fact: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_dialogue(Request("gpt2", task="chat", **given), "own")  # type: ignore[arg-type]
    assert fact in str(caught.value.fact)
    assert caught.value.way_out


def test_an_unknown_template_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="Unknown --chat-template 'chatml'") as caught:
        check_dialogue(Request("gpt2", texts=("a",), task="chat"), "chatml")
    assert "plain" in str(caught.value.way_out)


def test_a_dialogue_is_not_measured_as_a_cycle() -> None:
    with pytest.raises(UsageError, match="not one cycle") as caught:
        check(Request("gpt2", texts=("a",), task="chat"))
    assert "measure_dialogue" in str(caught.value.way_out)
