"""What a task's user asks for, from cycles whose times were planted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from paper_generation import paper_decoder, paper_generation
from paper_models import PAPER_BERT_WORKLOAD, paper_bert, paper_cycle

from cyclescope.explaining.explain import explain
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.explaining.generation import Phase
from cyclescope.explaining.tasks import division, throughput
from cyclescope.report import format as fmt
from cyclescope.report.documents.cycle.document import cycle_document
from cyclescope.report.media.terminal import to_text
from cyclescope.report.page import KeyValues
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.report.words.translate import say_in

BATCH, TOKENS, REAL = 4, 16, 40
PADDED = replace(PAPER_BERT_WORKLOAD, batch=BATCH, tokens_in=TOKENS, real_tokens=REAL)


def test_a_batch_is_told_by_the_text() -> None:
    told = explain(paper_cycle(paper_bert(2, batch=BATCH), workload=PADDED))
    found = throughput(told)
    assert found is not None
    assert found.texts == BATCH
    assert found.per_text.value_ns == told.wall.value_ns / BATCH
    assert (found.per_text.low_ns, found.per_text.high_ns) == (told.wall.low_ns / BATCH, told.wall.high_ns / BATCH)
    assert found.per_second.value == pytest.approx(BATCH / (told.wall.value_ns / 1e9))
    assert found.per_second.low < found.per_second.value < found.per_second.high
    assert found.per_second.low == pytest.approx(BATCH / (told.wall.high_ns / 1e9))


def test_padding_costs_its_share_of_what_the_model_computes_and_nothing_of_the_tokenizer() -> None:
    told = explain(paper_cycle(paper_bert(2, batch=BATCH), workload=PADDED))
    found = throughput(told)
    assert found is not None
    share = 1 - REAL / (BATCH * TOKENS)
    inside = [row for row in told.operations if row.site.stage != "tokenize"]
    small = [row for row in inside if row.cost.flops == 0 and row.cost.read_bytes + row.cost.written_bytes <= 32 * 1024]
    working = sum(row.time.value_ns for row in inside) - sum(row.time.value_ns for row in small)
    assert found.padding_share == share == 0.375
    assert found.padding_ns == pytest.approx(share * working)


def test_what_padding_costs_is_one_number_wherever_it_is_told() -> None:
    """The wall is a third longer than what was attributed; still both shares are of the attributed time."""
    cycle = paper_cycle(paper_bert(2, batch=BATCH), workload=PADDED)
    uninstrumented = cycle.samples.uninstrumented
    cycle = replace(
        cycle,
        samples=replace(cycle.samples, uninstrumented=replace(uninstrumented, wall_ns=uninstrumented.wall_ns * 4 // 3)),
    )
    told = explain(cycle)
    found, finding = throughput(told), next(f for f in told.findings if f.code is FindingCode.PADDING)
    assert found is not None
    assert found.padding_ns is not None
    assert found.padding_of_cycle == finding.share
    assert found.padding_ns == pytest.approx(finding.share * told.closure.attributed_ns)
    page = to_text(cycle_page(told), 200)
    assert page.count(fmt.share(finding.share)) >= 2
    assert fmt.share(found.padding_ns / told.wall.value_ns) not in page


def test_without_padding_or_stamps_nothing_is_made_up() -> None:
    whole = throughput(explain(paper_cycle(paper_bert(2))))
    assert whole is not None
    assert (whole.padding_share, whole.padding_ns) == (0.0, 0.0)
    unstamped = throughput(explain(paper_cycle(paper_bert(2), workload=PADDED, instrumented=False)))
    assert unstamped is not None
    assert unstamped.padding_ns is None
    assert throughput(explain(paper_cycle(paper_bert(2), runs=0, instrumented=False))) is None


def test_an_engine_that_takes_padding_out_pays_nothing_for_it() -> None:
    cycle = paper_cycle(paper_bert(2, batch=BATCH), workload=PADDED)
    found = throughput(explain(replace(cycle, plan=replace(cycle.plan, engine="ctranslate2"))))
    assert found is not None
    assert (found.padding_share, found.padding_ns) == (0.375, None)


def test_a_generation_has_no_texts_a_second() -> None:
    told = explain(paper_generation(paper_decoder(4)))
    assert throughput(told) is None
    assert division(told) is None, "there is no encoder"


def test_encoder_and_decoder_share_the_time_of_a_translation() -> None:
    told = explain(paper_generation(paper_decoder(4, encoder=True)))
    found = division(told)
    assert found is not None
    assert told.generation is not None
    phases = {row.phase: row for row in told.generation.phases}
    assert found.encoder == phases[Phase.ENCODE].time
    assert found.decoder_ns == phases[Phase.PREFILL].time.value_ns + phases[Phase.DECODE].time.value_ns
    assert found.per_token_ns == found.decoder_ns / 4
    total = told.closure.attributed_ns
    assert found.encoder_share == pytest.approx(found.encoder.value_ns / total)
    assert found.decoder_share == pytest.approx(found.decoder_ns / total)
    assert 0.5 < found.encoder_share + found.decoder_share < 1, "tokenizing, preparing and reading out are neither"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_and_the_document_tell_it(language: str) -> None:
    padded = explain(paper_cycle(paper_bert(2, batch=BATCH), workload=PADDED))
    translated = explain(paper_generation(paper_decoder(4, encoder=True)))
    for told, label in (
        (padded, {"en": "throughput", "zh": "吞吐量"}),
        (translated, {"en": "encoder, decoder", "zh": "编码器与解码器"}),
    ):
        facts = next(block for block in cycle_page(told, language).blocks if isinstance(block, KeyValues))
        assert label[language] in [say_in(language)(name) for name, _ in facts.rows]
    by_text = cycle_document(padded).throughput
    assert by_text is not None
    assert by_text.rate.value * by_text.per_text.value == pytest.approx(1)
    assert cycle_document(padded).division is None
    divided = cycle_document(translated).division
    assert divided is not None
    assert divided.decoder_per_token_s * divided.tokens == pytest.approx(divided.decoder_s)
    assert cycle_document(translated).throughput is None
