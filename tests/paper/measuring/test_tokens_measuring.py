"""Texts through tokenizers that take a planted time: visited in turn, there and back, exact to the nanosecond."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

import pytest
from paper_models import paper_bert, paper_cycle

from cyclescope.backends.base import OpenTokenizers, Request
from cyclescope.backends.paper import PAPER_MACHINE, FakeClock
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import UsageError
from cyclescope.core.tokenization import TextCosts, TokenCount, TokenizerInfo
from cyclescope.measuring import tokenizing
from cyclescope.measuring.tokenizing import (
    ONE_LETTER,
    Tokenizing,
    compare_request,
    compare_texts,
    parallel_sentences,
)

MS = 1_000_000
FAST = TokenizerInfo("PaperTokenizer", fast=True, stand_in=False, vocabulary=100)
SLOW = replace(FAST, name="PaperTokenizerSlow", fast=False)


def per_character(text: str, call: int) -> int:
    """A call takes 1000 ns, and every character of its text 100 ns."""
    return 1000 + 100 * len(text)


@dataclass
class PaperTokenizer:
    """A token for every character that is no space, two special ones around them; `takes` says how long call n takes."""

    clock: FakeClock
    takes: Callable[[str, int], int] = per_character
    info: TokenizerInfo = FAST
    calls: list[str] = field(default_factory=list)

    def count(self, text: str) -> TokenCount:
        return TokenCount(len(text.replace(" ", "")), 2, text.count("?"))

    def encode(self, text: str) -> None:
        self.calls.append(text)
        self.clock.advance(self.takes(text, len(self.calls)))


def test_times_are_those_that_were_planted() -> None:
    clock = FakeClock()
    fast = PaperTokenizer(clock)
    slow = PaperTokenizer(clock, lambda text, call: 7 * per_character(text, call), SLOW)
    work = Tokenizing((fast, slow), ("ab", "abc d?"))

    work.collect(clock, 1000 * MS)

    first, second = work.runs()
    assert (first.tokenizer, second.tokenizer) == (FAST, SLOW)
    assert first.counts == second.counts == (TokenCount(2, 2, 0), TokenCount(5, 2, 1))
    assert [set(samples.tolist()) for samples in first.samples_ns] == [{1200}, {1600}]
    assert [set(samples.tolist()) for samples in second.samples_ns] == [{8400}, {11200}]
    assert set(first.one_letter_ns.tolist()) == {1100}
    assert set(second.one_letter_ns.tolist()) == {7700}


def test_texts_and_tokenizers_are_visited_in_turn_there_and_back() -> None:
    clock = FakeClock()
    tokenizer = PaperTokenizer(clock)
    work = Tokenizing((tokenizer,), ("A.", "B..", "C..."))

    work.collect(clock, 1000 * MS)

    visits = [text for text, _ in groupby(tokenizer.calls)]
    warmed, taken = visits[:4], visits[4:]
    assert warmed == ["A.", "B..", "C...", ONE_LETTER]
    # Turning round visits the last one twice in a row, which `groupby` makes one.
    assert taken == [
        "A.",
        "B..",
        "C...",
        ONE_LETTER,
        "C...",
        "B..",
        "A.",
        "B..",
        "C...",
        ONE_LETTER,
        "C...",
        "B..",
        "A.",
    ]


def test_a_steady_drift_hits_every_text_alike() -> None:
    """Each call takes 3 ns longer than the one before: texts of one length keep equal means."""
    clock = FakeClock()
    work = Tokenizing((PaperTokenizer(clock, lambda text, call: 10_000 + 3 * call),), ("abc", "xyz", "opq"))

    work.collect(clock, 1000 * MS)

    means = {float(samples.mean()) for samples in work.runs()[0].samples_ns}
    assert len(means) == 1


def test_cold_calls_do_not_count() -> None:
    clock = FakeClock()
    cold: Callable[[str, int], int] = lambda text, call: 90_000 if call <= 3 else 1000  # noqa: E731
    work = Tokenizing((PaperTokenizer(clock, cold),), ("one text",))

    work.collect(clock, 1000 * MS)

    assert set(work.runs()[0].samples_ns[0].tolist()) == {1000}


def test_it_ends_when_every_median_is_known() -> None:
    clock = FakeClock()
    work = Tokenizing((PaperTokenizer(clock),), ("ab", "abc"))

    work.collect(clock, 10**15)

    assert [len(samples) for samples in work.runs()[0].samples_ns] == [20, 20]


def test_medians_that_stay_unknown_take_the_whole_budget() -> None:
    clock = FakeClock()
    noise = (1000, 5000, 2000, 9000, 3000, 7000, 4000)
    tokenizer = PaperTokenizer(clock, lambda text, call: noise[call % 7])
    work = Tokenizing((tokenizer,), ("ab",))

    work.collect(clock, 3 * MS)

    a_pass = 2 * 6 * max(noise)
    assert 3 * MS <= clock.now_ns() < 3 * MS + a_pass
    assert len(work.runs()[0].samples_ns[0]) > 20


def test_a_budget_that_is_too_small_still_visits_everything() -> None:
    clock = FakeClock()
    work = Tokenizing((PaperTokenizer(clock), PaperTokenizer(clock, info=SLOW)), ("ab", "abc"))

    work.collect(clock, 1)

    assert [len(samples) for run in work.runs() for samples in (*run.samples_ns, run.one_letter_ns)] == [5] * 6


def test_a_long_call_is_made_once_a_visit() -> None:
    clock = FakeClock()
    tokenizer = PaperTokenizer(clock, lambda text, call: 20 * MS if text == "long" else 1000)
    work = Tokenizing((tokenizer,), ("long",))

    work.collect(clock, 1)

    assert tokenizer.calls.count("long") == 2  # to warm up, and to measure
    assert work.runs()[0].samples_ns[0].tolist() == [20 * MS]


def interrupting_at(number: int) -> Callable[[str, int], int]:
    def takes(text: str, call: int) -> int:
        if call == number:
            raise KeyboardInterrupt
        return (1000, 5000, 2000)[call % 3]

    return takes


def test_an_interruption_keeps_what_there_is() -> None:
    def collected(interrupted_at: int) -> Tokenizing:
        clock = FakeClock()
        work = Tokenizing((PaperTokenizer(clock, interrupting_at(interrupted_at)),), ("ab",))
        work.collect(clock, MS)
        return work

    whole, cut = collected(-1), collected(200)

    assert (whole.interrupted, cut.interrupted) == (False, True)
    samples = cut.runs()[0].samples_ns[0].tolist()
    assert 0 < len(samples) < len(whole.runs()[0].samples_ns[0])


def test_an_interruption_before_every_text_was_seen_leaves_nothing_to_tell() -> None:
    clock = FakeClock()
    work = Tokenizing((PaperTokenizer(clock, interrupting_at(2)),), ("ab", "abc"))

    with pytest.raises(KeyboardInterrupt):
        work.collect(clock, MS)


# Whole comparisons ----------------------------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The model `paper`, whose tokenizer takes a known time on this clock."""
    clock = FakeClock()
    tokenizers = OpenTokenizers("paper", PAPER_MACHINE, (PaperTokenizer(clock),), 12, ("A fact.",))
    monkeypatch.setattr(tokenizing, "open_tokenizers", lambda request: tokenizers)
    return clock


def test_a_comparison_keeps_sizes_and_no_text(opened: FakeClock) -> None:
    secret = "This sentence goes on well beyond its beginning, and here is the secret part of it."

    costs = compare_request(Request("paper", texts=(secret, "naïve 中")), ("", "mixed"), clock=opened)

    assert isinstance(costs, TextCosts)
    assert (costs.model, costs.longest, costs.notes, costs.partial, costs.cycles) == (
        "paper",
        12,
        ("A fact.",),
        False,
        (),
    )
    first, second = costs.texts
    assert secret.startswith(first.beginning)
    assert "secret" not in repr(costs)
    assert (second.label, second.characters, second.utf8_bytes) == ("mixed", 7, 10)


def test_characters_are_code_points() -> None:
    """One grapheme cluster, seven code points: a family of four, joined."""
    assert tokenizing._facts("", "👨‍👩‍👧‍👦").characters == 7


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Request, float]]:
    """Requests and budgets with which cycles were measured, on paper."""
    seen: list[tuple[Request, float]] = []
    cycle = paper_cycle(paper_bert(layers=1))

    def measure_request(request: Request, budget: float, progress: object) -> Cycle:
        seen.append((request, budget))
        if request.texts == ("while loading",):
            raise KeyboardInterrupt
        return replace(cycle, partial=request.texts == ("interrupted",))

    monkeypatch.setattr(tokenizing, "measure_request", measure_request)
    return seen


def test_each_text_gets_a_cycle_and_an_equal_part_of_the_budget(
    opened: FakeClock, measured: list[tuple[Request, float]]
) -> None:
    costs = compare_request(Request("paper", texts=("a b", "c")), ("", ""), cycle=True, budget=10.0, clock=opened)

    assert [request.texts for request, _ in measured] == [("a b",), ("c",)]
    assert [budget for _, budget in measured] == pytest.approx([4.0, 4.0])
    assert len(costs.cycles) == 2
    assert not costs.partial


@pytest.mark.parametrize(("second", "cycles"), [("interrupted", 2), ("while loading", 1)])
def test_an_interrupted_cycle_is_the_last(
    opened: FakeClock, measured: list[tuple[Request, float]], second: str, cycles: int
) -> None:
    costs = compare_request(Request("paper", texts=("a", second, "c")), ("",) * 3, cycle=True, clock=opened)

    assert costs.partial
    assert (len(measured), len(costs.cycles)) == (2, cycles)


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_budgets(budget: float) -> None:
    with pytest.raises(UsageError, match="budget"):
        compare_texts("paper", ["text"], budget=budget)


@pytest.mark.parametrize(
    ("texts", "match"), [([], "no text"), ({}, "no text"), (["fine", " \n"], "Text 2"), (["half \ud800"], "Text 1")]
)
def test_texts_that_are_none(texts: list[str] | Mapping[str, str], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        compare_texts("paper", texts)


def test_a_single_string_is_one_text(opened: FakeClock) -> None:
    assert [text.beginning for text in compare_texts("paper", "ab", budget=0.001).texts] == ["ab"]


# The sentence of ours -------------------------------------------------------------------------------------------------


def test_the_parallel_sentence_exists_in_eight_languages() -> None:
    assert list(parallel_sentences()) == ["en", "zh", "de", "es", "ar", "hi", "ja", "ru"]


@pytest.mark.parametrize(
    ("language", "script"),
    [("en", "LATIN"), ("zh", "CJK"), ("de", "LATIN"), ("es", "LATIN"), ("ar", "ARABIC"), ("hi", "DEVANAGARI"), ("ja", "HIRAGANA"), ("ru", "CYRILLIC")],
)  # fmt: skip
def test_each_sentence_is_whole_and_in_its_script(language: str, script: str) -> None:
    sentence = parallel_sentences()[language]

    assert unicodedata.is_normalized("NFC", sentence)
    assert sentence == sentence.strip()
    assert sentence[-1] in ".。।"
    assert any(unicodedata.name(character).startswith(script) for character in sentence)
