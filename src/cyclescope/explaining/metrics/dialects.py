"""How other tools define figures of the same name, as facts with their sources, computed over the same generations.

Each was read in the tool's own code at the commit that its source names. Tools that talk to a server start their clock when
the request leaves; here that is the moment in which the request is handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cyclescope.explaining.metrics.definition import MetricName, Unit
from cyclescope.explaining.metrics.formula import (
    BEFORE,
    CALLED,
    END,
    FIRST,
    LAST,
    PROMPT,
    SEQUENCES,
    START,
    TOKEN,
    TOKENS,
    Formula,
)
from cyclescope.explaining.metrics.metric import samples_of
from cyclescope.explaining.metrics.observed import Observed


class Tool(StrEnum):
    """Tools whose definitions are told."""

    VLLM = "vLLM"
    GUIDELLM = "guidellm"
    AIPERF = "aiperf"
    LLMPERF = "llmperf"
    MLPERF = "MLPerf"
    OPTIMUM = "optimum-benchmark"


class Remark(StrEnum):
    """In what a definition differs, or what is easily misread. `report.strings` says each in words."""

    FIRST_INCLUDED = "first-included"  # the time to the first token is spread over all tokens
    MEAN_OF_RUN = "mean-of-run"  # one mean for each request, so single long gaps do not show
    CHUNKS = "chunks"  # counts chunks of the stream, which may hold several tokens
    WHOLE_NUMBERS = "whole-numbers"  # drops the fraction of a nanosecond
    NO_TEXT = "no-text"  # begins at the call of the model, so tokenization is left out
    LOGITS = "logits"  # the clock is read when the logits are there, before the token is chosen; here: when it is out
    MISLABELLED = "mislabelled"  # labelled samples/s, while it counts tokens
    TEXT_INCLUDED = "text-included"  # the prefill is taken for all of the time to the first token
    LAST_TOKEN = "last-token"  # ends with the last token, not with the text
    OVERALL = "overall"  # one figure over all requests: all tokens over all the time
    REPORTED = "reported"  # ends when the system under test reports the sample as complete; here: with the last token
    ONE_TOKEN_ERROR = "one-token-error"  # one token is logged as an error, and the divisor becomes −1


@dataclass(frozen=True, slots=True)
class DialectSource:
    """Where it is written: a file of a GitHub repository at a commit, and the line where known."""

    repository: str
    commit: str
    path: str
    line: int | None = None

    @property
    def url(self) -> str:
        line = "" if self.line is None else f"#L{self.line}"
        return f"https://github.com/{self.repository}/blob/{self.commit}/{self.path}{line}"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What `tool` calls `name`, where we speak of `metric`. `label` is the unit as the tool prints it."""

    tool: Tool
    name: str
    metric: MetricName
    formula: Formula
    unit: Unit
    label: str
    source: DialectSource
    remarks: tuple[Remark, ...] = ()
    least_tokens: int = 1


@dataclass(frozen=True, slots=True)
class DialectFigure:
    """A dialect over the generations that were observed, in `dialect.unit`; None where the tool defines nothing.

    `mean` and `median` are over `n` samples. Where the tool has one figure over all requests, `mean` is that, and there is
    no median.
    """

    dialect: Dialect
    n: int
    median: float | None
    mean: float | None


def evaluate_dialect(dialect: Dialect, observed: Observed) -> DialectFigure:
    """What `dialect` would have said of these generations."""
    absent = DialectFigure(dialect, 0, None, None)
    if observed.tokens < dialect.least_tokens:
        return absent
    values = samples_of(dialect.formula, dialect.unit, observed)
    if not values.size:
        return absent
    if Remark.OVERALL in dialect.remarks:
        # So many tokens a run, whatever its time: all tokens over all the time is the harmonic mean of the runs' rates.
        return DialectFigure(dialect, int(values.size), None, float(1.0 / np.mean(1.0 / values)))
    return DialectFigure(dialect, int(values.size), float(np.median(values)), float(values.mean()))


def dialects_of(metric: MetricName) -> tuple[Dialect, ...]:
    return tuple(dialect for dialect in DIALECTS if dialect.metric is metric)


def _guidellm(line: int) -> DialectSource:
    commit = "ee7a77457ba668b4b5ccb40f110518829893b36a"
    return DialectSource("vllm-project/guidellm", commit, "src/guidellm/schemas/request_stats.py", line)


def _aiperf(file: str, line: int) -> DialectSource:
    commit = "db4f6397d11ee2d4cfbb41f70b2327315163dcf0"
    return DialectSource("ai-dynamo/aiperf", commit, f"aiperf/metrics/types/{file}", line)


def _llmperf(path: str, line: int) -> DialectSource:
    return DialectSource("ray-project/llmperf", "f1d6bed47e4501b0e371082b41601b59ab55269f", path, line)


def _mlperf(file: str, line: int) -> DialectSource:
    return DialectSource("mlcommons/inference", "b66003e10e2db4b8c36a448b0545ec90fcc6e9e9", f"loadgen/{file}", line)


def _optimum(line: int) -> DialectSource:
    commit = "b263af468a9e9a9a3d1449039849727352955646"
    return DialectSource(
        "huggingface/optimum-benchmark", commit, "optimum_benchmark/scenarios/inference/scenario.py", line
    )


_SERVE = DialectSource("vllm-project/vllm", "009e6d4a1cd6ba3fb2a9fc00f4ec06f5297232a1", "vllm/benchmarks/serve.py")
_STREAM = DialectSource(
    "vllm-project/vllm",
    "02cfb534df5674737558730b10f23d1b7aef9b7c",
    "vllm/benchmarks/lib/endpoint_request_func.py",
)
_CHAT = "src/llmperf/ray_clients/openai_chat_completions_client.py"
_NS, _TOKENS_PER_S, _SEQUENCES_PER_S = Unit.NANOSECONDS, Unit.TOKENS_PER_S, Unit.SEQUENCES_PER_S

DIALECTS: tuple[Dialect, ...] = (
    # Time to first token
    Dialect(Tool.VLLM, "ttft", MetricName.TTFT, FIRST - START, _NS, "ms", _SERVE),
    Dialect(Tool.GUIDELLM, "time_to_first_token_ms", MetricName.TTFT, FIRST - START, _NS, "ms", _guidellm(171)),
    Dialect(
        Tool.AIPERF, "time_to_first_token", MetricName.TTFT, FIRST - START, _NS, "ms", _aiperf("ttft_metric.py", 53)
    ),
    Dialect(Tool.LLMPERF, "ttft_s", MetricName.TTFT, FIRST - START, _NS, "s", _llmperf(_CHAT, 94)),
    Dialect(Tool.MLPERF, "First Token latency", MetricName.TTFT, FIRST - START, _NS, "ns", _mlperf("logging.cc", 553)),
    # Prefill
    Dialect(
        Tool.OPTIMUM, "prefill.latency", MetricName.PREFILL, FIRST - CALLED, _NS, "s", _optimum(282), (Remark.LOGITS,)
    ),
    Dialect(
        Tool.AIPERF,
        "prefill_throughput",
        MetricName.PREFILL_THROUGHPUT,
        PROMPT / (FIRST - START),
        _TOKENS_PER_S,
        "tokens/s",
        _aiperf("prefill_throughput.py", 47),
        (Remark.TEXT_INCLUDED,),
    ),
    Dialect(
        Tool.OPTIMUM,
        "prefill.throughput",
        MetricName.PREFILL_SEQUENCES,
        SEQUENCES / (FIRST - CALLED),
        _SEQUENCES_PER_S,
        "samples/s",
        _optimum(290),
        (Remark.LOGITS, Remark.OVERALL),
    ),
    # Time per output token
    Dialect(
        Tool.VLLM,
        "tpot",
        MetricName.TPOT,
        ((LAST - START) - (FIRST - START)) / (TOKENS - 1),
        _NS,
        "ms",
        _SERVE,
        least_tokens=2,
    ),
    Dialect(
        Tool.GUIDELLM,
        "time_per_output_token_ms",
        MetricName.TPOT,
        (LAST - START) / TOKENS,
        _NS,
        "ms",
        _guidellm(192),
        (Remark.FIRST_INCLUDED,),
    ),
    Dialect(
        Tool.MLPERF,
        "Time to Output Token",
        MetricName.TPOT,
        ((LAST - START) - (FIRST - START)) // (TOKENS - 1),
        _NS,
        "ns",
        _mlperf("logging.cc", 475),
        (Remark.REPORTED, Remark.WHOLE_NUMBERS, Remark.ONE_TOKEN_ERROR),
        least_tokens=2,
    ),
    # Inter-token latency
    Dialect(
        Tool.VLLM,
        "itl",
        MetricName.ITL,
        TOKEN - BEFORE,
        _NS,
        "ms",
        _STREAM,
        (Remark.CHUNKS,),
        least_tokens=2,
    ),
    Dialect(
        Tool.GUIDELLM,
        "inter_token_latency_ms",
        MetricName.ITL,
        (LAST - FIRST) / (TOKENS - 1),
        _NS,
        "ms",
        _guidellm(213),
        (Remark.MEAN_OF_RUN,),
        least_tokens=2,
    ),
    Dialect(
        Tool.AIPERF,
        "inter_token_latency",
        MetricName.ITL,
        ((LAST - START) - (FIRST - START)) / (TOKENS - 1),
        _NS,
        "ms",
        _aiperf("inter_token_latency_metric.py", 52),
        (Remark.MEAN_OF_RUN,),
        least_tokens=2,
    ),
    Dialect(
        Tool.AIPERF,
        "inter_chunk_latency",
        MetricName.ITL,
        TOKEN - BEFORE,
        _NS,
        "ms",
        _aiperf("inter_chunk_latency_metric.py", 62),
        (Remark.CHUNKS,),
        least_tokens=2,
    ),
    Dialect(
        Tool.LLMPERF,
        "inter_token_latency_s",
        MetricName.ITL,
        (LAST - START) / TOKENS,
        _NS,
        "s",
        _llmperf("token_benchmark_ray.py", 121),
        (Remark.FIRST_INCLUDED, Remark.MEAN_OF_RUN, Remark.CHUNKS),
    ),
    Dialect(
        Tool.OPTIMUM,
        "per_token.latency",
        MetricName.ITL,
        TOKEN - BEFORE,
        _NS,
        "s",
        _optimum(280),
        (Remark.LOGITS,),
        least_tokens=2,
    ),
    # End to end
    Dialect(Tool.VLLM, "e2el", MetricName.E2E, LAST - START, _NS, "ms", _SERVE, (Remark.LAST_TOKEN,)),
    Dialect(Tool.GUIDELLM, "request_latency", MetricName.E2E, END - START, _NS, "s", _guidellm(114)),
    Dialect(
        Tool.AIPERF,
        "request_latency",
        MetricName.E2E,
        LAST - START,
        _NS,
        "ms",
        _aiperf("request_latency_metric.py", 39),
        (Remark.LAST_TOKEN,),
    ),
    Dialect(Tool.LLMPERF, "end_to_end_latency_s", MetricName.E2E, END - START, _NS, "s", _llmperf(_CHAT, 103)),
    Dialect(
        Tool.MLPERF,
        "latency",
        MetricName.E2E,
        LAST - START,
        _NS,
        "ns",
        _mlperf("logging.cc", 478),
        (Remark.REPORTED,),
    ),
    Dialect(
        Tool.OPTIMUM,
        "generate.latency",
        MetricName.E2E,
        LAST - CALLED,
        _NS,
        "s",
        _optimum(281),
        (Remark.NO_TEXT, Remark.LAST_TOKEN),
    ),
    # Throughput of the decode
    Dialect(
        Tool.AIPERF,
        "output_token_throughput_per_user",
        MetricName.DECODE_THROUGHPUT,
        (TOKENS - 1) / (LAST - FIRST),
        _TOKENS_PER_S,
        "tokens/sec/user",
        _aiperf("output_token_throughput_metrics.py", 76),
        least_tokens=2,
    ),
    Dialect(
        Tool.OPTIMUM,
        "decode.throughput",
        MetricName.DECODE_THROUGHPUT,
        SEQUENCES * (TOKENS - 1) / (LAST - FIRST),
        _TOKENS_PER_S,
        "tokens/s",
        _optimum(293),
        (Remark.LOGITS, Remark.OVERALL),
        least_tokens=2,
    ),
    # Throughput of the whole
    Dialect(
        Tool.VLLM,
        "output_throughput",
        MetricName.THROUGHPUT,
        SEQUENCES * TOKENS / (END - START),
        _TOKENS_PER_S,
        "tok/s",
        _SERVE,
        (Remark.OVERALL,),
    ),
    Dialect(
        Tool.GUIDELLM,
        "output_tokens_per_second",
        MetricName.THROUGHPUT,
        SEQUENCES * TOKENS / (END - START),
        _TOKENS_PER_S,
        "tokens/s",
        _guidellm(235),
    ),
    Dialect(
        Tool.AIPERF,
        "output_token_throughput",
        MetricName.THROUGHPUT,
        SEQUENCES * TOKENS / (END - START),
        _TOKENS_PER_S,
        "tokens/sec",
        _aiperf("output_token_throughput_metrics.py", 44),
        (Remark.OVERALL,),
    ),
    Dialect(
        Tool.LLMPERF,
        "request_output_throughput_token_per_s",
        MetricName.THROUGHPUT,
        SEQUENCES * TOKENS / (END - START),
        _TOKENS_PER_S,
        "tokens/s",
        _llmperf("token_benchmark_ray.py", 126),
    ),
    Dialect(
        Tool.MLPERF,
        "Completed tokens per second",
        MetricName.THROUGHPUT,
        SEQUENCES * TOKENS / (LAST - START),
        _TOKENS_PER_S,
        "tokens/s",
        _mlperf("results.cc", 452),
        (Remark.OVERALL, Remark.REPORTED),
    ),
    Dialect(
        Tool.OPTIMUM,
        "generate.throughput",
        MetricName.THROUGHPUT,
        SEQUENCES * (TOKENS - 1) / (LAST - CALLED),
        _TOKENS_PER_S,
        "samples/s",
        _optimum(287),
        (Remark.NO_TEXT, Remark.MISLABELLED, Remark.OVERALL),
        least_tokens=2,
    ),
    Dialect(
        Tool.VLLM,
        "total_token_throughput",
        MetricName.TOTAL_THROUGHPUT,
        (PROMPT + SEQUENCES * TOKENS) / (END - START),
        _TOKENS_PER_S,
        "tok/s",
        _SERVE,
        (Remark.OVERALL,),
    ),
    Dialect(
        Tool.GUIDELLM,
        "tokens_per_second",
        MetricName.TOTAL_THROUGHPUT,
        (PROMPT + SEQUENCES * TOKENS) / (END - START),
        _TOKENS_PER_S,
        "tokens/s",
        _guidellm(224),
    ),
)
