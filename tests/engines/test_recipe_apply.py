"""A recipe as code: it gives what the plan gave, whoever runs it; and a recipe that is verified here.

What each kind of plan comes to is compared in this process, which has the framework loaded; that the code runs as its
user runs it is seen once for each engine and once for several processes, and the plan in trial processes once for each engine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from installed import needs, skip_without

pytest.importorskip("torch")

import transformers
from command_line import CommandLine, interrupted, model_folder, process, refused
from forked_process import ForkedProcess
from running_recipes import code_here, plan_here

import cyclescope.optimizing.recipes.apply as applying
from cyclescope.core.edits import Edit
from cyclescope.core.errors import OutputError, RunFileError, UnknownModel, UsageError
from cyclescope.core.plan import ModelChange, Plan
from cyclescope.optimizing.recipes.apply import apply
from cyclescope.optimizing.recipes.recipe import MeasurementRecord, Recipe, RecipeModel, RecipeWork, save_recipe
from cyclescope.optimizing.recipes.verify import RecipeStatus, verify

ALONE = Plan(threads=1)
_CTRANSLATE2 = Plan(engine="ctranslate2", threads=1, attention="engine")
TEXTS = ("One text.", "Another text that is longer than the first.", "A third.", "And the last one of four.")
_HEADS = {"embed": "AutoModel", "classify": "AutoModelForSequenceClassification", "fill": "AutoModelForMaskedLM"}
_TINY_GPT2 = {"model_type": "gpt2", "vocab_size": 2000, "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64}
_TINY_LLAMA = {
    "model_type": "llama",
    "vocab_size": 2000,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}
_ON_ONNX = replace(ALONE, engine="onnxruntime", attention="engine", quantization="int8-weights")
_TINY_T5 = {
    "decoder_start_token_id": 0,
    "pad_token_id": 0,
    "model_type": "t5",
    "vocab_size": 2000,
    "d_model": 32,
    "d_kv": 16,
    "d_ff": 64,
    "num_layers": 2,
    "num_heads": 2,
}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan and the code run in this process instead of new ones."""
    monkeypatch.setattr(applying, "_tried", plan_here)
    monkeypatch.setattr(applying, "run_file", code_here)


def recipe(model: str, plan: Plan = ALONE, task: str = "embed", written: int = 0, **more: Any) -> Recipe:
    """A recipe for a folder with a configuration: random weights."""
    config = transformers.AutoConfig.from_pretrained(model)
    head = _HEADS.get(task, "AutoModelForSeq2SeqLM" if config.is_encoder_decoder else "AutoModelForCausalLM")
    built = getattr(transformers, head).from_config(config)
    longest = getattr(config, "max_position_embeddings", None)
    facts = RecipeModel(
        model,
        type(built).__name__,
        sum(p.numel() for p in {id(p): p for p in built.parameters()}.values()),
        task,
        "random",
        "",
        longest,
        bool(config.is_encoder_decoder),
    )
    work = RecipeWork("throughput", 1 if plan.drafting != "off" else 4, 16, written, 4)
    proof = MeasurementRecord(1.5, 1.4, 1.6, 9, 10.0, 6.7, "Paper", 2, "2026-01-02", packages=("torch 2",))
    return Recipe(facts, work, replace(ALONE, attention="sdpa"), plan, proof, **more)


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trial processes, and the code of a recipe, have the imports of their start behind them."""
    monkeypatch.setattr(subprocess, "Popen", ForkedProcess)


def _skip_without_engine(asked: dict[str, Any]) -> None:
    skip_without(asked.get("plan", ALONE).engine)


EDITED = {
    "plan": replace(ALONE, changes=(ModelChange("drop-layers", 1.0), ModelChange("tanh-gelu"))),
    "edits": (
        Edit("keep-layers", "encoder.layer", (1,)),
        Edit("tanh-gelu", "encoder.layer.0.intermediate.intermediate_act_fn"),
    ),
}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "asked",
    [
        {"plan": replace(ALONE, batch=2, batching="length", overlap=True)},
        {"plan": replace(ALONE, batching="packed")},
        {"plan": replace(ALONE, quantization="int8-dynamic")},
        EDITED,
        {"task": "classify", "plan": replace(ALONE, batch=1)},
        {"task": "fill", "plan": replace(ALONE, dtype="bfloat16", attention="eager")},
        {"plan": replace(_CTRANSLATE2, batch=3, quantization="int8-dynamic")},
    ],
    ids=str,
)
def test_the_code_of_an_encoder_gives_what_the_plan_gave(asked: dict[str, Any], tmp_path: Path) -> None:
    _skip_without_engine(asked)
    done = apply(recipe(str(model_folder(tmp_path)), **asked), tmp_path / "out", text=TEXTS)
    assert done.agrees
    assert done.drift.largest is not None
    assert done.drift.largest < 1e-6
    assert done.texts == 4


@pytest.mark.usefixtures("copied")
def test_the_code_of_several_processes_gives_what_the_plan_gave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "_tried", plan_here)
    done = apply(recipe(str(model_folder(tmp_path)), replace(ALONE, instances=2)), tmp_path / "out", text=TEXTS)
    assert done.agrees
    assert done.drift.largest is not None
    assert done.drift.largest < 1e-6


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("config", "asked"),
    [
        (_TINY_GPT2, {"task": "generate", "plan": replace(ALONE, batch=2, batching="length")}),
        (_TINY_GPT2, {"task": "generate", "plan": replace(ALONE, drafting="prompt-lookup")}),
        (_TINY_GPT2, {"task": "generate", "plan": replace(ALONE, drafting="layers:1")}),
        (_TINY_T5, {"task": "translate"}),
        (_TINY_GPT2, {"task": "generate", "plan": _CTRANSLATE2}),
        (_TINY_GPT2, {"task": "generate", "plan": replace(ALONE, engine="openvino", attention="engine", batch=2)}),
        (_TINY_T5, {"task": "translate", "plan": _CTRANSLATE2}),
        (_TINY_GPT2, {"task": "generate", "plan": replace(_ON_ONNX, batch=2, batching="length")}),
        (_TINY_LLAMA, {"task": "generate", "plan": replace(_ON_ONNX, drafting="prompt-lookup")}),
    ],
    ids=str,
)
def test_the_code_of_a_model_that_writes_gives_what_the_plan_gave(
    config: dict[str, Any], asked: dict[str, Any], tmp_path: Path
) -> None:
    _skip_without_engine(asked)
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    texts = TEXTS[:1] if asked.get("plan", ALONE).drafting != "off" else TEXTS
    done = apply(recipe(str(folder), written=6, **asked), tmp_path / "out", text=texts)
    assert done.drift.tokens == 1.0


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_the_code_of_an_engine_runs_its_file(engine: str, tmp_path: Path) -> None:
    skip_without(engine)
    plan = replace(ALONE, engine=engine, attention="engine")
    done = apply(recipe(str(model_folder(tmp_path)), plan), tmp_path / "out", text=TEXTS)
    assert done.agrees
    assert any(name.endswith((".onnx", ".xml")) for name in done.files)
    assert all((tmp_path / "out" / name).is_file() for name in done.files)
    text = (tmp_path / "out" / "model.py").read_text()
    assert "import torch" not in text


@needs("onnxruntime")
def test_onnx_code_and_measurement_have_the_same_options() -> None:
    from cyclescope.backends.onnxruntime.runtime import settings
    from cyclescope.backends.onnxruntime.standalone.onnx_model import session_options

    for plan in (Plan(threads=2), Plan(threads=1, threads_between=2)):
        measured, handed_over = settings(plan), session_options(plan.threads, plan.threads_between)
        for name in ("intra_op_num_threads", "inter_op_num_threads", "execution_mode"):
            assert getattr(measured, name) == getattr(handed_over, name)


@needs("openvino")
@pytest.mark.usefixtures("here")
def test_openvino_code_and_measurement_have_the_same_settings(tmp_path: Path) -> None:
    from cyclescope.backends.openvino.preparing import compile_model
    from cyclescope.backends.openvino.standalone.openvino_model import OpenVinoModel, plugin_settings

    plan = replace(ALONE, engine="openvino", attention="engine", quantization="int8-dynamic")
    apply(recipe(str(model_folder(tmp_path)), plan), tmp_path / "out", text=TEXTS)
    path = tmp_path / "out" / "model.xml"
    measured = compile_model(path, plan, counters=False)
    handed_over = OpenVinoModel(str(path), None, 1, "f32", 32)._request.get_compiled_model()
    for name in plugin_settings(1, "f32", 32):
        assert str(measured.get_property(name)) == str(handed_over.get_property(name)), name


@pytest.mark.usefixtures("here")
def test_it_is_run_from_anywhere_without_cyclescope(tmp_path: Path) -> None:
    apply(recipe(str(model_folder(tmp_path)), task="classify"), tmp_path / "out")
    (tmp_path / "cyclescope.py").write_text("raise SystemExit('cyclescope was imported')")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "out" / "model.py"), "你好", "second"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == ["你好", "second"]
    assert all(line[1].startswith("LABEL_") for line in lines)


@pytest.mark.usefixtures("here")
def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    made = recipe(str(model_folder(tmp_path)))
    out = tmp_path / "out"
    out.mkdir()
    (out / "model.py").write_text("mine")
    with pytest.raises(OutputError, match="must be empty or hold the files of an earlier"):
        apply(made, out)
    assert (out / "model.py").read_text() == "mine"
    (out / "model.py").unlink()
    apply(made, out)
    apply(made, out)  # what it wrote before it may replace
    (out / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"notes\.txt"):
        apply(made, out)
    with pytest.raises(OutputError, match="must be a folder"):
        apply(made, out / "notes.txt")


@pytest.mark.usefixtures("here", "copied")
def test_the_recipe_of_another_model_is_refused(tmp_path: Path) -> None:
    made = recipe(str(model_folder(tmp_path)))
    (tmp_path / "other").mkdir()
    other = model_folder(tmp_path / "other", num_hidden_layers=3)
    with pytest.raises(UsageError, match="is not the model of the recipe"):
        apply(made, tmp_path / "out", model=str(other))
    assert not (tmp_path / "out").exists()
    with pytest.raises(UsageError, match="is not the model of the recipe"):
        verify(made, TEXTS, model=str(other), budget=0.1)


def test_bad_input_of_both_commands(run: CommandLine, tmp_path: Path) -> None:
    assert "no file" in run.refuses(RunFileError.exit_code, "apply", tmp_path / "r.toml", "--out", tmp_path / "out")
    assert "no file" in run.refuses(RunFileError.exit_code, "verify", tmp_path / "r.toml")
    (tmp_path / "r.toml").write_text("no recipe")
    assert "not a recipe" in run.refuses(RunFileError.exit_code, "verify", tmp_path / "r.toml")
    save_recipe(recipe(str(model_folder(tmp_path))), tmp_path / "r.toml")
    # 64 and not 2: that would be an answer.
    assert "needs texts" in run.refuses(64, "verify", tmp_path / "r.toml")
    assert "must be a time" in run.refuses(64, "verify", tmp_path / "r.toml", "--budget", "soon")
    assert "must be above 0 s" in run.refuses(64, "verify", tmp_path / "r.toml", "--budget", "0s", "-t", "a")
    assert "exclude each other" in run.refuses(64, "verify", tmp_path / "r.toml", "-t", "a", "--tokens", "4")
    here = recipe(str(tmp_path / "tiny"))
    save_recipe(replace(here, model=replace(here.model, reference="./away")), tmp_path / "r.toml")
    message = run.refuses(UnknownModel.exit_code, "apply", tmp_path / "r.toml", "--out", tmp_path / "out")
    assert "--model" in message


def test_wrong_usage_of_verify_is_no_answer(tmp_path: Path) -> None:
    done = process("verify", "--no-such-option", folder=tmp_path)
    assert done.code == 64


@pytest.mark.usefixtures("here")
def test_applying_prints_a_document(run: CommandLine, tmp_path: Path) -> None:
    save_recipe(recipe(str(model_folder(tmp_path))), tmp_path / "r.toml")
    document = run.succeeds("apply", tmp_path / "r.toml", "--out", tmp_path / "out", "--json").document
    assert document["schema"] == "cyclescope/applied/2"
    assert document["agrees"] is True
    assert document["random_weights"] is True


@pytest.mark.usefixtures("copied")
def test_verifying_answers_by_its_exit_code(run: CommandLine, tmp_path: Path) -> None:
    """Half of the layers against all of them: faster by any clock, and outputs far beyond what is allowed or not."""
    model = str(model_folder(tmp_path, num_hidden_layers=16))
    edits = (Edit("keep-layers", "encoder.layer", (0,)),)
    plan = replace(ALONE, changes=(ModelChange("drop-layers", 15.0),))
    made = recipe(model, plan, edits=edits)
    save_recipe(replace(made, proof=replace(made.proof, max_drift=1.0)), tmp_path / "allowed.toml")
    save_recipe(made, tmp_path / "refused.toml")
    options = ("-t", TEXTS[0], "-t", TEXTS[1], "--budget", "1s", "--json")
    found = run("verify", tmp_path / "allowed.toml", *options)
    assert found.document["status"] == "holds", found.document["answer"]
    assert found.code == 0
    assert found.document["time"]["value"] < 0.5
    assert {"processor", "torch"} <= {d["what"] for d in found.document["differences"]}
    found = run("verify", tmp_path / "refused.toml", *options)
    assert found.document["status"] == "no longer holds"
    assert found.document["drifted"] is True
    assert found.code == 1


def test_ctrl_c_while_it_verifies_keeps_what_there_is(tmp_path: Path) -> None:
    save_recipe(recipe(str(model_folder(tmp_path)), ALONE), tmp_path / "r.toml")
    asked = (tmp_path / "r.toml", "-t", TEXTS[0], "--budget", "300s", "--json")
    done = interrupted("verify", "verify", *asked, folder=tmp_path)
    assert done.code == 130
    assert "Traceback" not in done.err
    # Two rounds are told, with their doubt; before that there is nothing to tell.
    assert done.out == "" or json.loads(done.out)["partial"] is True


@pytest.mark.usefixtures("copied")
def test_a_slower_plan_no_longer_holds(tmp_path: Path) -> None:
    model = str(model_folder(tmp_path, num_hidden_layers=16))
    made = recipe(model, ALONE)
    slower = replace(made, baseline=replace(ALONE, changes=(ModelChange("drop-layers", 15.0),)))
    slower = replace(slower, proof=replace(slower.proof, max_drift=1.0))
    assert verify(slower, TEXTS, budget=1.0).status is RecipeStatus.FAILS


def test_a_message_of_a_failure_has_its_form(tmp_path: Path) -> None:
    done = process("apply", tmp_path / "r.toml", "--out", tmp_path / "out", folder=tmp_path)
    assert "Name a file" in refused(done, RunFileError.exit_code)
