"""Learning on a real Ray cluster of two nodes, one of which is killed in the middle.

Both nodes run on this machine, so that what is measured is real and how long it takes means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import ray
from paper_predictions import ceilings
from ray.cluster_utils import Cluster

from cyclescope.backends.registry import machine_for
from cyclescope.calibrating.learning.cluster import learn as module
from cyclescope.calibrating.learning.cluster.learn import ClusterLearning, learn_on
from cyclescope.calibrating.learning.cluster.messages import Answer, Measured
from cyclescope.calibrating.learning.cluster.on_ray import RayPool
from cyclescope.calibrating.learning.cluster.pool import Event
from cyclescope.calibrating.learning.design import TrainingCase
from cyclescope.calibrating.learning.learn import training_folder
from cyclescope.core.cycle import Cycle
from cyclescope.machines.fingerprint import fingerprint
from cyclescope.predicting.fitted import place_of
from cyclescope.store.calibration_file import keep
from cyclescope.store.run_file import load

_TINY = {
    "model_type": "bert", "architectures": ["BertModel"], "hidden_size": 32, "num_attention_heads": 2,
    "num_hidden_layers": 1, "intermediate_size": 64, "vocab_size": 128, "max_position_embeddings": 64,
}  # fmt: skip
# Of one family, so that nothing is fitted: what is shown here is the measuring.
CASES = tuple(TrainingCase(f"{n:02}-bert-1x{4 + n}", "bert", _TINY, 4 + n, 1, 0) for n in range(8))
_STORE_BYTES = 80_000_000  # the least that a node of Ray starts with


@dataclass(frozen=True)
class Seen:
    """What became of a learning, the rows that it kept by the place of their file, who died with work in hand, and when others
    had the processors of the node that lived.
    """

    found: ClusterLearning
    rows: dict[str, Cycle]
    in_hand: str
    here: str | None
    others: list[float]


class Killing(RayPool):
    """A pool whose node `second` is killed as soon as `first` has measured something; then somebody else wants `first` too."""

    kill: Any = None
    died_with: str = ""
    others: tuple[Any, ...] = ()

    def next(self, timeout_s: float) -> Event | None:
        event = super().next(timeout_s)
        measured = event is not None and isinstance(event.outcome, Answer) and isinstance(event.outcome.reply, Measured)
        if measured and self.kill is not None and "second" in self._open.values():
            kill, self.kill = self.kill, None
            self.died_with = "second"
            kill()

            def busy() -> float:  # a function of a function is sent whole: the nodes cannot import this file
                import time

                return time.perf_counter()

            task = ray.remote(busy).options(num_cpus=1, scheduling_strategy=self._only_on("first"))
            self.others = (task.remote(), task.remote())
        return event


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("CYCLESCOPE_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(module, "training_cases", lambda: CASES)
        known = replace(
            ceilings(),
            engine="torch",
            fingerprint=fingerprint(machine_for(), "torch"),
            taken_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        keep(known)
        node = {"num_cpus": 1, "object_store_memory": _STORE_BYTES, "include_log_monitor": False}
        cluster = Cluster(
            initialize_head=True, head_node_args={**node, "node_name": "first", "include_dashboard": False}
        )
        try:
            second = cluster.add_node(**node, node_name="second")
            with Killing(cluster.address) as pool:
                pool.kill = lambda: cluster.remove_node(second, allow_graceful=False)
                found = learn_on(pool, 5.0)
                times = ray.get(list(pool.others), timeout=30)
                died_with = pool.died_with
        finally:
            cluster.shutdown()
        place = place_of(known.fingerprint, "torch")
        assert place is not None
        folder = training_folder(place)
        rows = {str(path.relative_to(folder)): load(path) for path in sorted(folder.rglob("*.cycle"))}
    return Seen(found, rows, died_with, pool.here, times)


def test_a_dead_machines_share_is_done_by_the_other(seen: Seen) -> None:
    assert seen.in_hand == "second"
    (kind,) = seen.found.kinds
    assert {one.name for one in kind.machines if one.lost} == {"second"}
    assert not kind.missing
    assert not kind.left_out


def test_every_workload_was_measured_once(seen: Seen) -> None:
    assert sorted(Path(row).stem for row in seen.rows) == [case.name for case in CASES]
    assert sum(one.workloads for one in seen.found.kinds[0].machines) == len(CASES)
    for row, cycle in seen.rows.items():
        case = next(case for case in CASES if case.name == Path(row).stem)
        assert cycle.workload.tokens_in == case.tokens
        assert len(cycle.samples.instrumented.wall_ns) >= 1


def test_nothing_else_runs_on_a_machine_while_it_measures(seen: Seen) -> None:
    """Work of others on the node that lived, which came in the middle, waits until its slot is given back."""
    measured = []
    for row, cycle in seen.rows.items():
        if Path(row).parent.name == ("" if seen.here == "first" else "@first"):
            runs = cycle.samples.uninstrumented
            measured += [(s / 1e9, (s + w) / 1e9) for s, w in zip(runs.started_ns, runs.wall_ns, strict=True)]
    assert measured
    last = max(end for _, end in measured)
    assert len(seen.others) == 2
    assert all(begin > last for begin in seen.others)


def test_too_few_families_are_said_and_the_rows_stay(seen: Seen) -> None:
    (kind,) = seen.found.kinds
    assert kind.models is None
    assert "at least 3 families" in str(kind.why)
    assert seen.rows
