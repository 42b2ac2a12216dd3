"""The pytest plugin in a pytest of its own: what passes, what fails, what is only warned of, and what it costs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

# The inner runs are in this process, and forget what they were the first to import.
from noise import NoisyMachine  # noqa: F401
from paper_models import paper_bert, paper_cycle

import cyclescope.explaining.comparison
import cyclescope.measuring.pair
import cyclescope.pytest_plugin
import cyclescope.report.pages.comparison  # noqa: F401
from cyclescope.pytest_plugin import Measured, Rules

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
# Measures on paper: `model` is the factor by which its cycle is longer than the base, `pace` makes it noisy.
PAPER = """
from dataclasses import replace
import numpy as np, pytest
import cyclescope.measuring.measure, cyclescope.measuring.pair
from noise import NoisyMachine, in_turns
from paper_models import paper_bert, paper_cycle, slot_times

GRAPH = paper_bert(2)

def measure(model, text=None, *, processor="paper", **options):
    cycle = paper_cycle(GRAPH, (slot_times(GRAPH) * model).astype(np.int64))
    return replace(cycle, machine=replace(cycle.machine, processor=processor))

def measure_pair(model_a, model_b, text=None, *, a, b, **options):
    uninstrumented = in_turns(NoisyMachine(0), 1e7 * model_a, 1e7 * model_b, 16)
    cycles = measure(model_a), measure(model_b)
    return tuple(replace(c, samples=replace(c.samples, uninstrumented=p)) for c, p in zip(cycles, uninstrumented))

@pytest.fixture(autouse=True)
def _on_paper(monkeypatch):
    monkeypatch.setattr(cyclescope.measuring.measure, "measure", measure)
    monkeypatch.setattr(cyclescope.measuring.pair, "measure_pair", measure_pair)
"""
# As a user gets it where the package is installed with its entry point; a checkout that was installed before has none.
INSTALLED = any(point.value == "cyclescope.pytest_plugin" for point in entry_points(group="pytest11"))
QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # the plugin is known to this process before
PLUGIN = () if INSTALLED else ("-p", "cyclescope.pytest_plugin")


class Inner:
    """A project whose tests use the plugin."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        pytester.makeconftest(PAPER)
        pytester.makeini("[pytest]\n")
        pytester.syspathinsert(ROOT / "tests" / "paper")

    def test(self, body: str) -> None:
        self.pytester.makepyfile(test_speed=f"def test_speed(cyclescope):\n    {body}\n")

    def run(self, *arguments: str) -> pytest.RunResult:
        return self.pytester.runpytest_inprocess(*PLUGIN, *QUIET, *arguments)

    def run_alone(self, *arguments: str) -> pytest.RunResult:
        """In a process of its own, as a user runs it."""
        return self.pytester.runpytest_subprocess(*PLUGIN, *arguments)


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Inner:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests" / "paper"))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return Inner(pytester)


def against_baseline(factor: float, more: str = "") -> str:
    return f"assert cyclescope.measure({factor}{more}).not_slower_than('base', by=0.4)"


@pytest.fixture
def with_baseline(inner: Inner) -> Inner:
    inner.test(against_baseline(1.0))
    inner.run("--cyclescope-save-baselines").assert_outcomes(passed=1)
    return inner


def test_a_measurement_has_its_wall_time_and_its_cycle(inner: Inner) -> None:
    inner.test(
        "m = cyclescope.measure(1.0); w = m.wall; assert 0 < w.low <= w.median <= w.high and w.n == 18;"
        " assert w.median == __import__('numpy').median(m.cycle.samples.uninstrumented.wall_ns)"
    )
    inner.run().assert_outcomes(passed=1)


@pytest.mark.parametrize(("runs", "known"), [(5, False), (6, True)])
def test_below_six_cycles_the_wall_time_has_no_interval(runs: int, known: bool, tmp_path: Path) -> None:
    wall = Measured(paper_cycle(paper_bert(1), runs=runs), Rules(tmp_path, saving=False, strict=False)).wall
    assert (wall.low is not None, wall.high is not None, wall.n) == (known, known, runs)
    assert wall.median > 0


def test_a_baseline_is_saved_and_kept(with_baseline: Inner) -> None:
    assert (with_baseline.pytester.path / ".cyclescope" / "base.cycle").is_file()
    with_baseline.run().assert_outcomes(passed=1, warnings=0)


def test_the_folder_of_baselines_can_be_chosen(inner: Inner) -> None:
    inner.pytester.makeini("[pytest]\ncyclescope_baselines = speed/kept\n")
    inner.test("assert cyclescope.measure(1.0).not_slower_than('encoder/short', by=0.4)")
    inner.run("--cyclescope-save-baselines").assert_outcomes(passed=1)

    assert (inner.pytester.path / "speed" / "kept" / "encoder" / "short.cycle").is_file()


def test_slower_fails_and_says_by_how_much_and_where(with_baseline: Inner) -> None:
    with_baseline.test(against_baseline(2.0))
    done = with_baseline.run_alone()

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*B is slower than A: *", "*limit is exceeded*40.0 %*", "*B − A +*: encode*"])


def test_faster_passes(with_baseline: Inner) -> None:
    with_baseline.test(against_baseline(0.5))
    with_baseline.run().assert_outcomes(passed=1, warnings=0)


def test_unknown_is_a_warning_and_a_failure_where_it_is_strict(with_baseline: Inner) -> None:
    with_baseline.test(against_baseline(1.15))
    warned = with_baseline.run()
    warned.assert_outcomes(passed=1, warnings=1)
    warned.stdout.fnmatch_lines(["*InconclusiveWarning: *"])
    with_baseline.run("--cyclescope-strict").assert_outcomes(failed=1)


def test_what_differs_between_runs_can_be_configured(with_baseline: Inner) -> None:
    with_baseline.pytester.makeini("[pytest]\ncyclescope_between_runs = 0.02\n")
    with_baseline.test(against_baseline(1.15))
    with_baseline.run().assert_outcomes(passed=1, warnings=0)


def test_a_baseline_of_another_machine_decides_nothing(with_baseline: Inner) -> None:
    with_baseline.test(against_baseline(3.0, ", processor='another'"))
    done = with_baseline.run()

    done.assert_outcomes(passed=1, warnings=1)
    done.stdout.fnmatch_lines(["*of another machine (paper, here another)*"])


def test_without_a_baseline_it_fails_with_the_way_out(inner: Inner) -> None:
    inner.test(against_baseline(1.0))
    done = inner.run()

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*no baseline*base.cycle*", "*--cyclescope-save-baselines*"])


def test_a_baseline_that_was_named_first_is_missed_before_anything_is_measured(inner: Inner) -> None:
    inner.test("assert cyclescope.measure('measuring this would fail', baseline='base').not_slower(by=0.4)")
    done = inner.run()

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*no baseline*base.cycle*", "*--cyclescope-save-baselines*"])


@pytest.mark.parametrize(("factor", "outcome"), [(1.0, "passed"), (2.0, "failed")])
def test_a_baseline_that_was_named_first_is_held_against(inner: Inner, factor: float, outcome: str) -> None:
    inner.test("assert cyclescope.measure(1.0, baseline='base').not_slower(by=0.4)")
    inner.run("--cyclescope-save-baselines").assert_outcomes(passed=1)
    inner.test(f"assert cyclescope.measure({factor}, baseline='base').not_slower(by=0.4)")
    inner.run_alone().assert_outcomes(**{outcome: 1})


def test_without_a_name_there_is_nothing_to_hold_it_against(inner: Inner) -> None:
    inner.test("cyclescope.measure(1.0).not_slower(by=0.4)")
    done = inner.run()

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*no baseline to compare with*"])


@pytest.mark.parametrize("name", ["../out", "a/../../b", "/etc/x", "", "a b"])
def test_a_baseline_stays_in_its_folder(inner: Inner, name: str) -> None:
    inner.test(f"cyclescope.measure(1.0).not_slower_than({name!r}, by=0.4)")
    done = inner.run("--cyclescope-save-baselines")

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*name of a baseline must be*"])


@pytest.mark.parametrize(("b", "outcome"), [(1.0, "passed"), (1.3, "failed"), (0.8, "passed")])
def test_two_models_are_compared_in_turns(inner: Inner, b: float, outcome: str) -> None:
    inner.test(f"c = cyclescope.compare(1.0, {b}); assert c.comparison.interleaved; assert c.not_slower(by=0.1)")
    inner.run().assert_outcomes(**{outcome: 1})


def test_a_stored_baseline_can_be_looked_at(with_baseline: Inner) -> None:
    with_baseline.test("assert cyclescope.measure(1.0).wall.median < 1.05 * cyclescope.baseline('base').wall.median")
    with_baseline.run().assert_outcomes(passed=1)


def test_pytest_finds_the_plugin_where_the_package_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["entry-points"]["pytest11"] == {"cyclescope": "cyclescope.pytest_plugin"}


def test_loading_the_plugin_loads_nothing_but_pytest() -> None:
    code = (
        "import pytest, sys; before = set(sys.modules); import cyclescope.pytest_plugin;"
        "print(*sorted(name for name in set(sys.modules) - before))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert {name for name in loaded if name.startswith("cyclescope")} == {
        "cyclescope",
        "cyclescope.core",
        "cyclescope.core.version",
        "cyclescope.pytest_plugin",
    }
    assert {name.partition(".")[0] for name in loaded} & {"torch", "transformers", "numpy"} == set()
