"""The pytest plugin: tests that hold a model to its speed, by ratios and not by times, in three states.

    def test_encoder_is_not_slower_than_last_release(cyclescope):
        measured = cyclescope.measure("minilm", "How fast is this?", threads=1, baseline="minilm-one-sentence")
        assert measured.not_slower(by=0.4)

    def test_new_attention_is_not_slower(cyclescope):
        compared = cyclescope.compare("minilm", "minilm", tokens=128, a={"attention": "eager"}, b={"attention": "sdpa"})
        assert compared.not_slower(by=0.02)

pytest loads this file in every run, so nothing here imports more than pytest until the fixture is used.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cyclescope.core.cycle import Cycle
    from cyclescope.explaining.comparison import Comparison

_NAME = re.compile(r"[\w.+-]+(?:/[\w.+-]+)*")
_MOST_TOLD = 3  # parts that changed most, in the message of a failure


class InconclusiveWarning(UserWarning):
    """Whether a limit is kept is unknown: the interval is too wide, or there is nothing to compare with here."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cyclescope", "speed of Transformer inference")
    group.addoption(
        "--cyclescope-save-baselines",
        action="store_true",
        help="store the measurements as new baselines instead of comparing with the stored ones",
    )
    group.addoption("--cyclescope-strict", action="store_true", help="fail where it is unknown whether a limit is kept")
    parser.addini(
        "cyclescope_between_runs", "expected run-to-run variation on this machine (default: 0.25)", default=""
    )
    parser.addini(
        "cyclescope_baselines",
        "folder of the baselines, relative to the root of the tests (default: .cyclescope)",
        default=".cyclescope",
    )


@dataclass(frozen=True)
class Rules:
    """What the command line and the configuration say."""

    folder: Path
    saving: bool
    strict: bool
    between_runs: float | None = None

    def path(self, name: str) -> Path:
        """The file of the baseline `name`, always inside the folder. Raises `UsageError` for a name that is none."""
        if not _NAME.fullmatch(name) or ".." in name.split("/"):
            from cyclescope.core.errors import UsageError
            from cyclescope.core.message import m

            raise UsageError(
                m("The name of a baseline must be letters, digits and - _ . + / (got {name}).", name=repr(name))
            )
        return self.folder / f"{name}.cycle"

    def require(self, name: str) -> Path:
        """The file of the baseline `name`; fails the test where there is none and none is to be stored."""
        __tracebackhide__ = True
        path = self.path(name)
        if not self.saving and not path.exists():
            pytest.fail(
                f"There is no baseline {path}.\nRun pytest with --cyclescope-save-baselines once, and keep the file.",
                pytrace=False,
            )
        return path


@dataclass(frozen=True)
class Wall:
    """Wall time of a cycle, unprofiled, in nanoseconds: median of `n` cycles with its 95 % interval, which below six cycles
    is None.
    """

    median: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, eq=False)
class Measured:
    """One measured cycle, and the name of the stored one that it is held against, if it was given."""

    cycle: Cycle
    rules: Rules
    against: str | None = None

    @property
    def wall(self) -> Wall:
        from cyclescope.core.statistics import median_estimate

        wall = median_estimate(self.cycle.samples.uninstrumented.wall_ns)
        low, high = (wall.low_ns, wall.high_ns) if wall.has_interval else (None, None)
        return Wall(wall.value_ns, low, high, wall.n)

    def not_slower(self, *, by: float) -> bool:
        """As `not_slower_than`, with the baseline that was named when this was measured."""
        __tracebackhide__ = True
        if self.against is None:
            from cyclescope.core.errors import UsageError
            from cyclescope.core.message import m

            raise UsageError(
                m("There is no baseline to compare with."),
                m("None was named when this was measured."),
                m("Name one: cyclescope.measure(…, baseline=NAME)."),
            )
        return self.not_slower_than(self.against, by=by)

    def not_slower_than(self, baseline: str, *, by: float) -> bool:
        """True if this is not slower than the stored `baseline` by more than `by` (a share); fails the test if it is.

        Where that is unknown, a warning is given, or the test fails with `--cyclescope-strict`. A baseline was
        measured in another process, perhaps on another day: a `by` below the width that this adds (docs/compare.md)
        can seldom be told. With `--cyclescope-save-baselines` the baseline is stored, and True.
        """
        __tracebackhide__ = True
        path = self.rules.require(baseline)
        if self.rules.saving:
            from cyclescope.store.run_file import save

            path.parent.mkdir(parents=True, exist_ok=True)
            save(self.cycle, path)
            return True
        from cyclescope.explaining.comparison import Aspect, compare
        from cyclescope.store.run_file import load

        comparison = compare(load(path), self.cycle, between_runs=self.rules.between_runs)
        elsewhere = [d for d in comparison.differences if d.aspect in (Aspect.PROCESSOR, Aspect.CORES, Aspect.DEVICE)]
        if elsewhere:
            was, here = elsewhere[0].a, elsewhere[0].b
            return _unknown(f"The baseline {path} is of another machine ({was}, here {here}).", self.rules)
        return _judged(comparison, by, self.rules)


@dataclass(frozen=True, eq=False)
class Compared:
    """Two models whose runs were interleaved."""

    comparison: Comparison
    rules: Rules

    @property
    def a(self) -> Measured:
        return Measured(self.comparison.a, self.rules)

    @property
    def b(self) -> Measured:
        return Measured(self.comparison.b, self.rules)

    @property
    def ratio(self) -> float:
        """B ÷ A."""
        return self.comparison.ratio.value

    def not_slower(self, *, by: float = 0.05) -> bool:
        """True if B is not slower than A by more than `by` (a share); fails the test if it is, else as above."""
        __tracebackhide__ = True
        return _judged(self.comparison, by, self.rules)


@dataclass(frozen=True)
class Cyclescope:
    """What the fixture `cyclescope` gives."""

    rules: Rules

    def measure(
        self, model: object, text: str | Sequence[str] | None = None, *, baseline: str | None = None, **options: Any
    ) -> Measured:
        """Measure a model as `cyclescope.measure` does; `options` are the same.

        `baseline` names the stored run for `not_slower`. Where that is missing the test fails before anything is measured.
        """
        __tracebackhide__ = True
        if baseline is not None:
            self.rules.require(baseline)
        from cyclescope.measuring.measure import measure

        return Measured(measure(model, text, **options), self.rules, baseline)

    def compare(
        self,
        model_a: object,
        model_b: object,
        text: str | Sequence[str] | None = None,
        *,
        a: Mapping[str, object] | None = None,
        b: Mapping[str, object] | None = None,
        **options: Any,
    ) -> Compared:
        """Measure two models, interleaved, as `cyclescope.measure_pair` does, and compare them."""
        from cyclescope.explaining.comparison import compare
        from cyclescope.measuring.pair import measure_pair

        return Compared(compare(*measure_pair(model_a, model_b, text, a=a, b=b, **options)), self.rules)

    def baseline(self, name: str) -> Measured:
        """A stored baseline. Raises `RunFileError` where there is none."""
        from cyclescope.store.run_file import load

        return Measured(load(self.rules.path(name)), self.rules)


@pytest.fixture
def cyclescope(pytestconfig: pytest.Config) -> Cyclescope:
    """Measures models, and compares them with each other, interleaved, or with stored baselines."""
    folder = pytestconfig.rootpath / pytestconfig.getini("cyclescope_baselines")
    saving, strict = (
        bool(pytestconfig.getoption(name)) for name in ("--cyclescope-save-baselines", "--cyclescope-strict")
    )
    between = str(pytestconfig.getini("cyclescope_between_runs"))
    return Cyclescope(Rules(folder, saving, strict, float(between) if between else None))


def _judged(comparison: Comparison, by: float, rules: Rules) -> bool:
    __tracebackhide__ = True
    from cyclescope.explaining.comparison import Limit

    limit = comparison.slower_by_more_than(by)
    if limit is Limit.EXCEEDED:
        pytest.fail(_told(comparison, by), pytrace=False)
    return True if limit is Limit.KEPT else _unknown(_told(comparison, by), rules)


def _unknown(why: str, rules: Rules) -> bool:
    __tracebackhide__ = True
    if rules.strict:
        pytest.fail(why, pytrace=False)
    warnings.warn(InconclusiveWarning(why), stacklevel=4)
    return True


def _told(comparison: Comparison, by: float) -> str:
    """The verdict, the limit, how it was measured, and what changed most."""
    from cyclescope.report import format as fmt
    from cyclescope.report.names import printable
    from cyclescope.report.naming.between import between_label_of_both
    from cyclescope.report.naming.changes import part_name
    from cyclescope.report.naming.comparing import limit_kept, verdict
    from cyclescope.report.pages.comparison import method

    between = between_label_of_both(comparison.a.graph, comparison.b.graph)
    lines = [str(verdict(comparison)), str(limit_kept(comparison, by)), f"method: {method(comparison)}"]
    lines += [
        f"B − A {fmt.time_difference(change.delta_ns)}: {part_name(change, between)}"
        for change in comparison.operations[:_MOST_TOLD]
    ]
    return "\n".join(map(printable, lines))
