"""The page about a dialogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cyclescope.core.dialogue import OWN
from cyclescope.core.statistics import Estimate, Ratio
from cyclescope.core.workload import Weights
from cyclescope.explaining.dialogue import DialogueCosts, TurnCost
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
from cyclescope.report.page import (
    Align,
    Block,
    Column,
    Heading,
    KeyValues,
    Note,
    Page,
    Paragraph,
    Severity,
    Table,
    page_of,
)
from cyclescope.report.words.strings import Strings, strings
from cyclescope.report.words.text_dialogue import DialogueText, dialogue_text

_LEAST_REPEATS = 6  # below, a median has no interval


def dialogue_page(costs: DialogueCosts, language: str = "en") -> Page:
    """What `costs` say, for any medium. Raises `UsageError` for a language that there are no texts of."""
    s = strings(language)
    t = dialogue_text(s)
    first = [(turn.first_again, turn.first_reused, turn.first_ratio) for turn in costs.turns]
    whole = [(turn.wall_again, turn.wall_reused, turn.wall_ratio) for turn in costs.turns]
    blocks = (
        *_opening(costs, s, t),
        Heading(t.first_token),
        _table(costs.turns, first, t),
        Heading(t.whole_reply),
        _table(costs.turns, whole, t),
        Paragraph(t.note),
        Note(Severity.INFO, t.first_turn),
        *_doubts(costs, s, t),
    )
    return page_of(t.title.format(model=costs.dialogue.model.reference), blocks)


def _opening(costs: DialogueCosts, s: Strings, t: DialogueText) -> Iterator[Block]:
    dialogue, last = costs.dialogue, costs.turns[-1]
    ratio = costs.ratio
    if len(costs.turns) == 1:
        template = t.answer_one
    elif ratio.n < _LEAST_REPEATS or ratio.low <= 1 <= ratio.high:
        template = t.answer_open
    else:
        template = t.answer if ratio.high < 1 else t.answer_costs
    answer = template.format(
        share=fmt.share(1 - ratio.value),
        turns=fmt.count(len(costs.turns)),
        again=fmt.estimate(costs.again),
        reused=fmt.estimate(costs.reused),
        ratio=fmt.ratio(ratio),
    )
    yield Paragraph(answer, lead=True)
    if len(costs.turns) > 1:
        yield Paragraph(
            t.history_grows.format(
                first=fmt.count(costs.turns[0].facts.prompt_tokens),
                last=fmt.count(last.facts.prompt_tokens),
                again=fmt.estimate(last.first_again),
                reused=fmt.estimate(last.first_reused),
            )
        )
    model, plan, machine = dialogue.model, dialogue.plan, dialogue.machine
    yield KeyValues(
        (
            wording.model_fact(model, s),
            (t.template, t.own_template if dialogue.template == OWN else t.plain_template),
            (t.replies, t.replies_value.format(tokens=fmt.count(dialogue.new_tokens))),
            wording.plan_fact(plan, s),
            wording.machine_fact(machine, s),
        )
    )
    if model.weights is Weights.RANDOM:
        yield Note(Severity.INFO, s.random_weights)
    if model.stand_in_tokenizer:
        yield Note(Severity.INFO, s.stand_in_tokenizer.format(tokenizer=model.tokenizer))
    for note in dialogue.notes:
        yield Note(Severity.INFO, note)


def _table(turns: Sequence[TurnCost], times: Sequence[tuple[Estimate, Estimate, Ratio]], t: DialogueText) -> Table:
    columns = (
        Column(t.turn, Align.RIGHT),
        Column(t.history, Align.RIGHT, priority=1),
        Column(t.cached, Align.RIGHT, priority=2),
        Column(t.again, Align.RIGHT),
        Column(t.reused, Align.RIGHT),
        Column(t.ratio, Align.RIGHT),
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


def _doubts(costs: DialogueCosts, s: Strings, t: DialogueText) -> Iterator[Block]:
    if costs.dialogue.partial:
        yield Note(Severity.WARNING, s.partial)
    least = min(turn.wall_again.n for turn in costs.turns)
    if least < _LEAST_REPEATS:
        yield Note(Severity.WARNING, t.few_repeats.format(count=fmt.count(least)), t.few_repeats_remedy)
    others = sum(not turn.facts.same_reply for turn in costs.turns)
    if others:
        yield Note(Severity.WARNING, t.other_reply.format(count=fmt.count(others)))
