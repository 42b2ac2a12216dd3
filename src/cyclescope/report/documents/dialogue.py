"""The document about a dialogue: what `cyclescope measure --json` prints of a chat with several turns."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cyclescope.core.statistics import Estimate, Ratio
from cyclescope.explaining.dialogue import DialogueCosts, TurnCost
from cyclescope.report.documents.figures import Document, DocumentPart, RatioOf, Text, Time, ratio, schema_field, time
from cyclescope.report.documents.run import Host, Model, Plan


class Saving(DocumentPart):
    """The same with the history read again, and with the cache of the turn before."""

    again: Time = Field(description="the whole history is read again")
    reused: Time = Field(description="only what is new is read")
    ratio: RatioOf = Field(description="reused ÷ again")


class Turn(DocumentPart):
    """One turn of the dialogue."""

    prompt_tokens: int = Field(description="tokens of the whole history, the new message included")
    cached_tokens: int = Field(description="of these, the tokens that the turn before left in the cache")
    characters: int = Field(description="Unicode characters of the new message")
    same_reply: bool = Field(description="whether the reply is the same with the cache and without")
    first_token: Saving = Field(description="time to the first token")
    reply: Saving = Field(description="time to the whole reply")


class DialogueDocument(Document):
    """The cost of the history of a dialogue, and what reusing the cache saves."""

    schema_: Literal["cyclescope/dialogue/2"] = schema_field("cyclescope/dialogue/2")
    version: Text = Field(description="version of cyclescope that measured")
    taken_at: Text = Field(description="UTC, ISO 8601")
    partial: bool = Field(description="whether the measurement was interrupted")
    model: Model
    plan: Plan
    machine: Host
    chat_template: Text = Field(description="own: that of the tokenizer; plain: one of cyclescope")
    new_tokens: int = Field(description="tokens of each reply")
    replies: Saving = Field(description="all replies of one round together")
    turns: list[Turn]
    notes: list[Text]


def dialogue_document(costs: DialogueCosts) -> DialogueDocument:
    """`costs` as the public document."""
    return DialogueDocument.of(
        costs.dialogue,
        chat_template=costs.dialogue.template,
        replies=costs,
        turns=[_turn(turn) for turn in costs.turns],
    )


def _turn(turn: TurnCost) -> Turn:
    return Turn.of(
        turn.facts,
        first_token=_saving(turn.first_again, turn.first_reused, turn.first_ratio),
        reply=_saving(turn.wall_again, turn.wall_reused, turn.wall_ratio),
    )


def _saving(again: Estimate, reused: Estimate, by: Ratio) -> Saving:
    return Saving(again=time(again), reused=time(reused), ratio=ratio(by))
