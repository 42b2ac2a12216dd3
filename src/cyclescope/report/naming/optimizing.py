"""Codes of an optimization in words: what became of a plan, why a strategy was not tried, the phases of a search."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.message import Message, Text, m, plural, sentences
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.explaining.comparison import Verdict
from cyclescope.optimizing.optimization import (
    OUT_OF_BUDGET,
    NotTried,
    Outcome,
    Phase,
    Row,
    Skip,
    Unfinished,
)
from cyclescope.report import format as fmt
from cyclescope.report.naming.outputs import drift_words

_OUTCOMES: Mapping[Outcome, Message] = MappingProxyType(
    {
        Outcome.DRIFTED: m("refused"),
        Outcome.MISLABELED: m("refused"),
        Outcome.FAILED: m("failed"),
        Outcome.UNSUPPORTED: m("not supported"),
        Outcome.MISSING: m("not installed"),
    }
)
_SKIPS: Mapping[Skip, Message] = MappingProxyType(
    {
        Skip.OUT_OF_BUDGET: OUT_OF_BUDGET,
        Skip.OPT_IN: m("slow; tried only where --strategy names it"),
        Skip.CHANGES_OUTPUTS: m("changes the outputs; tried only where --max-drift allows it"),
        Skip.SAME_PLAN: m("results in a plan that was tried already"),
        Skip.EXCLUDED: m("excluded by --without"),
        Skip.DRIFTED: m("its outputs drifted too far in an earlier trial"),
        Skip.FAILED: m("it could not run in an earlier trial"),
    }
)
PHASES: Mapping[Phase, Message] = MappingProxyType(
    {
        Phase.LOAD: m("loading"),
        Phase.BASELINE: m("baseline"),
        Phase.SEARCH: m("search"),
        Phase.CONFIRMATION: m("confirmation"),
        Phase.ABLATION: m("ablation"),
        Phase.EXPLANATION: m("explanation"),
        Phase.TOTAL: m("total"),
    }
)
# Of a part, by the verdict about the plan without it.
PART_VERDICTS: Mapping[Verdict, Message] = MappingProxyType(
    {
        Verdict.FASTER: m("faster without it"),
        Verdict.SLOWER: m("confirmed"),
        Verdict.INCONCLUSIVE: m("not confirmed"),
    }
)


def outcome_words(row: Row) -> Text:
    """What became of a plan that is no candidate: why it did not run, or how far its outputs are from the baseline's."""
    if row.outcome is Outcome.TRIED:
        return ""
    if row.outcome is Outcome.DRIFTED:
        reason: Text = m("outputs drift too far ({drift})", drift=drift_words(row.drift))
    elif row.outcome is Outcome.MISLABELED:
        reason = m("too many labels are wrong")
    else:
        reason = sentences(row.reason, row.way_out)
    return m("{outcome}: {reason}", outcome=_OUTCOMES[row.outcome], reason=reason)


def skip_words(left: NotTried) -> Text:
    """Why a strategy was not tried."""
    if left.why is Skip.NOT_INSTALLED:
        return m("not installed: {way}", way=left.detail)
    return _SKIPS.get(left.why) or left.detail


def unfinished_words(left: Unfinished) -> Text:
    """Why a phase did not run to its end."""
    if left.reason:
        return left.reason
    why: Text = OUT_OF_BUDGET
    if left.rounds:
        why = plural(
            "out of budget, after {n} round", "out of budget, after {n} rounds", left.rounds, n=fmt.count(left.rounds)
        )
    if left.needs_ns:
        return m("{why}; a budget of about {time} is enough", why=why, time=budget_words(left.needs_ns))
    return why


def budget_words(ns: Nanoseconds) -> str:
    """A budget as `--budget` takes it, rounded up to half minutes, or to ten seconds below a minute."""
    seconds = ns / NS_PER_S
    if seconds <= 60:
        return f"{10 * math.ceil(seconds / 10)}s"
    halves = math.ceil(seconds / 30)
    return f"{halves // 2}m" if halves % 2 == 0 else f"{30 * halves}s"
