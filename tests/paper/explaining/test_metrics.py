"""Every metric and every dialect of it on planted times, to the nanosecond."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclescope.core.errors import UsageError
from cyclescope.explaining.metrics.definition import DEFINITIONS, MetricName, Summary, define
from cyclescope.explaining.metrics.dialects import (
    DIALECTS,
    Dialect,
    DialectFigure,
    Remark,
    Tool,
    dialects_of,
    evaluate_dialect,
)
from cyclescope.explaining.metrics.formula import BEFORE, FIRST, LAST, START, TOKEN, TOKENS, Formula
from cyclescope.explaining.metrics.metric import Metric, evaluate, evaluate_all, least_samples
from cyclescope.explaining.metrics.observed import FormulaTerm, Observed


def observed(
    emitted: Sequence[Sequence[int]],
    called: Sequence[int] | None = None,
    wall: Sequence[int] | None = None,
    *,
    sequences: int = 1,
    prompt: int = 10,
) -> Observed:
    tokens = np.asarray(emitted, dtype=np.int64)
    return Observed(
        called_ns=np.asarray([20] * len(tokens) if called is None else called, dtype=np.int64),
        emitted_ns=tokens,
        wall_ns=np.asarray([row[-1] + 7 for row in tokens] if wall is None else wall, dtype=np.int64),
        sequences=sequences,
        prompt_tokens=prompt,
    )


def by_name(metrics: Sequence[Metric]) -> dict[str, Metric]:
    return {metric.definition.name.value: metric for metric in metrics}


def values(seen: Observed) -> dict[str, float | None]:
    return {name: m.figure.value if m.figure else None for name, m in by_name(evaluate_all(seen)).items()}


# Request in at 0, tokenized and the model called at 20; tokens at 100, 130, 150, 185; text out at 200. Two sequences, ten
# prompt tokens in all.
PLANTED = observed([[100, 130, 150, 185]], [20], [200], sequences=2, prompt=10)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (MetricName.TTFT, 100),
        (MetricName.PREFILL, 80),
        (MetricName.PREFILL_THROUGHPUT, 10 / 80 * 1e9),
        (MetricName.PREFILL_SEQUENCES, 2 / 80 * 1e9),
        (MetricName.TPOT, 85 / 3),
        (MetricName.ITL, 30),
        (MetricName.E2E, 200),
        (MetricName.DECODE_THROUGHPUT, 2 * 3 / 85 * 1e9),
        (MetricName.THROUGHPUT, 2 * 4 / 200 * 1e9),
        (MetricName.TOTAL_THROUGHPUT, (10 + 2 * 4) / 200 * 1e9),
    ],
)
def test_planted_times_give_the_figure_exactly(name: MetricName, value: float) -> None:
    metric = by_name(evaluate_all(PLANTED))[name.value]
    assert metric.figure is not None
    assert metric.figure.value == pytest.approx(value, rel=1e-15)


def test_every_metric_is_planted_above() -> None:
    """The growth alone needs more gaps; it is planted below."""
    assert {name for name, value in values(PLANTED).items() if value is None} == {"growth"}
    assert set(values(PLANTED)) == {name.value for name in MetricName}


def test_growth_is_the_slope_of_the_medians_of_the_steps() -> None:
    """Gaps of 30, 32, … 40 ns in the middle run of three; what disturbs one run leaves the medians alone."""
    gaps = np.arange(30, 42, 2)
    runs = np.asarray([gaps - 1, gaps, gaps + 1])
    runs[2, 3] = 10_000
    seen = observed(np.cumsum(np.column_stack([[100] * 3, runs]), axis=1).tolist())
    metric = by_name(evaluate_all(seen))["growth"]
    assert metric.figure is not None
    assert (metric.n, metric.figure.value, metric.figure.low, metric.figure.high) == (6, 2_000, 2_000, 2_000)


def test_growth_needs_six_gaps() -> None:
    assert values(observed([[100, 110, 120, 130, 140, 150]]))["growth"] is None
    assert values(observed([[100, 110, 120, 130, 140, 150, 160]]))["growth"] == 0


TTFT, SPREAD, MEAN_GAP = 100, 185 / 4, 85 / 3


@pytest.mark.parametrize(
    ("tool", "name", "mean"),
    [
        (Tool.VLLM, "ttft", TTFT),
        (Tool.GUIDELLM, "time_to_first_token_ms", TTFT),
        (Tool.AIPERF, "time_to_first_token", TTFT),
        (Tool.LLMPERF, "ttft_s", TTFT),
        (Tool.MLPERF, "First Token latency", TTFT),
        (Tool.OPTIMUM, "prefill.latency", 80),
        (Tool.AIPERF, "prefill_throughput", 10 / 100 * 1e9),
        (Tool.OPTIMUM, "prefill.throughput", 2 / 80 * 1e9),
        (Tool.VLLM, "tpot", MEAN_GAP),
        (Tool.GUIDELLM, "time_per_output_token_ms", SPREAD),
        (Tool.MLPERF, "Time to Output Token", 28),
        (Tool.VLLM, "itl", MEAN_GAP),
        (Tool.GUIDELLM, "inter_token_latency_ms", MEAN_GAP),
        (Tool.AIPERF, "inter_token_latency", MEAN_GAP),
        (Tool.AIPERF, "inter_chunk_latency", MEAN_GAP),
        (Tool.LLMPERF, "inter_token_latency_s", SPREAD),
        (Tool.OPTIMUM, "per_token.latency", MEAN_GAP),
        (Tool.VLLM, "e2el", 185),
        (Tool.GUIDELLM, "request_latency", 200),
        (Tool.AIPERF, "request_latency", 185),
        (Tool.LLMPERF, "end_to_end_latency_s", 200),
        (Tool.MLPERF, "latency", 185),
        (Tool.OPTIMUM, "generate.latency", 165),
        (Tool.AIPERF, "output_token_throughput_per_user", 3 / 85 * 1e9),
        (Tool.OPTIMUM, "decode.throughput", 2 * 3 / 85 * 1e9),
        (Tool.VLLM, "output_throughput", 8 / 200 * 1e9),
        (Tool.GUIDELLM, "output_tokens_per_second", 8 / 200 * 1e9),
        (Tool.AIPERF, "output_token_throughput", 8 / 200 * 1e9),
        (Tool.LLMPERF, "request_output_throughput_token_per_s", 8 / 200 * 1e9),
        (Tool.MLPERF, "Completed tokens per second", 8 / 185 * 1e9),
        (Tool.OPTIMUM, "generate.throughput", 6 / 165 * 1e9),
        (Tool.VLLM, "total_token_throughput", 18 / 200 * 1e9),
        (Tool.GUIDELLM, "tokens_per_second", 18 / 200 * 1e9),
    ],
)
def test_planted_times_give_what_another_tool_would_say(tool: Tool, name: str, mean: float) -> None:
    assert said(tool, name, PLANTED).mean == pytest.approx(mean, rel=1e-15)


def said(tool: Tool, name: str, seen: Observed) -> DialectFigure:
    (dialect,) = [d for d in DIALECTS if (d.tool, d.name) == (tool, name)]
    return evaluate_dialect(dialect, seen)


def test_one_figure_over_all_requests_is_all_tokens_over_all_the_time() -> None:
    """A mean of rates would say (1 + 1/3) / 2 token a nanosecond; a benchmark that counts says 2 / 4."""
    two = observed([[1], [3]], [0, 0], [1, 3])
    overall = said(Tool.VLLM, "output_throughput", two)
    assert overall.mean == pytest.approx(2 / 4 * 1e9, rel=1e-15)
    assert overall.median is None
    of_requests = said(Tool.GUIDELLM, "output_tokens_per_second", two)
    assert of_requests.mean == pytest.approx((1 + 1 / 3) / 2 * 1e9, rel=1e-15)


def test_dialects_that_name_the_same_thing_differently_disagree_with_us_where_they_say_so() -> None:
    """Same inputs: guidellm's time per output token is not ours, and optimum-benchmark's samples/s are tokens."""
    assert said(Tool.GUIDELLM, "time_per_output_token_ms", PLANTED).mean != values(PLANTED)["tpot"]
    assert said(Tool.VLLM, "tpot", PLANTED).mean == values(PLANTED)["tpot"]
    per_cycle = said(Tool.OPTIMUM, "generate.throughput", PLANTED).mean
    samples_per_s = 2 / 165 * 1e9
    assert per_cycle == pytest.approx(samples_per_s * 3)


def test_one_token_has_no_time_per_output_token_and_that_is_not_zero() -> None:
    single = observed([[100], [110]])
    absent = {name for name, value in values(single).items() if value is None}
    assert absent == {"tpot", "itl", "growth", "decode-throughput"}
    metric = by_name(evaluate_all(single))["tpot"]
    assert (metric.n, metric.figure, metric.mean, metric.percentiles) == (0, None, None, ())
    assert values(single)["ttft"] == 105


def test_dialects_of_one_token_are_absent_where_the_tool_divides_by_the_tokens_after_the_first() -> None:
    single = observed([[100]])
    absent = {(d.tool, d.name) for d in DIALECTS if evaluate_dialect(d, single).mean is None}
    assert (Tool.VLLM, "tpot") in absent
    assert (Tool.MLPERF, "Time to Output Token") in absent
    assert said(Tool.GUIDELLM, "time_per_output_token_ms", single).mean == 100
    assert all(evaluate_dialect(d, single).n == 0 for d in DIALECTS if (d.tool, d.name) in absent)


def test_two_runs_are_two_samples_and_their_gaps_are_pooled() -> None:
    two = by_name(evaluate_all(observed([[100, 110, 140], [200, 220, 260]])))
    tpot, itl = two["tpot"], two["itl"]
    assert tpot.figure is not None
    assert itl.figure is not None
    assert (tpot.n, tpot.figure.value, tpot.mean, tpot.figure.runs) == (2, 25.0, 25.0, 2)
    # Pooled gaps 10, 30, 20, 40; the medians of the runs are 20 and 30.
    assert (itl.n, itl.figure.value, itl.figure.low, itl.figure.high, itl.figure.runs) == (4, 25.0, 20.0, 30.0, 2)


def test_a_batch_multiplies_the_rates_and_leaves_the_times() -> None:
    one, four = observed([[100, 130, 150, 185]], sequences=1), observed([[100, 130, 150, 185]], sequences=4)
    for name in ("ttft", "tpot", "itl", "e2e", "prefill"):
        assert values(one)[name] == values(four)[name]
    for name in ("decode-throughput", "throughput", "prefill-sequences"):
        single, batch = values(one)[name], values(four)[name]
        assert single is not None
        assert batch == pytest.approx(4 * single)


@pytest.mark.parametrize(("percent", "n"), [(50, 5), (90, 29), (99, 299)])
def test_a_percentile_is_told_only_from_enough_samples(percent: int, n: int) -> None:
    assert least_samples(percent) == n
    # n samples, one of which lies beyond the percentile with 95 % confidence; n − 1 do not do.
    assert (percent / 100) ** n <= 0.05 < (percent / 100) ** (n - 1)
    for samples, told in ((n - 1, False), (n, True)):
        metric = evaluate(define("itl"), observed([list(range(10, 10 + 10 * (samples + 1), 10))]))
        assert metric.n == samples
        assert (percent in [p.percent for p in metric.percentiles]) is told


def test_percentiles_are_those_of_the_pooled_gaps() -> None:
    gaps = list(range(1, 301))
    metric = evaluate(define("itl"), observed([np.cumsum([0, *gaps]).tolist()]))
    told = {p.percent: p.value for p in metric.percentiles}
    assert told == {50: 150.5, 90: pytest.approx(270.1), 99: pytest.approx(297.01)}


def test_a_run_in_which_the_clock_stood_still_has_no_rate() -> None:
    stuck = evaluate(define("decode-throughput"), observed([[100, 100], [100, 200]]))
    assert (stuck.n, stuck.mean) == (1, 1e7)
    assert evaluate(define("decode-throughput"), observed([[100, 100]])).figure is None


@st.composite
def generations(draw: st.DrawFn, least: int = 1) -> Observed:
    runs = draw(st.integers(1, 7))
    tokens = draw(st.integers(least, 9))
    gap = st.integers(1, 10**9)
    gaps = np.asarray([[draw(gap) for _ in range(tokens + 2)] for _ in range(runs)], dtype=np.int64)
    ends = np.cumsum(gaps, axis=1)
    return Observed(ends[:, 0], ends[:, 1:-1], ends[:, -1], draw(st.integers(1, 8)), draw(st.integers(1, 4096)))


@given(generations())
def test_end_to_end_is_the_first_token_the_gaps_and_the_tail(seen: Observed) -> None:
    e2e = define("e2e").formula.value(seen)[:, 0]
    first = define("ttft").formula.value(seen)[:, 0]
    gaps = seen.gaps_ns.sum(axis=1)
    tail = seen.wall_ns - seen.emitted_ns[:, -1]
    assert e2e.tolist() == (first + gaps + tail).tolist()


@given(generations(least=2))
def test_mean_gap_of_a_run_is_its_time_per_output_token(seen: Observed) -> None:
    tpot = define("tpot").formula.value(seen)[:, 0]
    assert tpot.tolist() == pytest.approx(seen.gaps_ns.mean(axis=1).tolist())
    metrics = by_name(evaluate_all(seen))
    assert metrics["itl"].mean == pytest.approx(metrics["tpot"].mean)


@given(generations(least=2))
def test_decode_throughput_is_the_batch_over_the_time_per_output_token(seen: Observed) -> None:
    rate = define("decode-throughput").formula.value(seen)
    tpot = define("tpot").formula.value(seen)
    assert (rate * tpot).ravel().tolist() == pytest.approx([seen.sequences] * len(seen))


@given(generations())
def test_an_interval_holds_its_value_and_n_counts_the_samples(seen: Observed) -> None:
    for metric in evaluate_all(seen):
        if metric.figure is None:
            continue
        assert metric.figure.low <= metric.figure.value <= metric.figure.high
        if metric.definition.summary is Summary.MEDIAN:
            assert metric.n == len(seen) * (seen.tokens - 1 if metric.definition.name is MetricName.ITL else 1)
            assert metric.figure.runs == len(seen)


ALL: list[tuple[str, Formula]] = [(d.name.value, d.formula) for d in DEFINITIONS]
ALL += [(f"{d.tool.value} {d.name}", d.formula) for d in DIALECTS]


@pytest.mark.parametrize(("name", "formula"), ALL, ids=[name for name, _ in ALL])
@settings(max_examples=15)
@given(seen=generations(least=2))
def test_what_is_printed_is_what_is_computed(name: str, formula: Formula, seen: Observed) -> None:
    """The printed text, read as arithmetic of exact fractions by Python's own rules, gives the computed value."""
    text = formula.text({quantity: f"q_{quantity.name}" for quantity in FormulaTerm})
    for sign, python in (("÷", "/"), ("×", "*"), ("−", "-"), ("div", "//")):
        text = text.replace(sign, python)
    text = re.sub(r"\b(\d+)\b", r"Fraction(\1)", text)
    exact = {f"q_{q.name}": Fraction(int(seen.value(q)[0, 0])) for q in FormulaTerm}
    assert float(eval(text, {"Fraction": Fraction}, exact)) == pytest.approx(float(formula.value(seen)[0, 0]))


def test_formulas_are_written_with_the_brackets_that_they_need_and_no_others() -> None:
    assert str((LAST - FIRST) / (TOKENS - 1)) == "(last token − first token) ÷ (tokens − 1)"
    assert str(TOKEN - (BEFORE - START)) == "token − (token before − request in)"
    assert str(TOKENS + TOKENS * 2) == "tokens + tokens × 2"
    assert str(LAST / (TOKENS / 2)) == "last token ÷ (tokens ÷ 2)"
    assert str(LAST // TOKENS) == "last token div tokens"


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda d: d.name.value)
def test_the_points_of_the_clock_are_in_the_formula(definition: object) -> None:
    found = next(d for d in DEFINITIONS if d is definition)
    assert {found.begin, found.end} <= found.formula.quantities()


def test_every_name_is_defined_once_and_no_spelling_twice() -> None:
    assert [d.name for d in DEFINITIONS] == list(MetricName)
    spellings = [text for d in DEFINITIONS for text in (d.name.value, *d.aliases)]
    assert len(set(spellings)) == len(spellings)


@pytest.mark.parametrize(
    "spelling", ["tpot", "TPOT", "Time per output token", "time-per-output-token", " time_per_output_token "]
)
def test_a_metric_is_found_however_it_is_spelt(spelling: str) -> None:
    assert define(spelling).name is MetricName.TPOT


@pytest.mark.parametrize(
    ("typo", "meant"), [("tpott", "tpot"), ("ittl", "itl"), ("time to frist token", "ttft"), ("e2l", "e2e")]
)
def test_an_unknown_name_brings_the_closest_one(typo: str, meant: str) -> None:
    with pytest.raises(UsageError) as raised:
        define(typo)
    assert raised.value.exit_code == 2
    assert f"Did you mean {meant}?" in str(raised.value.way_out)


def test_a_name_like_no_other_brings_the_list_only() -> None:
    with pytest.raises(UsageError) as raised:
        define("bananas per hour")
    assert "Did you mean" not in str(raised.value.way_out)
    assert all(name.value in str(raised.value.way_out) for name in MetricName)


def test_every_tool_speaks_and_every_source_is_pinned_to_a_commit() -> None:
    assert {d.tool for d in DIALECTS} == set(Tool)
    for d in DIALECTS:
        assert re.fullmatch(r"https://github\.com/[\w-]+/[\w-]+/blob/[0-9a-f]{40}/[\w/.-]+(#L\d+)?", d.source.url)
    assert {remark for d in DIALECTS for remark in d.remarks} == set(Remark)


@pytest.mark.parametrize("name", [name for name in MetricName if name is not MetricName.GROWTH])
def test_every_metric_but_the_growth_has_a_dialect(name: MetricName) -> None:
    assert dialects_of(name)


def differs(dialect: Dialect) -> bool:
    """Whether its formula is another than ours, by its value on times that no two formulas agree on."""
    ours = next(d for d in DEFINITIONS if d.name is dialect.metric).formula
    return not np.array_equal(dialect.formula.value(PLANTED), ours.value(PLANTED))


def test_whatever_differs_says_in_what() -> None:
    """aiperf counts for one user what we count for the batch, and its name says so."""
    silent = [d.name for d in DIALECTS if differs(d) and not d.remarks]
    assert silent == ["output_token_throughput_per_user"]
