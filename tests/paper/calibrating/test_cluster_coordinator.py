"""Learning on many machines, on paper: how work is divided, and what becomes of it where a machine dies."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from paper_cluster import PaperMachine, PaperPool, slower
from paper_learning import PLAN, cases, law_ns, machine, stack, use_paper

from cyclescope.backends.paper import FakeClock
from cyclescope.calibrating.learning import learn as local
from cyclescope.calibrating.learning.cluster import learn as module
from cyclescope.calibrating.learning.cluster.division import Queue, difference
from cyclescope.calibrating.learning.cluster.learn import ClusterLearning, learn_on
from cyclescope.calibrating.learning.cluster.on_ray import check_address
from cyclescope.calibrating.learning.cluster.pool import Event, names_of
from cyclescope.calibrating.learning.design import TrainingCase
from cyclescope.calibrating.learning.learn import training_folder
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import EngineError, UsageError
from cyclescope.predicting.fitted import FittedModels, load_models, models_for, place_of
from cyclescope.predicting.target import target
from cyclescope.report.documents.cluster_learning import cluster_learning_document
from cyclescope.report.documents.figures import dump
from cyclescope.report.media.markdown import to_markdown
from cyclescope.report.pages.cluster_learning import cluster_learning_page

NAMES = tuple(case.name for case in cases())


class Stage:
    """A home of its own, paper models, and learning on machines that a test names."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.machines: dict[str, PaperMachine] = {}
        monkeypatch.setenv("CYCLESCOPE_HOME", str(folder / "home"))
        monkeypatch.setattr(module, "training_cases", cases)
        monkeypatch.setattr(local, "training_cases", cases)
        self.opened = use_paper(monkeypatch, self.clock)

    def learn(self, **machines: PaperMachine) -> ClusterLearning:
        return learn_on(self.pool(machines), 20.0)

    def pool(self, machines: Mapping[str, PaperMachine], here: str | None = None) -> PaperPool:
        return PaperPool(machines, self.folder / "there", self.clock, here)

    @property
    def rows(self) -> set[str]:
        """The files of rows that are kept, below their folder."""
        place = place_of(machine().fingerprint, "torch")
        assert place is not None
        folder = training_folder(place)
        return {str(path.relative_to(folder)) for path in folder.rglob("*.cycle")}


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[ClusterLearning, Stage]:
    """What two machines that are alike have learned together, by a whole fit."""
    with pytest.MonkeyPatch.context() as patch:
        stage = Stage(tmp_path_factory.mktemp("learned"), patch)
        stage.machines = {"a": PaperMachine(), "b": PaperMachine()}
        return stage.learn(**stage.machines), stage


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learned: tuple[ClusterLearning, Stage]) -> Stage:
    """A stage on which fits are not made again: they are those of `learned`, on the workloads that were measured."""
    models = learned[0].kinds[0].models
    assert models is not None

    def fit(taken: Sequence[tuple[TrainingCase, Cycle]], ceilings: Ceilings, planned: int) -> FittedModels:
        names = {case.name for case, _ in taken}
        return replace(models, ceilings=ceilings, cases=tuple(c for c in models.cases if c.name in names))

    monkeypatch.setattr(module, "fit", fit)
    monkeypatch.setattr(local, "fit", fit)
    return Stage(tmp_path, monkeypatch)


def measured_once(*machines: PaperMachine) -> bool:
    counts = Counter(name for one in machines for share in one.shares for name in share)
    return counts == Counter(NAMES)


def test_the_design_is_divided_and_fitted_once_for_machines_that_are_alike(
    learned: tuple[ClusterLearning, Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, stage = learned
    monkeypatch.setenv("CYCLESCOPE_HOME", str(stage.folder / "home"))
    assert measured_once(*stage.machines.values())
    assert min(sum(map(len, one.shares)) for one in stage.machines.values()) >= 6
    (kind,) = found.kinds
    assert kind.models is not None
    assert kind.models.machines == ("a", "b")
    assert len(kind.models.cases) == 16
    assert found.unfinished() is None
    assert not stage.rows  # the next learning measures anew
    graph = stack(200, 50, 6, "Unseen")
    said = kind.models.hybrid.predict(graph, PLAN, machine()).slot_ns.sum()
    assert said == pytest.approx(law_ns(graph).sum(), rel=0.1)
    assert kind.path is not None
    assert load_models(kind.path).machines == ("a", "b")
    for name in ("a", "B"):
        on = target(name, "torch")
        assert models_for(on.ceilings, "torch") is not None
        assert on.machine.processor == machine().machine


def test_what_a_dead_machine_had_in_hand_is_done_by_another(stage: Stage) -> None:
    a, b = PaperMachine(), PaperMachine(dies_after=1)
    found = stage.learn(a=a, b=b)
    assert measured_once(a, b)
    assert len(b.shares) == 1
    (kind,) = found.kinds
    assert kind.models is not None
    assert {one.name: bool(one.lost) for one in kind.machines} == {"a": False, "b": True}
    assert sum(one.workloads for one in kind.machines) == 16


def test_a_machine_whose_slot_alone_died_goes_on(stage: Stage) -> None:
    a = PaperMachine(dies_after=1, comes_back=True)
    found = stage.learn(a=a)
    assert measured_once(a)
    assert not found.kinds[0].machines[0].lost
    assert found.unfinished() is None


def test_where_none_is_left_what_was_measured_is_kept_and_the_next_learning_goes_on_there(stage: Stage) -> None:
    a, b = PaperMachine(dies_after=1), PaperMachine(dies_after=2)
    found = stage.learn(a=a, b=b)
    (kind,) = found.kinds
    done = {name for one in (a, b) for share in one.shares for name in share}
    assert 0 < len(done) < 16
    assert set(kind.missing) == set(NAMES) - done
    assert stage.rows == {f"@{one}/{name}.cycle" for one, m in (("a", a), ("b", b)) for s in m.shares for name in s}
    unfinished = found.unfinished()
    assert isinstance(unfinished, EngineError)
    assert f"{len(done)} of 16" in str(unfinished)
    c = PaperMachine()
    again = stage.learn(c=c)  # another machine of the same kind
    assert {name for share in c.shares for name in share} == set(NAMES) - done
    assert again.unfinished() is None
    assert again.kinds[0].models is not None
    assert set(again.kinds[0].models.machines) == {"a", "b", "c"}
    assert {one.name for one in again.kinds[0].machines if one.earlier} == {"a", "b"}
    assert not stage.rows


def test_ctrl_c_keeps_what_has_arrived_and_learning_on_this_machine_goes_on_there(stage: Stage) -> None:
    pool = stage.pool({"here": PaperMachine(), "other": PaperMachine()}, "here")
    events: list[Event] = []

    def interrupt(event: Event) -> None:
        events.append(event)
        if len(events) == 6:
            raise KeyboardInterrupt

    pool.on_event = interrupt
    with pytest.raises(KeyboardInterrupt):
        learn_on(pool, 20.0)
    own = {name for name in stage.rows if not name.startswith("@")}
    assert len(own) >= 3
    assert len(stage.rows) > len(own)
    stage.opened.clear()
    learned = local.learn(machine(), 20.0, clock=stage.clock)
    assert len(learned.models.cases) == 16
    assert {f"{name}.cycle" for name in stage.opened} == {f"{name}.cycle" for name in NAMES} - own


def test_machines_that_look_alike_and_differ_are_learned_apart_and_it_is_said(stage: Stage) -> None:
    a, b, c = PaperMachine(), PaperMachine(ceilings=slower(1.5)), PaperMachine(ceilings=slower(1.05))
    found = stage.learn(a=a, b=b, c=c)
    assert measured_once(a, c)
    assert measured_once(b)
    assert [[one.name for one in kind.machines] for kind in found.kinds] == [["a", "c"], ["b"]]
    (said,) = map(str, found.apart)
    assert "b is learned apart from a" in said
    assert "0.67 times" in said
    paths = {kind.path for kind in found.kinds}
    assert len(paths) == 2
    assert None not in paths
    level = target("b", "torch").ceilings.levels(0)[-1].bytes_per_s.value
    assert level == pytest.approx(machine().levels(0)[-1].bytes_per_s.value / 1.5)


def test_machines_of_different_kinds_do_not_share_work(stage: Stage) -> None:
    other = replace(machine(), fingerprint=machine().fingerprint.replace("cores=", "cores=1"))
    a, b = PaperMachine(), PaperMachine(ceilings=other)
    found = stage.learn(a=a, b=b)
    assert measured_once(a)
    assert measured_once(b)
    assert len(found.kinds) == 2
    assert not found.apart
    assert target("b", "torch").machine.cores == 10 + target("a", "torch").machine.cores


def test_a_workload_that_fails_everywhere_is_left_out_and_costs_nothing_else(stage: Stage) -> None:
    bad = NAMES[5]
    a, b = PaperMachine(fails=(bad,)), PaperMachine(fails=(bad,))
    found = stage.learn(a=a, b=b)
    (kind,) = found.kinds
    assert [(name, str(why)) for name, why in kind.left_out] == [(bad, "It does not fit. Too large.")]
    assert kind.models is not None
    assert {one.name for one in kind.models.cases} == set(NAMES) - {bad}


def test_a_machine_that_never_gets_its_slot_holds_nothing_up(stage: Stage) -> None:
    a, b = PaperMachine(), PaperMachine(never_free=True)
    found = stage.learn(a=a, b=b)
    assert measured_once(a)
    assert [(name, "slot was not free" in str(why)) for name, why in found.unable] == [("b", True)]


def test_another_version_of_cyclescope_cannot_help(stage: Stage) -> None:
    a, b = PaperMachine(), PaperMachine(version="0.0.1")
    found = stage.learn(a=a, b=b)
    assert measured_once(a)
    assert "0.0.1" in str(dict(found.unable)["b"])
    with pytest.raises(UsageError, match="No machine of the cluster can measure"):
        stage.learn(b=PaperMachine(version="0.0.1"))


def test_what_is_no_cycle_is_not_kept(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = stage.pool({"a": PaperMachine()})
    spoilt: list[str] = []

    def spoil(event: Event) -> None:
        files = getattr(event.outcome, "files", {})
        if files and not spoilt:
            spoilt.append(next(iter(files)))
            files[spoilt[0]] = b"no zip"

    pool.on_event = spoil
    found = learn_on(pool, 20.0)
    assert found.unfinished() is None
    counts = Counter(name for share in pool.machines["a"].shares for name in share)
    assert counts[spoilt[0]] == 2


def test_page_and_document_say_which_machines_measured_what(stage: Stage) -> None:
    found = stage.learn(a=PaperMachine(), b=PaperMachine(dies_after=1), c=PaperMachine(version="0.0.1"))
    page = to_markdown(cluster_learning_page(found))
    assert "1 kind of machine was learned, from measurements on 2 machines." in page
    assert "c has not measured." in page
    assert "The machine, or Ray on it, died." in page
    data = json.loads(dump(cluster_learning_document(found)))
    (kind,) = data["kinds"]
    assert sum(one["workloads"] for one in kind["machines"]) == 16
    assert kind["learned"]["workloads"] == 16


def test_shares_keep_the_order_of_the_design_and_are_small() -> None:
    queue = Queue.of(cases(), 2)
    shares = list(queue.waiting)
    assert [case.name for share in shares for case in share.cases] == list(NAMES)
    assert {len(share.cases) for share in shares[:-1]} == {3}
    assert max(len(share.cases) for share in Queue.of(cases(), 1).waiting) == 6


def test_calibrations_agree_up_to_a_fifth() -> None:
    assert difference(machine(), slower(1.19)) is None
    found = difference(machine(), slower(1.3))
    assert found is not None
    assert found.ratio == pytest.approx(1 / 1.3)
    assert np.isclose(difference(slower(1.3), machine()).ratio, 1.3)  # type: ignore[union-attr]


def test_machines_of_the_same_name_are_told_apart() -> None:
    assert names_of(["vm", "node", "vm"]) == ["vm", "node", "vm-2"]


@pytest.mark.parametrize("address", ["", "somewhere", "host:", "ray://host:10001", "host:1:2 3"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="--ray must be auto or HOST:PORT"):
        check_address(address)
