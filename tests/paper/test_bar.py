"""The bar: peers as variants of a run of turns, what is kept of a case, and how it is told."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bar.cases import BASELINE, Case, all_cases, peers_of
from bar.peer_variant import PeerVariant
from bar.race import Entry, _limit, _race, _run, _tried
from bar.record import Interval, Line, Outcome, Race, read, write
from bar.table import markdown
from cyclescope.backends.base import UninstrumentedRun
from cyclescope.core.errors import EngineError
from cyclescope.core.plan import Plan
from cyclescope.core.statistics import Ratio
from cyclescope.optimizing.optimization import NotTried, Phase, Row, Skip, Spent
from cyclescope.optimizing.optimization import Outcome as Tried
from cyclescope.optimizing.search.trial import InterleavedRuns

_PEERS = Path(__file__).resolve().parents[2] / "bench" / "peers"
_TOY = """
import os
from serving import Job, Ready, serve

def build(job):
    print("libraries talk")
    if job.model == "broken":
        raise ValueError("no such model")
    calls = []
    def cycle():
        calls.append(1)
        print("while they run, too")
        if job.model == "dies" and len(calls) > 2:
            os._exit(3)
        return [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]]
    return Ready(cycle, lambda rows: {"hidden": [rows], "pooled": [rows[0]]}, f"{job.threads} threads")

serve(build)
"""


@pytest.fixture
def toy(tmp_path):
    """A peer that needs no framework, as a function of the model's name."""
    shutil.copy(_PEERS / "serving.py", tmp_path)
    (tmp_path / "toy.py").write_text(_TOY)

    def start(model: str) -> PeerVariant:
        job = {"model": model, "threads": 2, "kept": str(tmp_path), "texts": ["a", "b"]}
        return PeerVariant(str(tmp_path / "toy"), job, tmp_path / "toy.log")

    return start


def test_a_peer_runs_whatever_its_libraries_print(toy):
    variant = toy("fine")
    try:
        runs = variant.run(3)
        results = variant.results()
        assert variant.said == "2 threads"
        assert len(runs) == 3
        assert all(run.wall_ns > 0 for run in runs)
        assert runs[0].started_ns + runs[0].wall_ns <= runs[1].started_ns
        # Two calls of different lengths are joined as those of a plan are; what fills up belongs to no token.
        assert results.hidden.tolist() == [[[1, 2], [3, 4]], [[5, 6], [0, 0]]]
        assert results.mask.tolist() == [[1, 1], [1, 0]]
        assert variant.held_bytes() > 0
    finally:
        variant.close()


def test_a_peer_that_cannot_be_built_says_why(toy):
    with pytest.raises(EngineError, match="ValueError: no such model"):
        toy("broken")


def test_a_peer_that_dies_says_so_and_does_not_hang(toy):
    variant = toy("dies")
    with pytest.raises(EngineError, match="ended with code 3"):
        variant.run(5)


class _Steady:
    """A variant that takes the same time in every cycle, or fails after so many blocks."""

    def __init__(self, wall_ns: int, blocks: int = 1000) -> None:
        self.wall_ns, self.blocks, self.closed = wall_ns, blocks, False

    def run(self, cycles: int) -> list[UninstrumentedRun]:
        self.blocks -= 1
        if self.blocks < 0:
            raise EngineError("It broke.")
        return [UninstrumentedRun(0, self.wall_ns, 0)] * cycles

    def close(self) -> None:
        self.closed = True


def _entry(name: str, wall_ns: int, blocks: int = 1000, **facts: object) -> Entry:
    return Entry(Line(name, **facts), _Steady(wall_ns, blocks))  # type: ignore[arg-type]


def test_an_arm_that_fails_leaves_and_the_others_go_on():
    broken = _entry("broken", 5, blocks=5)
    entries, lost = [_entry(BASELINE, 300), broken, _entry("fast", 100)], []
    turns = _run(entries, lost, 4, lambda text: None)
    assert turns.rounds == 4
    assert [entry.line.name for entry in entries] == [BASELINE, "fast"]
    assert turns.ratio(1, 0).value == pytest.approx(1 / 3)
    assert [(line.name, line.reason) for line in lost] == [("broken", "It broke.")]
    assert broken.variant.closed


def test_a_run_without_its_baseline_is_none():
    with pytest.raises(EngineError, match="It broke"):
        _run([_entry(BASELINE, 300, blocks=1), _entry("fast", 100)], [], 3, lambda text: None)


def test_races_are_against_peers_that_drift_no_more():
    entries = [
        _entry(BASELINE, 400, same=True),
        _entry("float32", 200, same=True),
        _entry("int8", 100, drift=1e-3, int8=True),
        _entry("wild", 10, drift=0.2, int8=True),
        _entry("ours", 180, ours="no drift", same=True, said="plan a"),
        _entry("ours too", 50, ours="drift allowed", drift=5e-4, said="plan b"),
    ]
    turns = InterleavedRuns(entries)
    for _ in range(3):
        turns.round()
    same = _race("no drift", 0.0, entries, turns)
    assert (same.best, same.ours, same.ratio.value) == ("float32", "plan a", pytest.approx(0.9))
    drifting = _race("drift allowed", 1e-3, entries, turns)
    assert (drifting.best, drifting.ratio.value) == ("int8", pytest.approx(0.5))
    assert _race("no drift", 0.0, entries[:4], InterleavedRuns(entries[:4])) is None


def test_the_limit_is_what_the_fastest_peer_in_8_bits_drifts():
    fast, slow = _entry("a", 10, drift=0.04, int8=True), _entry("b", 20, drift=0.002, int8=True)
    assert _limit([_entry(BASELINE, 5, same=True), fast, slow]) == 0.04
    assert _limit([slow, _entry("broken", 1, blocks=0, drift=0.5, int8=True)]) == 0.002
    assert _limit([_entry("careful", 10, drift=1e-5, int8=True)]) == 1e-3
    assert _limit([]) == 1e-3


def _outcome() -> Outcome:
    lines = (
        Line(BASELINE, ratio=Interval(1.0, 1.0, 1.0), wall_ns=4e6, same=True),
        Line("quick | one", int8=True, ratio=Interval(0.25, 0.2, 0.5), drift=4e-4, held_bytes=2_000_000, said="a\nb"),
        Line("absent", reason="not installed"),
        Line("cyclescope", "no drift", ratio=Interval(0.5, 0.4, 0.6), same=True, mfu=0.31, said="engine: openvino"),
    )
    races = (
        Race(0.0, "engine: openvino", BASELINE, Interval(0.5, 0.4, 0.6)),
        Race(1e-3, "x", "y", Interval(1.05, 1, 2)),
    )
    return Outcome(
        "m-1x16-1t", "2026-01-01", "cpu", 120.0, 6, 0.5, lines, races, 10, 9e10, 60.0, ("tried",), {"torch": "2"}
    )


def test_what_is_kept_comes_back(tmp_path):
    path = tmp_path / "runs.json"
    assert read(path) == [] == read(None)
    write(path, [_outcome()])
    assert read(path) == [_outcome()]
    write(path, [_outcome(), replace(_outcome(), case="other")])
    assert [outcome.case for outcome in read(path)] == ["m-1x16-1t", "other"]
    assert [p.name for p in tmp_path.iterdir()] == ["runs.json"]


def test_the_table_tells_speed_ups_and_who_wins():
    text = markdown([_outcome()])
    assert "| quick \\| one | 4.00 [2.00 – 5.00] | 4.0e-04 | 2 MB |  | a b |" in text
    assert "| **cyclescope, no drift** | 2.00 [1.67 – 2.50] | none | 0 MB | 31% | engine: openvino |" in text
    assert "| absent | – | | | | not installed |" in text
    assert "| m-1x16-1t | none | engine: openvino | transformers eager | 0.50 [0.40 – 0.60] | yes | yes |" in text
    assert "| m-1x16-1t | 1.0e-03 | x | y | 1.05 [1.00 – 2.00] | open, rather no | **no** |" in text
    assert text.index("quick") < text.index("**cyclescope") < text.index(f"| {BASELINE} | 1.00")
    assert markdown([]) == ""


def test_every_case_has_its_baseline_and_every_peer_its_script():
    names = [case.name for case in all_cases()]
    assert len(set(names)) == len(names)
    for case in all_cases():
        peers = peers_of(case)
        assert peers[0].name == BASELINE
        assert np.any([peer.int8 for peer in peers])
        assert all((_PEERS / f"{peer.script}.py").is_file() for peer in peers)
    assert Case("m", 2, 1, 128, new_tokens=64).name == "m-1x128+64-2t"


def test_what_a_search_tried_and_what_its_time_went_to_is_told():
    one = Plan(threads=1)
    rows = (
        Row(replace(one, threads=2), (), -1, Tried.TRIED),
        Row(one, ("threads",), 0, Tried.TRIED, Ratio(0.5, 0.4, 0.6, 6)),
    )
    late = NotTried("engine", Skip.OUT_OF_BUDGET, replace(one, engine="openvino"))
    spent = (Spent(Phase.SEARCH, 40_000_000_000), Spent(Phase.TOTAL, 58_000_000_000))
    found = SimpleNamespace(rows=rows, not_tried=(late,), spent=spent, budget_ns=60_000_000_000)
    assert _tried(found, "no drift") == [
        "no drift: 1 thread: tried, 2.00 times as fast",
        "no drift: 1 plan not tried, out of budget",
        "no drift: search 40.0 s, total 58.0 s, of 60.0 s",
    ]
    assert _tried("It failed.", "no drift") == ["no drift: It failed."]
