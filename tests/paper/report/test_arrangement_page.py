"""What the page and the document say of the temporal arrangement."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from string import Formatter

import pytest
from paper_generation import paper_decoder, paper_generation
from paper_models import paper_bert, paper_cycle

from cyclescope.explaining.arrangement import Arrangement
from cyclescope.explaining.explain import explain
from cyclescope.report.documents.cycle.arrangement import arrangement as arrangement_part
from cyclescope.report.page import Block, Note, Paragraph, Table
from cyclescope.report.sections.arrangement import arrangement_blocks, bound_sentence
from cyclescope.report.words.strings import EN, ZH
from cyclescope.report.words.text_arrangement import arrangement_text


@pytest.fixture(scope="module")
def told() -> Arrangement:
    arrangement = explain(paper_cycle(paper_bert())).arrangement
    assert arrangement is not None
    return arrangement


def notes(blocks: list[Block]) -> list[Note]:
    return [block for block in blocks if isinstance(block, Note)]


def paragraphs(blocks: list[Block]) -> str:
    return " ".join(block.text for block in blocks if isinstance(block, Paragraph))


def table(blocks: list[Block], title: str) -> Table:
    return next(b for b in blocks if isinstance(b, Table) and b.columns[0].title.startswith(title))


def test_both_languages_say_the_same() -> None:
    english, chinese = arrangement_text(EN), arrangement_text(ZH)
    for field in dataclasses.fields(english):
        texts = [getattr(t, field.name) for t in (english, chinese)]
        fields = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in texts]
        assert fields[0] == fields[1], field.name


def test_threads_that_work_and_threads_that_burn_time_waiting_are_told_apart(told: Arrangement) -> None:
    asleep = list(arrangement_blocks(replace(told, busy_cores=1.7, python_cores=1.0), 2, EN))
    assert "1.70 of 2 cores" in paragraphs(asleep)
    assert not notes(asleep)
    (spinning,) = notes(list(arrangement_blocks(replace(told, busy_cores=2.0, python_cores=2.0), 2, EN)))
    assert "does not tell how many work" in spinning.text
    assert "OMP_WAIT_POLICY=PASSIVE" in spinning.remedy
    unknown = list(arrangement_blocks(told, 2, EN))
    assert "cores busy" not in paragraphs(unknown)


def test_the_chain_is_one_row_for_all_layers_with_what_takes_time_by_name(told: Arrangement) -> None:
    rows = table(list(arrangement_blocks(told, 2, EN)), "critical path").rows
    layers = next(row for row in rows if row[0].startswith("encode 0…11 × 12: "))
    assert "intermediate.dense (linear) 38" in layers[0]
    assert "transpose" not in layers[0], "a thousandth is no name worth"


def test_where_everything_waits_nothing_is_promised(told: Arrangement) -> None:
    serial = replace(told, span_ns=told.work_ns)
    assert "×" not in bound_sentence(serial, EN)
    blocks = list(arrangement_blocks(serial, 2, EN))
    assert not any(isinstance(b, Table) and b.columns[0].title == "workers" for b in blocks)


def test_schedules_stop_where_more_workers_gain_nothing(told: Arrangement) -> None:
    rows = table(list(arrangement_blocks(told, 2, EN)), "workers").rows
    assert [row[0] for row in rows] == ["2", "4"]
    assert "2 workers want 4 cores" in paragraphs(list(arrangement_blocks(told, 2, EN)))


@pytest.mark.parametrize("cycle", [paper_cycle(paper_bert(2)), paper_generation(paper_decoder(4))])
def test_the_document_adds_up(cycle: object) -> None:
    arrangement = explain(cycle).arrangement  # type: ignore[arg-type]
    assert arrangement is not None
    report = arrangement_part(arrangement)
    assert report.processor_shares is None
    chained = sum(stretch.time_s for turn in report.chain for stretch in turn.stretches)
    assert chained == pytest.approx(report.span_s, rel=1e-12)
    assert sum(part.work_s for part in report.stages) == pytest.approx(report.work_s, rel=1e-12)
    assert all(report.slack_s[op] == 0 for op in report.path)
    known = replace(arrangement, processor_share=arrangement.slack_ns * float("nan"))
    assert set(arrangement_part(known).processor_shares or ()) == {None}
