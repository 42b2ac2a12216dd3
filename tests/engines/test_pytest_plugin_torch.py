"""The pytest plugin with a real model, in a pytest of its own process, as a project of its own would use it."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from command_line import environment, model_folder
from forked_process import ForkedProcess

TESTS = """
def test_it_is_measured(cyclescope):
    measured = cyclescope.measure("{model}", tokens=8, threads=1, budget=0.2)
    assert measured.wall.n and measured.cycle.plan.threads == 1
    assert measured.not_slower_than("tiny", by=9.0)

def test_two_ways_are_compared_in_turns(cyclescope):
    compared = cyclescope.compare("{model}", "{model}", threads=1, budget=0.2, a={{"tokens": 2}}, b={{"tokens": 30}})
    assert compared.comparison.interleaved
    assert [side.cycle.workload.tokens_in for side in (compared.a, compared.b)] == [2, 30]
    assert compared.not_slower(by=9.0)
"""


def test_a_project_measures_saves_and_compares(tmp_path: Path) -> None:
    model = model_folder(tmp_path)
    (tmp_path / "test_speed.py").write_text(TESTS.format(model=model), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    installed = any(point.value == "cyclescope.pytest_plugin" for point in entry_points(group="pytest11"))
    plugin = () if installed else ("-p", "cyclescope.pytest_plugin")
    saving, comparing = ([*plugin, "--cyclescope-save-baselines"], [*plugin])
    # Both runs in one process: its start takes longer than they do.
    code = f"import pytest, sys; sys.exit(pytest.main({saving}) or pytest.main({comparing}))"
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    with ForkedProcess(command, cwd=tmp_path, env=environment(), stdout=pipe, stderr=pipe, text=True) as child:
        out, errors = child.communicate()
    assert child.returncode == 0, out + errors
    assert out.count("2 passed") == 2

    assert (tmp_path / ".cyclescope" / "tiny.cycle").is_file()
