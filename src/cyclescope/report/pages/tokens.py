"""The page about what texts cost: tokens, time to tokenize, and the cycle if it was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from rich.cells import cell_len

from cyclescope.core.statistics import Ratio
from cyclescope.core.tokenization import TextFacts
from cyclescope.explaining.explanation import Doubt, DoubtCode
from cyclescope.explaining.languages import UNREADABLE, CycleCost, LanguageCosts, TextCost
from cyclescope.report import format as fmt
from cyclescope.report.names import printable
from cyclescope.report.naming import doubt as doubt_advice
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

_LABEL_CELLS = 20

_Cell: TypeAlias = Callable[[TextCost], str]


def tokens_page(costs: LanguageCosts, language: str = "en") -> Page:
    """Counts, times and, where measured, cycles of every text. Raises `UsageError` for an unknown language."""
    s = strings(language)
    names = tuple(_name(text.text, place, s) for place, text in enumerate(costs.texts))
    labels = tuple(_row_label(text.text, place, names[place]) for place, text in enumerate(costs.texts))
    blocks: list[Block] = [Paragraph(_answer(costs, names, s), lead=True), _facts(costs, names, s)]
    blocks += _warnings(costs, names, s)
    blocks += [
        Heading(s.tokens_counts),
        _counts(costs, labels, s),
        Note(Severity.INFO, s.tokens_counts_note),
        Heading(s.tokens_times),
        _times(costs, labels, s),
        Note(
            Severity.INFO,
            s.tokens_times_note.format(
                n=fmt.count(costs.texts[0].by_tokenizer[0].time.n), time=fmt.time(costs.one_letter[0].value_ns)
            ),
        ),
    ]
    if len(costs.tokenizers) > 1:
        blocks += [Heading(s.tokens_both), _both(costs, labels, s)]
    if any(text.cycle is not None for text in costs.texts):
        blocks += [
            Heading(s.tokens_cycles),
            _cycles(costs, labels, s),
            Note(Severity.INFO, s.tokens_cycles_note.format(tokenizer=costs.tokenizers[0].name)),
            *_doubts(costs, names, s),
        ]
    return page_of(s.tokens_title.format(model=costs.model), tuple(blocks))


def _name(text: TextFacts, place: int, s: Strings) -> str:
    """What a sentence calls a text: its language or label, or its number."""
    if text.label:
        return _shortened(printable(s.language_names.get(text.label, text.label)))
    return s.tokens_nth.format(number=place + 1)


def _listed(names: Iterable[str], s: Strings) -> str:
    return ("、" if s.language == "zh" else ", ").join(names)


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
    machine = costs.machine
    hardware = s.machine_value.format(
        processor=machine.processor, cores=machine.cores, memory=fmt.data(machine.memory_bytes)
    )
    rows.append((s.machine, hardware + (s.virtual if machine.virtual else "")))
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
        text = s.tokens_unreadable.format(share=fmt.share(UNREADABLE), texts=_listed(unreadable, s))
        yield Note(Severity.WARNING, text, s.tokens_unreadable_remedy)
    too_long = [name for name, text in zip(names, costs.texts, strict=True) if text.too_long]
    if too_long:
        text = s.tokens_too_long.format(count=fmt.count(costs.longest), texts=_listed(too_long, s))
        yield Note(Severity.WARNING, text, s.tokens_too_long_remedy)
    if costs.disagreements:
        yield Note(Severity.WARNING, s.tokens_disagree.format(count=fmt.count(costs.disagreements)))
    for note in costs.notes:
        yield Note(Severity.INFO, note)


def _table(costs: LanguageCosts, labels: tuple[str, ...], s: Strings, *columns: tuple[Column, _Cell]) -> Table:
    """One row a text: its label, then a cell for each column."""
    rows = zip(labels, costs.texts, strict=True)
    return Table(
        (Column(s.tokens_text), *(column for column, _ in columns)),
        tuple((label, *(cell(text) for _, cell in columns)) for label, text in rows),
    )


def _ratio_column(
    costs: LanguageCosts, s: Strings, ratio: Callable[[TextCost], Ratio | None]
) -> tuple[tuple[Column, _Cell], ...]:
    """The ratio to the reference text with its interval; nothing where there is only one text."""

    def cell(text: TextCost) -> str:
        found = ratio(text)
        # The reference against itself is one without any doubt.
        if found is None or text is costs.texts[costs.reference]:
            return fmt.significant(None if found is None else found.value)
        return fmt.ratio(found)

    return ((Column(s.tokens_ratio, Align.RIGHT, 1), cell),) if len(costs.texts) > 1 else ()


def _counts(costs: LanguageCosts, labels: tuple[str, ...], s: Strings) -> Table:
    right = Align.RIGHT
    several = len(costs.texts) > 1
    ratio: tuple[Column, _Cell] = (
        Column(s.tokens_ratio, right),
        lambda text: fmt.times(text.by_tokenizer[0].token_ratio),
    )
    return _table(
        costs,
        labels,
        s,
        (Column(s.tokens_characters, right), lambda text: fmt.count(text.text.characters)),
        (Column(s.tokens_bytes, right, 2), lambda text: fmt.count(text.text.utf8_bytes)),
        (Column(s.tokens_count, right), lambda text: fmt.count(text.by_tokenizer[0].count.tokens)),
        (Column(s.tokens_special, right, 3), lambda text: fmt.count(text.by_tokenizer[0].count.special_tokens)),
        (
            Column(s.tokens_per_character, right),
            lambda text: fmt.significant(text.by_tokenizer[0].tokens_per_character),
        ),
        (
            Column(s.tokens_per_token, right, 4),
            lambda text: fmt.significant(text.by_tokenizer[0].characters_per_token),
        ),
        (Column(s.tokens_unknown, right, 1), lambda text: fmt.share(text.by_tokenizer[0].unknown_share)),
        *((ratio,) if several else ()),
        (Column(s.tokens_fits, right, 5), lambda text: fmt.count(text.fitting_characters)),
    )


def _times(costs: LanguageCosts, labels: tuple[str, ...], s: Strings) -> Table:
    right = Align.RIGHT
    return _table(
        costs,
        labels,
        s,
        (Column(s.time, right), lambda text: fmt.time(text.by_tokenizer[0].time.value_ns)),
        (Column(s.interval, right, 2), lambda text: fmt.plus_minus(text.by_tokenizer[0].time)),
        (
            Column(s.tokens_time_per_character, right),
            lambda text: fmt.time(text.by_tokenizer[0].time_per_character_ns),
        ),
        *_ratio_column(costs, s, lambda text: text.by_tokenizer[0].time_ratio),
    )


def _both(costs: LanguageCosts, labels: tuple[str, ...], s: Strings) -> Table:
    """The model's own tokenizer and its twin, a column each."""
    own, twin = (s.tokens_fast if tokenizer.fast else s.tokens_slow for tokenizer in costs.tokenizers)
    return _table(
        costs,
        labels,
        s,
        (Column(own, Align.RIGHT), lambda text: fmt.time(text.by_tokenizer[0].time.value_ns)),
        (Column(twin, Align.RIGHT), lambda text: fmt.time(text.by_tokenizer[1].time.value_ns)),
        (Column(s.tokens_slow_by_fast, Align.RIGHT, 1), lambda text: fmt.ratio(text.by_tokenizer[1].to_own)),
    )


def _cycles(costs: LanguageCosts, labels: tuple[str, ...], s: Strings) -> Table:
    right = Align.RIGHT

    def of(tell: Callable[[CycleCost], str]) -> _Cell:
        return lambda text: tell(text.cycle) if text.cycle is not None else fmt.UNKNOWN

    return _table(
        costs,
        labels,
        s,
        (Column(s.time, right), of(lambda cycle: fmt.time(cycle.wall.value_ns))),
        (Column(s.interval, right, 2), of(lambda cycle: fmt.plus_minus(cycle.wall))),
        (Column(s.tokens_time_per_character, right), of(lambda cycle: fmt.time(cycle.time_per_character_ns))),
        (Column(s.tokens_tokenize_share, right), of(lambda cycle: fmt.share(cycle.tokenize_share))),
        *_ratio_column(costs, s, lambda text: text.cycle.ratio if text.cycle is not None else None),
    )


def _doubts(costs: LanguageCosts, names: tuple[str, ...], s: Strings) -> Iterator[Note]:
    """Reasons to trust the cycles less, each once: the texts that it is about, and the worst of it."""
    found: dict[DoubtCode, list[tuple[str, Doubt]]] = {}
    for name, text in zip(names, costs.texts, strict=True):
        for doubt in text.cycle.doubts if text.cycle is not None else ():
            found.setdefault(doubt.code, []).append((name, doubt))
    for several in found.values():
        advice = doubt_advice(max((doubt for _, doubt in several), key=lambda doubt: abs(doubt.value)), s)
        about = s.tokens_about.format(texts=_listed((name for name, _ in several), s), text=advice.text)
        yield Note(Severity.WARNING, about, advice.remedy)
