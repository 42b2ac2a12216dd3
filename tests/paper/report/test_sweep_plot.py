"""The plot of a sweep: where its points stand, what is marked, and which point the answer names."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from paper_models import PAPER_BERT_WORKLOAD as WORKLOAD

from cyclescope.core.plan import Plan
from cyclescope.core.prediction import Prediction
from cyclescope.core.statistics import Estimate
from cyclescope.predicting.settings import Setting
from cyclescope.predicting.sweep_rows import Common, Limit, Sweep, SweepRow
from cyclescope.report.drawings.sweep_plot import MOST_LINES, MOST_MARKS, MOST_POINTS, SweepPlot, sweep_plot
from cyclescope.report.format import quantity
from cyclescope.report.page import Bars, Page, Paragraph
from cyclescope.report.pages.what_if import what_if_page


def row(batch: int, ns: float, *more: Setting, compute: float = 0.1, fits: bool | None = True) -> SweepRow:
    shares = ((Limit.COMPUTE, compute), (Limit.MEMORY, 1 - compute), (Limit.OVERHEAD, 0.0))
    wall = Estimate(ns, 0.8 * ns, 1.3 * ns, 41)
    return SweepRow((Setting("batch", batch), *more), wall, batch, batch, shares, 10, fits, 16)


def sweep(*rows: SweepRow, names: tuple[str, ...] = ("batch",)) -> Sweep:
    common = Common.of(WORKLOAD, Plan(), None, names, step=True)
    return Sweep(WORKLOAD.model, "a machine", 100, names, (), True, common, rows, Prediction("analytic"))


def drawn(found: Sweep) -> SweepPlot:
    plot = sweep_plot(found)
    assert plot is not None
    return plot


def test_doublings_stand_at_equal_distances_and_slower_points_higher() -> None:
    plot = drawn(sweep(*(row(batch, 1e6 * batch) for batch in (1, 2, 4, 8, 16))))
    marks = plot.time.lines[0].marks
    places = [float(mark.x.rstrip("%")) for mark in marks]
    steps = [b - a for a, b in pairwise(places)]
    assert steps == pytest.approx([steps[0]] * 4, abs=0.01)
    heights = [float(mark.y) for mark in marks]
    assert heights == sorted(heights, reverse=True)
    assert [tick.value for tick in plot.ticks] == [1, 2, 4, 8, 16]
    assert plot.time.lines[0].band
    assert not plot.throughput.lines[0].band


def test_the_turn_what_does_not_fit_and_the_largest_batch_are_marked() -> None:
    plot = drawn(sweep(row(1, 1e6), row(8, 2e6, compute=0.7), row(64, 9e6, compute=0.9, fits=False)))
    assert [mark.turns for mark in plot.time.lines[0].marks] == [False, True, False]
    assert [mark.fits for mark in plot.throughput.lines[0].marks] == [True, True, False]
    middle = float(plot.time.lines[0].marks[1].x.rstrip("%"))
    assert middle < float(plot.fit.rstrip("%")) < float(plot.time.lines[0].marks[2].x.rstrip("%"))


def test_each_value_of_the_other_setting_has_a_line_up_to_a_bound() -> None:
    rows = [row(batch, 1e6, Setting("cache", cache)) for batch in range(1, 30) for cache in range(10)]
    plot = drawn(sweep(*rows, names=("batch", "cache")))
    assert plot.across == "batch"
    assert len(plot.time.lines) == MOST_LINES
    assert plot.left_out == 10 - MOST_LINES
    assert {line.of for line in plot.time.lines} >= {Setting("cache", 0), Setting("cache", 9)}


def test_names_alone_make_no_plot() -> None:
    named = [replace(row(1, 1e6), settings=(Setting("dtype", dtype),)) for dtype in ("float16", "bfloat16")]
    assert sweep_plot(sweep(*named, names=("dtype",))) is None


def test_the_smallest_batch_of_nearly_equal_throughput_is_named() -> None:
    rows = (row(8, 8e6), row(16, 9.5e6), row(32, 17.8e6), row(64, 35.5e6), row(128, 50e6, fits=False))
    found = sweep(*rows)
    assert found.fastest.batch == 64
    assert found.least_batch.batch == 32  # 1.798 of the most, 1.803; 16 makes 1.684
    assert sweep(*rows[:2]).least_batch.batch == 16


def test_a_linear_axis_begins_at_zero_and_no_two_of_its_labels_are_alike() -> None:
    plot = drawn(sweep(*(row(batch, 1e9 * batch / (3000 + 0.01 * batch)) for batch in (1, 2, 3, 4))))
    values = [tick.value for tick in plot.throughput.ticks]
    assert values[0] == 0
    assert values[-1] >= max(each.tokens_per_s for each in sweep(row(1, 1e9 / 3000)).rows)
    labels = [quantity(value) for value in values]
    assert len(set(labels)) == len(labels)
    heights = [float(mark.y) for mark in plot.throughput.lines[0].marks]
    assert max(heights) - min(heights) < 1  # what hardly differs looks so


def test_points_that_are_left_out_are_counted() -> None:
    few = what_if_page(sweep(*(row(batch, 1e6 * batch) for batch in (1, 2, 4))))
    assert not [text for text in spoken(few) if "points are" in text]
    many = spoken(what_if_page(sweep(*(row(batch, 1e6 * batch) for batch in range(1, 501)))))
    assert "24 of 500 points are shown; --json gives all." in many
    assert "300 of 500 points are shown; --json gives all." in many
    assert f"{MOST_MARKS} of 500 points are drawn as dots. A line joins {MOST_POINTS} of its 500 points." in many
    grid = [row(batch, 1e6, Setting("cache", cache)) for batch in (1, 2) for cache in range(10)]
    lines = spoken(what_if_page(sweep(*grid, names=("batch", "cache"))))
    assert "2 of 2 lines" not in lines


def spoken(page: Page) -> list[str]:
    """What the blocks of a page say that they leave out."""
    blocks = [block for section in page.sections for block in section.blocks]
    drawings = [block.drawing.value for block in blocks if isinstance(block, Bars) and block.drawing]
    texts = [block.more for block in blocks if isinstance(block, Bars)]
    texts += [block.text for block in blocks if isinstance(block, Paragraph)]
    return list(map(str, [*texts, *(drawing.more for drawing in drawings)]))


def test_equal_points_are_named_together_and_a_larger_batch_by_how_much_more_it_makes() -> None:
    both = sweep(*(row(8, 8e6, Setting("dtype", name)) for name in ("float16", "bfloat16")), names=("batch", "dtype"))
    assert "with batch 8, dtype float16 or batch 8, dtype bfloat16, " in str(what_if_page(both).opening[0].text)  # type: ignore[union-attr]
    near = sweep(row(32, 32e6), row(64, 63.9e6))
    answer = str(what_if_page(near).opening[0].text)  # type: ignore[union-attr]
    assert "batch 32 is the smallest batch within 2.0 %" in answer
    assert "batch 64 makes 0.16 % more, at 63.9 ms." in answer


def test_what_all_points_have_in_common_leaves_out_what_is_swept() -> None:
    plan = Plan(engine="onnxruntime", threads=2, attention="engine")
    work = replace(WORKLOAD, batch=3, tokens_in=128, tokens_out=32)
    whole = Common.of(work, plan, None, ("batch", "dtype"), step=False)
    assert (whole.batch, whole.dtype, whole.tokens, whole.new_tokens, whole.threads) == (None, None, 128, 32, 2)
    step = Common.of(replace(work, tokens_in=1, tokens_out=0), plan, 512, ("threads",), step=True)
    assert (step.batch, step.tokens, step.cache_length, step.new_tokens, step.threads) == (3, None, 512, None, None)
    assert step.engine == "onnxruntime"


def test_what_is_outside_is_said_with_the_points_that_it_is_said_of() -> None:
    rows = (row(1, 1e6), *(replace(row(batch, 1e6), outside=("more than 8",), widening=1.5) for batch in (9, 10)))
    (limits,) = [section for section in what_if_page(sweep(*rows)).sections if section.id == "limits"]
    facts = {str(key): str(value) for key, value in limits.blocks[0].rows}  # type: ignore[union-attr]
    assert facts["outside of what was seen"] == "more than 8; the interval is ×1.50 as wide for it (2 of 3 points)"
