"""The figures that belong to a task, as facts of the report."""

from __future__ import annotations

from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.tasks import division, throughput
from cyclescope.report import format as fmt
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
