"""The distance to the ceilings on the page and in the document."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from paper_generation import paper_decoder, paper_generation
from paper_models import paper_bert, paper_cycle
from paper_roofline import on_paper_machine, paper_ceilings
from rich.cells import cell_len
from valid_documents import validate

from cyclescope.core.ceilings import Origin
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.report import format as fmt
from cyclescope.report.documents.cycle.document import CycleDocument, cycle_document
from cyclescope.report.documents.figures import dump
from cyclescope.report.media.html.html import to_html
from cyclescope.report.media.markdown import to_markdown
from cyclescope.report.media.terminal import to_text
from cyclescope.report.page import Block, Cell, Drawing, KeyValues, Note, Page, Paragraph, Section, Table
from cyclescope.report.sections.roofline import MOST_GAPS, MOST_PLACES, roofline_section


@pytest.fixture(scope="module")
def bert() -> Explanation:
    """Ceilings ten times as high as the times that the paper model takes."""
    return explain(on_paper_machine(paper_cycle(paper_bert(2)), paper_ceilings(faster=10.0)))


def section(explanation: Explanation) -> Section:
    found = roofline_section(explanation)
    assert found is not None
    return found


def blocks(explanation: Explanation) -> tuple[Block, ...]:
    return section(explanation).blocks


def tables(explanation: Explanation) -> list[Table]:
    return [block for block in blocks(explanation) if isinstance(block, Table)]


def notes(explanation: Explanation) -> list[str]:
    return [str(block.text) for block in blocks(explanation) if isinstance(block, Note)]


def facts(explanation: Explanation) -> dict[str, str]:
    rows = next(block for block in blocks(explanation) if isinstance(block, KeyValues)).rows
    return {str(label): str(value) for label, value in rows}


def row_texts(table: Table) -> list[tuple[str, ...]]:
    return [tuple(str(cell.text if isinstance(cell, Cell) else cell) for cell in row) for row in table.rows]


def test_one_sentence_says_floor_time_python_and_who_holds_the_gap(bert: Explanation) -> None:
    sentence = next(str(block.text) for block in blocks(bert) if isinstance(block, Paragraph))
    told = bert.roofline
    assert told is not None
    held = sum(row.gap_ns for row in told.places[:MOST_PLACES]) / told.gap_total_ns

    for figure in (fmt.time(told.floor_total_ns), fmt.time(told.total_ns), fmt.time(told.python_ns), fmt.share(held)):
        assert figure in sentence


def test_the_places_are_those_with_the_widest_gaps_and_have_a_bound(bert: Explanation) -> None:
    table = tables(bert)[0]
    told = bert.roofline
    assert told is not None

    rows = row_texts(table)
    assert (table.shown, len(rows)) == (MOST_PLACES, MOST_GAPS)
    assert [row[1] for row in rows] == [fmt.time(row.time_ns) for row in told.places[:MOST_GAPS]]
    # With 16 rows, 4 bytes of a weight are 32 FLOPs: 1.6 ns on this machine, against 0.04 ns for the bytes.
    assert {row[-1] for row in rows[:MOST_PLACES]} == {"compute"}


def test_the_bounds_add_up_to_the_cycle_with_python_as_a_row_of_its_own(bert: Explanation) -> None:
    table = tables(bert)[1]
    told = bert.roofline
    assert told is not None

    rows = row_texts(table)
    assert table.total
    assert [row[0] for row in rows[-2:]] == ["Python between operations", "total"]
    assert rows[-1][1] == fmt.time(told.total_ns)
    assert rows[-1][4:6] == (fmt.time(told.gap_total_ns), fmt.share(1.0))
    text = next(row for row in rows if row[0].startswith("no ceiling"))
    assert text[3:6] == (fmt.UNKNOWN, fmt.time(0.0), fmt.share(0.0))


def test_the_ceilings_stand_there_with_their_date_and_their_origin(bert: Explanation) -> None:
    line = facts(bert)["ceilings, measured"]

    for figure in ("Paper Processor 2-core", "2026-01-02", "2 threads", "2.00 TFLOP/s", "50.0 ns"):
        assert figure in line


def test_a_datasheet_is_called_one() -> None:
    cycle = on_paper_machine(paper_cycle(paper_bert(1)), paper_ceilings(Origin.DATASHEET))
    told = facts(explain(cycle))

    assert "ceilings, datasheet" in told
    assert "datasheet" in told["FLOPs used (MFU)"]
    assert "measured" not in told["FLOPs used (MFU)"]


def test_a_generation_tells_prefill_and_decode_apart() -> None:
    told = facts(explain(on_paper_machine(paper_generation(paper_decoder(4)))))

    assert {label.split(" · ")[0] for label in told if " · " in label} == {"prefill", "decode"}


def test_without_ceilings_the_page_says_how_they_become_known() -> None:
    graph = paper_bert(1)
    (note,) = blocks(explain(paper_cycle(graph)))
    assert isinstance(note, Note)
    assert "ceilings of this machine are unknown" in str(note.text)
    assert "`cyclescope calibrate`" in str(note.remedy)
    # Another section says what was not instrumented.
    assert roofline_section(explain(paper_cycle(graph, instrumented=False))) is None


def test_a_ceiling_that_was_beaten_is_doubted(bert: Explanation) -> None:
    assert notes(bert) == []
    beaten = explain(on_paper_machine(paper_cycle(paper_bert(1)), paper_ceilings(faster=0.01)))
    told = beaten.roofline
    assert told is not None
    share = fmt.share(told.faster_ns / told.total_ns)

    (note,) = notes(beaten)
    assert note.startswith(f"{told.faster} operations ({share} of the time) were faster than their floor")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_line_is_too_wide_and_no_time_is_dropped(
    bert: Explanation, width: int, encoding: str, language: str
) -> None:
    page = Page("t", (), (section(bert),))
    text = to_text(page, width, encoding, language)

    for line in text.splitlines():
        assert cell_len(line) <= width, line
    times = {str(row[1]) for block in page.blocks if isinstance(block, Table) for row in block.rows[: block.shown]}
    assert all(time.replace("µ", "u" if encoding == "ascii" else "µ") in text for time in times)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_names_from_a_model_are_made_harmless(language: str) -> None:
    name = "\x1b[31m|<b>`x`"
    b = GraphBuilder()
    x = b.tensor((64, 64), role=TensorRole.INPUT)
    with b.frame(name, name):
        y = b.tensor((64, 64))
        b.op(name, OpKind.MATMUL, [x, x], [y], Cost(2 * 64**3, 0, 16384, 16384))
        b.op("relu", OpKind.ACTIVATION, [y], [b.tensor((64, 64))], Cost(0, 4096, 16384, 16384))
    page = Page("t", (), (section(explain(on_paper_machine(paper_cycle(b.build())))),))

    assert "\x1b" not in to_text(page, 80, language=language)
    assert "<b>" not in to_markdown(page, language)
    assert "m|<b>" not in to_html(page, language)


def test_the_drawing_says_what_it_shows(bert: Explanation) -> None:
    (drawing,) = (block for block in blocks(bert) if isinstance(block, Drawing))
    told = bert.roofline
    assert told is not None
    assert str(drawing.text).startswith(f"{fmt.time(told.total_ns)}: compute ")


def test_the_document_says_the_limit_of_every_operation(bert: Explanation) -> None:
    data = json.loads(dump(cycle_document(bert)), parse_constant=pytest.fail)
    validate(data, CycleDocument)
    told = bert.roofline
    assert told is not None

    assert {row["bound"] for row in data["operations"]} <= {"compute", "memory", "overhead", "nothing"}
    for row in data["operations"]:
        assert row["floor_s"] == told.floor_ns[row["index"]] / 1e9
        assert row["gap_s"] == pytest.approx(max(0, row["time"]["value"] - row["floor_s"]))
    whole = data["roofline"]
    assert whole["total_s"] == pytest.approx(whole["floor_s"] + whole["gap_s"])
    assert sum(row["time_s"] for row in whole["places"]) + whole["python_s"] == pytest.approx(whole["total_s"])
    assert whole["mfu"]["of_datasheet"] is None


def test_the_document_of_a_cycle_without_ceilings_says_null() -> None:
    data = json.loads(dump(cycle_document(explain(paper_cycle(paper_bert(1))))))

    assert data["roofline"] is None
    assert {(row["bound"], row["floor_s"]) for row in data["operations"]} == {(None, None)}


def test_a_machine_of_the_catalogue_needs_no_calibration() -> None:
    cycle = paper_cycle(paper_bert(1))
    known = replace(cycle, machine=replace(cycle.machine, processor="AMD EPYC 7763 64-Core Processor"))
    told = explain(known).roofline

    assert told is not None
    assert told.ceilings.origin is Origin.DATASHEET
