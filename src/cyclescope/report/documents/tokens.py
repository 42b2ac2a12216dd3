"""What `cyclescope tokens --json` prints: texts and their tokens as one document for other programs."""

from __future__ import annotations

import json
from typing import Any

from cyclescope.explaining.languages import LanguageCosts, TextCost
from cyclescope.report.documents.document_figures import estimate_figures, ratio_figures
from cyclescope.report.names import storable

SCHEMA = "cyclescope/tokens/1"


def tokens_json(costs: LanguageCosts) -> str:
    """The same as one JSON document: times in nanoseconds, shares and ratios as plain numbers. No text is in it."""
    document = {
        "schema": SCHEMA,
        "model": storable(costs.model),
        "version": costs.version,
        "taken_at": costs.taken_at,
        "partial": costs.partial,
        "machine": {
            "processor": storable(costs.machine.processor),
            "cores": costs.machine.cores,
            "memory_bytes": costs.machine.memory_bytes,
            "system": storable(costs.machine.system),
            "python": storable(costs.machine.python),
            "virtual": costs.machine.virtual,
            "packages": {storable(name): storable(version) for name, version in costs.machine.packages},
        },
        "longest_tokens": costs.longest,
        "reference": costs.reference,
        "tokenizers": [
            {
                "name": storable(tokenizer.name),
                "fast": tokenizer.fast,
                "stand_in": tokenizer.stand_in,
                "vocabulary": tokenizer.vocabulary,
                "one_letter": estimate_figures(one_letter),
            }
            for tokenizer, one_letter in zip(costs.tokenizers, costs.one_letter, strict=True)
        ],
        "disagreements": costs.disagreements,
        "texts": [_text(text) for text in costs.texts],
        "notes": [storable(str(note)) for note in costs.notes],
    }
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)


def _text(text: TextCost) -> dict[str, Any]:
    cycle = text.cycle
    return {
        "label": storable(text.text.label),
        "characters": text.text.characters,
        "utf8_bytes": text.text.utf8_bytes,
        "too_long": text.too_long,
        "fitting_characters": text.fitting_characters,
        "tokenizers": [
            {
                "tokens": cost.count.tokens,
                "special_tokens": cost.count.special_tokens,
                "unknown_tokens": cost.count.unknown_tokens,
                "tokens_per_character": cost.tokens_per_character,
                "characters_per_token": cost.characters_per_token,
                "unknown_share": cost.unknown_share,
                "token_ratio": cost.token_ratio,
                "time": estimate_figures(cost.time),
                "time_per_character_ns": cost.time_per_character_ns,
                "time_ratio": ratio_figures(cost.time_ratio),
                "time_to_own_ratio": ratio_figures(cost.to_own),
            }
            for cost in text.by_tokenizer
        ],
        "cycle": None
        if cycle is None
        else {
            "wall": estimate_figures(cycle.wall),
            "time_per_character_ns": cycle.time_per_character_ns,
            "tokenize_share": cycle.tokenize_share,
            "ratio": ratio_figures(cycle.ratio) if cycle.ratio is not None else None,
            "cut_tokens": cycle.cut_tokens,
            "doubts": [{"code": doubt.code.value, "value": doubt.value} for doubt in cycle.warnings],
        },
    }
