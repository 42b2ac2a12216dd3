"""Learning on paper: a planted law is found, kept out families are predicted, and an interruption costs nothing measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from paper_learning import FAMILIES, PLAN, cases, law_ns, machine, stack, use_paper

from cyclescope.backends.paper import FakeClock
from cyclescope.calibrating.learning import learn as module
from cyclescope.calibrating.learning.design import training_cases
from cyclescope.calibrating.learning.learn import learn, training_folder
from cyclescope.core.errors import FittedModelError, UsageError
from cyclescope.core.units import NS_PER_S
from cyclescope.predicting.fitted import (
    FittedModels,
    errors_by_family,
    errors_of,
    load_models,
    models_for,
    place_of,
    stored_models,
)
from cyclescope.predicting.models import available


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FittedModels]:
    """What a paper machine has learned, and the home where it is kept."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CYCLESCOPE_HOME", str(home))
        patch.setattr(module, "training_cases", cases)
        clock = FakeClock()
        use_paper(patch, clock)
        found = learn(machine(), 20.0, clock=clock)
    assert found.path is not None
    return found.path, found.models


def test_a_planted_law_is_found_on_families_that_were_kept_out(learned: tuple[Path, FittedModels]) -> None:
    models = learned[1]
    assert [family for family, _ in errors_by_family(models.cases)] == list(FAMILIES)
    for _, errors in errors_by_family(models.cases):
        assert errors.hybrid < 0.12
        assert errors.learned < 0.12
        assert errors.roofline > 0.2  # the law is far from the ceilings
    assert errors_of(models.cases).hybrid < 0.06
    assert models.repeat_error is not None
    assert models.repeat_error < 0.011


def test_a_model_that_was_not_measured_is_predicted_slot_by_slot(learned: tuple[Path, FittedModels]) -> None:
    graph = stack(200, 50, 6, "Unseen")
    for model in (learned[1].learned, learned[1].hybrid):
        durations = model.predict(graph, PLAN, machine())
        assert durations.slot_ns == pytest.approx(law_ns(graph), rel=0.15)
        assert durations.slot_ns.sum() == pytest.approx(law_ns(graph).sum(), rel=0.1)
        assert durations.widening < 1.1
        assert not durations.outside


def test_what_is_far_larger_than_all_that_was_seen_is_said_and_widens(learned: tuple[Path, FittedModels]) -> None:
    graph = stack(8192, 2048, 2)
    durations = learned[1].hybrid.predict(graph, PLAN, machine())
    assert any("larger or smaller" in str(text) for text in durations.outside)
    assert durations.widening > 1.5
    # The ratio stays that of the largest that was seen; what grows with size is the analytic time.
    assert durations.slot_ns.sum() == pytest.approx(law_ns(graph).sum(), rel=0.4)


def test_other_threads_and_types_widen(learned: tuple[Path, FittedModels]) -> None:
    graph = stack(200, 50, 2)
    model = learned[1].learned
    as_learned = model.predict(graph, PLAN, machine()).widening
    assert model.predict(graph, replace(PLAN, threads=7), machine()).widening > as_learned
    assert model.predict(graph, replace(PLAN, dtype="bfloat16"), machine()).widening > as_learned


def test_fitted_models_are_found_again_and_say_the_same(
    learned: tuple[Path, FittedModels], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, models = learned
    monkeypatch.setenv("CYCLESCOPE_HOME", str(path.parent.parent))
    graph = stack(150, 30, 3)
    again = models_for(machine(), "torch")
    assert again is not None
    for kept, made in ((again.learned, models.learned), (again.hybrid, models.hybrid)):
        assert np.array_equal(
            kept.predict(graph, PLAN, machine()).slot_ns, made.predict(graph, PLAN, machine()).slot_ns
        )
        assert kept.errors.cycles == made.errors.cycles
    assert [model.name for model in available(PLAN, machine())] == ["analytic", "learned", "hybrid"]
    # Under ceilings that were measured later the ratios would mean something else.
    assert models_for(replace(machine(), taken_at="2027-01-01T00:00:00Z"), "torch") is None
    assert models_for(replace(machine(), fingerprint="another"), "torch") is None


def test_a_file_that_is_cut_is_refused_and_named(
    learned: tuple[Path, FittedModels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path))
    place = place_of(machine().fingerprint, "torch")
    assert place is not None
    place.parent.mkdir()
    place.write_bytes(learned[0].read_bytes()[:2000])
    with pytest.raises(FittedModelError, match="must be a fitted timing model"):
        load_models(place)
    kept, broken = stored_models("torch")
    assert not kept
    assert len(broken) == 1


def test_ctrl_c_keeps_what_was_measured_and_the_next_learning_goes_on_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path))
    monkeypatch.setattr(module, "training_cases", cases)
    clock = FakeClock()
    use_paper(monkeypatch, clock, interrupt="05-beta")
    with pytest.raises(KeyboardInterrupt):
        learn(machine(), 20.0, clock=clock)
    place = place_of(machine().fingerprint, "torch")
    assert place is not None
    assert not place.exists()
    kept = {path.stem for path in training_folder(place).glob("*.cycle")}
    assert kept == {f"{number:02}-{FAMILIES[number % 4]}" for number in range(5)}
    opened = use_paper(monkeypatch, clock)
    begin = clock.now_ns()
    found = learn(machine(), 20.0, clock=clock)
    assert kept.isdisjoint(opened)
    assert len(opened) == 11
    assert len(found.models.cases) == 16
    assert clock.now_ns() - begin < 20 * NS_PER_S * 11 / 16 * 1.2
    assert not training_folder(place).exists()  # the next learning measures anew


def test_too_few_families_are_no_basis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path))
    monkeypatch.setattr(module, "training_cases", lambda: cases(2))
    use_paper(monkeypatch, clock := FakeClock())
    with pytest.raises(UsageError, match="at least 3 families"):
        learn(machine(), 20.0, clock=clock)


@pytest.mark.parametrize("budget", [0.0, 4.9, float("nan"), 1e9])
def test_a_budget_that_nobody_can_mean_is_refused(budget: float) -> None:
    with pytest.raises(UsageError, match="--budget must be from 5 s to 86400 s"):
        learn(machine(), budget)


def test_the_design_spreads_and_repeats_nothing() -> None:
    found = training_cases()
    assert len({case.name for case in found}) == len(found)
    assert len({str(case.configuration) for case in found}) == len(found)
    assert {"bert", "gpt2", "llama", "t5", "mixtral", "lfm2"} <= {case.family for case in found[:13]}
    for family in ("bert", "llama", "gpt2"):
        widths = {
            case.configuration.get("hidden_size", case.configuration.get("n_embd"))
            for case in found
            if case.family == family
        }
        assert len(widths) >= 5
        assert max(widths) > 2 * min(widths)
