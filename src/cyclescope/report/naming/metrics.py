"""The names and sentences of the metrics of a generation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.message import Message, Series, Text, in_context, m
from cyclescope.explaining.metrics.definition import MetricName, Population, Summary, Unit
from cyclescope.explaining.metrics.dialects import Remark
from cyclescope.explaining.metrics.formula import Formula, Pair, Symbol
from cyclescope.explaining.metrics.observed import FormulaTerm

METRICS: Mapping[MetricName, Message] = MappingProxyType(
    {
        MetricName.TTFT: m("time to first token"),
        MetricName.PREFILL: m("prefill time"),
        MetricName.PREFILL_THROUGHPUT: m("prefill throughput"),
        MetricName.PREFILL_SEQUENCES: m("prefill sequences"),
        MetricName.TPOT: m("time per output token"),
        MetricName.ITL: m("inter-token latency"),
        MetricName.GROWTH: m("growth of a step"),
        MetricName.E2E: m("end to end"),
        MetricName.DECODE_THROUGHPUT: m("decode throughput"),
        MetricName.THROUGHPUT: m("output throughput"),
        MetricName.TOTAL_THROUGHPUT: m("total throughput"),
    }
)
MEANINGS: Mapping[MetricName, Message] = MappingProxyType(
    {
        MetricName.TTFT: m("How long a reader waits for the first token, tokenization included."),
        MetricName.PREFILL: m(
            "From the call of the model to its first token: the model reads the prompt and chooses one token."
        ),
        MetricName.PREFILL_THROUGHPUT: m(
            "Prompt tokens, without padding, that the model reads in a second of prefill."
        ),
        MetricName.PREFILL_SEQUENCES: m("Prompts that the model reads in a second of prefill."),
        MetricName.TPOT: m("The mean time of a token after the first, one figure a run. It hides long gaps; see itl."),
        MetricName.ITL: m("The time from one token to the next. Each gap of every run is a sample."),
        MetricName.GROWTH: m("How much longer a decode step takes as the text before it grows."),
        MetricName.E2E: m("From the text in to the text out."),
        MetricName.DECODE_THROUGHPUT: m("Tokens a second after the first, of all sequences of the batch."),
        MetricName.THROUGHPUT: m("Output tokens of all sequences, divided by the whole time."),
        MetricName.TOTAL_THROUGHPUT: m("Input and output tokens of all sequences, divided by the whole time."),
    }
)
QUANTITIES: Mapping[FormulaTerm, Message] = MappingProxyType(
    {
        FormulaTerm.START: m("request in"),
        FormulaTerm.CALLED: m("model called"),
        FormulaTerm.FIRST: m("first token"),
        FormulaTerm.LAST: m("last token"),
        FormulaTerm.TOKEN: m("token"),
        FormulaTerm.BEFORE: m("token before"),
        FormulaTerm.END: m("text out"),
        FormulaTerm.TOKENS: in_context("quantity", "tokens"),
        FormulaTerm.SEQUENCES: m("sequences"),
        FormulaTerm.PROMPT: m("prompt tokens"),
    }
)
POPULATIONS: Mapping[Population, Message] = MappingProxyType(
    {
        Population.RUNS: m("runs"),
        Population.GAPS: m("gaps between tokens, of all runs together"),
        Population.STEPS: m("decode steps, each by its median over the runs"),
    }
)
SUMMARIES: Mapping[Summary, Message] = MappingProxyType(
    {
        Summary.MEDIAN: m("median"),
        Summary.SLOPE: m("Theil–Sen slope: the median of the slopes between all pairs"),
    }
)
UNITS: Mapping[Unit, Message] = MappingProxyType(
    {
        Unit.NANOSECONDS: m("time"),
        Unit.TOKENS_PER_S: m("tokens/s"),
        Unit.SEQUENCES_PER_S: m("sequences/s"),
        Unit.NS_PER_1000_POSITIONS: m("time per 1000 positions"),
    }
)
# An amount in its unit; a time has its unit already.
AMOUNTS: Mapping[Unit, Message] = MappingProxyType(
    {
        Unit.TOKENS_PER_S: m("{value} tokens/s"),
        Unit.SEQUENCES_PER_S: m("{value} sequences/s"),
        Unit.NS_PER_1000_POSITIONS: m("{value} per 1000 positions"),
    }
)
REMARKS: Mapping[Remark, Message] = MappingProxyType(
    {
        Remark.FIRST_INCLUDED: m("Spreads the time to the first token over all tokens."),
        Remark.MEAN_OF_RUN: m("One mean for each request, so a single long gap does not show."),
        Remark.CHUNKS: m("Counts the chunks of the stream, which may hold several tokens."),
        Remark.WHOLE_NUMBERS: m("Drops the fraction of a nanosecond."),
        Remark.NO_TEXT: m("Begins when the model is called, so tokenization is left out."),
        Remark.LOGITS: m("Reads the clock when the logits are there, before the token is chosen."),
        Remark.MISLABELLED: m("Labelled samples/s, but counts tokens."),
        Remark.TEXT_INCLUDED: m("Divides by the time to the first token, tokenization included."),
        Remark.LAST_TOKEN: m("Ends with the last token, not with the text."),
        Remark.OVERALL: m("One figure over all requests: the amount over the summed time."),
        Remark.REPORTED: m("Ends when the system under test reports the sample as complete."),
        Remark.ONE_TOKEN_ERROR: m("One token is logged as an error and divided by −1."),
    }
)


def formula(term: Formula) -> Text:
    """`term` as people write it, its quantities in words."""
    if isinstance(term, Symbol):
        return QUANTITIES[term.quantity]
    if not isinstance(term, Pair):
        return term.text()
    left, right = (
        _bracketed(formula(part), inside) for part, inside in zip((term.left, term.right), term.brackets, strict=True)
    )
    return Series((left, term.sign.value, right), " ")


def _bracketed(text: Text, inside: bool) -> Text:
    return Series(("(", text, ")")) if inside else text
