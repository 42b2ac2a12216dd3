"""A dialogue that was measured turn by turn, with the keys and values of the turn before and without them."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.machine import Machine
from cyclescope.core.message import Text
from cyclescope.core.plan import Plan
from cyclescope.core.units import IntArray, Nanoseconds
from cyclescope.core.workload import ModelFacts

# In whose words messages become a prompt: the tokenizer's own chat template, or simple ones of ours.
OWN, PLAIN = "own", "plain"
TEMPLATES = (OWN, PLAIN)


@dataclass(frozen=True, slots=True)
class TurnRun:
    """One reply: from the messages handed in to its first token, and to its text handed out."""

    first_token_ns: Nanoseconds
    wall_ns: Nanoseconds


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """What one turn asks of the model.

    `prompt_tokens` is the whole history in the words of the chat template, the new message included; `cached_tokens` is
    how much of it the turn before has left behind as keys and values: their longest common beginning.
    `same_reply`: the model writes the same tokens with them and without.
    """

    prompt_tokens: int
    cached_tokens: int
    characters: int
    same_reply: bool


@dataclass(frozen=True, eq=False)
class TurnSamples:
    """Times of one turn: `again` [n] reads the whole history again, `reused` [n] only what is new in it."""

    facts: TurnFacts
    again_first_ns: IntArray
    again_wall_ns: IntArray
    reused_first_ns: IntArray
    reused_wall_ns: IntArray


@dataclass(frozen=True, eq=False)
class Dialogue:
    """The turns of one dialogue with one model. `template` says whose words the messages were put into: own or plain."""

    model: ModelFacts
    plan: Plan
    machine: Machine
    template: str
    new_tokens: int
    turns: tuple[TurnSamples, ...]
    taken_at: str
    version: str
    partial: bool = False
    notes: tuple[Text, ...] = ()
