"""A recipe comes back as it was written; what is cut, foreign or newer says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cyclescope.core.edits import CALIBRATED, Edit
from cyclescope.core.errors import OutputError, RunFileError, UnknownModel, UsageError
from cyclescope.core.plan import ModelChange, Plan
from cyclescope.optimizing.recipes.recipe import Recipe, load_recipe, save_recipe
from cyclescope.optimizing.recipes.recipe_job import files_beside, job_of, refuse_other_model

from .plans_on_paper import workload
from .recipes import BASE, EDITS, USUAL, recipe


@pytest.mark.parametrize(
    "written",
    [
        USUAL,
        replace(USUAL, edits=EDITS, plan=replace(BASE, changes=(ModelChange("drop-layers", 1.0), ModelChange("relu")))),
        recipe(Plan(engine="onnxruntime", threads=2, attention="engine", quantization="int8-dynamic")),
        recipe(reference='a "quoted" \\ name\nof 模型', source="", longest=None),
        replace(USUAL, proof=replace(USUAL.proof, cosine=None, same_tokens=0.5, packages=())),
    ],
)
def test_a_recipe_comes_back_as_it_was_written(written: Recipe, tmp_path: Path) -> None:
    save_recipe(written, tmp_path / "r.toml")
    assert load_recipe(tmp_path / "r.toml") == written


def test_a_recipe_can_be_read_by_a_person(tmp_path: Path) -> None:
    save_recipe(USUAL, tmp_path / "r.toml")
    text = (tmp_path / "r.toml").read_text(encoding="utf-8")
    for line in ('reference = "bert-base-chinese"', "[plan]", "threads = 2", "[proof]", "speed_up = 1.5"):
        assert line in text


def damaged(tmp_path: Path, old: str, new: str) -> Path:
    save_recipe(replace(USUAL, edits=EDITS), tmp_path / "r.toml")
    text = (tmp_path / "r.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "r.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    return tmp_path / "r.toml"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('schema = "cyclescope/recipe"', 'schema = "cyclescope/cycle"', "is not a recipe"),
        ('schema = "cyclescope/recipe"', "", "is not a recipe"),
        ("version = 1", "version = 2", "too new"),
        ("version = 1", "version = true", "is not a recipe"),
        ("version = 1", "version = 0", "is not a recipe"),
        ("threads = 1", 'threads = "many"', "an incomplete recipe"),
        ("speed_up = 1.5", "", "an incomplete recipe"),
        ("speed_up = 1.5", "", "MeasurementRecord needs speed_up"),
        ("[work]", "[wo", "is not a recipe"),
        ("numbers = [", 'numbers = ["x",', "an incomplete recipe"),
    ],
)
def test_what_is_damaged_says_so(old: str, new: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(RunFileError) as failed:
        load_recipe(damaged(tmp_path, old, new))
    assert said in str(failed.value.summary)
    assert "__init__" not in str(failed.value.summary)
    assert failed.value.way_out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "schema"),
        (b"\xff\xfe\x00", "bytes are not UTF-8 text"),
        (b"[", "not valid TOML"),
        (b"\x00" * 100, "not valid TOML"),
        (b"PK\x03\x04" + b"\xa4" * 100, "a zip file, like a saved run"),
    ],
)
def test_what_is_no_recipe_says_so(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_bytes(content)
    with pytest.raises(RunFileError, match="not a recipe") as failed:
        load_recipe(tmp_path / "r.toml")
    assert said in str(failed.value.summary)
    assert "codec" not in str(failed.value.summary)


def test_what_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match="no file"):
        load_recipe(tmp_path / "r.toml")
    with pytest.raises(RunFileError, match="cannot be read"):
        load_recipe(tmp_path)
    with pytest.raises(OutputError):
        save_recipe(USUAL, tmp_path / "nowhere" / "r.toml")


def test_a_field_of_a_later_version_of_this_format_is_passed_over(tmp_path: Path) -> None:
    path = damaged(tmp_path, "[work]", "[work]\nmood = 'good'")
    assert load_recipe(path).work == USUAL.work


# The work of a recipe ---------------------------------------------------------------------------------------------------


def test_a_recipe_of_several_texts_asks_for_texts() -> None:
    with pytest.raises(UsageError, match="needs texts"):
        job_of(USUAL)
    assert job_of(USUAL, texts=("a", "b")).texts == ("a", "b")
    one = replace(USUAL, work=replace(USUAL.work, texts=1, batch=8))
    assert (job_of(one).tokens, job_of(one).batch) == (16, 8)
    assert job_of(one, tokens=9).tokens == 9
    assert job_of(USUAL, "mine", ("a",)).weights == "auto"
    assert job_of(USUAL, None, ("a",)).weights == "random"


def test_another_model_is_refused() -> None:
    here = workload()
    own = replace(
        USUAL,
        model=replace(
            USUAL.model, class_name=here.model.class_name, parameters=here.model.parameters, weights="pretrained"
        ),
    )
    refuse_other_model(own, here)
    with pytest.raises(UsageError, match="not the model of the recipe"):
        refuse_other_model(USUAL, here)
    with pytest.raises(UsageError, match="not the model of the recipe"):
        refuse_other_model(replace(own, model=replace(own.model, parameters=7)), here)
    refuse_other_model(replace(own, model=replace(own.model, weights="random")), here)
    with pytest.raises(UsageError, match="must be those that the edits"):
        refuse_other_model(replace(own, edits=EDITS, model=replace(own.model, weights="random")), here)


def test_weights_of_a_student_lie_beside_the_recipe(tmp_path: Path) -> None:
    from cyclescope.core.edits import LOAD_WEIGHTS, Edit

    taught = replace(USUAL, edits=(Edit(LOAD_WEIGHTS, "student.safetensors"),))
    assert files_beside(USUAL, tmp_path / "r.toml") is None
    with pytest.raises(RunFileError, match="missing"):
        files_beside(taught, tmp_path / "r.toml")
    (tmp_path / "student.safetensors").write_bytes(b"")
    assert files_beside(taught, tmp_path / "r.toml") == str(tmp_path)
    outside = replace(USUAL, edits=(Edit(LOAD_WEIGHTS, "../student.safetensors"),))
    (tmp_path / "inside").mkdir()
    with pytest.raises(RunFileError, match="missing"):
        files_beside(outside, tmp_path / "inside" / "r.toml")


def test_what_was_calibrated_lies_beside_the_recipe_or_the_recipe_is_refused(tmp_path: Path) -> None:
    plan = replace(BASE, engine="openvino", attention="engine", quantization="int8-static")
    names = ("openvino-int8-static-0a-model.xml", "openvino-int8-static-0a-model.bin")
    made = replace(USUAL, plan=plan, edits=tuple(Edit(CALIBRATED, name, (1, -2)) for name in names))
    save_recipe(made, tmp_path / "r.toml")
    assert load_recipe(tmp_path / "r.toml") == made
    (tmp_path / names[0]).touch()
    with pytest.raises(RunFileError, match=r"model\.bin is missing"):
        files_beside(made, tmp_path / "r.toml")
    (tmp_path / names[1]).touch()
    assert files_beside(made, tmp_path / "r.toml") == str(tmp_path)
    with pytest.raises(RunFileError, match="names no file"):
        files_beside(replace(made, edits=()), tmp_path / "r.toml")


def test_a_folder_that_is_not_here_asks_for_the_model() -> None:
    from cyclescope.optimizing.recipes.snippet_model import model_for

    with pytest.raises(UnknownModel) as failed:
        model_for(recipe(reference="./nowhere/at-all"))
    assert "--model" in str(failed.value.way_out)
