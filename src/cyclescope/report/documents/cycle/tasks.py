"""Texts per second, and encoder beside decoder, as part of the document about a cycle."""

from __future__ import annotations

from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.tasks import division, throughput
from cyclescope.report import format as fmt
from cyclescope.report.documents import schema as doc


def throughput_document(explanation: Explanation) -> doc.ThroughputReport | None:
    """Texts a second and padding as part of the public document."""
    told = throughput(explanation)
    if told is None:
        return None
    (low_ns, high_ns), (low, high) = fmt.ends(told.per_text), fmt.ends(told.per_second)
    return doc.ThroughputReport(
        texts=told.texts,
        per_text_ns=told.per_text.value_ns,
        per_text_low_ns=low_ns,
        per_text_high_ns=high_ns,
        texts_per_s=told.per_second.value,
        texts_per_s_low=low,
        texts_per_s_high=high,
        padding_share=told.padding_share,
        padding_ns=told.padding_ns,
    )


def division_document(explanation: Explanation) -> doc.DivisionReport | None:
    """Encoder and decoder as part of the public document."""
    told = division(explanation)
    if told is None:
        return None
    low_ns, high_ns = fmt.ends(told.encoder)
    return doc.DivisionReport(
        tokens=told.tokens,
        encoder_ns=told.encoder.value_ns,
        encoder_low_ns=low_ns,
        encoder_high_ns=high_ns,
        encoder_share=told.encoder_share,
        decoder_ns=told.decoder_ns,
        decoder_share=told.decoder_share,
        decoder_per_token_ns=told.per_token_ns,
    )
