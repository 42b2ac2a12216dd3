"""What the page and the document say of the temporal arrangement."""

from __future__ import annotations

from dataclasses import replace

import pytest
from paper_generation import paper_decoder, paper_generation
from paper_models import paper_bert, paper_cycle

from cyclescope.explaining.arrangement import Arrangement
from cyclescope.explaining.explain import explain
from cyclescope.report.documents.cycle.arrangement import arrangement as arrangement_part
from cyclescope.report.page import Block, Note, Paragraph, Table
from cyclescope.report.sections.arrangement import arrangement_section, bound_sentence

GRAPH = paper_bert()


@pytest.fixture(scope="module")
def told() -> Arrangement:
    arrangement = explain(paper_cycle(GRAPH)).arrangement
    assert arrangement is not None
    return arrangement


def blocks_of(found: Arrangement, cores: int = 2) -> tuple[Block, ...]:
    return arrangement_section(found, GRAPH, cores).blocks


def notes(blocks: tuple[Block, ...]) -> list[Note]:
    return [block for block in blocks if isinstance(block, Note)]


def paragraphs(blocks: tuple[Block, ...]) -> str:
    return " ".join(str(block.text) for block in blocks if isinstance(block, Paragraph))


def table(blocks: tuple[Block, ...], title: str) -> Table:
    return next(b for b in blocks if isinstance(b, Table) and str(b.columns[0].title).startswith(title))


def test_threads_that_work_and_threads_that_burn_time_waiting_are_told_apart(told: Arrangement) -> None:
    asleep = blocks_of(replace(told, busy_cores=1.7, python_cores=1.0))
    assert "1.70 of 2 cores" in paragraphs(asleep)
    assert not notes(asleep)
    (spinning,) = notes(blocks_of(replace(told, busy_cores=2.0, python_cores=2.0)))
    assert "do not show how many threads work" in str(spinning.text)
    assert "OMP_WAIT_POLICY=PASSIVE" in str(spinning.remedy)
    unknown = blocks_of(told)
    assert "cores busy" not in paragraphs(unknown)


def test_the_chain_is_one_row_for_all_layers_with_what_takes_time_by_name(told: Arrangement) -> None:
    rows = table(blocks_of(told), "critical path").rows
    layers = next(str(row[0]) for row in rows if str(row[0]).startswith("encode 0…11 × 12: "))
    assert "intermediate.dense (linear) 38" in layers
    assert "transpose" not in layers, "a thousandth is no name worth"


def test_where_everything_waits_nothing_is_promised(told: Arrangement) -> None:
    serial = replace(told, span_ns=told.work_ns)
    assert "×" not in str(bound_sentence(serial))
    blocks = blocks_of(serial)
    assert not any(isinstance(b, Table) and str(b.columns[0].title) == "workers" for b in blocks)


def test_schedules_stop_where_more_workers_gain_nothing(told: Arrangement) -> None:
    rows = table(blocks_of(told), "workers").rows
    assert [row[0] for row in rows] == ["2", "4"]
    assert "2 workers need 4 cores" in paragraphs(blocks_of(told))


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
