"""Learning an engine that fuses, on paper: a planted law is found, and an interruption costs nothing that was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from paper_engine import ENGINE, PLAN, SHAPES, cases, use_paper_engine, wall_ns
from paper_learning import FAMILIES, machine, stack

from cyclescope.backends.paper import FakeClock
from cyclescope.calibrating.learning.engines import harvesting
from cyclescope.calibrating.learning.engines.harvesting import SUFFIX
from cyclescope.calibrating.learning.engines.learn import LearnedEngine, learn_engine
from cyclescope.core.errors import FittedModelError, UsageError
from cyclescope.core.samples import Load
from cyclescope.predicting.fused.fitted import engine_for, load_engine, stored_engine
from cyclescope.predicting.models import available, best
from cyclescope.report.media.terminal import to_text
from cyclescope.report.pages.calibration import Calibration, calibration_page


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LearnedEngine]:
    """What a paper machine has learned of a paper engine, and the home where it is kept."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CYCLESCOPE_HOME", str(home))
        clock = FakeClock()
        use_paper_engine(patch, clock, refused="07-delta")
        found = learn_engine(ENGINE, machine(), 20.0, clock=clock)
    return home, found


def test_a_planted_law_is_found_on_families_that_were_kept_out(learned: tuple[Path, LearnedEngine]) -> None:
    fitted = learned[1].stored.fitted
    errors = dict(zip(fitted.kinds, fitted.mean_errors(), strict=True))
    assert fitted.families == FAMILIES
    assert len(fitted.cycles) == 7 * len(SHAPES)
    assert errors["roofline"] > 0.4
    assert errors["learned"] < 0.04
    assert fitted.repeat_error is not None
    assert fitted.repeat_error < 0.02


def test_what_the_engine_does_not_take_is_named(learned: tuple[Path, LearnedEngine]) -> None:
    stored = learned[1].stored
    assert [(each.name, str(each.why)) for each in stored.fitted.refused] == [
        ("07-delta", "The paper engine takes no such model.")
    ]
    page = " ".join(to_text(calibration_page(Calibration("paper", machine(), engines=(stored,))), 100).split())
    assert "07-delta" in page
    assert "Timing models of onnxruntime" in page
    assert "No graph network was trained" in page


def test_an_unseen_cycle_is_predicted_with_an_interval(
    learned: tuple[Path, LearnedEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYCLESCOPE_HOME", str(learned[0]))
    graph = stack(200, 50, 3)
    models = available(PLAN, machine())
    assert [model.name for model in models] == ["analytic", "learned"]
    said = [(model, model.predict(graph, PLAN, machine())) for model in models]
    model, durations = said[best(said)]
    assert model.name == "learned"
    assert np.nansum(durations.slot_ns) == pytest.approx(wall_ns(graph), rel=0.08)
    assert len(durations.errors.cycles) == 7 * len(SHAPES)
    assert durations.widening < 1.3
    far = model.predict(stack(4096, 900, 9), replace(PLAN, threads=9, quantization="int8-dynamic"), machine())
    assert far.widening > 3
    assert len(far.outside) == 3


def test_other_ceilings_and_versions_make_it_stale(
    learned: tuple[Path, LearnedEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYCLESCOPE_HOME", str(learned[0]))
    assert engine_for(machine(), ENGINE) is not None
    assert engine_for(replace(machine(), taken_at="2027-01-01T00:00:00Z"), ENGINE) is None
    assert engine_for(replace(machine(), fingerprint="another"), ENGINE) is None
    assert engine_for(machine(), "openvino") is None
    monkeypatch.setattr("cyclescope.predicting.fused.fitted.fingerprint", lambda *_: "version=another")
    assert engine_for(machine(), ENGINE) is None
    kept, broken = stored_engine(ENGINE, machine())
    assert kept is not None
    assert kept.stale
    assert not broken


def test_a_file_that_is_cut_is_refused_and_named(
    learned: tuple[Path, LearnedEngine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = learned[1].stored.path
    assert path is not None
    place = tmp_path / "learned" / path.name
    place.parent.mkdir()
    place.write_bytes(path.read_bytes()[:3000])
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path))
    with pytest.raises(FittedModelError, match="must be a fitted timing model") as refused:
        load_engine(place, ENGINE)
    assert f"calibrate --learn --engine {ENGINE}" in str(refused.value.way_out)
    kept, broken = stored_engine(ENGINE, machine())
    assert kept is None
    assert len(broken) == 1
    assert engine_for(machine(), ENGINE) is None


def test_ctrl_c_keeps_what_was_measured_and_the_next_learning_goes_on_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path))
    clock = FakeClock()
    opened = use_paper_engine(monkeypatch, clock, interrupt="05-beta")
    with pytest.raises(KeyboardInterrupt):
        learn_engine(ENGINE, machine(), 20.0, clock=clock)
    assert len(opened) == 8
    (folder,) = (tmp_path / "learned").glob("*.training-*")
    kept = {path.stem for path in folder.glob(f"*{SUFFIX}")}
    assert {case.name for case in cases()[:5]} <= kept
    assert "07-delta" not in kept
    opened = use_paper_engine(monkeypatch, clock)
    found = learn_engine(ENGINE, machine(), 20.0, clock=clock)
    assert kept.isdisjoint(opened)
    assert len(opened) == 8 - len(kept)
    assert len({cycle.name.rpartition("-")[0] for cycle in found.stored.fitted.cycles}) == 8
    assert not folder.exists()


def test_too_few_families_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path))
    clock = FakeClock()
    use_paper_engine(monkeypatch, clock, count=2)
    with pytest.raises(UsageError, match="at least 3 families") as refused:
        learn_engine(ENGINE, machine(), 5.0, clock=clock)
    assert "--engine onnxruntime" in str(refused.value.way_out)


def test_the_processes_that_make_models_ready_are_no_load_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path))
    clock = FakeClock()
    use_paper_engine(monkeypatch, clock)
    ready: list[float] = []
    monkeypatch.setattr(harvesting, "prepare", lambda *_: ready.append(0.7))

    class Meter:
        """Others seem to have the share of the cores that making ready took, if it was not over when the meter was made."""

        def __init__(self) -> None:
            self.before = len(ready)

        def read(self) -> Load:
            return Load(0.25 + sum(ready[self.before :]))

    monkeypatch.setattr(harvesting, "LoadMeter", Meter)
    assert learn_engine(ENGINE, machine(), 20.0, clock=clock).stored.fitted.other_busy == 0.25
