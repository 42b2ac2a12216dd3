"""What a comparison comes to in words: its verdict, whether a limit is kept, and what differs between two setups."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.message import Message, Text, m
from cyclescope.explaining.comparison import Aspect, Comparison, Difference, Limit, Verdict, Why
from cyclescope.report import format as fmt
from cyclescope.report.naming.advice import filled

VERDICTS: Mapping[Verdict | Why, Message] = MappingProxyType(
    {
        Verdict.SLOWER: m("B is slower than A: {b} versus {a}, a ratio of {ratio}."),
        Verdict.FASTER: m("B is faster than A: {b} versus {a}, a ratio of {ratio}."),
        Why.SAME: m("No difference of {threshold} or more: B ÷ A is {ratio}."),
        Why.OPEN: m(
            "Inconclusive: B ÷ A is {ratio}, an interval that allows for differences below and above {threshold}."
        ),
        Why.TOO_FEW: m("Inconclusive: {n} samples or rounds are too few for an interval. B ÷ A is {ratio}."),
        Why.UNKNOWN_ERROR: m(
            "Inconclusive: the error of the prediction on such cycles is unknown. B ÷ A is {ratio}: {b} versus {a}."
        ),
        Why.LOADED: m(
            "Inconclusive: other processes used the cores during the measurement, which may explain the difference. "
            "B ÷ A is {ratio}."
        ),
        Why.NOISY: m(
            "Inconclusive: in this machine's calibration the A/A noise was ±{noise}, too high to detect a difference. "
            "B ÷ A is {ratio}. Calibrate again on an idle machine (`cyclescope calibrate`), or set the least difference "
            "that counts (--threshold)."
        ),
    }
)
LIMITS: Mapping[Limit, Message] = MappingProxyType(
    {
        Limit.KEPT: m("The limit is kept: B is not slower than A by more than {limit}."),
        Limit.EXCEEDED: m("The limit is exceeded: B is slower than A by more than {limit}."),
        Limit.UNKNOWN: m(
            "Whether the limit is kept is unknown: the interval leaves open whether B is slower than A by more than "
            "{limit}."
        ),
    }
)
ASPECTS: Mapping[Aspect, Message] = MappingProxyType(
    {
        Aspect.MODEL: m("model"),
        Aspect.WEIGHTS: m("weights"),
        Aspect.TASK: m("task"),
        Aspect.BATCH: m("batch"),
        Aspect.TOKENS_IN: m("input tokens"),
        Aspect.CHARACTERS: m("characters"),
        Aspect.ENGINE: m("engine"),
        Aspect.DEVICE: m("device"),
        Aspect.THREADS: m("threads"),
        Aspect.DTYPE: m("dtype"),
        Aspect.ATTENTION: m("attention"),
        Aspect.SEED: m("seed"),
        Aspect.CACHE: m("KV cache"),
        Aspect.DECODING: m("sampling"),
        Aspect.COMPILING: m("compilation"),
        Aspect.QUANTIZATION: m("quantization"),
        Aspect.CHANGES: m("model changes"),
        Aspect.THREADS_BETWEEN: m("inter-op threads"),
        Aspect.INSTANCES: m("processes"),
        Aspect.CALL_BATCH: m("texts per call"),
        Aspect.BATCHING: m("batching"),
        Aspect.DRAFTING: m("drafting"),
        Aspect.OVERLAP: m("overlapped tokenization"),
        Aspect.TENSOR: m("tensor parallel"),
        Aspect.PIPELINE: m("pipeline stages"),
        Aspect.DATA: m("replicas"),
        Aspect.MICROBATCHES: m("microbatches"),
        Aspect.PROCESSOR: m("processor"),
        Aspect.CORES: m("cores"),
        Aspect.SYSTEM: m("system"),
        Aspect.PYTHON: m("Python version"),
        Aspect.VERSION: m("cyclescope version"),
        Aspect.SOURCE: m("source"),
    }
)


def verdict(found: Comparison) -> Text:
    """The one sentence that a comparison exists for."""
    return filled(
        VERDICTS[found.why or found.verdict],
        a=fmt.time(found.wall_a.value_ns),
        b=fmt.time(found.wall_b.value_ns),
        ratio=fmt.ratio(found.ratio),
        threshold=fmt.share(found.threshold),
        noise=fmt.share(found.noise_beyond_use),
        n=fmt.count(found.ratio.n),
    )


def limit_kept(found: Comparison, limit: float) -> Text:
    """Whether B is slower than A by more than `limit`, a share."""
    return filled(LIMITS[found.slower_by_more_than(limit)], limit=fmt.share(limit))


def aspect_name(difference: Difference) -> Text:
    """What differs; a package by its name."""
    if difference.aspect is Aspect.PACKAGE:
        return m("package {name}", name=difference.name)
    return ASPECTS[difference.aspect]
