"""What a dialogue says about itself: the price of its history, and what the cache of the turn before saves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.dialogue import Dialogue, TurnFacts, TurnSamples
from cyclescope.core.statistics import Estimate, Ratio, median_estimate, median_ratio
from cyclescope.core.units import IntArray


@dataclass(frozen=True, slots=True)
class TurnCost:
    """One turn. `again`: the whole history is read again; `reused`: only what the turn before has not read.

    `first` is the time to the first token, `wall` that to the whole reply; ratios are reused ÷ again.
    """

    facts: TurnFacts
    first_again: Estimate
    first_reused: Estimate
    first_ratio: Ratio
    wall_again: Estimate
    wall_reused: Estimate
    wall_ratio: Ratio


@dataclass(frozen=True, eq=False)
class DialogueCosts:
    """All turns. `again` and `reused` are all replies of one round together, `ratio` is reused ÷ again.

    A turn that finds no cache does the same either way, and counts the same in both.
    """

    dialogue: Dialogue
    turns: tuple[TurnCost, ...]
    again: Estimate
    reused: Estimate
    ratio: Ratio


def explain_dialogue(dialogue: Dialogue) -> DialogueCosts:
    """Medians, intervals and ratios of every turn."""
    turns = tuple(
        TurnCost(
            facts=turn.facts,
            first_again=median_estimate(turn.again_first_ns),
            first_reused=median_estimate(turn.reused_first_ns),
            first_ratio=median_ratio(turn.reused_first_ns, turn.again_first_ns),
            wall_again=median_estimate(turn.again_wall_ns),
            wall_reused=median_estimate(turn.reused_wall_ns),
            wall_ratio=median_ratio(turn.reused_wall_ns, turn.again_wall_ns),
        )
        for turn in dialogue.turns
    )
    rounds = min(len(turn.again_wall_ns) for turn in dialogue.turns)
    again = np.sum([turn.again_wall_ns[:rounds] for turn in dialogue.turns], axis=0)
    reused = np.sum([_with_cache(turn)[:rounds] for turn in dialogue.turns], axis=0)
    return DialogueCosts(dialogue, turns, median_estimate(again), median_estimate(reused), median_ratio(reused, again))


def _with_cache(turn: TurnSamples) -> IntArray:
    return turn.reused_wall_ns if turn.facts.cached_tokens else turn.again_wall_ns
