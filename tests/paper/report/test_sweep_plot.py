"""The plot of a sweep: where its points stand, what is marked, and which point the answer names."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from cyclescope.core.prediction import Prediction
from cyclescope.core.statistics import Estimate
from cyclescope.predicting.settings import Setting
from cyclescope.predicting.sweep_rows import Limit, Sweep, SweepRow
from cyclescope.report.drawings.sweep_plot import MOST_LINES, SweepPlot, sweep_plot


def row(batch: int, ns: float, *more: Setting, compute: float = 0.1, fits: bool | None = True) -> SweepRow:
    shares = ((Limit.COMPUTE, compute), (Limit.MEMORY, 1 - compute), (Limit.OVERHEAD, 0.0))
    wall = Estimate(ns, 0.8 * ns, 1.3 * ns, 41)
    return SweepRow((Setting("batch", batch), *more), wall, batch, batch, shares, 10, fits, 16)


def sweep(*rows: SweepRow, names: tuple[str, ...] = ("batch",)) -> Sweep:
    return Sweep("a model", "a machine", 100, names, (), True, rows, Prediction("analytic"))


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
