"""The figures that belong to a task, as facts of the report."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.message import Message, Text, m, plural
from cyclescope.core.workload import InputItem
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.tasks import Division, Throughput, division, throughput
from cyclescope.report import format as fmt
from cyclescope.report.naming.advice import filled


def task_facts(explanation: Explanation) -> tuple[tuple[Text, Text], ...]:
    """Labels and values: texts a second, time per text and padding; or encoder and decoder."""
    facts: list[tuple[Text, Text]] = []
    by_text = throughput(explanation)
    if by_text is not None:
        facts.append((m("throughput"), _rate(by_text)))
        if by_text.padding_share > 0 and by_text.padding_ns is not None:
            facts.append((m("padding"), _padding(by_text)))
    divided = division(explanation)
    if divided is not None:
        facts.append((m("encoder, decoder"), _division(divided)))
    return tuple(facts)


# What a rate counts, and the same where a cycle reads several.
_RATES: Mapping[InputItem, tuple[Message, Message]] = MappingProxyType(
    {
        InputItem.TEXTS: (m("{rate} texts/s"), m("{rate} texts/s; {time} for each of {texts} texts")),
        InputItem.IMAGES: (m("{rate} images/s"), m("{rate} images/s; {time} for each of {texts} images")),
        InputItem.RECORDINGS: (
            m("{rate} recordings/s"),
            m("{rate} recordings/s; {time} for each of {texts} recordings"),
        ),
    }
)


def _rate(by_text: Throughput) -> Text:
    one, many = _RATES[by_text.items]
    rate = fmt.significant(by_text.per_second.value)
    if by_text.texts == 1:
        return filled(one, rate=rate)
    return filled(many, rate=rate, time=fmt.estimate(by_text.per_text), texts=fmt.count(by_text.texts))


def _padding(by_text: Throughput) -> Text:
    return m(
        "{share} of the tokens are padding; it costs about {time}, {of_cycle} of the attributed time",
        share=fmt.share(by_text.padding_share),
        time=fmt.time(by_text.padding_ns),
        of_cycle=fmt.share(by_text.padding_of_cycle),
    )


def _division(divided: Division) -> Text:
    return plural(
        "encoder once: {encoder} ({encoder_share}); decoder: {per_token} a token, {n} token ({decoder_share})",
        "encoder once: {encoder} ({encoder_share}); decoder: {per_token} a token, {n} tokens ({decoder_share})",
        divided.tokens,
        n=fmt.count(divided.tokens),
        encoder=fmt.time(divided.encoder.value_ns),
        encoder_share=fmt.share(divided.encoder_share),
        per_token=fmt.time(divided.per_token_ns),
        decoder_share=fmt.share(divided.decoder_share),
    )
