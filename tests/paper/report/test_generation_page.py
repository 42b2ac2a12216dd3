"""A generation on the page and in the document."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from paper_generation import LAYERS, SLOPE_NS, paper_decoder, paper_generation
from paper_html import render
from valid_documents import validate

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.metrics.definition import DEFINITIONS
from cyclescope.explaining.metrics.dialects import DIALECTS
from cyclescope.report.documents.cycle.document import CycleDocument, cycle_document
from cyclescope.report.documents.figures import dump
from cyclescope.report.media.markdown import to_markdown
from cyclescope.report.media.terminal import to_text
from cyclescope.report.page import Bars, Block, Cell, Details, Figures, Heading, Note, Paragraph, Section, Strip, Table
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.report.sections.generation import generation_section
from cyclescope.report.sections.generation_steps import MOST_GROWING, GrowthCurve
from cyclescope.report.words.translate import say_in

STEPS = 10


@pytest.fixture(scope="module")
def written() -> Explanation:
    return explain(paper_generation(paper_decoder(STEPS)))


def made(explanation: Explanation) -> Section:
    section = generation_section(explanation.generation, explanation.cycle.graph)
    assert section is not None
    return section


def part(explanation: Explanation, title: str) -> list[Block]:
    """The written blocks below a heading of the section; those before the first are below its title."""
    section = made(explanation)
    found = [Heading(section.title), *section.written]
    start = next(i for i, block in enumerate(found) if isinstance(block, Heading) and str(block.text) == title)
    end = next((i for i in range(start + 1, len(found)) if isinstance(found[i], Heading)), len(found))
    return found[start + 1 : end]


def texts(row: tuple[object, ...]) -> list[str]:
    return [str(cell.text if isinstance(cell, Cell) else cell) for cell in row]


def test_every_metric_has_a_row_with_its_value_interval_and_n(written: Explanation) -> None:
    table = part(written, "Generation")[0]
    assert isinstance(table, Table)
    rows = {row[0]: row for row in map(texts, table.rows)}
    assert list(rows) == [d.name.value for d in DEFINITIONS]
    assert rows["itl"][4] == "162"
    # 162 gaps support p90 and no p99; 18 runs neither.
    assert rows["itl"][6] != "–"
    assert (rows["itl"][7], rows["ttft"][6]) == ("–", "–")
    assert rows["throughput"][2].endswith(" tokens/s")
    assert rows["growth"][2].endswith(" per 1000 positions")


def test_what_is_undefined_has_no_row_and_is_named() -> None:
    single = part(explain(paper_generation(paper_decoder(1))), "Generation")
    table, note = single[:2]
    assert isinstance(table, Table)
    assert isinstance(note, Note)
    absent = ["tpot", "itl", "growth", "decode-throughput"]
    assert not {texts(row)[0] for row in table.rows} & set(absent)
    assert str(note.text) == f"Undefined at this number of tokens (1): {', '.join(absent)}."


def test_phases_are_bars_of_operations_and_python(written: Explanation) -> None:
    (bars,) = part(written, "Phases")
    assert isinstance(bars, Bars)
    assert [str(bar.label) for bar in bars.rows] == ["tokenize", "prepare", "prefill", "decode", "read out"]
    assert sum(bar.length for bar in bars.rows) == pytest.approx(written.closure.attributed_ns)


def test_steps_are_a_strip_with_the_cache_beside_it(written: Explanation) -> None:
    strip, cache = part(written, "Decode steps")
    assert isinstance(strip, Strip)
    assert len(strip.values) == STEPS - 1
    # What follows the last token is no longer part of a step, but of the way back.
    assert list(strip.values[:-1]) == sorted(strip.values[:-1])
    assert isinstance(cache, Paragraph)
    assert str(cache.text).startswith("The first decode step reads 2.30 kB")


def test_many_steps_are_drawn_in_groups() -> None:
    strip = part(explain(paper_generation(paper_decoder(200), runs=2)), "Decode steps")[0]
    assert isinstance(strip, Strip)
    assert len(strip.values) == 100
    assert str(strip.text).startswith("199 decode steps")


def test_the_place_that_grows_is_named(written: Explanation) -> None:
    (table,) = part(written, "Growth from step to step")
    assert isinstance(table, Table)
    assert [texts(row)[0] for row in table.rows] == ["decoder · scaled_dot_product_attention"]
    assert table.rows[0][1] == f"{LAYERS * SLOPE_NS} µs"
    assert len(table.rows) <= MOST_GROWING


def test_where_nothing_grows_it_says_so() -> None:
    (still,) = part(explain(paper_generation(paper_decoder(STEPS), slope_ns=0)), "Growth from step to step")
    assert isinstance(still, Paragraph)
    assert str(still.text).startswith("No operation grows")


def test_the_headlines_and_the_tables_on_demand_are_those_of_html(written: Explanation) -> None:
    blocks = made(written).blocks
    (figures,) = [block for block in blocks if isinstance(block, Figures)]
    assert [figure.term for figure in figures.items] == [
        f"metric-{name}" for name in ("ttft", "tpot", "prefill-throughput", "decode-throughput", "itl")
    ]
    assert str(figures.items[-1].value).startswith("p50 ")
    assert str(figures.items[-1].beside) == "p99 needs 299 gaps"
    dialects, steps = [block for block in blocks if isinstance(block, Details)]
    assert isinstance(dialects.blocks[-1], Table)
    assert [row[1] for row in dialects.blocks[-1].rows] == [dialect.name for dialect in DIALECTS]
    assert isinstance(steps.blocks[0], Table)
    assert len(steps.blocks[0].rows) == STEPS - 1
    assert steps.printed


def test_the_curve_says_every_point_and_its_fitted_line(written: Explanation) -> None:
    (strip,) = [block for block in made(written).blocks if isinstance(block, Strip)]
    assert strip.drawing is not None
    drawn = strip.drawing.value
    assert isinstance(drawn, GrowthCurve)
    assert len(drawn.spoken) == len(drawn.curve.points) == STEPS - 1
    assert str(drawn.spoken[0]).startswith("step 1, position ")
    assert "cache 2.30 kB" in str(drawn.spoken[0])
    assert str(drawn.trend).startswith("Fitted slope (Theil–Sen): ")
    assert drawn.term == "metric-growth"
    assert "its 95 % interval (n = 18)" in str(drawn.notes)
    assert say_in("zh")(drawn.spoken[0]).startswith("第 1 步")


@pytest.mark.parametrize(("language", "heading"), [("en", "Decode steps"), ("zh", "解码步")])
@pytest.mark.parametrize("width", [40, 80, 160])
def test_the_terminal_shows_it_in_any_width(written: Explanation, language: str, heading: str, width: int) -> None:
    text = to_text(cycle_page(written), width, language=language)
    for name in ("ttft", "tpot", "itl", "growth"):
        assert name in text
    assert heading in text


def test_an_encoders_page_has_no_such_section(explanation: Explanation) -> None:
    assert "Generation" not in [str(section.title) for section in cycle_page(explanation).sections]
    assert generation_section(explanation.generation, explanation.cycle.graph) is None
    assert json.loads(dump(cycle_document(explanation)))["generation"] is None


@pytest.mark.parametrize("steps", [1, 3, STEPS])
def test_the_document_validates_and_reads_back(steps: int) -> None:
    explanation = explain(paper_generation(paper_decoder(steps)))
    text = dump(cycle_document(explanation))
    validate(json.loads(text), CycleDocument)
    assert CycleDocument.model_validate_json(text) == cycle_document(explanation)


def test_the_document_carries_metrics_dialects_phases_steps_and_growth(written: Explanation) -> None:
    told = json.loads(dump(cycle_document(written)))["generation"]
    assert [row["name"] for row in told["metrics"]] == [d.name.value for d in DEFINITIONS]
    assert [(row["tool"], row["name"]) for row in told["dialects"]] == [(d.tool.value, d.name) for d in DIALECTS]
    metrics = {row["name"]: row for row in told["metrics"]}
    dialects = {(row["tool"], row["name"]): row for row in told["dialects"]}
    assert dialects["vLLM", "tpot"]["median"] == pytest.approx(metrics["tpot"]["figure"]["value"])
    assert dialects["guidellm", "time_per_output_token_ms"]["median"] > metrics["tpot"]["figure"]["value"]
    assert set(metrics["itl"]["percentiles"]) == {"p50", "p90"}
    assert sum(row["time"]["value"] for row in told["phases"]) == pytest.approx(written.closure.attributed_ns / 1e9)
    assert [row["gap"] is None for row in told["steps"]] == [True] + [False] * (STEPS - 1)
    assert told["growth"][0]["kind"] == "attention"


def test_what_is_undefined_is_null_in_the_document() -> None:
    told = json.loads(dump(cycle_document(explain(paper_generation(paper_decoder(1))))))["generation"]
    (tpot,) = [row for row in told["metrics"] if row["name"] == "tpot"]
    assert (tpot["figure"], tpot["mean"], tpot["runs"], tpot["percentiles"]) == (None, None, 0, {})
    assert {row["mean"] for row in told["dialects"] if row["metric"] == "decode-throughput"} == {None}


def renamed(graph: Graph, name: str) -> Graph:
    return replace(graph, names=tuple(name if n == "scaled_dot_product_attention" else n for n in graph.names))


@pytest.mark.parametrize("name", ["</script><script>alert(1)</script>", "\x1b[31mred\x1b[0m", "[red]x[/red]", "a|b"])
def test_names_from_a_model_are_made_harmless(name: str) -> None:
    """The place that grows is named on the page, and a model may call it anything."""
    explanation = explain(paper_generation(renamed(paper_decoder(STEPS), name)))
    assert explanation.generation is not None
    assert name in explanation.generation.growth[0].name
    assert "\x1b" not in to_text(cycle_page(explanation))
    assert "<script>alert" not in render(explanation)
    assert "<script>" not in to_markdown(cycle_page(explanation))
