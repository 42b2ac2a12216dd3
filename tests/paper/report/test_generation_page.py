"""A generation on the page and in the document."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest
from paper_generation import LAYERS, SLOPE_NS, paper_decoder, paper_generation

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.metrics.definition import DEFINITIONS
from cyclescope.explaining.metrics.dialects import DIALECTS
from cyclescope.report.documents.document import document, to_json
from cyclescope.report.documents.schema import CycleReport, json_schema
from cyclescope.report.media.html.html import render
from cyclescope.report.media.markdown import to_markdown
from cyclescope.report.media.terminal import to_text
from cyclescope.report.page import Bars, Block, Heading, Note, Paragraph, Strip, Table
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.report.sections.generation import MOST_GROWING, generation_blocks
from cyclescope.report.words.strings import EN, ZH

STEPS = 10


@pytest.fixture(scope="module")
def written() -> Explanation:
    return explain(paper_generation(paper_decoder(STEPS)))


def blocks(explanation: Explanation) -> list[Block]:
    assert explanation.generation is not None
    return list(generation_blocks(explanation.generation, EN))


def section(explanation: Explanation, title: str) -> list[Block]:
    found = blocks(explanation)
    start = next(i for i, block in enumerate(found) if isinstance(block, Heading) and block.text == title)
    end = next((i for i in range(start + 1, len(found)) if isinstance(found[i], Heading)), len(found))
    return found[start + 1 : end]


def test_every_metric_has_a_row_with_its_value_interval_and_n(written: Explanation) -> None:
    table = section(written, EN.generation)[0]
    assert isinstance(table, Table)
    rows = {row[0]: row for row in table.rows}
    assert list(rows) == [d.name.value for d in DEFINITIONS]
    assert rows["itl"][4] == "162"
    # 162 gaps support p90 and no p99; 18 runs neither.
    assert rows["itl"][5] != "–"
    assert (rows["itl"][6], rows["ttft"][5]) == ("–", "–")
    assert rows["throughput"][2].endswith(" tokens/s")
    assert rows["growth"][2].endswith(" per 1000 positions")


def test_what_is_undefined_has_no_row_and_is_named() -> None:
    single = section(explain(paper_generation(paper_decoder(1))), EN.generation)
    table, note = single[:2]
    assert isinstance(table, Table)
    assert isinstance(note, Note)
    absent = ["tpot", "itl", "growth", "decode-throughput"]
    assert not {row[0] for row in table.rows} & set(absent)
    assert note.text == f"Undefined at this number of tokens (1): {', '.join(absent)}."


def test_phases_are_bars_of_operations_and_python(written: Explanation) -> None:
    (bars,) = section(written, EN.phases)
    assert isinstance(bars, Bars)
    assert [bar.label for bar in bars.rows] == ["tokenize", "prepare", "prefill", "decode", "read out"]
    assert sum(bar.length for bar in bars.rows) == pytest.approx(written.closure.attributed_ns)


def test_steps_are_a_strip_with_the_cache_beside_it(written: Explanation) -> None:
    strip, cache = section(written, EN.decode_steps)
    assert isinstance(strip, Strip)
    assert len(strip.values) == STEPS - 1
    # What follows the last token is no longer part of a step, but of the way back.
    assert list(strip.values[:-1]) == sorted(strip.values[:-1])
    assert isinstance(cache, Paragraph)
    assert cache.text.startswith("The first decode step reads 2.30 kB")


def test_many_steps_are_drawn_in_groups() -> None:
    strip = section(explain(paper_generation(paper_decoder(200), runs=2)), EN.decode_steps)[0]
    assert isinstance(strip, Strip)
    assert len(strip.values) == 100
    assert strip.text.startswith("199 decode steps")


def test_the_place_that_grows_is_named(written: Explanation) -> None:
    (table,) = section(written, EN.growth)
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["decoder · scaled_dot_product_attention"]
    assert table.rows[0][1] == f"{LAYERS * SLOPE_NS} µs"
    assert len(table.rows) <= MOST_GROWING


def test_where_nothing_grows_it_says_so() -> None:
    still = section(explain(paper_generation(paper_decoder(STEPS), slope_ns=0)), EN.growth)
    assert still == [Paragraph(EN.no_growth)]


@pytest.mark.parametrize("s", [EN, ZH], ids=["en", "zh"])
@pytest.mark.parametrize("width", [40, 80, 160])
def test_the_terminal_shows_it_in_any_width(written: Explanation, s: object, width: int) -> None:
    language = "zh" if s is ZH else "en"
    text = to_text(cycle_page(written, language), width)
    for name in ("ttft", "tpot", "itl", "growth"):
        assert name in text
    words = ZH if s is ZH else EN
    assert words.decode_steps in text


def test_an_encoders_page_has_no_such_section(explanation: Explanation) -> None:
    headings = [block.text for block in cycle_page(explanation).blocks if isinstance(block, Heading)]
    assert EN.generation not in headings
    assert json.loads(to_json(explanation))["generation"] is None


@pytest.mark.parametrize("steps", [1, 3, STEPS])
def test_the_document_validates_and_reads_back(steps: int) -> None:
    explanation = explain(paper_generation(paper_decoder(steps)))
    text = to_json(explanation)
    jsonschema.validate(json.loads(text), json.loads(json_schema()))
    assert CycleReport.model_validate_json(text) == document(explanation)


def test_the_document_carries_metrics_dialects_phases_steps_and_growth(written: Explanation) -> None:
    told = json.loads(to_json(written))["generation"]
    assert [row["name"] for row in told["metrics"]] == [d.name.value for d in DEFINITIONS]
    assert [(row["tool"], row["name"]) for row in told["dialects"]] == [(d.tool.value, d.name) for d in DIALECTS]
    metrics = {row["name"]: row for row in told["metrics"]}
    dialects = {(row["tool"], row["name"]): row for row in told["dialects"]}
    assert dialects["vLLM", "tpot"]["median"] == pytest.approx(metrics["tpot"]["value"])
    assert dialects["guidellm", "time_per_output_token_ms"]["median"] > metrics["tpot"]["value"]
    assert set(metrics["itl"]["percentiles"]) == {"p50", "p90"}
    assert sum(row["time_ns"] for row in told["phases"]) == pytest.approx(written.closure.attributed_ns)
    assert [row["gap_ns"] is None for row in told["steps"]] == [True] + [False] * (STEPS - 1)
    assert told["growth"][0]["kind"] == "attention"


def test_what_is_undefined_is_null_in_the_document() -> None:
    told = json.loads(to_json(explain(paper_generation(paper_decoder(1)))))["generation"]
    (tpot,) = [row for row in told["metrics"] if row["name"] == "tpot"]
    assert (tpot["value"], tpot["mean"], tpot["n"], tpot["percentiles"]) == (None, None, 0, {})
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
