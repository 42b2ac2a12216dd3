"""Cycles at the edge: text stages of several operations, calls without any."""

from __future__ import annotations

import numpy as np
from core.small_graphs import build, call
from paper_models import paper_cycle

from cyclescope.explaining.explain import explain
from explaining.test_timeline import check_nesting, spans_of


def test_a_stage_of_text_with_two_operations_nests() -> None:
    check_nesting(spans_of(build(call("", 1, 1, stage="tokenize"), call("", 1, 1))))


def test_a_cycle_of_calls_without_operations_is_explained() -> None:
    assert explain(paper_cycle(build(call("a")), np.asarray([5, 5, 5]))).answer.stage == ""
