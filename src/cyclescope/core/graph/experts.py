"""Mixtures of experts: which share of the tokens each expert works on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExpertLoad:
    """One call of a mixture's experts: `tokens` tokens, each sent to `chosen` of `experts` experts.

    `frame` is the call, and its operations are the experts' work. `per_expert` [experts] is the number of tokens that
    reach each; empty where the routing depends on values that were not there (a trace without weights).
    """

    frame: int
    experts: int
    tokens: int
    chosen: int
    per_expert: tuple[int, ...] = ()

    @property
    def known(self) -> bool:
        return bool(self.per_expert)

    @property
    def expected(self) -> float:
        """Tokens that an expert gets on average, however they are routed: tokens · chosen / experts."""
        return self.tokens * self.chosen / self.experts

    @property
    def reached(self) -> int | None:
        """Experts that get any token at all; None where that is not known."""
        return sum(count > 0 for count in self.per_expert) if self.known else None

    @property
    def imbalance(self) -> float | None:
        """Tokens of the busiest expert over the average; 1 is even. None where that is not known."""
        return max(self.per_expert) / self.expected if self.known and self.expected else None
