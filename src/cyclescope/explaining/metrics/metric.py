"""A metric that was measured: its definition, its figure with n and an interval, and the percentiles that n supports."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from cyclescope.core.series import mean_of_rows, median_of_rows, series_interval
from cyclescope.core.statistics import CONFIDENCE, LEAST_SAMPLES, Estimate, median_ranks, scenario_quantiles
from cyclescope.core.units import FloatArray
from cyclescope.explaining.metrics.definition import DEFINITIONS, Definition, MetricName, Summary, Unit
from cyclescope.explaining.metrics.formula import Formula
from cyclescope.explaining.metrics.observed import Observed
from cyclescope.explaining.metrics.trend import theil_sen

PERCENTS = (50, 90, 99)
# The mean gap between two tokens, their median, and how many tokens come in the time of the mean gap.
_OF_STEPS = (MetricName.TPOT, MetricName.ITL, MetricName.DECODE_THROUGHPUT)


class IntervalSource(StrEnum):
    """What an interval comes from."""

    RUNS = "runs"
    SCENARIOS = "scenarios"  # of a prediction
    STEPS = "steps"  # of a few runs, in blocks, so that their dependence is counted
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MetricFigure:
    """A value in the unit of its metric, with its 95 % interval over `runs` independent runs (for a slope: over points).

    Where runs are few, and steps of a generation many, the interval is that of the steps: `steps` is how many independent
    ones they are worth, 0 where it comes from the runs. Of a prediction the runs are `scenarios`.
    """

    value: float
    low: float
    high: float
    runs: int
    steps: int = 0
    scenarios: bool = False

    @property
    def as_time(self) -> Estimate:
        """The same as a time, where the unit is one."""
        return Estimate(self.value, self.low, self.high, self.steps or self.runs)

    @property
    def source(self) -> IntervalSource:
        """What the interval comes from."""
        if self.steps:
            return IntervalSource.STEPS
        if not self.as_time.has_interval:
            return IntervalSource.NONE
        return IntervalSource.SCENARIOS if self.scenarios else IntervalSource.RUNS


@dataclass(frozen=True, slots=True)
class Percentile:
    """`percent` of the samples are at most `value`."""

    percent: int
    value: float


@dataclass(frozen=True, slots=True)
class Metric:
    """`figure` is None where the metric is undefined: absent, not zero. `n` counts the samples of its population."""

    definition: Definition
    n: int
    figure: MetricFigure | None
    mean: float | None
    percentiles: tuple[Percentile, ...] = ()


def least_samples(percent: int) -> int:
    """How many samples a percentile needs: enough that one of them lies beyond it with 95 % confidence.

    percent^n ≤ 5 %: 5 for the median, 29 for p90, 299 for p99.
    """
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(percent / 100))


def samples_of(formula: Formula, unit: Unit, observed: Observed) -> FloatArray:
    """The samples [runs, k] in `unit`. A run in which the clock stood still between two points has no rate and is left out."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.asarray(formula.value(observed), dtype=np.float64) * unit.scale
    finite: FloatArray = values[np.isfinite(values).all(axis=1)]
    return finite


def evaluate(definition: Definition, observed: Observed) -> Metric:
    """`definition` over the runs that were `observed`."""
    absent = Metric(definition, 0, None, None)
    if observed.tokens < definition.least_tokens:
        return absent
    values = samples_of(definition.formula, definition.unit, observed)
    if not values.size:
        return absent
    if observed.scenarios:
        return _predicted(definition, values)
    if definition.summary is Summary.SLOPE:
        series = np.median(values, axis=0)
        trend = theil_sen(np.arange(len(series)), series)
        return Metric(definition, trend.n, MetricFigure(trend.slope, trend.low, trend.high, trend.n), None)
    return Metric(
        definition,
        int(values.size),
        _from_steps(definition, observed, _median(values)),
        float(values.mean()),
        tuple(
            Percentile(percent, float(np.percentile(values, percent)))
            for percent in PERCENTS
            if values.size >= least_samples(percent)
        ),
    )


def _predicted(definition: Definition, values: FloatArray) -> Metric:
    """The metric of scenarios [scenarios, k]: the figure of the median one, between the quantiles of all.

    What a scenario is worth as a sample of many cycles, no scenario says: there is no mean and there are no percentiles.
    """
    if definition.summary is Summary.SLOPE:
        of_rows = np.asarray([theil_sen(np.arange(values.shape[1]), row).slope for row in values])
    else:
        of_rows = np.median(values, axis=1)
    value = float(np.median(of_rows))
    low, high = (float(end) for end in scenario_quantiles(of_rows))
    figure = MetricFigure(value, min(low, value), max(high, value), len(of_rows), scenarios=True)
    return Metric(definition, len(of_rows), figure, None)


def evaluate_all(observed: Observed) -> tuple[Metric, ...]:
    return tuple(evaluate(definition, observed) for definition in DEFINITIONS)


def _from_steps(definition: Definition, observed: Observed, figure: MetricFigure) -> MetricFigure:
    """`figure` with the interval of the steps, where it has none from its runs and the metric is about steps."""
    if figure.runs >= LEAST_SAMPLES or definition.name not in _OF_STEPS:
        return figure
    statistic = median_of_rows if definition.name is MetricName.ITL else mean_of_rows
    found = series_interval(observed.gaps_ns, statistic)
    if found is None:
        return figure
    low, high = found.low, found.high
    if definition.name is MetricName.DECODE_THROUGHPUT:
        if low <= 0:
            return figure
        low, high = (observed.sequences * definition.unit.scale / end for end in (high, low))
    return replace(figure, low=min(low, figure.value), high=max(high, figure.value), steps=found.n)


def _median(values: FloatArray) -> MetricFigure:
    """Median of all samples [runs, k]. Gaps of one run hang together, so the interval is that of the runs' own medians."""
    value = float(np.median(values))
    of_runs = np.sort(np.median(values, axis=1))
    low, high = median_ranks(len(of_runs))
    return MetricFigure(value, min(float(of_runs[low]), value), max(float(of_runs[high]), value), len(of_runs))
