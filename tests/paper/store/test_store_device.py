"""Marks of a device come back from a file as they were, and a file whose marks contradict each other is refused."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from paper_device import Planted, device_cycle

from cyclescope.core.codec import decode, encode
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import RunFileError
from cyclescope.store.run_file import load, save

OPS = [Planted(2_000)] * 4


def test_marks_come_back(tmp_path: Path) -> None:
    cycle = device_cycle(OPS, mark_host_ns=1_500, mark_device_ns=700)
    save(cycle, tmp_path / "run.cycle")
    before, after = cycle.samples.device, load(tmp_path / "run.cycle").samples.device
    assert before is not None
    assert after is not None
    for field in fields(before):
        assert np.array_equal(getattr(before, field.name), getattr(after, field.name)), field.name


@pytest.mark.parametrize("column", ["begin_ns", "boundaries_ns", "held"])
def test_marks_that_do_not_fit_are_refused(tmp_path: Path, column: str) -> None:
    cycle = device_cycle(OPS)
    marks = cycle.samples.device
    assert marks is not None
    broken = replace(marks, **{column: getattr(marks, column)[..., :-1]})  # type: ignore[arg-type]
    save(replace(cycle, samples=replace(cycle.samples, device=broken)), tmp_path / "run.cycle")
    with pytest.raises(RunFileError, match="contradicts itself"):
        load(tmp_path / "run.cycle")


def test_a_file_from_before_there_were_marks_is_read() -> None:
    cycle = device_cycle(OPS)
    data, arrays = encode(replace(cycle, samples=replace(cycle.samples, device=None)))
    del data["samples"]["device"]
    assert decode(Cycle, data, arrays).samples.device is None
