"""Memory on the page and in the document: both sides, the difference, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from paper_models import paper_bert, paper_cycle

from cyclescope.core.samples import MemorySamples
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.documents.cycle.document import cycle_document
from cyclescope.report.drawings.stack import StackDrawing
from cyclescope.report.media.terminal import to_text
from cyclescope.report.page import Drawing, Note, Page, Paragraph, Strip, Table
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.report.pages.structure import structure_page
from cyclescope.report.sections.memory import memory_section
from cyclescope.report.sections.memory_curve import MemoryCurveDrawing

GRAPH = paper_bert(2)


def observed(extra: int = 0, kept: int = 0) -> Explanation:
    """A cycle that was seen to hold what is computed, `extra` bytes more at the peak and `kept` more at the end."""
    cycle = paper_cycle(GRAPH)
    computed = explain(cycle).memory
    assert computed is not None
    held = computed.computed
    n = len(GRAPH)
    # One piece for each operation, there at one look only, as large as all that is held.
    sizes = held.activations + held.cache
    sizes[held.peak_op] += extra
    sizes[-1] += kept
    rows = np.arange(n, dtype=np.int64)
    seen = MemorySamples(
        sizes, rows + 1000, rows, rows, rows, held.weights, held.buffers, held.inputs, 900_000_000, 901_500_000
    )
    return explain(replace(cycle, samples=replace(cycle.samples, memory=seen)))


def table(page: Page) -> Table:
    return next(b for b in page.blocks if isinstance(b, Table) and str(b.columns[0].title) == "held at the peak")


def notes(page: Page) -> list[str]:
    return [str(block.text) for block in page.blocks if isinstance(block, Note)]


def test_both_sides_and_their_difference_stand_beside_each_other() -> None:
    found = table(cycle_page(observed(extra=200_000)))

    assert [str(column.title) for column in found.columns[1:]] == ["computed", "measured", "difference"]
    assert str(found.rows[-1][0]) == "total"
    assert found.rows[-1][-1] == "+200 kB"
    assert {row[-1] for row in found.rows[:-2]} == {"0 B"}


def test_what_nobody_looked_at_has_no_column() -> None:
    found = table(cycle_page(explain(paper_cycle(GRAPH))))

    assert [str(column.title) for column in found.columns] == ["held at the peak", "computed"]


@pytest.mark.parametrize(
    ("extra", "said", "unsaid"),
    [
        (0, None, ("above the computed one", "below the computed one")),
        (200_000, "200 kB above the computed one", ("below the computed one",)),
    ],
)
def test_a_large_difference_is_explained(extra: int, said: str | None, unsaid: tuple[str, ...]) -> None:
    told = notes(cycle_page(observed(extra=extra)))

    assert said is None or any(said in text for text in told)
    assert not [text for text in told for words in unsaid if words in text]


def test_what_the_model_hands_back_is_named() -> None:
    assert any(
        "400 kB more than computed is held at the end" in text for text in notes(cycle_page(observed(kept=400_000)))
    )
    assert not any("held at the end of the cycle" in text for text in notes(cycle_page(observed())))


def test_the_course_keeps_the_peak_when_it_is_drawn_in_groups() -> None:
    explanation = explain(paper_cycle(paper_bert(40)))
    assert explanation.memory is not None
    held = explanation.memory.computed
    strip = next(b for b in cycle_page(explanation).blocks if isinstance(b, Strip) and str(b.label) == "computed")

    assert len(strip.values) < len(held.activations)
    assert max(strip.values) == (held.activations + held.cache).max()


def test_the_resident_set_is_told() -> None:
    texts = [str(block.text) for block in cycle_page(observed()).blocks if isinstance(block, Paragraph)]

    assert any("900 MB" in text and "902 MB" in text and "1.50 MB more" in text for text in texts)


@pytest.mark.parametrize(("language", "title"), [("en", "Memory"), ("zh", "内存")])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_section_fits_the_terminal(language: str, title: str, width: int) -> None:
    text = to_text(cycle_page(observed(extra=200_000)), width, language=language)

    assert title in text.splitlines()


def test_the_drawings_are_of_both_sides() -> None:
    told = observed(extra=200_000)
    section = memory_section(told.memory, told.cycle.graph, {0: 7})
    assert section is not None
    bars = next(block.value for block in section.blocks if isinstance(block, Drawing))
    assert isinstance(bars, StackDrawing)
    assert [str(bar.label) for bar in bars.bars] == ["computed", "measured"]
    first, second = [block for block in section.blocks if isinstance(block, Strip)]
    assert first.drawing is not None
    assert second.drawing is None, "one drawing has both lines"
    drawn = first.drawing.value
    assert isinstance(drawn, MemoryCurveDrawing)
    assert [row.span for row in drawn.rows[:2]] == [7, None]
    assert len(drawn.rows) == len(drawn.curve.steps) == len(GRAPH)
    assert [str(text) for text in drawn.peaks] == ["computed: peak 541 kB", "measured: peak 741 kB"]
    assert str(drawn.template) == (
        f"operation {{number}} of {len(GRAPH)}, {{site}}: computed {{computed}}, measured {{measured}}"
    )
    assert str(drawn.start).endswith(": computed 541 kB, measured 741 kB")


def test_the_document_has_both_sides_in_bytes() -> None:
    explanation = observed(extra=200_000)
    told, memory = cycle_document(explanation).memory, explanation.memory
    assert told is not None
    assert told.measured is not None
    assert memory is not None

    assert told.difference_bytes == told.measured.peak_bytes - told.computed.peak_bytes == 200_000
    for side in (told.computed, told.measured):
        standing = side.weight_bytes + side.buffer_bytes + side.input_bytes
        assert side.peak_bytes == standing + side.activation_bytes + side.cache_bytes
        assert len(side.activations) == len(side.cache) == len(GRAPH)
        assert side.activations[side.peak_operation] == side.activation_bytes
    assert told.needed_bytes == memory.needed
    assert told.resident_peak_bytes == 901_500_000


def test_a_traced_structure_tells_its_peak() -> None:
    texts = [str(block.text) for block in structure_page(GRAPH, "bert", 1, 16).blocks if isinstance(block, Paragraph)]

    assert any("The peak is" in text and "(gelu)" in text for text in texts)
