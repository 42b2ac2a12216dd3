"""The document about texts and their tokens: what `cyclescope tokens --json` prints. No text is in it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cyclescope.explaining.languages import CycleCost, LanguageCosts, TextCost, TokenizerCost
from cyclescope.report.documents.cycle.findings import warning
from cyclescope.report.documents.figures import Document, DocumentPart, RatioOf, Text, Time, WarningPart, schema_field
from cyclescope.report.documents.run import Host


class Tokenizer(DocumentPart):
    """One tokenizer."""

    name: Text
    fast: bool = Field(description="written in Rust; others are written in Python")
    stand_in: bool = Field(description="not the model's own, but one of its kind and size")
    vocabulary: int = Field(description="number of tokens that it knows")
    one_letter: Time = Field(description="time of a text of one letter: what a call costs for any text")


class TokenizedText(DocumentPart):
    """One text through one tokenizer. Special tokens are in no ratio; null where one would divide by zero."""

    tokens: int = Field(description="tokens of the text")
    special_tokens: int = Field(description="tokens added around it")
    unknown_tokens: int = Field(description="of tokens, those for what is not in the vocabulary")
    tokens_per_character: float = Field(description="tokens ÷ characters")
    characters_per_token: float | None = Field(description="characters ÷ tokens")
    unknown_share: float | None = Field(description="unknown_tokens ÷ tokens")
    token_ratio: float | None = Field(description="tokens ÷ tokens of the reference text")
    time: Time
    time_per_character_s: float = Field(description="s; time ÷ characters")
    time_ratio: RatioOf = Field(description="time ÷ time of the reference text")
    time_to_own_ratio: RatioOf = Field(description="time ÷ time of the model's own tokenizer")


class TextCycle(DocumentPart):
    """The whole cycle of one text."""

    wall: Time
    time_per_character_s: float = Field(description="s; wall ÷ characters")
    tokenize_share: float | None = Field(description="share of the cycle in the tokenizer; null where not measured")
    ratio: RatioOf | None = Field(description="wall ÷ wall of the reference text; null where that has no cycle")
    cut_tokens: int = Field(description="tokens that did not fit the model and were cut")
    warnings: list[WarningPart] = Field(description="reasons to trust this cycle less")


class TextPart(DocumentPart):
    """One text."""

    label: Text = Field(description="its language, or as the user calls it; may be empty")
    characters: int = Field(description="Unicode characters")
    utf8_bytes: int = Field(description="bytes in UTF-8")
    too_long: bool = Field(description="it does not fit the model")
    fitting_characters: int | None = Field(description="characters of such text that fit the model; null: no limit")
    tokenizers: list[TokenizedText] = Field(description="in the order of the document's tokenizers")
    cycle: TextCycle | None = Field(description="null where it was not measured")


class TokensDocument(Document):
    """What texts cost a model: tokens, time to tokenize, and cycles."""

    schema_: Literal["cyclescope/tokens/2"] = schema_field("cyclescope/tokens/2")
    model: Text = Field(description="as the user named it")
    version: Text = Field(description="version of cyclescope that measured")
    taken_at: Text = Field(description="UTC, ISO 8601")
    partial: bool = Field(description="whether the measurement was interrupted")
    machine: Host
    longest_tokens: int | None = Field(description="longest input in tokens, special ones included; null: no limit")
    reference: int = Field(description="index of the text that ratios refer to")
    tokenizers: list[Tokenizer] = Field(description="the model's own first")
    disagreements: int = Field(description="texts that the tokenizers count differently")
    texts: list[TextPart]
    notes: list[Text]


def tokens_document(costs: LanguageCosts) -> TokensDocument:
    """`costs` as the public document."""
    tokenizers = zip(costs.tokenizers, costs.one_letter, strict=True)
    return TokensDocument.of(
        costs,
        longest_tokens=costs.longest,
        tokenizers=[Tokenizer.of(tokenizer, one_letter=time) for tokenizer, time in tokenizers],
        texts=[_text(text) for text in costs.texts],
    )


def _text(text: TextCost) -> TextPart:
    return TextPart.of(
        text.text,
        too_long=text.too_long,
        fitting_characters=text.fitting_characters,
        tokenizers=[_tokenized(cost) for cost in text.by_tokenizer],
        cycle=_cycle(text.cycle) if text.cycle is not None else None,
    )


def _tokenized(cost: TokenizerCost) -> TokenizedText:
    count = cost.count
    return TokenizedText.of(
        cost,
        tokens=count.tokens,
        special_tokens=count.special_tokens,
        unknown_tokens=count.unknown_tokens,
        time_to_own_ratio=cost.to_own,
    )


def _cycle(cycle: CycleCost) -> TextCycle:
    return TextCycle.of(cycle, warnings=[warning(each) for each in cycle.warnings])
