"""The page about what texts cost: tokens, time to tokenize, and the cycle if it was measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rich.cells import cell_len

from cyclescope.core.statistics import Estimate, Ratio
from cyclescope.core.tokenization import TextFacts
from cyclescope.explaining.languages import UNREADABLE, LanguageCosts, TextCost
from cyclescope.report import format as fmt
from cyclescope.report.names import printable, storable
from cyclescope.report.page import Align, Block, Column, Heading, KeyValues, Note, Page, Paragraph, Severity, Table
from cyclescope.report.strings import Strings, strings

SCHEMA = "cyclescope/tokens/1"
_LABEL_CELLS = 20


def tokens_page(costs: LanguageCosts, language: str = "en") -> Page:
    """Counts, times and, where measured, cycles of every text. Raises `UsageError` for an unknown language."""
    s = strings(language)
    names = tuple(_name(text.text, place, s) for place, text in enumerate(costs.texts))
    rows = tuple(_row_label(text.text, place, names[place]) for place, text in enumerate(costs.texts))
    blocks: list[Block] = [Paragraph(_answer(costs, names, s), lead=True), _facts(costs, names, s)]
    blocks += _warnings(costs, names, s)
    blocks += [
        Heading(s.tokens_counts),
        _counts(costs, rows, s),
        Note(Severity.INFO, s.tokens_counts_note),
        Heading(s.tokens_times),
        _times(costs, rows, s),
        Note(
            Severity.INFO,
            s.tokens_times_note.format(
                n=fmt.count(costs.texts[0].by_tokenizer[0].time.n), time=fmt.time(costs.one_letter[0].value_ns)
            ),
        ),
    ]
    if len(costs.tokenizers) > 1:
        blocks += [Heading(s.tokens_both), _both(costs, rows, s)]
    if any(text.cycle is not None for text in costs.texts):
        blocks += [
            Heading(s.tokens_cycles),
            _cycles(costs, rows, s),
            Note(Severity.INFO, s.tokens_cycles_note.format(tokenizer=costs.tokenizers[0].name)),
        ]
    return Page(s.tokens_title.format(model=costs.model), tuple(blocks), s.language)


def _name(text: TextFacts, place: int, s: Strings) -> str:
    """What a sentence calls a text: its language or label, or its number."""
    if text.label:
        return _shortened(printable(s.language_names.get(text.label, text.label)))
    return s.tokens_nth.format(number=place + 1)


def _row_label(text: TextFacts, place: int, name: str) -> str:
    """What stands at the beginning of its rows: the same, or its number and how it begins."""
    if text.label:
        return name
    return _shortened(f"{place + 1}. {printable(text.beginning)}", more=len(text.beginning) < text.characters)


def _shortened(text: str, *, more: bool = False) -> str:
    if not more and cell_len(text) <= _LABEL_CELLS:
        return text
    while text and cell_len(text) > _LABEL_CELLS - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _answer(costs: LanguageCosts, names: tuple[str, ...], s: Strings) -> str:
    text = _comparison(costs, names, s)
    return text[:1].upper() + text[1:]


def _comparison(costs: LanguageCosts, names: tuple[str, ...], s: Strings) -> str:
    reference = costs.texts[costs.reference]
    own = reference.by_tokenizer[0]
    low = fmt.count(own.count.tokens)
    if len(costs.texts) == 1:
        return s.tokens_answer_one.format(
            low=low,
            characters=fmt.count(reference.text.characters),
            rate=fmt.significant(own.tokens_per_character),
            time=fmt.estimate(own.time),
        )
    readable = [place for place, text in enumerate(costs.texts) if text.by_tokenizer[0].readable]
    most = max(readable, key=lambda place: costs.texts[place].by_tokenizer[0].count.tokens, default=costs.reference)
    found = costs.texts[most].by_tokenizer[0]
    if found.count.tokens <= own.count.tokens:
        return s.tokens_answer_none_more.format(reference=names[costs.reference], low=low)
    sentence = s.tokens_answer.format(
        most=names[most],
        reference=names[costs.reference],
        factor=fmt.significant(found.token_ratio),
        high=fmt.count(found.count.tokens),
        low=low,
        time_factor=fmt.significant(found.time_ratio.value),
    )
    cycles = costs.texts[most].cycle, reference.cycle
    if cycles[0] is None or cycles[1] is None:
        return sentence
    walls = s.tokens_answer_cycle.format(high=fmt.estimate(cycles[0].wall), low=fmt.estimate(cycles[1].wall))
    return f"{sentence} {walls}" if s.language == "en" else f"{sentence}{walls}"


def _facts(costs: LanguageCosts, names: tuple[str, ...], s: Strings) -> KeyValues:
    rows = [(s.model, costs.model)]
    for label, tokenizer in zip((s.tokens_tokenizer, s.tokens_beside), costs.tokenizers, strict=False):
        value = s.tokens_tokenizer_value.format(
            name=tokenizer.name,
            speed=s.tokens_fast if tokenizer.fast else s.tokens_slow,
            vocabulary=fmt.count(tokenizer.vocabulary),
        )
        rows.append((label, value))
    if costs.longest is not None:
        rows.append((s.tokens_longest, s.tokens_longest_value.format(count=fmt.count(costs.longest))))
    if len(names) > 1:
        rows.append((s.tokens_compared, names[costs.reference]))
    return KeyValues(tuple(rows))


def _warnings(costs: LanguageCosts, names: tuple[str, ...], s: Strings) -> Iterator[Note]:
    """What whoever reads the figures must know before, the gravest first."""
    if costs.partial:
        yield Note(Severity.WARNING, s.partial)
    if costs.tokenizers[0].stand_in:
        yield Note(Severity.WARNING, s.tokens_stand_in, s.tokens_stand_in_remedy)
    unreadable = [name for name, text in zip(names, costs.texts, strict=True) if not text.by_tokenizer[0].readable]
    if unreadable:
        text = s.tokens_unreadable.format(share=fmt.share(UNREADABLE), texts=", ".join(unreadable))
        yield Note(Severity.WARNING, text, s.tokens_unreadable_remedy)
    too_long = [name for name, text in zip(names, costs.texts, strict=True) if text.too_long]
    if too_long:
        text = s.tokens_too_long.format(count=fmt.count(costs.longest), texts=", ".join(too_long))
        yield Note(Severity.WARNING, text, s.tokens_too_long_remedy)
    if costs.disagreements:
        yield Note(Severity.WARNING, s.tokens_disagree.format(count=fmt.count(costs.disagreements)))
    for note in costs.notes:
        yield Note(Severity.INFO, note)


def _counts(costs: LanguageCosts, names: tuple[str, ...], s: Strings) -> Table:
    columns = (
        Column(s.tokens_text),
        Column(s.tokens_characters, Align.RIGHT),
        Column(s.tokens_bytes, Align.RIGHT, 2),
        Column(s.tokens_count, Align.RIGHT),
        Column(s.tokens_special, Align.RIGHT, 3),
        Column(s.tokens_per_character, Align.RIGHT),
        Column(s.tokens_per_token, Align.RIGHT, 4),
        Column(s.tokens_unknown, Align.RIGHT),
        Column(s.tokens_ratio, Align.RIGHT),
        Column(s.tokens_fits, Align.RIGHT, 5),
    )

    def cells(name: str, text: TextCost) -> tuple[str, ...]:
        own = text.by_tokenizer[0]
        return (
            name,
            fmt.count(text.text.characters),
            fmt.count(text.text.utf8_bytes),
            fmt.count(own.count.tokens),
            fmt.count(own.count.special_tokens),
            fmt.significant(own.tokens_per_character),
            fmt.significant(own.characters_per_token),
            fmt.share(own.unknown_share),
            fmt.times(own.token_ratio),
            fmt.count(text.fitting_characters),
        )

    return Table(columns, tuple(map(cells, names, costs.texts)))


def _times(costs: LanguageCosts, names: tuple[str, ...], s: Strings) -> Table:
    columns = (
        Column(s.tokens_text),
        Column(s.time, Align.RIGHT),
        Column(s.interval, Align.RIGHT, 1),
        Column(s.tokens_time_per_character, Align.RIGHT),
        Column(s.tokens_ratio, Align.RIGHT),
    )

    def cells(name: str, text: TextCost) -> tuple[str, ...]:
        own = text.by_tokenizer[0]
        return (
            name,
            fmt.time(own.time.value_ns),
            fmt.plus_minus(own.time),
            fmt.time(own.time_per_character_ns),
            fmt.ratio(own.time_ratio),
        )

    return Table(columns, tuple(map(cells, names, costs.texts)))


def _both(costs: LanguageCosts, names: tuple[str, ...], s: Strings) -> Table:
    """The model's own tokenizer and its twin, a column each."""
    speeds = tuple(s.tokens_fast if tokenizer.fast else s.tokens_slow for tokenizer in costs.tokenizers)
    columns = (
        Column(s.tokens_text),
        *(Column(speed, Align.RIGHT) for speed in speeds),
        Column(s.tokens_ratio, Align.RIGHT),
    )
    rows = tuple(
        (name, *(fmt.time(cost.time.value_ns) for cost in text.by_tokenizer), fmt.ratio(text.by_tokenizer[1].to_own))
        for name, text in zip(names, costs.texts, strict=True)
    )
    return Table(columns, rows)


def _cycles(costs: LanguageCosts, names: tuple[str, ...], s: Strings) -> Table:
    columns = (
        Column(s.tokens_text),
        Column(s.time, Align.RIGHT),
        Column(s.interval, Align.RIGHT, 1),
        Column(s.tokens_time_per_character, Align.RIGHT),
        Column(s.tokens_tokenize_share, Align.RIGHT),
        Column(s.tokens_ratio, Align.RIGHT),
    )
    rows = tuple(
        (
            name,
            fmt.time(cycle.wall.value_ns),
            fmt.plus_minus(cycle.wall),
            fmt.time(cycle.time_per_character_ns),
            fmt.share(cycle.tokenize_share),
            fmt.ratio(cycle.ratio) if cycle.ratio is not None else fmt.UNKNOWN,
        )
        for name, cycle in zip(names, (text.cycle for text in costs.texts), strict=True)
        if cycle is not None
    )
    return Table(columns, rows)


def tokens_json(costs: LanguageCosts) -> str:
    """The same as one JSON document: times in nanoseconds, shares and ratios as plain numbers. No text is in it."""
    document = {
        "schema": SCHEMA,
        "model": storable(costs.model),
        "partial": costs.partial,
        "longest_tokens": costs.longest,
        "reference": costs.reference,
        "tokenizers": [
            {
                "name": storable(tokenizer.name),
                "fast": tokenizer.fast,
                "stand_in": tokenizer.stand_in,
                "vocabulary": tokenizer.vocabulary,
                "one_letter": _estimate(one_letter),
            }
            for tokenizer, one_letter in zip(costs.tokenizers, costs.one_letter, strict=True)
        ],
        "disagreements": costs.disagreements,
        "texts": [_text(text) for text in costs.texts],
        "notes": [storable(note) for note in costs.notes],
    }
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)


def _text(text: TextCost) -> dict[str, Any]:
    cycle = text.cycle
    return {
        "label": storable(text.text.label),
        "characters": text.text.characters,
        "utf8_bytes": text.text.utf8_bytes,
        "too_long": text.too_long,
        "fitting_characters": text.fitting_characters,
        "tokenizers": [
            {
                "tokens": cost.count.tokens,
                "special_tokens": cost.count.special_tokens,
                "unknown_tokens": cost.count.unknown_tokens,
                "tokens_per_character": cost.tokens_per_character,
                "characters_per_token": cost.characters_per_token,
                "unknown_share": cost.unknown_share,
                "token_ratio": cost.token_ratio,
                "time": _estimate(cost.time),
                "time_per_character_ns": cost.time_per_character_ns,
                "time_ratio": _ratio(cost.time_ratio),
                "time_to_own_ratio": _ratio(cost.to_own),
            }
            for cost in text.by_tokenizer
        ],
        "cycle": None
        if cycle is None
        else {
            "wall": _estimate(cycle.wall),
            "time_per_character_ns": cycle.time_per_character_ns,
            "tokenize_share": cycle.tokenize_share,
            "ratio": _ratio(cycle.ratio) if cycle.ratio is not None else None,
            "cut_tokens": cycle.cut_tokens,
        },
    }


def _estimate(value: Estimate) -> dict[str, float]:
    return {"median_ns": value.value_ns, "low_ns": value.low_ns, "high_ns": value.high_ns, "n": value.n}


def _ratio(value: Ratio) -> dict[str, float]:
    return {"value": value.value, "low": value.low, "high": value.high, "n": value.n}
