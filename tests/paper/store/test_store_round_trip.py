"""What is saved is what is loaded, and equal cycles are equal bytes."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from saved_cycles import small_cycle

from cyclescope.core.codec import encode
from cyclescope.core.cycle import Cycle
from cyclescope.core.samples import InstrumentedSamples, UninstrumentedSamples
from cyclescope.store.run_file import load, save


def assert_same(one: Cycle, other: Cycle) -> None:
    data, arrays = encode(one)
    again, arrays_again = encode(other)
    assert again == data
    assert len(arrays) == len(arrays_again)
    for a, b in zip(arrays, arrays_again, strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert np.array_equal(a, b)


def test_a_cycle_comes_back_as_it_was(tmp_path: Path) -> None:
    cycle = small_cycle(texts=("这是一个简单的BERT模型示例。",))
    save(cycle, tmp_path / "run.cycle")
    back = load(tmp_path / "run.cycle")
    assert_same(cycle, back)
    assert back.graph.stages == cycle.graph.stages
    assert back.workload == cycle.workload
    assert back.notes == cycle.notes


def test_a_cycle_without_samples_comes_back(tmp_path: Path) -> None:
    cycle = small_cycle()
    samples = replace(
        cycle.samples,
        uninstrumented=UninstrumentedSamples.empty(),
        instrumented=InstrumentedSamples.empty(),
        instrumentation=None,
    )
    cycle = replace(cycle, samples=samples, partial=True)
    save(cycle, tmp_path / "run.cycle")
    assert_same(cycle, load(tmp_path / "run.cycle"))


def test_memory_order_and_byte_order_do_not_show(tmp_path: Path) -> None:
    cycle = small_cycle()
    instrumented = cycle.samples.instrumented
    turned = replace(instrumented, boundaries_ns=np.asfortranarray(instrumented.boundaries_ns).astype(">i8"))
    save(cycle, tmp_path / "a.cycle")
    save(replace(cycle, samples=replace(cycle.samples, instrumented=turned)), tmp_path / "b.cycle")
    assert (tmp_path / "a.cycle").read_bytes() == (tmp_path / "b.cycle").read_bytes()
    assert load(tmp_path / "b.cycle").samples.instrumented.boundaries_ns.dtype == np.dtype(np.int64)


def test_equal_cycles_are_equal_bytes(tmp_path: Path) -> None:
    save(small_cycle(), tmp_path / "a.cycle")
    save(small_cycle(), tmp_path / "b.cycle")
    save(load(tmp_path / "a.cycle"), tmp_path / "c.cycle")
    first = (tmp_path / "a.cycle").read_bytes()
    assert first == (tmp_path / "b.cycle").read_bytes()
    assert first == (tmp_path / "c.cycle").read_bytes()
    save(small_cycle(seed=1), tmp_path / "d.cycle")
    assert first != (tmp_path / "d.cycle").read_bytes()


def test_loaded_arrays_can_be_computed_with(tmp_path: Path) -> None:
    save(small_cycle(), tmp_path / "run.cycle")
    cycle = load(tmp_path / "run.cycle")
    assert len(cycle.samples.instrumented.wall_ns) == 5
    assert int(cycle.samples.uninstrumented.wall_ns.sum()) > 0


def test_the_file_is_a_plain_zip_of_json_and_arrays(tmp_path: Path) -> None:
    save(small_cycle(), tmp_path / "run.cycle")
    with zipfile.ZipFile(tmp_path / "run.cycle") as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        # The time of writing would make equal runs differ.
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert names[0] == "cycle.json"
    assert names[1:] == [f"arrays/{n}.npy" for n in range(len(names) - 1)]


def test_saving_replaces_an_older_run_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "run.cycle"
    save(small_cycle(), path)
    path.chmod(0o640)
    save(small_cycle(seed=1), path)
    assert_same(small_cycle(seed=1), load(path))
    assert os.listdir(tmp_path) == ["run.cycle"]
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    save(small_cycle(), tmp_path / "there" / "run.cycle")
    (tmp_path / "latest.cycle").symlink_to(tmp_path / "there" / "run.cycle")
    save(small_cycle(seed=1), tmp_path / "latest.cycle")
    assert (tmp_path / "latest.cycle").is_symlink()
    assert_same(small_cycle(seed=1), load(tmp_path / "there" / "run.cycle"))


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_new_run_is_as_readable_as_any_new_file(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        save(small_cycle(), tmp_path / "run.cycle")
    finally:
        os.umask(before)
    assert (tmp_path / "run.cycle").stat().st_mode & 0o777 == 0o666 & ~mask


OLD = Path(__file__).parents[2] / "data" / "store" / "format-1.cycle"


def test_a_file_of_the_first_format_is_read_and_written_alike(tmp_path: Path) -> None:
    """The file calls the runs "plain" and "light", as all files do."""
    cycle = load(OLD)
    assert_same(cycle, small_cycle())
    assert len(cycle.samples.uninstrumented) == len(cycle.samples.instrumented) == 5
    save(cycle, tmp_path / "again.cycle")
    before, again = (_members(path) for path in (OLD, tmp_path / "again.cycle"))
    old, new = (json.loads(members["cycle.json"]) for members in (before, again))
    assert (old.pop("version"), new.pop("version")) == (1, 2)
    assert _holds(new, old)
    assert {**before, "cycle.json": b""} == {**again, "cycle.json": b""}


def _holds(new: object, old: object) -> bool:
    """Whether `new` says all that `old` says, the same at each place; fields that were added since stand beside it."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(key in new and _holds(new[key], value) for key, value in old.items())
    return new == old


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
