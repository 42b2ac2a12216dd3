"""Processor time by operation: planted on paper, found exactly; and what must not be believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from paper_models import PAPER_BERT_WORKLOAD, paper_bert, paper_cycle, slot_times

from cyclescope.backends.paper import PaperSession, Script
from cyclescope.core.cycle import Cycle
from cyclescope.core.samples import ProcessorSamples
from cyclescope.core.units import FloatArray
from cyclescope.explaining.explain import explain
from cyclescope.measuring.measure import measure_session

GRAPH = paper_bert(2)
IS_LINEAR = np.asarray([op >= 0 and GRAPH.names[op] == "linear" for op in GRAPH.slots.op])


def watched(busy: FloatArray | None, *, stamp_ns: int = 800, pace: tuple[float, ...] = (1.0,)) -> Cycle:
    script = Script(GRAPH, slot_times(GRAPH), pace, busy_cores=busy, processor_stamp_ns=stamp_ns)
    session = PaperSession(script, workload=PAPER_BERT_WORKLOAD)
    samples = session.processor(GRAPH, 9)
    cycle = paper_cycle(GRAPH)
    return replace(cycle, samples=replace(cycle.samples, processor=samples))


@pytest.mark.parametrize("waiting", [1.0, 2.0], ids=["waiting asleep", "waiting in a spin"])
def test_cores_that_each_operation_keeps_busy_are_found_whatever_a_stamp_costs(waiting: float) -> None:
    busy = np.where(IS_LINEAR, 1.75, waiting)
    told = explain(watched(busy)).arrangement
    assert told is not None
    assert told.processor_share is not None
    expected = [1.75 if name == "linear" else waiting for name in GRAPH.names]
    # A hundredth: times are whole nanoseconds, and the shortest operation takes 3 µs.
    assert told.processor_share == pytest.approx(expected, abs=0.01)
    assert told.python_cores == pytest.approx(waiting, abs=1e-3)
    walls = np.bincount(GRAPH.slots.op[GRAPH.slots.op >= 0], weights=slot_times(GRAPH)[GRAPH.slots.op >= 0])
    assert told.busy_cores == pytest.approx(float(np.dot(expected, walls) / walls.sum()), abs=1e-3)
    tokenize = told.stages[0]
    assert tokenize.processor_share == pytest.approx(waiting, abs=1e-3)
    assert all((layer.processor_share or 0) > 1.5 for layer in told.layers)


def test_an_operation_shorter_than_a_stamp_has_no_share() -> None:
    told = explain(watched(np.ones(len(GRAPH.slots)), stamp_ns=4_000)).arrangement
    assert told is not None
    assert told.processor_share is not None
    short = slot_times(GRAPH)[GRAPH.slots.op >= 0] < 4_000
    assert short.any()
    assert np.isnan(told.processor_share).tolist() == short.tolist()


def test_runs_that_something_else_slowed_down_are_not_believed() -> None:
    told = explain(watched(np.ones(len(GRAPH.slots)), pace=(1.5,))).arrangement
    assert told is not None
    assert told.processor_share is None
    assert told.busy_cores is None


def test_nobody_looked() -> None:
    told = explain(watched(None)).arrangement
    assert told is not None
    assert (told.processor_share, told.busy_cores, told.python_cores) == (None, None, None)


def test_a_measurement_ends_with_the_runs_that_read_the_processor_time() -> None:
    script = Script(GRAPH, slot_times(GRAPH), busy_cores=np.full(len(GRAPH.slots), 1.5))
    session = PaperSession(script)
    cycle = measure_session(session, 1_000_000_000, session.clock)
    samples = cycle.samples.processor
    assert samples is not None
    # A twentieth of the budget, after everything that is timed.
    assert len(samples) == 50_000_000 // int(slot_times(GRAPH).sum())
    ended = int(cycle.samples.uninstrumented.started_ns.max() + cycle.samples.uninstrumented.wall_ns[-1])
    assert session.clock.now_ns() - ended >= int(samples.wall_boundaries_ns[:, -1].sum())


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda s: replace(s, boundaries_ns=s.boundaries_ns[:, :-1]), "do not fit"),
        (lambda s: replace(s, wall_boundaries_ns=s.wall_boundaries_ns[:-1]), "do not fit"),
        (lambda s: replace(s, boundaries_ns=s.boundaries_ns.astype(float)), "do not fit"),
        (lambda s: replace(s, boundaries_ns=s.boundaries_ns[:, ::-1]), "backwards"),
        (lambda s: replace(s, stamp_ns=-1.0), "no time"),
        (lambda s: replace(s, stamp_ns=float("nan")), "no time"),
    ],
)
def test_columns_that_do_not_belong_together_are_refused(change: object, what: str) -> None:
    samples = watched(np.ones(len(GRAPH.slots))).samples.processor
    assert isinstance(samples, ProcessorSamples)
    samples.self_check(len(GRAPH.slots))
    assert callable(change)
    with pytest.raises(ValueError, match=what):
        change(samples).self_check(len(GRAPH.slots))
