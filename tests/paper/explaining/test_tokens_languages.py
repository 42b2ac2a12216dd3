"""What texts cost, from planted counts and times: every figure is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from paper_models import paper_bert, paper_cycle

from cyclescope.backends.paper import PAPER_MACHINE
from cyclescope.core.cycle import Cycle
from cyclescope.core.samples import UninstrumentedSamples
from cyclescope.core.statistics import Estimate
from cyclescope.core.tokenization import TextCosts, TextFacts, TokenCount, TokenizerInfo, TokenizerRun
from cyclescope.explaining.languages import LanguageCosts, TextCost, explain_texts

INFO = TokenizerInfo("PaperTokenizer", fast=True, stand_in=False, vocabulary=100)


def text(label: str = "", characters: int = 20, utf8_bytes: int = 20) -> TextFacts:
    return TextFacts(label, "beginning", characters, utf8_bytes)


def run(*counts: TokenCount, times: tuple[int, ...] | None = None, info: TokenizerInfo = INFO) -> TokenizerRun:
    """Nine samples for each text: its time, four 1 ns shorter and four 1 ns longer."""
    spread = np.asarray([-1, -1, -1, -1, 0, 1, 1, 1, 1])
    samples = tuple(spread + time for time in times or tuple(1000 for _ in counts))
    return TokenizerRun(info, counts, samples, spread + 100)


def costs_of(*counts: TokenCount, labels: tuple[str, ...] = (), longest: int | None = None) -> LanguageCosts:
    texts = tuple(text(label) for label in labels or ("",) * len(counts))
    return explain_texts(TextCosts("paper", PAPER_MACHINE, texts, (run(*counts),), longest))


def test_every_figure_of_a_text() -> None:
    texts = (text("en", 40, 40), text("zh", 10, 30))
    fast = run(TokenCount(10, 2, 0), TokenCount(15, 2, 1), times=(2000, 5000))
    slow = run(TokenCount(10, 2, 0), TokenCount(15, 2, 1), times=(8000, 25_000), info=replace(INFO, fast=False))

    costs = explain_texts(TextCosts("paper", PAPER_MACHINE, texts, (fast, slow), longest=122))

    english, chinese = costs.texts
    own, counterpart = chinese.by_tokenizer
    assert own.tokens_per_character == 1.5
    assert own.characters_per_token == 10 / 15
    assert own.unknown_share == 1 / 15
    assert own.token_ratio == 1.5
    assert own.time == Estimate(5000.0, 4999.0, 5001.0, 9)
    assert own.time_per_character_ns == 500.0
    assert own.time_ratio.value == 2.5
    assert own.time_ratio.low < 2.5 < own.time_ratio.high
    assert (own.to_own.value, own.to_own.low, own.to_own.high) == (1.0, 1.0, 1.0)
    assert counterpart.to_own.value == 5.0
    assert counterpart.time_ratio.value == 25 / 8
    assert (english.by_tokenizer[0].token_ratio, english.by_tokenizer[0].time_ratio.value) == (1.0, 1.0)
    assert (english.fitting_characters, chinese.fitting_characters) == (480, 80)  # 120 tokens beside the special ones
    assert costs.one_letter[0] == Estimate(100.0, 99.0, 101.0, 9)
    assert costs.disagreements == 0
    assert chinese.cycle is None


def test_english_is_the_reference_where_languages_are_named() -> None:
    counts = (TokenCount(5, 2, 0), TokenCount(9, 2, 0), TokenCount(7, 2, 0))
    costs = costs_of(*counts, labels=("zh", "en", "de"))

    assert costs.reference == 1
    assert [c.by_tokenizer[0].token_ratio for c in costs.texts] == [5 / 9, 1.0, 7 / 9]


@pytest.mark.parametrize(
    ("counts", "reference"),
    [
        ((TokenCount(9, 2, 0), TokenCount(5, 2, 0), TokenCount(5, 2, 0)), 1),
        ((TokenCount(2, 2, 2), TokenCount(9, 2, 0), TokenCount(7, 2, 0)), 2),  # few, because it was not read
        ((TokenCount(20, 2, 2), TokenCount(30, 2, 0), TokenCount(40, 2, 0)), 0),  # one in ten is still readable
        ((TokenCount(0, 2, 0), TokenCount(9, 2, 0)), 1),  # nothing but invisible characters
        ((TokenCount(4, 2, 4), TokenCount(3, 2, 3)), 1),  # none can be read
    ],
)
def test_else_the_cheapest_that_can_be_read_is(counts: tuple[TokenCount, ...], reference: int) -> None:
    assert costs_of(*counts).reference == reference


def test_a_text_without_tokens_has_no_rate_that_divides_by_them() -> None:
    costs = costs_of(TokenCount(0, 2, 0), longest=10)

    (only,) = costs.texts
    own = only.by_tokenizer[0]
    assert (own.characters_per_token, own.unknown_share, own.token_ratio) == (None, None, None)
    assert own.tokens_per_character == 0.0
    assert only.fitting_characters is None
    assert own.readable


@pytest.mark.parametrize(("tokens", "too_long"), [(10, False), (11, True)])
def test_special_tokens_count_towards_the_longest(tokens: int, too_long: bool) -> None:
    (only,) = costs_of(TokenCount(tokens, 2, 0), longest=12).texts

    assert only.too_long is too_long
    assert only.fitting_characters == 10 * 20 // tokens


def test_without_a_limit_everything_fits() -> None:
    (only,) = costs_of(TokenCount(10**6, 2, 0)).texts

    assert (only.too_long, only.fitting_characters) == (False, None)


def test_tokenizers_that_differ_are_counted() -> None:
    one, other = run(TokenCount(5, 2, 0), TokenCount(6, 2, 0)), run(TokenCount(5, 2, 0), TokenCount(6, 2, 1))

    assert explain_texts(TextCosts("paper", PAPER_MACHINE, (text(), text()), (one, other), None)).disagreements == 1


# Cycles ---------------------------------------------------------------------------------------------------------------


def cycle_of(wall_ns: int, runs: int = 9) -> Cycle:
    """A cycle of one layer whose unprofiled runs take `wall_ns` each."""
    cycle = paper_cycle(paper_bert(layers=1))
    wall = np.full(runs, wall_ns, dtype=np.int64)
    uninstrumented = UninstrumentedSamples(wall, wall, np.arange(runs, dtype=np.int64) * wall_ns)
    return replace(cycle, samples=replace(cycle.samples, uninstrumented=uninstrumented))


def with_cycles(*cycles: Cycle, texts: int = 2) -> tuple[TextCost, ...]:
    counts = tuple(TokenCount(10 + place, 2, 0) for place in range(texts))
    return explain_texts(TextCosts("paper", PAPER_MACHINE, (text(),) * texts, (run(*counts),), None, cycles)).texts


def test_the_cycle_of_each_text() -> None:
    first, second = with_cycles(cycle_of(4_000_000), cycle_of(6_000_000))

    assert first.cycle is not None
    assert second.cycle is not None
    assert second.cycle.wall.value_ns == 6_000_000
    assert second.cycle.time_per_character_ns == 300_000
    assert second.cycle.ratio is not None
    assert (first.cycle.ratio.value if first.cycle.ratio else None, second.cycle.ratio.value) == (1.0, 1.5)
    assert 0 < (second.cycle.tokenize_share or 0) < 1


def test_texts_that_were_not_reached_have_no_cycle() -> None:
    first, second, third = with_cycles(cycle_of(4_000_000), cycle_of(5_000_000, runs=0), texts=3)

    assert first.cycle is not None
    assert (second.cycle, third.cycle) == (None, None)


def test_without_the_cycle_of_the_reference_there_is_no_ratio() -> None:
    counts = (TokenCount(9, 2, 0), TokenCount(3, 2, 0))
    costs = explain_texts(
        TextCosts("paper", PAPER_MACHINE, (text(), text()), (run(*counts),), None, (cycle_of(4_000_000),))
    )

    assert costs.reference == 1
    assert costs.texts[0].cycle is not None
    assert costs.texts[0].cycle.ratio is None
