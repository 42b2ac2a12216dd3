"""What the page about a cycle tells, and in which order."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from paper_models import PAPER_BERT_WORKLOAD, paper_bert, paper_cycle, slot_times

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.message import Message, Series
from cyclescope.core.samples import Load
from cyclescope.core.workload import InputSource
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation, MeasurementWarning, WarningCode
from cyclescope.explaining.places import Place
from cyclescope.report.media.terminal import to_text
from cyclescope.report.naming.answer import answer
from cyclescope.report.naming.stages import place_name, shortened
from cyclescope.report.naming.warnings import WARNINGS, warning
from cyclescope.report.page import Bars, Cell, Claims, Drawing, KeyValues, Note, Page, Paragraph, Severity, Strip, Table
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.report.sections.places import SHOWN_PLACES as MOST_PLACES

T = TypeVar("T")


def english(value: Any) -> Any:
    """`value`, a part of a page, with every text in English and every cell as its text."""
    if isinstance(value, Cell):
        return str(value.text)
    if isinstance(value, Message | Series):
        return str(value)
    if isinstance(value, tuple):
        return tuple(map(english, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type | Drawing):
        return replace(value, **{f.name: english(getattr(value, f.name)) for f in dataclasses.fields(value)})
    return value


def of(kind: type[T], page: Page) -> list[T]:
    """Blocks of one kind that a terminal shows, in English."""
    blocks = (*page.opening, *(block for section in page.sections for block in section.written))
    return [english(block) for block in blocks if isinstance(block, kind)]


def notes(page: Page) -> list[str]:
    return [str(note.text) for note in of(Note, page)]


def test_the_answer_comes_first(explanation: Explanation) -> None:
    first = of(Paragraph, cycle_page(explanation))[0]
    assert first.lead
    assert first.text.startswith("A cycle takes 63.6 ms ±0.30 %: 99.0 % of the attributed time is encode (12 layers)")


@pytest.mark.parametrize(
    ("kind", "said"), [(OpKind.ATTENTION, "fused attention takes "), (OpKind.MATMUL, "matrix products take ")]
)
def test_one_thing_takes_and_many_take(explanation: Explanation, kind: OpKind, said: str) -> None:
    of_kind = replace(explanation, answer=replace(explanation.answer, kind=kind))
    assert said in str(answer(of_kind))


def test_the_order_of_the_sections(explanation: Explanation) -> None:
    assert [str(section.title) for section in cycle_page(explanation).sections if section.written] == [
        "Bottlenecks",
        "Stages",
        "Costliest operations",
        "Distance to the ceilings",
        "Layers",
        "Dependencies and critical path",
        "Account",
        "Memory",
        "Set-up",
    ]


def test_bars_carry_the_stage_times_themselves(explanation: Explanation) -> None:
    chart = of(Bars, cycle_page(explanation))[0]
    assert [bar.label for bar in chart.rows] == ["tokenize", "embed", "encode", "head"]
    for bar, row in zip(chart.rows, explanation.stages, strict=True):
        assert bar.length == pytest.approx(row.time.value_ns)
        assert bar.low <= bar.length * (1 + 1e-9)
        assert bar.high >= bar.length * (1 - 1e-9)


def test_operations_are_told_by_place_across_layers(explanation: Explanation) -> None:
    table = of(Table, cycle_page(explanation))[0]
    names = [row[0] for row in table.rows[: table.shown]]
    assert len(names) == MOST_PLACES
    assert "encode · attention.self.query (linear) × 12" in names
    assert "head · pooler.dense (linear)" in names


def test_what_is_not_listed_is_said(explanation: Explanation) -> None:
    listed = sum(row.share for row in explanation.places[:MOST_PLACES])
    every = sum(row.share for row in explanation.places)
    text = str(of(Table, cycle_page(explanation))[0].more)
    assert text.startswith("Everything else")
    assert f"({len(explanation.places) - MOST_PLACES} places)" in text
    assert f"{100 * (every - listed):.1f} %" in text


def test_the_unlike_layer_is_named(explanation: Explanation) -> None:
    page = cycle_page(explanation)
    strip = of(Strip, page)[0]
    assert len(strip.values) == 12
    assert max(strip.values) == strip.values[7]
    warnings = [note.text for note in of(Note, page) if note.severity is Severity.WARNING]
    assert warnings == ["encode 7 takes 1.50 times as long as the median layer (7.54 ms)"]


def test_equal_layers_raise_no_note(graph: Graph) -> None:
    page = cycle_page(explain(paper_cycle(graph)))
    assert "12 layers alike" in of(Strip, page)[0].text
    assert not [note for note in of(Note, page) if note.severity is Severity.WARNING]


def test_no_layer_is_called_unlike_on_few_samples(graph: Graph) -> None:
    page = cycle_page(explain(paper_cycle(graph, slot_times(graph, slow_layer=7), runs=3)))
    assert not [text for text in notes(page) if "median layer" in text]


def test_few_layers_get_a_bar_each() -> None:
    page = cycle_page(explain(paper_cycle(paper_bert(3))))
    assert "encode" not in {strip.label for strip in of(Strip, page)}
    assert [bar.label for bar in of(Bars, page)[1].rows] == ["encode 0", "encode 1", "encode 2"]


def test_the_account_adds_up_in_its_last_row(explanation: Explanation) -> None:
    table = next(table for table in of(Table, cycle_page(explanation)) if table.total)
    assert table.rows[-1] == ("wall time, uninstrumented", "63.6 ms", "100 %")
    assert table.rows[-2][0] == "unexplained"
    assert any("The account closes" in text for text in notes(cycle_page(explanation)))


def test_an_open_account_is_a_warning_and_a_doubt(explanation: Explanation) -> None:
    cycle = explanation.cycle
    uninstrumented = replace(cycle.samples.uninstrumented, wall_ns=cycle.samples.uninstrumented.wall_ns * 2)
    page = cycle_page(explain(replace(cycle, samples=replace(cycle.samples, uninstrumented=uninstrumented))))
    told = [note.text for note in of(Note, page) if note.severity is Severity.WARNING]
    assert any(text.startswith("The account does not close: 0.500") for text in told)
    assert any("is not accounted for" in text for text in told)


def test_a_partial_cycle_says_so_before_anything_else(wall_only: Explanation) -> None:
    page = cycle_page(wall_only)
    assert english(page.blocks[0]) == Note(
        Severity.WARNING, "The measurement was interrupted: this is what was measured until then."
    )
    assert isinstance(page.blocks[1], Paragraph)
    assert "where the time goes was not measured" in str(page.blocks[1].text)
    assert "The machine went to sleep." in notes(page)
    assert not of(Bars, page)


def test_a_cycle_without_any_sample_is_a_page_too(unmeasured: Explanation) -> None:
    page = cycle_page(unmeasured)
    assert isinstance(page.blocks[1], Paragraph)
    assert str(page.blocks[1].text) == "No cycle was measured."
    assert "Stages" not in {section.title for section in page.sections}


def test_set_up_stands_apart(explanation: Explanation) -> None:
    page = cycle_page(explanation)
    rows = dict(of(KeyValues, page)[-1].rows)
    assert rows["import"] == "1.83 s"
    assert rows["warm-up"] == "240 ms (12 cycles)"


def test_what_colours_the_figures_is_said(graph: Graph) -> None:
    model = PAPER_BERT_WORKLOAD.model
    stand_in = replace(
        PAPER_BERT_WORKLOAD, model=replace(model, tokenizer="WordPiece", stand_in_tokenizer=True), cut_tokens=7
    )
    told = notes(cycle_page(explain(paper_cycle(graph, workload=stand_in))))
    assert "Weights are random: timing does not depend on their values, outputs do." in told
    assert any("stand-in (WordPiece)" in text for text in told)
    assert "7 tokens did not fit the model and were cut." in told
    synthetic = replace(PAPER_BERT_WORKLOAD, input_source=InputSource.SYNTHETIC)
    told = notes(cycle_page(explain(paper_cycle(graph, workload=synthetic))))
    assert "The tokens are synthetic; no text was tokenized." in told


def test_doubts_come_with_a_remedy(graph: Graph) -> None:
    page = cycle_page(explain(paper_cycle(graph, load=Load(other_busy=0.4, swapped=True, throttled_ns=5_000_000))))
    found = {note.text: note.remedy for note in of(Note, page) if note.remedy}
    assert "Other processes used 40.0 % of the cores." in found
    assert "A limit on this container stopped the process for 5.00 ms." in found
    assert all(found.values())


def test_what_got_faster_is_not_told_to_cool_down() -> None:
    slower, faster = (warning(MeasurementWarning(WarningCode.DRIFT, change)) for change in (0.5, -0.5))
    assert slower.remedy == WARNINGS[WarningCode.DRIFT].remedy
    assert "hot" in str(slower.remedy)
    assert "hot" not in str(faster.remedy)
    assert "-50.0 %" in str(faster.text)


def test_findings_bring_their_evidence_and_their_remedy(explanation: Explanation) -> None:
    (claims,) = of(Claims, cycle_page(explanation))
    assert len(claims.items) == len(explanation.findings) > 1
    compute = next(claim for claim in claims.items if "compute in matrix products" in str(claim.text))
    evidence = "Evidence: 47.7 GFLOP/s reached. Most at encode 7 · encoder.layer.7.intermediate.dense"
    assert str(compute.evidence).startswith(evidence)
    assert all(claim.evidence and claim.remedy for claim in claims.items)


def test_a_layer_of_another_class_is_named() -> None:
    graph = paper_bert(6)
    at = next(k for k, frame in enumerate(graph.frames) if frame.module == "encoder.layer.4")
    frames = list(graph.frames)
    frames[at] = replace(frames[at], class_name="MambaLayer")
    mixed = replace(graph, frames=tuple(frames))
    told = notes(cycle_page(explain(paper_cycle(mixed, slot_times(mixed)))))
    assert any(text.startswith("encode 4 is a MambaLayer, most are BertLayer") for text in told)


def test_chinese_has_every_line_too(explanation: Explanation) -> None:
    page = cycle_page(explanation)
    english, chinese = (to_text(page, 200, language=language).splitlines() for language in ("en", "zh"))
    assert "编码" in chinese[3]
    assert not any(re.search(r"[A-Za-z]{4,} [a-z]{4,} [a-z]{4,}", line) for line in chinese)
    assert len(chinese) >= 0.8 * len(english)


def test_a_very_long_path_is_cut_in_its_middle() -> None:
    path = ".".join(f"part{k}" for k in range(40))
    told = str(place_name(Place("encode", path, "linear"), 2))
    assert told.startswith("encode · part0.part1.")
    assert told.endswith(".part38.part39 (linear) × 2")
    assert "…" in told
    assert len(shortened(path)) == 60
    assert shortened(path[:60]) == path[:60]
