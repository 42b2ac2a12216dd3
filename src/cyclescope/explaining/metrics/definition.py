"""The metrics of a generation: the one place where each is defined."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum

from cyclescope.core.errors import UsageError
from cyclescope.core.message import Text, m, sentences
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
from cyclescope.explaining.metrics.observed import FormulaTerm


class MetricName(StrEnum):
    """Names as they are typed and stored; stable."""

    TTFT = "ttft"
    PREFILL = "prefill"
    PREFILL_THROUGHPUT = "prefill-throughput"
    PREFILL_SEQUENCES = "prefill-sequences"
    TPOT = "tpot"
    ITL = "itl"
    GROWTH = "growth"
    E2E = "e2e"
    DECODE_THROUGHPUT = "decode-throughput"
    THROUGHPUT = "throughput"
    TOTAL_THROUGHPUT = "total-throughput"


class Unit(StrEnum):
    """The unit of a figure. Times are nanoseconds until `report.format` writes them."""

    NANOSECONDS = "ns"
    TOKENS_PER_S = "tokens/s"
    SEQUENCES_PER_S = "sequences/s"
    NS_PER_1000_POSITIONS = "ns per 1000 positions"

    @property
    def scale(self) -> float:
        """What a formula in nanoseconds is multiplied by."""
        return {Unit.NANOSECONDS: 1.0, Unit.NS_PER_1000_POSITIONS: 1000.0}.get(self, 1e9)


class Population(StrEnum):
    """What is counted as one sample."""

    RUNS = "runs"
    GAPS = "gaps"  # between two tokens, of all runs together
    STEPS = "steps"  # each the median over the runs


class Summary(StrEnum):
    """How the samples become one figure."""

    MEDIAN = "median"
    SLOPE = "slope"  # over the position, by Theil and Sen


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric. `formula` is both what is printed and what is computed; `begin` and `end` are its points of the clock.

    With fewer than `least_tokens` tokens in a run it is undefined: absent, not zero. `aliases` are other spellings of the name.
    """

    name: MetricName
    aliases: tuple[str, ...]
    formula: Formula
    begin: FormulaTerm
    end: FormulaTerm
    population: Population
    unit: Unit
    least_tokens: int = 1
    summary: Summary = Summary.MEDIAN


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        MetricName.TTFT,
        ("time to first token", "first token latency"),
        FIRST - START,
        FormulaTerm.START,
        FormulaTerm.FIRST,
        Population.RUNS,
        Unit.NANOSECONDS,
    ),
    Definition(
        MetricName.PREFILL,
        ("prefill time", "prefill latency"),
        FIRST - CALLED,
        FormulaTerm.CALLED,
        FormulaTerm.FIRST,
        Population.RUNS,
        Unit.NANOSECONDS,
    ),
    Definition(
        MetricName.PREFILL_THROUGHPUT,
        ("prefill tokens/s", "prompt throughput"),
        PROMPT / (FIRST - CALLED),
        FormulaTerm.CALLED,
        FormulaTerm.FIRST,
        Population.RUNS,
        Unit.TOKENS_PER_S,
    ),
    Definition(
        MetricName.PREFILL_SEQUENCES,
        ("prefill sequences/s",),
        SEQUENCES / (FIRST - CALLED),
        FormulaTerm.CALLED,
        FormulaTerm.FIRST,
        Population.RUNS,
        Unit.SEQUENCES_PER_S,
    ),
    Definition(
        MetricName.TPOT,
        ("time per output token",),
        (LAST - FIRST) / (TOKENS - 1),
        FormulaTerm.FIRST,
        FormulaTerm.LAST,
        Population.RUNS,
        Unit.NANOSECONDS,
        least_tokens=2,
    ),
    Definition(
        MetricName.ITL,
        ("inter-token latency", "inter token latency", "token gap"),
        TOKEN - BEFORE,
        FormulaTerm.BEFORE,
        FormulaTerm.TOKEN,
        Population.GAPS,
        Unit.NANOSECONDS,
        least_tokens=2,
    ),
    Definition(
        MetricName.GROWTH,
        ("step growth", "decode growth"),
        TOKEN - BEFORE,
        FormulaTerm.BEFORE,
        FormulaTerm.TOKEN,
        Population.STEPS,
        Unit.NS_PER_1000_POSITIONS,
        least_tokens=7,  # below six gaps a slope has no 95 % interval worth the name
        summary=Summary.SLOPE,
    ),
    Definition(
        MetricName.E2E,
        ("end to end", "end-to-end latency", "request latency", "e2el"),
        END - START,
        FormulaTerm.START,
        FormulaTerm.END,
        Population.RUNS,
        Unit.NANOSECONDS,
    ),
    Definition(
        MetricName.DECODE_THROUGHPUT,
        ("decode tokens/s",),
        SEQUENCES * (TOKENS - 1) / (LAST - FIRST),
        FormulaTerm.FIRST,
        FormulaTerm.LAST,
        Population.RUNS,
        Unit.TOKENS_PER_S,
        least_tokens=2,
    ),
    Definition(
        MetricName.THROUGHPUT,
        ("output throughput", "output tokens/s", "tokens/s"),
        SEQUENCES * TOKENS / (END - START),
        FormulaTerm.START,
        FormulaTerm.END,
        Population.RUNS,
        Unit.TOKENS_PER_S,
    ),
    Definition(
        MetricName.TOTAL_THROUGHPUT,
        ("total token throughput", "total tokens/s"),
        (PROMPT + SEQUENCES * TOKENS) / (END - START),
        FormulaTerm.START,
        FormulaTerm.END,
        Population.RUNS,
        Unit.TOKENS_PER_S,
    ),
)


def define(name: str) -> Definition:
    """The definition that `name` or one of its aliases stands for, however it is capitalised or hyphenated.

    Raises `UsageError` with the closest name for an unknown one.
    """
    spellings = {_plain(text): d for d in DEFINITIONS for text in (d.name.value, *d.aliases)}
    wanted = _plain(name)
    if wanted in spellings:
        return spellings[wanted]
    close = difflib.get_close_matches(wanted, spellings, n=1, cutoff=0.6)
    meant: Text = m("Did you mean {name}?", name=spellings[close[0]].name.value) if close else ""
    known = ", ".join(d.name.value for d in DEFINITIONS)
    raise UsageError(
        m("There is no metric {name}.", name=repr(name)), "", sentences(meant, m("Known are {names}.", names=known))
    )


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("-", " ").replace("_", " ").split())
