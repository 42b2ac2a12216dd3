"""The distance to the ceilings on the page and in the document."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest
from paper_generation import paper_decoder, paper_generation
from paper_models import paper_bert, paper_cycle
from paper_roofline import on_paper_machine, paper_ceilings
from rich.cells import cell_len

from cyclescope.core.ceilings import Origin
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.roofline import Bound
from cyclescope.report import format as fmt
from cyclescope.report.documents.document import to_json
from cyclescope.report.documents.schema import json_schema
from cyclescope.report.media.markdown import to_markdown
from cyclescope.report.media.terminal import to_text
from cyclescope.report.page import Block, KeyValues, Note, Page, Paragraph, Table
from cyclescope.report.sections.roofline import MOST_PLACES, roofline_blocks
from cyclescope.report.words.strings import EN, ZH
from cyclescope.report.words.text_gap import EN as WORDS
from cyclescope.report.words.text_gap import gap_text


@pytest.fixture(scope="module")
def bert() -> Explanation:
    """Ceilings ten times as high as the times that the paper model takes."""
    return explain(on_paper_machine(paper_cycle(paper_bert(2)), paper_ceilings(faster=10.0)))


def blocks(explanation: Explanation) -> list[Block]:
    return list(roofline_blocks(explanation, EN))


def tables(explanation: Explanation) -> list[Table]:
    return [block for block in blocks(explanation) if isinstance(block, Table)]


def notes(explanation: Explanation) -> list[str]:
    return [block.text for block in blocks(explanation) if isinstance(block, Note)]


def facts(explanation: Explanation) -> dict[str, str]:
    return dict(next(block for block in blocks(explanation) if isinstance(block, KeyValues)).rows)


def test_one_sentence_says_floor_time_python_and_who_holds_the_gap(bert: Explanation) -> None:
    sentence = next(block.text for block in blocks(bert) if isinstance(block, Paragraph))
    told = bert.roofline
    assert told is not None
    held = sum(row.gap_ns for row in told.places[:MOST_PLACES]) / told.gap_total_ns

    for figure in (fmt.time(told.floor_total_ns), fmt.time(told.total_ns), fmt.time(told.python_ns), fmt.share(held)):
        assert figure in sentence


def test_the_places_are_those_with_the_widest_gaps_and_have_a_bound(bert: Explanation) -> None:
    table = tables(bert)[0]
    told = bert.roofline
    assert told is not None

    assert len(table.rows) == MOST_PLACES
    assert [row[1] for row in table.rows] == [fmt.time(row.time_ns) for row in told.places[:MOST_PLACES]]
    # With 16 rows, 4 bytes of a weight are 32 FLOPs: 1.6 ns on this machine, against 0.04 ns for the bytes.
    assert {row[-1] for row in table.rows} == {WORDS.bounds[Bound.COMPUTE]}


def test_the_bounds_add_up_to_the_cycle_with_python_as_a_row_of_its_own(bert: Explanation) -> None:
    table = tables(bert)[1]
    told = bert.roofline
    assert told is not None

    assert table.total
    assert [row[0] for row in table.rows[-2:]] == [WORDS.python, EN.total]
    assert table.rows[-1][1] == fmt.time(told.total_ns)
    assert table.rows[-1][4] == fmt.share(1.0)
    text = next(row for row in table.rows if row[0].startswith("text"))
    assert text[3:5] == (fmt.UNKNOWN, fmt.share(0.0))


def test_the_ceilings_stand_there_with_their_date_and_their_origin(bert: Explanation) -> None:
    line = facts(bert)[WORDS.ceilings[Origin.MEASURED]]

    for figure in ("Paper Processor 2-core", "2026-01-02", "threads: 2", "2.00 TFLOP/s", "50.0 ns"):
        assert figure in line


def test_a_datasheet_is_called_one() -> None:
    cycle = on_paper_machine(paper_cycle(paper_bert(1)), paper_ceilings(Origin.DATASHEET))
    told = facts(explain(cycle))

    assert WORDS.ceilings[Origin.DATASHEET] in told
    assert "datasheet" in told[WORDS.mfu]
    assert "measured" not in told[WORDS.mfu]


def test_a_generation_tells_prefill_and_decode_apart() -> None:
    told = facts(explain(on_paper_machine(paper_generation(paper_decoder(4)))))

    assert {label.split(" · ")[0] for label in told if " · " in label} == {"prefill", "decode"}


def test_without_ceilings_the_page_says_how_they_become_known() -> None:
    graph = paper_bert(1)
    assert notes(explain(paper_cycle(graph))) == [WORDS.absent]
    # What was never stamped is told elsewhere.
    assert blocks(explain(paper_cycle(graph, instrumented=False))) == []


def test_a_ceiling_that_was_beaten_is_doubted(bert: Explanation) -> None:
    assert notes(bert) == []
    beaten = explain(on_paper_machine(paper_cycle(paper_bert(1)), paper_ceilings(faster=0.01)))
    told = beaten.roofline
    assert told is not None
    share = fmt.share(told.faster_ns / told.total_ns)

    assert notes(beaten) == [WORDS.faster.format(count=fmt.count(told.faster), share=share)]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("words", [EN, ZH])
def test_no_line_is_too_wide_and_no_time_is_dropped(
    bert: Explanation, width: int, encoding: str, words: object
) -> None:
    page = Page("t", tuple(roofline_blocks(bert, words)))  # type: ignore[arg-type]
    text = to_text(page, width, encoding)

    for line in text.splitlines():
        assert cell_len(line) <= width, line
    times = {row[1] for block in page.blocks if isinstance(block, Table) for row in block.rows}
    assert all(time.replace("µ", "u" if encoding == "ascii" else "µ") in text for time in times)


@pytest.mark.parametrize("language", [EN, ZH])
def test_names_from_a_model_are_made_harmless(language: object) -> None:
    name = "\x1b[31m|<b>`x`"
    b = GraphBuilder()
    x = b.tensor((64, 64), role=TensorRole.INPUT)
    with b.frame(name, name):
        y = b.tensor((64, 64))
        b.op(name, OpKind.MATMUL, [x, x], [y], Cost(2 * 64**3, 0, 16384, 16384))
        b.op("relu", OpKind.ACTIVATION, [y], [b.tensor((64, 64))], Cost(0, 4096, 16384, 16384))
    page = Page("t", tuple(roofline_blocks(explain(on_paper_machine(paper_cycle(b.build()))), language)))  # type: ignore[arg-type]

    assert "\x1b" not in to_text(page, 80)
    assert "<b>" not in to_markdown(page)


def test_both_languages_fill_in_the_same_numbers() -> None:
    for field in ("sentence", "faster", "ceilings_value", "memory_level", "of_measured"):
        english, chinese = getattr(gap_text(EN), field), getattr(gap_text(ZH), field)
        assert sorted(part.split("}")[0] for part in english.split("{")[1:]) == sorted(
            part.split("}")[0] for part in chinese.split("{")[1:]
        )


def test_the_document_says_the_limit_of_every_operation(bert: Explanation) -> None:
    data = json.loads(to_json(bert), parse_constant=pytest.fail)
    jsonschema.validate(data, json.loads(json_schema()))
    told = bert.roofline
    assert told is not None

    assert {row["bound"] for row in data["operations"]} <= {"compute", "memory", "overhead", "nothing"}
    for row in data["operations"]:
        assert row["floor_ns"] == told.floor_ns[row["index"]]
        assert row["gap_ns"] == pytest.approx(max(0, row["time_ns"] - row["floor_ns"]))
    whole = data["roofline"]
    assert whole["total_ns"] == pytest.approx(whole["floor_ns"] + whole["gap_ns"])
    assert sum(row["time_ns"] for row in whole["places"]) + whole["python_ns"] == pytest.approx(whole["total_ns"])
    assert whole["mfu"]["of_datasheet"] is None


def test_the_document_of_a_cycle_without_ceilings_says_null() -> None:
    data = json.loads(to_json(explain(paper_cycle(paper_bert(1)))))

    assert data["roofline"] is None
    assert {(row["bound"], row["floor_ns"]) for row in data["operations"]} == {(None, None)}


def test_a_machine_of_the_catalogue_needs_no_calibration() -> None:
    cycle = paper_cycle(paper_bert(1))
    known = replace(cycle, machine=replace(cycle.machine, processor="AMD EPYC 7763 64-Core Processor"))
    told = explain(known).roofline

    assert told is not None
    assert told.ceilings.origin is Origin.DATASHEET
