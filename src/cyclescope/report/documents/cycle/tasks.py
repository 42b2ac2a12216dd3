"""Texts per second, and encoder beside decoder, as parts of the document about a cycle."""

from __future__ import annotations

import math

from pydantic import Field

from cyclescope.core.workload import InputItem
from cyclescope.explaining import tasks
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.documents.figures import DocumentPart, Figure, Share, Time, seconds


class Throughput(DocumentPart):
    """A cycle that writes no text, by the text."""

    texts: int = Field(description="texts in one cycle, or what else it reads")
    items: InputItem = Field(description="what the cycle reads")
    per_text: Time = Field(description="wall ÷ texts")
    rate: Figure = Field(description="texts/s, images/s or recordings/s; 1 ÷ per_text")
    padding_share: float = Field(description="share of the tokens that are padding, 0 … 1")
    padding_s: float | None = Field(
        description="s; estimated cost of padding in a cycle: padding_share × the time of the operations whose work grows "
        "with the tokens; null where no stage was measured"
    )


class Division(DocumentPart):
    """How the time of a generation divides on the encoder, which runs once, and the decoder, which runs for each token."""

    tokens: int = Field(description="tokens written, of each sequence")
    encoder: Time = Field(description="the phase encode")
    encoder_share: Share
    decoder_s: float = Field(description="s; the phases prefill and decode together")
    decoder_share: Share
    decoder_per_token_s: float = Field(description="s; decoder_s ÷ tokens")


def throughput(explanation: Explanation) -> Throughput | None:
    found = tasks.throughput(explanation)
    if found is None:
        return None
    rate = found.per_second
    low, high = (end if rate.has_interval and math.isfinite(end) else None for end in (rate.low, rate.high))
    return Throughput.of(
        found, rate=Figure(value=rate.value, low=low, high=high, n=rate.n, unit=f"{found.items.value}/s")
    )


def division(explanation: Explanation) -> Division | None:
    found = tasks.division(explanation)
    return Division.of(found, decoder_per_token_s=seconds(found.per_token_ns)) if found is not None else None
