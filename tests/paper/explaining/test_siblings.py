"""Layers that are unlike their siblings: by class, or by a time that no chance explains."""

from __future__ import annotations

import pytest

from cyclescope.core.graph.op import Cost
from cyclescope.core.statistics import Estimate
from cyclescope.explaining.explanation import LayerRow
from cyclescope.explaining.siblings import UNLIKE, unlike_layers


def layer(index: int, ns: float = 1000.0, spread: float = 0.01, *, n: int = 9, kind: str = "Layer") -> LayerRow:
    time = Estimate(ns, ns * (1 - spread), ns * (1 + spread), n)
    return LayerRow("encode", index, f"layers.{index}", kind, time, 0.1, 0.0, 0.0, Cost())


def test_equal_layers_are_alike() -> None:
    assert unlike_layers([layer(k) for k in range(6)]) == ()


@pytest.mark.parametrize(("factor", "marked"), [(1.5, True), (0.5, True), (1 + UNLIKE / 2, False)])
def test_a_layer_is_marked_for_its_time(factor: float, marked: bool) -> None:
    rows = [layer(k) for k in range(5)] + [layer(5, 1000 * factor)]
    found = unlike_layers(rows)
    assert [(u.row.index, u.factor, u.other_class) for u in found] == ([(5, factor, False)] if marked else [])


def test_an_interval_that_meets_the_median_layers_marks_nothing() -> None:
    assert unlike_layers([*(layer(k) for k in range(5)), layer(5, 1500, spread=0.4)]) == ()


def test_too_few_samples_mark_no_time_but_a_class() -> None:
    rows = [*(layer(k, n=3) for k in range(5)), layer(5, 3000, n=3), layer(6, n=3, kind="Other")]
    (found,) = unlike_layers(rows)
    assert found.row.index == 6
    assert found.other_class
    assert found.usual == "Layer"
