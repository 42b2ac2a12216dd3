"""What a generation was seen to do: the few facts that every metric of it, ours or another tool's, is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.units import AnyArray, IntArray


class FormulaTerm(StrEnum):
    """What a formula is made of: points on the clock of one cycle, and counts. The order is that of `formula`'s symbols."""

    START = "request in"
    CALLED = "model called"
    FIRST = "first token"
    LAST = "last token"
    TOKEN = "token"
    BEFORE = "token before"
    END = "text out"
    TOKENS = "tokens"
    SEQUENCES = "sequences"
    PROMPT = "prompt tokens"


@dataclass(frozen=True, eq=False)
class Observed:
    """Unprofiled generations, a row each.

    `called_ns` [runs], `emitted_ns` [runs, tokens] and `wall_ns` [runs] count from the moment in which the request was
    handed in. A token comes out once for each of the `sequences` of a batch, at the same time. `prompt_tokens` are those
    of all sequences, padding left out. `scenarios`: each row is one of a prediction.
    """

    called_ns: IntArray
    emitted_ns: IntArray
    wall_ns: IntArray
    sequences: int
    prompt_tokens: int
    scenarios: bool = False

    def __len__(self) -> int:
        return len(self.emitted_ns)

    @property
    def tokens(self) -> int:
        """Tokens of one sequence."""
        return int(self.emitted_ns.shape[1])

    @property
    def gaps_ns(self) -> IntArray:
        """Time from each token to the next [runs, tokens − 1]."""
        gaps: IntArray = np.diff(self.emitted_ns, axis=1)
        return gaps

    def value(self, quantity: FormulaTerm) -> AnyArray:
        """[runs, 1] for what a run has once, [runs, tokens − 1] for what it has once a gap, [1, 1] for a count."""
        if quantity is FormulaTerm.START:
            return np.zeros((len(self), 1), dtype=np.int64)
        if quantity is FormulaTerm.CALLED:
            return self.called_ns[:, np.newaxis]
        if quantity is FormulaTerm.FIRST:
            return self.emitted_ns[:, :1]
        if quantity is FormulaTerm.LAST:
            return self.emitted_ns[:, -1:]
        if quantity is FormulaTerm.TOKEN:
            return self.emitted_ns[:, 1:]
        if quantity is FormulaTerm.BEFORE:
            return self.emitted_ns[:, :-1]
        if quantity is FormulaTerm.END:
            return self.wall_ns[:, np.newaxis]
        counts = {
            FormulaTerm.TOKENS: self.tokens,
            FormulaTerm.SEQUENCES: self.sequences,
            FormulaTerm.PROMPT: self.prompt_tokens,
        }
        return np.full((1, 1), counts[quantity], dtype=np.int64)


def observe(cycle: Cycle) -> Observed | None:
    """The generations of the uninstrumented runs of `cycle`; None where it wrote no text or was interrupted before the first."""
    tokens, uninstrumented = cycle.samples.tokens, cycle.samples.uninstrumented
    # An interruption may fall between a run's wall time and its tokens; what both know of counts.
    runs = min(len(tokens), len(uninstrumented)) if tokens is not None else 0
    if tokens is None or not runs or not tokens.emitted_ns.shape[1]:
        return None
    return Observed(
        called_ns=tokens.called_ns[:runs],
        emitted_ns=tokens.emitted_ns[:runs],
        wall_ns=uninstrumented.wall_ns[:runs],
        sequences=cycle.workload.batch,
        prompt_tokens=cycle.workload.prompt_tokens or cycle.workload.real_tokens,
        scenarios=cycle.source is Source.PREDICTED,
    )
