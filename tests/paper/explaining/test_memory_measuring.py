"""Looking at memory never touches what is timed, and what was seen is kept with the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from paper_models import paper_bert, paper_cycle, slot_times

from cyclescope.backends.base import InstrumentedRun, UninstrumentedRun
from cyclescope.backends.paper import PaperSession, Script
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import EngineError, RunFileError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.samples import MemorySamples
from cyclescope.core.units import NS_PER_S, IntArray
from cyclescope.measuring.measure import measure_session
from cyclescope.store.run_file import load, save

GRAPH = paper_bert(2)


def column(*values: int) -> IntArray:
    return np.asarray(values, dtype=np.int64)


SEEN = MemorySamples(column(8, 16), column(5, 6), column(0, 1), column(1, 1), column(0, 3), 100, 20, 3, 5_000, None)


@dataclass
class LookingSession(PaperSession):
    """Notes in which order it is asked for what; `broken` makes looking fail."""

    asked: list[str] = field(default_factory=list)
    broken: bool = False

    def uninstrumented(self, cycles: int) -> Sequence[UninstrumentedRun]:
        self.asked.append("plain")
        return super().uninstrumented(cycles)

    def instrumented(self, graph: Graph, cycles: int) -> Sequence[InstrumentedRun]:
        self.asked.append("light")
        return super().instrumented(graph, cycles)

    def memory(self, graph: Graph, *, again: bool) -> MemorySamples | None:
        self.asked.append(f"memory, again {again}")
        if self.broken:
            raise EngineError("The look failed.", "", "")
        return SEEN


def measured(slower: int = 1, *, broken: bool = False) -> tuple[LookingSession, Cycle]:
    session = LookingSession(Script(GRAPH, slot_times(GRAPH) * slower), broken=broken)
    return session, measure_session(session, NS_PER_S // 10, clock=session.clock)


def test_memory_is_looked_at_once_and_last() -> None:
    session, cycle = measured()

    assert session.asked[-1] == "memory, again True"
    assert {"plain", "light"} == set(session.asked[:-1])
    assert cycle.samples.memory is SEEN


def test_a_long_cycle_is_not_run_again_to_look_at_it() -> None:
    session, cycle = measured(1000)

    assert cycle.samples.uninstrumented.wall_ns.min() > 2 * NS_PER_S
    assert session.asked[-1] == "memory, again False"


def test_what_was_timed_stands_where_looking_fails() -> None:
    _, cycle = measured(broken=True)

    assert len(cycle.samples.uninstrumented)
    assert not cycle.partial
    assert cycle.samples.memory is None
    assert any("The look failed." in str(note) for note in cycle.notes)


def test_what_was_seen_is_in_the_file(tmp_path: Path) -> None:
    cycle = paper_cycle(GRAPH)
    save(replace(cycle, samples=replace(cycle.samples, memory=SEEN)), tmp_path / "a.cycle")
    again = load(tmp_path / "a.cycle").samples.memory

    assert again is not None
    for name in ("sizes", "storages", "first", "last", "look_op"):
        assert getattr(again, name).tolist() == getattr(SEEN, name).tolist()
    assert (again.weight_bytes, again.resident_bytes, again.resident_peak_bytes) == (100, 5_000, None)


def test_a_file_whose_looks_do_not_fit_its_graph_is_refused(tmp_path: Path) -> None:
    cycle = paper_cycle(GRAPH)
    beyond = replace(SEEN, look_op=column(0, len(GRAPH)))
    save(replace(cycle, samples=replace(cycle.samples, memory=beyond)), tmp_path / "a.cycle")

    with pytest.raises(RunFileError, match="do not fit the graph"):
        load(tmp_path / "a.cycle")
