"""The page, the drawing and the document about a decode step that was traced by itself, and about experts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from paper_models import paper_bert, paper_cycle
from paper_structures import CACHE, EVEN, UNEVEN, mixture, step

from cyclescope.core.graph.graph import Graph, GraphError
from cyclescope.core.graph.op import OpKind
from cyclescope.explaining.experts import expert_rows
from cyclescope.explaining.explain import explain
from cyclescope.report.documents.cycle.experts import experts
from cyclescope.report.documents.graph import graph_json
from cyclescope.report.exports.mermaid import mermaid
from cyclescope.report.media.html.html import render
from cyclescope.report.media.terminal import to_text
from cyclescope.report.naming.kinds import KINDS
from cyclescope.report.page import Block, Note, Paragraph, Strip, Table
from cyclescope.report.pages.structure import structure_page
from cyclescope.report.sections.experts import experts_section
from cyclescope.store.run_file import load, save


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_form_of_a_step_says_its_cache_length(language: str) -> None:
    graph = step()
    page = to_text(structure_page(graph, "m", 1, 128), language=language)
    assert str(CACHE) in page.splitlines()[0]
    assert "1.28 kB" in page
    assert "1.31 kB" in page
    entry = next(line for line in mermaid(graph, language=language).splitlines() if line.startswith("    n0"))
    assert str(CACHE) in entry
    document = json.loads(graph_json(graph))
    assert document["cache_length"] == CACHE
    assert [t["name"] for t in document["tensors"] if t["role"] == "cache"] == ["past_key_values.layers.0.keys"]
    assert len(document["kept_storages"]) == 2


def test_a_prefill_has_no_cache_length() -> None:
    graph = paper_bert()
    assert "cache" not in to_text(structure_page(graph, "m", 1, 16)).splitlines()[0]
    assert json.loads(graph_json(graph))["cache_length"] is None


def blocks_of(graph: Graph) -> tuple[Block, ...]:
    section = experts_section(graph)
    assert section is not None
    return section.blocks


def test_the_most_uneven_layer_comes_first() -> None:
    blocks = blocks_of(mixture(EVEN, UNEVEN))
    text = next(str(block.text) for block in blocks if isinstance(block, Paragraph))
    assert "2 of 4 experts" in text
    assert "gets 6 of 12, 2.00 times the average of 3.00" in text
    table = next(block for block in blocks if isinstance(block, Table))
    assert [row[1:] for row in table.rows] == [
        ("12", "0", "3.00", "6", "2.00", "1"),
        ("12", "3", "3.00", "3", "1.00", "0"),
    ]
    assert next(block for block in blocks if isinstance(block, Strip)).values == (6.0, 4.0, 2.0, 0.0)


def test_what_is_not_known_is_told_as_an_expectation() -> None:
    blocks = blocks_of(mixture((6, ())))
    (note,) = [block for block in blocks if isinstance(block, Note)]
    assert "does not know" in str(note.text)
    assert "Expected on average: 3.00 tokens" in str(note.text)
    assert not [block for block in blocks if isinstance(block, Table)]
    (document,) = experts(mixture((6, ())))
    assert document.tokens_per_expert is None
    assert document.expected_per_expert == 3


def test_calls_of_one_module_add_up() -> None:
    graph = mixture(EVEN, UNEVEN)
    first = graph.experts[0].frame
    again = replace(graph, experts=tuple(replace(load, frame=first) for load in graph.experts))
    (row,) = expert_rows(again)
    assert (row.calls, row.routed, row.per_expert) == (2, 24, (9, 7, 5, 3))
    unknown = replace(graph.experts[1], frame=first, per_expert=())
    (row,) = expert_rows(replace(again, experts=(again.experts[0], unknown)))
    assert row.per_expert == ()
    assert row.imbalance is None


@pytest.mark.parametrize("counts", [(7, 3, 3, 3), (3, 3)])
def test_impossible_counts_are_refused(counts: tuple[int, ...]) -> None:
    with pytest.raises(GraphError, match="experts"):
        mixture((6, counts))


def test_kinds_of_equal_work_stand_in_the_order_of_their_operations() -> None:
    page = structure_page(mixture(EVEN), "m", 1, 6)
    kinds = next(b for b in page.blocks if isinstance(b, Table) and str(b.columns[0].title) == "kind")
    assert [row[0] for row in kinds.rows[:-1]] == [KINDS[OpKind.MATMUL], KINDS[OpKind.ELEMENTWISE]]


def test_the_page_in_html_has_a_section_of_them() -> None:
    html = render(explain(paper_cycle(mixture(EVEN, UNEVEN))))
    section = html[html.index('id="experts"') :].partition("</section>")[0]
    assert "2.00 times the average" in section
    assert section.count('<th scope="row">') == 2
    assert 'href="#experts"' in html
    assert 'id="experts"' not in render(explain(paper_cycle(paper_bert())))


def test_a_dense_model_says_nothing_of_experts() -> None:
    assert experts_section(paper_bert()) is None


def test_experts_and_what_is_kept_survive_the_run_file(tmp_path: Path) -> None:
    graph = mixture(EVEN, UNEVEN)
    kept = replace(graph, kept=(1, 2), cache_length=3)
    path = tmp_path / "run.cycle"
    save(paper_cycle(kept), path)
    again = load(path).graph
    assert (again.experts, again.kept, again.cache_length) == (graph.experts, (1, 2), 3)
