"""A new engine is one folder and one line: every command takes the toy, which only `toy_engine` and the tuple know."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from command_line import CommandLine, model_folder, process
from forked_process import ForkedProcess
from installed import needs

pytest.importorskip("torch")

from running_recipes import code_here, plan_here
from toy_engine.engine import ENGINE

import cyclescope.optimizing.recipes.apply as applying
from cyclescope.backends import engines
from cyclescope.core.plan import Plan
from cyclescope.core.units import NS_PER_S
from cyclescope.optimizing.recipes.apply import apply
from cyclescope.optimizing.recipes.recipe import MeasurementRecord, Recipe, RecipeModel, RecipeWork
from cyclescope.optimizing.strategies.strategies import STRATEGIES

pytestmark = needs("onnx", "onnxscript")  # by which a model is exported
HERE = Path(__file__).parent
PARAMETERS = 83_552  # of `command_line.TINY`
TOY = Plan(engine="toy", threads=1, attention="engine")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder(tmp_path_factory.mktemp("model"))


def in_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every process that is started from here know the toy."""
    paths = [HERE / "toy_site", HERE, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    paths = [Path(path).resolve() for path in paths if str(path)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, paths)))


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Commands of this process, which knows the toy: it imports torch once for all of them."""
    monkeypatch.setattr(engines, "ENGINES", (*engines.ENGINES, ENGINE))
    return CommandLine(capsys)


def test_measure_runs_the_model_on_it(tiny: Path, cli: CommandLine) -> None:
    done = cli.succeeds("measure", tiny, "--engine", "toy", "--tokens", "6", "--budget", "0.2", "--json")

    assert done.document["plan"]["engine"] == "toy"


def test_an_unknown_engine_is_refused_with_its_name_among_the_known(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_children(monkeypatch)
    done = process("measure", tiny, "--engine", "tpu", folder=tmp_path, fresh=True)

    assert done.code == 2
    assert "toy (got tpu)" in done.err


def test_doctor_tells_its_version(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cyclescope.cli.doctor._TRIAL_NS", NS_PER_S // 10)
    done = cli.succeeds("doctor", "--json")

    assert "toy" in done.out


def test_optimize_tries_it(tiny: Path, cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    in_children(monkeypatch)
    monkeypatch.setattr(subprocess, "Popen", ForkedProcess)
    monkeypatch.setenv("TOY_ALONE", "1")  # it ends when the toy has been tried
    monkeypatch.setattr(engines, "ENGINES", (engines.ENGINES[0], ENGINE))
    without = [word for each in STRATEGIES if each.name != "engine" for word in ("--without", each.name)]
    arguments = ("optimize", tiny, "--tokens", "6", "--threads", "1", "--budget", "5m", "--json", *without)
    done = cli.succeeds(*arguments)

    tried = [row for row in done.document["plans"] if row["plan"]["engine"] == "toy"]
    assert [row["outcome"] for row in tried[:1]] == ["tried"], done.out


def test_apply_writes_its_code_which_gives_what_the_plan_gives(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "ENGINES", (*engines.ENGINES, ENGINE))
    monkeypatch.setattr(applying, "_tried", plan_here)
    monkeypatch.setattr(applying, "run_file", code_here)
    facts = RecipeModel(str(tiny), "BertModel", PARAMETERS, "embed", "random", "", 40, False)
    proof = MeasurementRecord(1.5, 1.4, 1.6, 9, 10.0, 6.7, "Paper", 2, "2026-01-02", packages=("onnx 1",))
    made = Recipe(facts, RecipeWork("throughput", 2, 16, 0, 2), Plan(threads=1, attention="sdpa"), TOY, proof)

    applied = apply(made, tmp_path / "applied", text=["One text.", "Another text that is longer than the first."])

    assert applied.agrees
    assert {"model.py", "toy.onnx"} <= set(applied.files)
    assert "ToyModel(" in (tmp_path / "applied" / "model.py").read_text(encoding="utf-8")
