"""A saved run is known by its content, whatever its name, in every command that takes one."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from paper_models import paper_bert, paper_cycle

from cyclescope.cli.main import run
from cyclescope.core.errors import ModelError
from cyclescope.models.reference import resolve
from cyclescope.store.recognizing import is_run
from cyclescope.store.run_file import save


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "a.json"
    save(paper_cycle(paper_bert(2)), path)
    return path


def test_a_run_is_known_under_any_name(saved: Path, tmp_path: Path) -> None:
    for name in ("run", "run.json", "run.bin", "run.cycle"):
        assert is_run(shutil.copy(saved, tmp_path / name))


def test_a_run_that_was_cut_is_still_one(saved: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.json"
    cut.write_bytes(saved.read_bytes()[:200])
    assert is_run(cut)


def test_other_files_and_models_are_none(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "short.zip").write_bytes(b"PK\x03\x04")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("cycle.jsonx", "{}")
    (tmp_path / "model.cycle").mkdir()
    for name in ("config.json", "empty", "short.zip", "other.zip", "model.cycle", "bert-tiny"):
        assert not is_run(tmp_path / name)
    assert not is_run("bert\0tiny")


def test_a_name_that_promises_a_run_is_taken_at_its_word(tmp_path: Path) -> None:
    """So that what is wrong with it is said of a run, and not of a model."""
    assert is_run(tmp_path / "missing.cycle")
    (tmp_path / "empty.cycle").write_bytes(b"")
    assert is_run(tmp_path / "empty.cycle")


@pytest.mark.parametrize("arguments", [["compare", "{run}", "{run}"], ["show", "{run}"]])
def test_commands_read_a_run_under_another_name(
    arguments: list[str], saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run([part.format(run=saved) for part in arguments])
    assert ended.value.code == 0, capsys.readouterr().err


def test_a_run_in_place_of_a_model_is_called_a_run(saved: Path) -> None:
    with pytest.raises(ModelError) as refused:
        resolve(str(saved))
    assert "saved run" in str(refused.value.cause)
    assert "cyclescope show" in str(refused.value.way_out)
