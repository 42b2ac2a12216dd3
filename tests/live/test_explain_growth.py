"""Explaining grows about as the cycle does: four times the operations take far less than sixteen times as long."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

import pytest
from paper_generation import paper_decoder, paper_generation
from paper_models import paper_bert, paper_cycle
from paper_roofline import on_paper_machine

from cyclescope.core.cycle import Cycle
from cyclescope.explaining.explain import explain
from cyclescope.report.documents.cycle.document import cycle_document

# Linear is 4, n log n hardly more; a square would be 16. Caches that overflow and another load are in between.
MOST = 8.0
RUNS = 6


def encoder(layers: int) -> Cycle:
    return on_paper_machine(paper_cycle(paper_bert(layers, hidden=64, vocabulary=100), runs=RUNS))


def generation(steps: int) -> Cycle:
    return on_paper_machine(paper_generation(paper_decoder(steps), runs=RUNS))


def seconds(cycle: Cycle) -> float:
    """The least processor time of two rounds, which another load disturbs the least."""

    def once() -> float:
        begin = process_time()
        cycle_document(explain(cycle))
        return process_time() - begin

    return min(once() for _ in range(2))


@pytest.mark.parametrize(("make", "size"), [(encoder, 300), (generation, 150)])
def test_four_times_the_operations_take_about_four_times_as_long(make: Callable[[int], Cycle], size: int) -> None:
    small, large = make(size), make(4 * size)
    factor = len(large.graph) / len(small.graph)
    assert 3.9 < factor < 4.1
    grown = seconds(large) / seconds(small)
    assert grown < MOST, f"{factor:.1f} times the operations took {grown:.1f} times as long"
