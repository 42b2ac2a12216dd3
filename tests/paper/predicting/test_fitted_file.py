"""Fitted values on disk: read as written, and refused with one clear sentence."""

from __future__ import annotations

import itertools
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from cyclescope.core.errors import FittedModelError, OutputError
from cyclescope.predicting.intervals import Conformal
from cyclescope.predicting.regression.file import read_fitted, write_fitted
from cyclescope.predicting.regression.fitting import BoostingSettings, ProcessSettings, boosting, process
from cyclescope.predicting.regression.regression import Regression
from predicting.power_law import BASE, COLUMNS, sample

SCHEMA, AGAIN = "cyclescope/test", "Fit it again."


@dataclass(frozen=True, eq=False)
class Kept:
    name: str
    parts: tuple[Regression, ...]
    intervals: Conformal


@pytest.fixture(scope="module")
def kept() -> Kept:
    x, y = sample(150, seed=0)
    boosted = boosting(COLUMNS, BASE, BoostingSettings(trees=20, folds=0))(x, y, np.ones(150))
    gaussian = process(COLUMNS, BASE, ProcessSettings(most=60))(x, y, np.ones(150))
    both = replace(gaussian, trees=boosted.trees, spread_trees=boosted.trees)
    return Kept("three", (boosted, gaussian, both), Conformal(np.arange(5.0), ("a",), (np.arange(3.0),), 2.0))


@pytest.fixture
def path(kept: Kept, tmp_path: Path) -> Path:
    write_fitted(tmp_path / "model.fitted", kept, SCHEMA, 3)
    return tmp_path / "model.fitted"


def read(path: Path, version: int = 3) -> Kept:
    return read_fitted(path, Kept, SCHEMA, version, AGAIN)


def test_what_was_written_predicts_the_same_when_read(kept: Kept, path: Path) -> None:
    found = read(path)
    rows = sample(40, seed=1)[0]

    for before, after in zip(kept.parts, found.parts, strict=True):
        a, b = before.evaluate(rows), after.evaluate(rows)
        assert after.columns == COLUMNS
        assert all(np.array_equal(getattr(a, k), getattr(b, k)) for k in ("mean", "spread", "outside"))
    assert found.intervals.quantile("a") == kept.intervals.quantile("a")


def test_equal_values_are_equal_bytes(kept: Kept, path: Path) -> None:
    before = path.read_bytes()
    write_fitted(path, kept, SCHEMA, 3)

    assert path.read_bytes() == before


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95, 0.999])
def test_a_cut_file_is_refused(path: Path, share: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])

    with pytest.raises(FittedModelError) as refused:
        read(path)
    assert "must be a fitted timing model" in str(refused.value.fact)
    assert refused.value.way_out == AGAIN
    assert refused.value.exit_code == 4


@pytest.mark.parametrize("content", [b"{}", b"\x80\x04K\x01.", b"PK\x03\x04", b"time,rows\n1,2\n"])
def test_a_foreign_file_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(FittedModelError, match="must be a fitted timing model"):
        read(path)


def test_another_kind_another_version_and_a_folder_are_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(FittedModelError, match="another kind"):
        read_fitted(path, Kept, "cyclescope/other", 3, AGAIN)
    with pytest.raises(FittedModelError, match="format 3; this cyclescope reads format 4"):
        read(path, version=4)
    with pytest.raises(FittedModelError, match="no file of cyclescope"):
        read(tmp_path)
    with pytest.raises(FittedModelError, match="cannot be read"):
        read(tmp_path / "absent")


def test_a_file_whose_arrays_contradict_each_other_is_refused(path: Path, tmp_path: Path) -> None:
    """Every array exchanged for its successor in turn: whatever breaks is one sentence, and nothing is half read."""
    refused = 0
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        content = {name: archive.read(name) for name in archive.namelist()}
    for before, after in itertools.pairwise(names):
        changed = tmp_path / "changed"
        with zipfile.ZipFile(changed, "w") as archive:
            for name, data in content.items():
                archive.writestr(name, content[after] if name == before else data)
        try:
            read(changed)
        except FittedModelError:
            refused += 1

    assert refused > len(names) / 2


def test_a_folder_that_is_not_there_is_one_sentence(kept: Kept, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_fitted(tmp_path / "absent" / "model", kept, SCHEMA, 1)
