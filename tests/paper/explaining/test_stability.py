"""Every warning is raised by its cause alone, with the number that belongs to it; a healthy cycle raises none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from core.small_graphs import small_bert
from paper_models import paper_cycle

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.samples import Instrumentation, Load, SetUp, UninstrumentedSamples
from cyclescope.explaining.attribution import attribute
from cyclescope.explaining.closure import close
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import MeasurementWarning, WarningCode
from cyclescope.explaining.stability import relative_drift

GRAPH = small_bert()
TIMES = np.full(len(GRAPH.slots), 10_000)
# As even as in a quiet room: nine runs within one percent.
QUIET = (1.0, 1.002, 0.999, 1.001, 0.998, 1.003, 0.997, 1.002, 1.0)


def healthy(pace: tuple[float, ...] = QUIET, runs: int = 18) -> Cycle:
    return paper_cycle(GRAPH, TIMES, pace=pace, runs=runs)


def with_samples(**changes: object) -> Cycle:
    cycle = healthy()
    return replace(cycle, samples=replace(cycle.samples, **changes))  # type: ignore[arg-type]


def with_load(**changes: object) -> Cycle:
    return with_samples(load=replace(Load(other_busy=0.02), **changes))  # type: ignore[arg-type]


def with_walls(walls: list[float]) -> Cycle:
    """Uninstrumented runs of these many totals of the cycle."""
    wall = np.asarray([factor * TIMES.sum() for factor in walls]).astype(np.int64)
    return with_samples(uninstrumented=UninstrumentedSamples(wall, wall, np.cumsum(wall) - wall))


def warnings(cycle: Cycle) -> tuple[MeasurementWarning, ...]:
    return explain(cycle).warnings


def test_a_healthy_cycle_raises_no_doubt() -> None:
    assert warnings(healthy()) == ()


@pytest.mark.parametrize(
    ("cycle", "warning"),
    [
        (replace(healthy(), partial=True), MeasurementWarning(WarningCode.PARTIAL, 18)),
        (
            paper_cycle(GRAPH, TIMES, pace=QUIET, instrumented=False),
            MeasurementWarning(WarningCode.NO_INSTRUMENTED_RUN),
        ),
        (with_load(swapped=True), MeasurementWarning(WarningCode.SWAPPED)),
        (with_load(throttled_ns=1), MeasurementWarning(WarningCode.THROTTLED, 1)),
        (with_load(other_busy=0.11), MeasurementWarning(WarningCode.OTHER_LOAD, 0.11)),
        (with_samples(set_up=SetUp(warmup_cycles=31, steady=False)), MeasurementWarning(WarningCode.NOT_STEADY, 31)),
    ],
    ids=lambda value: value.code.value if isinstance(value, MeasurementWarning) else "",
)
def test_a_cause_raises_its_doubt_and_no_other(cycle: Cycle, warning: MeasurementWarning) -> None:
    assert warnings(cycle) == (warning,)


@pytest.mark.parametrize(
    "load",
    [Load(), Load(other_busy=0.10), Load(other_busy=0.0, throttled_ns=0)],
    ids=["unknown", "at the bound", "none"],
)
def test_a_load_that_is_unknown_or_small_raises_no_doubt(load: Load) -> None:
    assert warnings(with_samples(load=load)) == ()


def test_a_cost_of_stamps_that_is_not_known_raises_its_doubt() -> None:
    """Stamps cost a good part of this small cycle, so the account is open as well."""
    codes = [warning.code for warning in warnings(with_samples(instrumentation=None))]
    assert codes == [WarningCode.NO_CALIBRATION, WarningCode.OPEN_ACCOUNT]


@pytest.mark.parametrize(("error", "raised"), [(0.029, False), (0.031, True), (-0.029, False), (-0.031, True)])
def test_a_rest_of_more_than_three_percent_opens_the_account_with_its_sign(error: float, raised: bool) -> None:
    pairs = GRAPH.slots.stamp_cost_ns(400, 800).sum() / 1200
    cycle = paper_cycle(GRAPH, TIMES, pace=(1.0,))
    belief = Instrumentation("script", 400, 800 + error * TIMES.sum() / pairs, "script", 1)
    found = warnings(replace(cycle, samples=replace(cycle.samples, instrumentation=belief)))
    assert [warning.code for warning in found] == [WarningCode.OPEN_ACCOUNT] * raised
    assert [warning.value for warning in found] == [pytest.approx(error)] * raised


@pytest.mark.parametrize(("runs", "raised"), [(1, True), (5, True), (6, False)])
def test_fewer_than_six_repeats_are_few_even_if_they_agree(runs: int, raised: bool) -> None:
    found = warnings(paper_cycle(GRAPH, TIMES, pace=(1.0,), runs=runs))
    assert found == ((MeasurementWarning(WarningCode.NO_INTERVAL, runs),) if raised else ())


@pytest.mark.parametrize(("spread", "raised"), [(0.029, False), (0.031, True)])
def test_a_median_known_to_more_than_three_percent_is_doubted_with_its_half_width(spread: float, raised: bool) -> None:
    """Of eighteen runs the interval is from rank 4 to rank 13: nine low and nine high ones reach both."""
    walls = [1 - spread, 1 + spread] * 9
    found = [warning for warning in warnings(with_walls(walls)) if warning.code is WarningCode.FEW_REPEATS]
    assert [warning.value for warning in found] == [pytest.approx(spread, rel=1e-3)] * raised


@pytest.mark.parametrize("step", [0.06, -0.06])
def test_a_median_that_moves_from_the_first_third_to_the_last_is_drift(step: float) -> None:
    found = [
        warning for warning in warnings(with_walls([1.0] * 9 + [1.0 + step] * 6)) if warning.code is WarningCode.DRIFT
    ]
    assert [warning.value for warning in found] == [pytest.approx(step, rel=1e-3)]


def test_a_move_of_less_than_five_percent_is_no_drift() -> None:
    assert relative_drift(np.asarray([100.0] * 9 + [104.0] * 6)) == pytest.approx(0.04)
    assert WarningCode.DRIFT not in {warning.code for warning in warnings(with_walls([1.0] * 9 + [1.04] * 6))}


def test_nothing_gets_shorter_by_more_than_all_of_it() -> None:
    """Of the median of all, 60, the fall from 100 to 20 would be 133 %."""
    assert relative_drift(np.asarray([100.0] * 3 + [60.0] * 3 + [20.0] * 3)) == pytest.approx(-0.8)
    assert relative_drift(np.asarray([0.0] * 3 + [1.0] * 6)) == 0.0  # of nothing there is no share


def test_fewer_than_nine_runs_tell_no_drift() -> None:
    assert relative_drift(np.asarray([100.0] * 4 + [200.0] * 4)) == 0.0
    assert relative_drift(np.asarray([100.0] * 4 + [200.0] * 5)) == 1.0


def test_a_change_within_the_noise_is_no_drift() -> None:
    rising = [90.0, 100.0, 110.0]
    assert relative_drift(np.asarray(rising * 2 + [x + 10 for x in rising])) == 0.0
    assert relative_drift(np.asarray(rising * 2 + [x + 11 for x in rising])) == pytest.approx(11 / 100)


def test_the_gravest_doubt_comes_first() -> None:
    cycle = paper_cycle(GRAPH, TIMES, instrumented=False, partial=True, runs=3, load=Load(0.5, True, 7))
    assert [warning.code for warning in warnings(cycle)] == [
        WarningCode.PARTIAL,
        WarningCode.NO_INSTRUMENTED_RUN,
        WarningCode.SWAPPED,
        WarningCode.THROTTLED,
        WarningCode.OTHER_LOAD,
        WarningCode.NO_INTERVAL,
    ]


@pytest.mark.parametrize("source", [Source.PREDICTED, Source.IMPORTED])
def test_a_cycle_that_was_not_measured_has_no_doubts_of_measuring(source: Source) -> None:
    assert warnings(replace(healthy(runs=1), source=source, partial=True)) == ()


def test_closing_and_doubting_agree_on_the_bound() -> None:
    """A reader must not see a closed account and the warning that it is open."""
    for error in np.linspace(-0.06, 0.06, 25):
        cycle = with_walls([1.0 + float(error)] * 18)
        closure = close(cycle, attribute(cycle))
        assert closure.closes != any(warning.code is WarningCode.OPEN_ACCOUNT for warning in warnings(cycle))
