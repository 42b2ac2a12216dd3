"""The page about what texts cost: tokens, time to tokenize, and the cycle if it was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from rich.cells import cell_len

from cyclescope.core.message import Message, Text, Value, in_context, listed, m, plural, sentences
from cyclescope.core.statistics import Ratio
from cyclescope.core.tokenization import TextFacts, TokenizerInfo
from cyclescope.explaining.explanation import MeasurementWarning, WarningCode
from cyclescope.explaining.languages import UNREADABLE, CycleCost, LanguageCosts, TextCost
from cyclescope.report import format as fmt
from cyclescope.report.names import printable
from cyclescope.report.naming.run import PARTIAL
from cyclescope.report.naming.run import machine as machine_fact
from cyclescope.report.naming.texts import LANGUAGES
from cyclescope.report.naming.warnings import warning
from cyclescope.report.page import (
    Align,
    Block,
    Cell,
    Column,
    KeyValues,
    Note,
    Page,
    Paragraph,
    Section,
    Severity,
    Table,
)

_LABEL_CELLS = 20

_CellOf: TypeAlias = Callable[[TextCost], Text | Cell]


def tokens_page(costs: LanguageCosts) -> Page:
    """Counts, times and, where measured, cycles of every text."""
    names = tuple(_name(text.text, place) for place, text in enumerate(costs.texts))
    labels = tuple(_row_label(text.text, place, names[place]) for place, text in enumerate(costs.texts))
    opening: tuple[Block, ...] = (
        Paragraph(_answer(costs, names), lead=True),
        _facts(costs, names),
        *_warnings(costs, names),
    )
    return Page(m("Tokens of {model}", model=costs.model), opening, tuple(_sections(costs, names, labels)), "tokens")


def _sections(costs: LanguageCosts, names: tuple[Text, ...], labels: tuple[Text, ...]) -> Iterator[Section]:
    counts_note = m(
        "Characters are Unicode code points. Special tokens (such as [CLS]) have their own column and are in no rate or ratio."
    )
    yield Section("counts", m("Tokens"), (_counts(costs, labels), Note(Severity.INFO, counts_note)))
    yield Section("times", m("Tokenization time"), (_times(costs, labels), Note(Severity.INFO, _times_note(costs))))
    if len(costs.tokenizers) > 1:
        yield Section("both", m("Fast and slow tokenizer"), (_both(costs, labels),))
    if any(text.cycle is not None for text in costs.texts):
        note = m(
            "Measured with {tokenizer}, one text after the other and not interleaved. "
            "The share of tokenization is that of the instrumented cycle.",
            tokenizer=costs.tokenizers[0].name,
        )
        blocks: tuple[Block, ...] = (_cycles(costs, labels), Note(Severity.INFO, note), *_cycle_warnings(costs, names))
        yield Section("cycles", m("Whole cycle"), blocks)


def _times_note(costs: LanguageCosts) -> Message:
    samples = costs.texts[0].by_tokenizer[0].time.n
    return plural(
        "From a text to tensors, one text a call, warm; median of {n} call. "
        "{time} of it are the call itself: a text of one letter takes as long.",
        "From a text to tensors, one text a call, warm; median of {n} calls. "
        "{time} of it are the call itself: a text of one letter takes as long.",
        samples,
        n=fmt.count(samples),
        time=fmt.time(costs.one_letter[0].value_ns),
    )


def _name(text: TextFacts, place: int) -> Text:
    """What a sentence calls a text: its language or label, or its number."""
    if text.label:
        return LANGUAGES.get(text.label) or _shortened(printable(text.label))
    return m("text {number}", number=place + 1)


def _row_label(text: TextFacts, place: int, name: Text) -> Text:
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


def _answer(costs: LanguageCosts, names: tuple[Text, ...]) -> Text:
    reference = costs.texts[costs.reference]
    own = reference.by_tokenizer[0]
    if len(costs.texts) == 1:
        return plural(
            "{n} token from {characters} characters ({rate} per character), tokenized in {time}.",
            "{n} tokens from {characters} characters ({rate} per character), tokenized in {time}.",
            own.count.tokens,
            n=fmt.count(own.count.tokens),
            characters=fmt.count(reference.text.characters),
            rate=fmt.significant(own.tokens_per_character),
            time=fmt.estimate(own.time),
        )
    readable = [place for place, text in enumerate(costs.texts) if text.by_tokenizer[0].readable]
    most = max(readable, key=lambda place: costs.texts[place].by_tokenizer[0].count.tokens, default=costs.reference)
    found = costs.texts[most].by_tokenizer[0]
    if found.count.tokens <= own.count.tokens:
        return m(
            "No text takes more tokens than {reference} ({low}).",
            reference=names[costs.reference],
            low=fmt.count(own.count.tokens),
        )
    return sentences(_most_tokens(costs, most, names), _longest_cycle(costs, most))


def _most_tokens(costs: LanguageCosts, most: int, names: tuple[Text, ...]) -> Message:
    own, found = (costs.texts[place].by_tokenizer[0] for place in (costs.reference, most))
    values: dict[str, Value] = {
        "reference": names[costs.reference],
        "factor": fmt.significant(found.token_ratio),
        "high": fmt.count(found.count.tokens),
        "low": fmt.count(own.count.tokens),
        "time_factor": fmt.significant(found.time_ratio.value),
    }
    if not costs.texts[most].text.label:  # a sentence begins with a capital letter
        return m(
            "Text {number} takes {factor} times as many tokens as {reference} ({high} and {low}); "
            "its tokenization takes {time_factor} times as long.",
            number=most + 1,
            **values,
        )
    return m(
        "{most} takes {factor} times as many tokens as {reference} ({high} and {low}); "
        "its tokenization takes {time_factor} times as long.",
        most=names[most],
        **values,
    )


def _longest_cycle(costs: LanguageCosts, most: int) -> Text:
    high, low = costs.texts[most].cycle, costs.texts[costs.reference].cycle
    if high is None or low is None:
        return ""
    return m("A cycle takes {high} and {low}.", high=fmt.estimate(high.wall), low=fmt.estimate(low.wall))


def _facts(costs: LanguageCosts, names: tuple[Text, ...]) -> KeyValues:
    rows: list[tuple[Text, Text]] = [(m("model"), costs.model)]
    for label, tokenizer in zip((m("tokenizer"), m("compared tokenizer")), costs.tokenizers, strict=False):
        value = m(
            "{name}, {speed}, vocabulary of {vocabulary} tokens",
            name=tokenizer.name,
            speed=_speed(tokenizer),
            vocabulary=fmt.count(tokenizer.vocabulary),
        )
        rows.append((label, value))
    if costs.longest is not None:
        longest = plural("{n} token", "{n} tokens", costs.longest, n=fmt.count(costs.longest))
        rows.append((m("longest input"), longest))
    rows.append(machine_fact(costs.machine))
    if len(names) > 1:
        rows.append((m("reference text"), names[costs.reference]))
    return KeyValues(tuple(rows))


def _speed(tokenizer: TokenizerInfo) -> Message:
    return m("fast (Rust)") if tokenizer.fast else m("slow (Python)")


def _warnings(costs: LanguageCosts, names: tuple[Text, ...]) -> Iterator[Note]:
    """What a reader must know before the figures, the gravest first."""
    if costs.partial:
        yield Note(Severity.WARNING, PARTIAL)
    if costs.tokenizers[0].stand_in:
        text = m(
            "The tokenizer is a stand-in of the same kind and size: counts and times are those of the stand-in, not of the "
            "model. It was made for English and Chinese; other languages take more tokens in it than in the model's own tokenizer."
        )
        yield Note(Severity.WARNING, text, m("Name a folder or a hub model that has its tokenizer."))
    unreadable = [name for name, text in zip(names, costs.texts, strict=True) if not text.by_tokenizer[0].readable]
    if unreadable:
        text = m(
            "More than {share} of the tokens are unknown: {texts}. A low count there means that the vocabulary lacks the "
            "language, not that the text is cheap.",
            share=fmt.share(UNREADABLE),
            texts=listed(unreadable),
        )
        yield Note(Severity.WARNING, text, m("Use a model whose vocabulary covers the language."))
    too_long = [name for name, text in zip(names, costs.texts, strict=True) if text.too_long]
    if too_long:
        text = m(
            "Longer than the {count} tokens that the model accepts: {texts}.",
            count=fmt.count(costs.longest),
            texts=listed(too_long),
        )
        yield Note(Severity.WARNING, text, m("A cycle cuts off the rest; split the text."))
    if costs.disagreements:
        text = plural(
            "The fast and the slow tokenizer disagree about {n} text.",
            "The fast and the slow tokenizer disagree about {n} texts.",
            costs.disagreements,
            n=fmt.count(costs.disagreements),
        )
        yield Note(Severity.WARNING, text)
    yield from (Note(Severity.INFO, note) for note in costs.notes)


def _table(costs: LanguageCosts, labels: tuple[Text, ...], *columns: tuple[Column, _CellOf]) -> Table:
    """One row a text: its label, then a cell for each column."""
    rows = zip(labels, costs.texts, strict=True)
    return Table(
        (Column(in_context("one text", "text")), *(column for column, _ in columns)),
        tuple((label, *(cell(text) for _, cell in columns)) for label, text in rows),
    )


def _ratio_column(
    costs: LanguageCosts, ratio: Callable[[TextCost], Ratio | None]
) -> tuple[tuple[Column, _CellOf], ...]:
    """The ratio to the reference text with its interval; nothing where there is only one text."""

    def cell(text: TextCost) -> str:
        found = ratio(text)
        # The reference against itself is one without any doubt.
        if found is None or text is costs.texts[costs.reference]:
            return fmt.significant(None if found is None else found.value)
        return fmt.ratio(found)

    return ((Column(m("ratio"), Align.RIGHT, 1), cell),) if len(costs.texts) > 1 else ()


def _counts(costs: LanguageCosts, labels: tuple[Text, ...]) -> Table:
    right = Align.RIGHT
    ratio: tuple[Column, _CellOf] = (
        Column(m("ratio"), right),
        lambda text: fmt.times(text.by_tokenizer[0].token_ratio),
    )
    return _table(
        costs,
        labels,
        (Column(m("chars"), right), lambda text: fmt.count(text.text.characters)),
        (Column(m("bytes"), right, 2), lambda text: fmt.count(text.text.utf8_bytes)),
        (Column(m("tokens"), right), lambda text: fmt.count(text.by_tokenizer[0].count.tokens)),
        (Column(m("special"), right, 3), lambda text: fmt.count(text.by_tokenizer[0].count.special_tokens)),
        (Column(m("tokens/char"), right), lambda text: fmt.significant(text.by_tokenizer[0].tokens_per_character)),
        (Column(m("chars/token"), right, 4), lambda text: fmt.significant(text.by_tokenizer[0].characters_per_token)),
        (Column(m("unknown"), right, 1), lambda text: fmt.share(text.by_tokenizer[0].unknown_share)),
        *((ratio,) if len(costs.texts) > 1 else ()),
        (Column(m("chars that fit"), right, 5), lambda text: fmt.count(text.fitting_characters)),
    )


def _times(costs: LanguageCosts, labels: tuple[Text, ...]) -> Table:
    right = Align.RIGHT
    return _table(
        costs,
        labels,
        (Column(m("time"), right), lambda text: fmt.time(text.by_tokenizer[0].time.value_ns)),
        (Column(m("95 % interval"), right, 2), lambda text: fmt.plus_minus(text.by_tokenizer[0].time)),
        (Column(m("per char"), right), lambda text: fmt.time(text.by_tokenizer[0].time_per_character_ns)),
        *_ratio_column(costs, lambda text: text.by_tokenizer[0].time_ratio),
    )


def _both(costs: LanguageCosts, labels: tuple[Text, ...]) -> Table:
    """The model's own tokenizer and its counterpart in Python, a column each."""
    own, counterpart = map(_speed, costs.tokenizers)
    return _table(
        costs,
        labels,
        (Column(own, Align.RIGHT), lambda text: fmt.time(text.by_tokenizer[0].time.value_ns)),
        (Column(counterpart, Align.RIGHT), lambda text: fmt.time(text.by_tokenizer[1].time.value_ns)),
        (Column(m("slow / fast"), Align.RIGHT, 1), lambda text: fmt.ratio(text.by_tokenizer[1].to_own)),
    )


def _cycles(costs: LanguageCosts, labels: tuple[Text, ...]) -> Table:
    right = Align.RIGHT

    def of(tell: Callable[[CycleCost], str]) -> _CellOf:
        return lambda text: tell(text.cycle) if text.cycle is not None else fmt.UNKNOWN

    return _table(
        costs,
        labels,
        (Column(m("time"), right), of(lambda cycle: fmt.time(cycle.wall.value_ns))),
        (Column(m("95 % interval"), right, 2), of(lambda cycle: fmt.plus_minus(cycle.wall))),
        (Column(m("per char"), right), of(lambda cycle: fmt.time(cycle.time_per_character_ns))),
        (Column(m("tokenization"), right), of(lambda cycle: fmt.share(cycle.tokenize_share))),
        *_ratio_column(costs, lambda text: text.cycle.ratio if text.cycle is not None else None),
    )


def _cycle_warnings(costs: LanguageCosts, names: tuple[Text, ...]) -> Iterator[Note]:
    """Reasons to trust the cycles less, each once: the texts that it is about, and the worst of it."""
    found: dict[WarningCode, list[tuple[Text, MeasurementWarning]]] = {}
    for name, text in zip(names, costs.texts, strict=True):
        for doubt in text.cycle.warnings if text.cycle is not None else ():
            found.setdefault(doubt.code, []).append((name, doubt))
    for several in found.values():
        advice = warning(max((doubt for _, doubt in several), key=lambda doubt: abs(doubt.value)))
        about = m("{texts}, at worst: {text}", texts=listed(name for name, _ in several), text=advice.text)
        yield Note(Severity.WARNING, about, advice.remedy)
