"""The figures that belong to a task, as facts of the report and as parts of the document."""

from __future__ import annotations

from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.tasks import division, throughput
from cyclescope.report import format as fmt
from cyclescope.report.documents import schema as doc
from cyclescope.report.words.strings import Strings


def task_facts(explanation: Explanation, s: Strings) -> tuple[tuple[str, str], ...]:
    """Labels and values: texts a second, time per text and padding; or encoder and decoder."""
    facts = []
    by_text = throughput(explanation)
    if by_text is not None:
        rate = by_text.per_second
        template = s.throughput_batch if by_text.texts > 1 else s.throughput_value
        value = template.format(
            rate=fmt.significant(rate.value), time=fmt.estimate(by_text.per_text), texts=fmt.count(by_text.texts)
        )
        facts.append((s.throughput, value))
        if by_text.padding_share > 0 and by_text.padding_ns is not None:
            value = s.padding_cost_value.format(
                share=fmt.share(by_text.padding_share),
                time=fmt.time(by_text.padding_ns),
                of_cycle=fmt.share(by_text.padding_of_cycle),
            )
            facts.append((s.padding_cost, value))
    divided = division(explanation)
    if divided is not None:
        value = s.division_value.format(
            encoder=fmt.time(divided.encoder.value_ns),
            encoder_share=fmt.share(divided.encoder_share),
            per_token=fmt.time(divided.per_token_ns),
            tokens=fmt.count(divided.tokens),
            decoder_share=fmt.share(divided.decoder_share),
        )
        facts.append((s.division, value))
    return tuple(facts)


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
