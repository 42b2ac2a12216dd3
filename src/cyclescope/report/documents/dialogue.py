"""What `cyclescope measure --json` prints of a dialogue: one document for other programs."""

from __future__ import annotations

import json
from typing import Any

from cyclescope.explaining.dialogue import DialogueCosts, TurnCost
from cyclescope.report.documents.document_figures import estimate_figures, ratio_figures
from cyclescope.report.names import storable

SCHEMA = "cyclescope/dialogue/1"


def dialogue_json(costs: DialogueCosts) -> str:
    """The document as strict JSON. Times are nanoseconds; a ratio is reused ÷ again."""
    dialogue = costs.dialogue
    model, plan, machine = dialogue.model, dialogue.plan, dialogue.machine
    document = {
        "schema": SCHEMA,
        "version": dialogue.version,
        "taken_at": dialogue.taken_at,
        "partial": dialogue.partial,
        "model": {
            "reference": storable(model.reference),
            "class_name": storable(model.class_name),
            "parameters": model.parameters,
            "weights": model.weights.value,
            "tokenizer": storable(model.tokenizer),
            "stand_in_tokenizer": model.stand_in_tokenizer,
        },
        "plan": {
            "engine": plan.engine,
            "device": plan.device,
            "threads": plan.threads,
            "dtype": plan.dtype,
            "attention": storable(plan.attention),
            "decoding": plan.decoding,
            "seed": plan.seed,
        },
        "machine": {
            "processor": storable(machine.processor),
            "cores": machine.cores,
            "memory_bytes": machine.memory_bytes,
        },
        "chat_template": dialogue.template,
        "new_tokens": dialogue.new_tokens,
        "replies_again": estimate_figures(costs.again),
        "replies_reused": estimate_figures(costs.reused),
        "replies_ratio": ratio_figures(costs.ratio),
        "turns": [_turn(turn) for turn in costs.turns],
        "notes": [storable(str(note)) for note in dialogue.notes],
    }
    return json.dumps(document, indent=2, allow_nan=False)


def _turn(turn: TurnCost) -> dict[str, Any]:
    return {
        "prompt_tokens": turn.facts.prompt_tokens,
        "cached_tokens": turn.facts.cached_tokens,
        "characters": turn.facts.characters,
        "same_reply": turn.facts.same_reply,
        "first_token_again": estimate_figures(turn.first_again),
        "first_token_reused": estimate_figures(turn.first_reused),
        "first_token_ratio": ratio_figures(turn.first_ratio),
        "reply_again": estimate_figures(turn.wall_again),
        "reply_reused": estimate_figures(turn.wall_reused),
        "reply_ratio": ratio_figures(turn.wall_ratio),
    }
