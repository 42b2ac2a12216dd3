"""Calibrated 8 bits on OpenVINO: judged on other texts, kept as files, and run again without the texts."""

from __future__ import annotations

import runpy
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import model_folder
from forked_process import ForkedProcess
from installed import needs

import cyclescope.optimizing.recipes.apply as applying
from cyclescope.backends.artifacts.calibrated_files import install_artifacts
from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.exporting.samples import samples_of
from cyclescope.backends.torch.loading.loading import load
from cyclescope.backends.torch.planning import calls_for
from cyclescope.core.edits import files_of
from cyclescope.core.errors import UsageError
from cyclescope.core.plan import Plan
from cyclescope.core.results import Results, held_out, only
from cyclescope.optimizing.processes.messages import Job
from cyclescope.optimizing.recipes.apply_run import results_of_arrays
from cyclescope.optimizing.recipes.recipe import (
    MeasurementRecord,
    Recipe,
    RecipeModel,
    RecipeWork,
    load_recipe,
    save_recipe,
)
from cyclescope.optimizing.recipes.verify import verify
from cyclescope.optimizing.search.drift import drift

pytestmark = needs("openvino", "nncf")
TEXTS = tuple(f"Text {k} is {'much ' * k}longer." for k in range(9))
PLAN = Plan(engine="openvino", threads=1, attention="engine", quantization="int8-static", batch=4)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(model_folder(tmp_path_factory.mktemp("model")))


@pytest.mark.parametrize("batch", [0, 1, 4])
def test_the_samples_are_the_texts_that_are_not_held_out(model: str, batch: int) -> None:
    request = Request(model=model, texts=TEXTS)
    loaded = load(request)
    calls, texts, _, _ = calls_for(request, loaded, replace(PLAN, batch=batch, batching="length"))
    samples = samples_of(request, loaded, calls, texts)
    assert "7 of the 9" in str(samples.said)
    tokenized = loaded.tokenizer(list(TEXTS))["input_ids"]
    for whole in (False, True):
        seen = [row[row != 0].tolist() for arrays in samples.make(whole=whole) for row in arrays["input_ids"]]
        for number, ids in enumerate(tokenized):
            assert (ids in seen) is (number not in held_out(len(TEXTS)))
        assert whole or len(seen) == 7
    shapes = {tuple(steps.inputs()["input_ids"].shape) for steps in calls}
    assert {arrays["input_ids"].shape for arrays in samples.make(whole=True)} <= shapes


def test_few_texts_and_made_up_tokens_say_what_they_are(model: str) -> None:
    few = Request(model=model, texts=TEXTS[:3])
    loaded = load(few)
    calls, texts, _, _ = calls_for(few, loaded, PLAN)
    assert "the inputs that it is judged on" in str(samples_of(few, loaded, calls, texts).said)
    made_up = Request(model=model, tokens=5, batch=2)
    calls, texts, _, _ = calls_for(made_up, loaded, PLAN)
    samples = samples_of(made_up, loaded, calls, texts)
    assert "synthetic tokens" in str(samples.said)
    own = calls[0].inputs()["input_ids"].numpy()
    for whole in (False, True):
        drawn = [arrays["input_ids"] for arrays in samples.make(whole=whole)]
        assert len({array.tobytes() for array in drawn}) == len(drawn) > 1
        assert all(array.shape == own.shape and not np.array_equal(array, own) for array in drawn)


def test_of_a_large_batch_a_few_texts_of_each_draw_are_enough(model: str) -> None:
    made_up = Request(model=model, tokens=32, batch=8)
    loaded = load(made_up)
    calls, texts, _, _ = calls_for(made_up, loaded, PLAN)
    samples = samples_of(made_up, loaded, calls, texts)
    assert {arrays["input_ids"].shape for arrays in samples.make(whole=True)} == {(8, 32)}
    few = samples.make(whole=False)
    assert {arrays["input_ids"].shape for arrays in few} == {(4, 32)}
    assert {arrays["attention_mask"].shape for arrays in few} == {(4, 32)}


def test_of_many_texts_at_once_sixty_four_are_enough(model: str) -> None:
    many = Request(model=model, texts=tuple(f"Text {k}." for k in range(200)))
    loaded = load(many)
    calls, texts, _, _ = calls_for(many, loaded, replace(PLAN, batch=100))
    few = samples_of(many, loaded, calls, texts).make(whole=False)
    assert len(few) == 2
    assert 32 <= sum(len(arrays["input_ids"]) for arrays in few) <= 64


@pytest.fixture(scope="module")
def proved(model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe as `optimize` would write it, its files beside it."""
    folder = tmp_path_factory.mktemp("recipe")
    plain = open_session(Request(model=model, texts=TEXTS, plan=Plan(threads=1)))
    shared = str(folder / "shared")
    session = open_session(Request(model=model, texts=TEXTS, plan=PLAN, files=str(folder), shared=shared))
    judged = held_out(len(TEXTS))
    moved = drift(only(plain.results(), judged), only(session.results(), judged))
    assert moved.cosine is not None
    assert 0.99 < moved.cosine < 1.0 - 1e-7
    assert any("Calibrated on 7" in str(note) for note in session.notes)
    facts = session.workload.model
    made = Recipe(
        RecipeModel(model, facts.class_name, facts.parameters, "embed", "random", "", facts.max_positions),
        RecipeWork("throughput", len(TEXTS), 16, 0, 4),
        Plan(threads=1),
        session.plan,
        MeasurementRecord(1.5, 1.4, 1.6, 9, 10.0, 6.7, "Paper", 2, "2026-01-02", max_drift=0.01),
        session.edits,
    )
    session.close()
    plain.close()
    assert len(files_of(made.edits)) == 2
    save_recipe(made, folder / "r.toml")
    return folder / "r.toml"


def test_the_code_runs_what_was_calibrated(proved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, on another text; with another calibration, or none, it would differ by more than rounding."""

    def tried(made: Recipe, job: Job) -> tuple[Results, tuple[str, ...]]:
        request = replace(job.request(made.plan), shared=str(proved.with_name("shared")))
        session = open_session(request)
        try:
            return session.results(), session.notes
        finally:
            session.close()

    def ran(file: Path, place: str, texts: Sequence[str], *_: object, **__: object) -> Results:
        code = runpy.run_path(str(file))
        return results_of_arrays(code["run"](*code["build"](place), list(texts)), writes=False)

    monkeypatch.setattr(applying, "_tried", tried)
    monkeypatch.setattr(applying, "run_file", ran)
    done = applying.apply(proved, tmp_path / "out", text=("Yet another text.", TEXTS[0]))
    assert done.agrees
    assert done.drift.largest is not None
    assert done.drift.largest < 1e-5
    assert sum(name.endswith((".xml", ".bin")) for name in done.files) == 2
    assert not any("alibrated" in str(note) for note in done.notes)


def test_it_is_verified_in_other_processes_without_the_texts_that_it_was_calibrated_on(
    proved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", ForkedProcess)
    again = verify(proved, ("Another text.", "And one more of another length."), budget=0.1)
    assert not again.drifted
    assert again.drift.cosine is not None
    assert again.drift.cosine < 1.0 - 1e-7  # it did run in 8 bits
    assert not any("alibrated" in str(note) for note in again.notes)


def test_files_of_other_weights_are_refused(proved: Path, tmp_path: Path) -> None:
    edits = load_recipe(proved).edits
    marks = edits[0].numbers
    install_artifacts(edits, proved.parent, tmp_path / "run", tuple(mark + 1 for mark in marks))
    assert {file.name for file in (tmp_path / "run").iterdir()} >= {"model.xml", "model.bin"}
    for other in (tuple(mark + 100 for mark in marks), marks[:-1], ()):
        with pytest.raises(UsageError, match="other weights"):
            install_artifacts(edits, proved.parent, tmp_path / "other", other)
    assert not (tmp_path / "other").exists()
