"""The page about a dialogue, and the document `cyclescope/dialogue/1` about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cyclescope.core.dialogue import OWN
from cyclescope.core.message import Message, m, plural
from cyclescope.core.statistics import Estimate, Ratio
from cyclescope.core.workload import Weights
from cyclescope.explaining.dialogue import DialogueCosts, TurnCost
from cyclescope.report import format as fmt
from cyclescope.report.naming import run
from cyclescope.report.page import (
    Align,
    Block,
    Column,
    Figures,
    Headline,
    KeyValues,
    Note,
    Page,
    Paragraph,
    Section,
    Severity,
    Table,
)

_LEAST_REPEATS = 6  # below, a median has no interval


def dialogue_page(costs: DialogueCosts) -> Page:
    """What the KV cache of the turn before saves, turn by turn."""
    first = [(turn.first_again, turn.first_reused, turn.first_ratio) for turn in costs.turns]
    whole = [(turn.wall_again, turn.wall_reused, turn.wall_ratio) for turn in costs.turns]
    return Page(
        m("A dialogue with {model}", model=costs.dialogue.model.reference),
        tuple(_opening(costs)),
        (
            Section("first-token", m("Time to first token"), (_table(costs.turns, first),)),
            Section("reply", m("Whole reply"), (_table(costs.turns, whole), *_notes(costs))),
        ),
        "dialogue",
    )


def _opening(costs: DialogueCosts) -> Iterator[Block]:
    dialogue, last = costs.dialogue, costs.turns[-1]
    yield Paragraph(_answer(costs), lead=True)
    if len(costs.turns) > 1:
        yield _figures(costs)
    if len(costs.turns) > 1:
        yield Paragraph(
            m(
                "The history grows from {first} to {last} tokens. In the last turn the first token comes after {again} if the "
                "history is recomputed, and after {reused} with the KV cache.",
                first=fmt.count(costs.turns[0].facts.prompt_tokens),
                last=fmt.count(last.facts.prompt_tokens),
                again=fmt.estimate(last.first_again),
                reused=fmt.estimate(last.first_reused),
            )
        )
    model = dialogue.model
    template = m("the tokenizer's own") if dialogue.template == OWN else m("plain: User: …, Assistant: …")
    replies = plural("{n} token each", "{n} tokens each", dialogue.new_tokens, n=fmt.count(dialogue.new_tokens))
    yield KeyValues(
        (
            run.model(model),
            (m("chat template"), template),
            (m("replies"), replies),
            run.plan(dialogue.plan),
            run.machine(dialogue.machine),
        )
    )
    if model.weights is Weights.RANDOM:
        yield Note(Severity.INFO, run.RANDOM_WEIGHTS)
    if model.stand_in_tokenizer:
        yield Note(Severity.INFO, run.stand_in_tokenizer(model.tokenizer))
    for note in dialogue.notes:
        yield Note(Severity.INFO, note)


def _figures(costs: DialogueCosts) -> Figures:
    """The headline numbers: the whole dialogue both ways, and the first token of its last turn."""
    last = costs.turns[-1]
    return Figures(
        (
            Headline(m("all replies, with cache"), fmt.estimate(costs.reused)),
            Headline(m("all replies, recomputed"), fmt.estimate(costs.again)),
            Headline(m("ratio"), fmt.significant(costs.ratio.value), below=m("with cache ÷ recomputed")),
            Headline(m("first token of the last turn, with cache"), fmt.estimate(last.first_reused)),
        )
    )


def _answer(costs: DialogueCosts) -> Message:
    ratio, again, reused = costs.ratio, fmt.estimate(costs.again), fmt.estimate(costs.reused)
    turns = len(costs.turns)
    if turns == 1:
        return m("One turn takes {again}; no turn before it left a KV cache.", again=again)
    if ratio.n < _LEAST_REPEATS or ratio.low <= 1 <= ratio.high:
        return m(
            "It is unknown whether reusing the KV cache saves time: the {turns} replies take {reused} with it and {again} "
            "without it (ratio {ratio}).",
            turns=turns,
            reused=reused,
            again=again,
            ratio=fmt.ratio(ratio),
        )
    if ratio.high < 1:
        return m(
            "Reusing the KV cache saves {share} of the dialogue: its {turns} replies take {reused} instead of {again} "
            "(ratio {ratio}).",
            share=fmt.share(1 - ratio.value),
            turns=turns,
            reused=reused,
            again=again,
            ratio=fmt.ratio(ratio),
        )
    return m(
        "Reusing the KV cache saves nothing: the {turns} replies take {reused} with it and {again} without it "
        "(ratio {ratio}).",
        turns=turns,
        reused=reused,
        again=again,
        ratio=fmt.ratio(ratio),
    )


def _table(turns: Sequence[TurnCost], times: Sequence[tuple[Estimate, Estimate, Ratio]]) -> Table:
    columns = (
        Column(m("turn"), Align.RIGHT),
        Column(m("history"), Align.RIGHT, priority=1),
        Column(m("cached"), Align.RIGHT, priority=2),
        Column(m("recomputed"), Align.RIGHT),
        Column(m("with cache"), Align.RIGHT),
        Column(m("ratio"), Align.RIGHT),
        Column("n", Align.RIGHT, priority=3),
    )
    rows = tuple(
        (
            fmt.count(number),
            fmt.count(turn.facts.prompt_tokens),
            fmt.count(turn.facts.cached_tokens),
            fmt.estimate(again),
            fmt.estimate(reused),
            fmt.ratio(ratio),
            fmt.count(again.n),
        )
        for number, (turn, (again, reused, ratio)) in enumerate(zip(turns, times, strict=True), 1)
    )
    return Table(columns, rows)


def _notes(costs: DialogueCosts) -> Iterator[Block]:
    """How to read the tables, and what makes them less reliable."""
    yield Paragraph(
        m(
            "History and cached are tokens. The ratio is with cache ÷ recomputed, with its 95 % interval. Both begin with the "
            "messages as text, include template and tokenizer, and ran interleaved (A B B A)."
        ),
        soft=True,
    )
    text = m(
        "The first turn has no cache: both columns do the same work, and their difference is the noise of the measurement."
    )
    yield Note(Severity.INFO, text)
    if costs.dialogue.partial:
        yield Note(Severity.WARNING, run.PARTIAL)
    least = min(turn.wall_again.n for turn in costs.turns)
    if least < _LEAST_REPEATS:
        few = plural(
            "{n} repeat of each turn is too few for an interval.",
            "{n} repeats of each turn are too few for an interval.",
            least,
            n=fmt.count(least),
        )
        yield Note(Severity.WARNING, few, m("Give a larger --budget."))
    others = sum(not turn.facts.same_reply for turn in costs.turns)
    if others:
        other = plural(
            "With the cache the model wrote other tokens in {n} turn: the arithmetic runs in another order.",
            "With the cache the model wrote other tokens in {n} turns: the arithmetic runs in another order.",
            others,
            n=fmt.count(others),
        )
        yield Note(Severity.WARNING, other)
