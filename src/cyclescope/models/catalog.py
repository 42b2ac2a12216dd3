"""Built-in architectures: published configurations, shipped as data, one file each in `data/`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any


class ModelFamily(StrEnum):
    """Which halves of the Transformer a model has."""

    ENCODER = "encoder"
    DECODER = "decoder"
    ENCODER_DECODER = "encoder-decoder"


class TokenizerKind(StrEnum):
    """How text is cut. `BPE` is SentencePiece's, with ▁ for a space and bytes as the last resort."""

    WORDPIECE = "wordpiece"
    BPE = "bpe"
    UNIGRAM = "unigram"
    BYTE_LEVEL_BPE = "byte-level-bpe"


class Coverage(StrEnum):
    """Which writing the vocabulary spends its places on."""

    ENGLISH = "english"
    CHINESE = "chinese"
    MULTILINGUAL = "multilingual"


@dataclass(frozen=True, slots=True)
class SpecialToken:
    """A special token: its role as transformers names it (`pad_token`, `cls_token`, …), its text and its id."""

    role: str
    text: str
    id: int


@dataclass(frozen=True, slots=True)
class TokenizerFacts:
    """What is known of a tokenizer without having its files.

    `vocabulary` counts all tokens, special ones included. `single` and `pair` say what surrounds one text ($A) and two
    ($A, $B); `:1` marks the second segment. `segments` says whether the model takes segment ids.
    """

    kind: TokenizerKind
    vocabulary: int
    max_length: int
    lowercase: bool
    coverage: Coverage
    segments: bool
    special_tokens: tuple[SpecialToken, ...]
    single: tuple[str, ...]
    pair: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Architecture:
    """A published architecture.

    `config` is what stands in its `config.json`, without dtype: that belongs to the plan. `parameters` counts tied
    weights once, with the language-model head for decoders and encoder-decoders, without a head for encoders.
    `source` says where the configuration was published.
    """

    name: str
    family: ModelFamily
    hub_names: tuple[str, ...]
    aliases: tuple[str, ...]
    description: str
    source: str
    parameters: int
    tokenizer: TokenizerFacts
    config: Mapping[str, Any]

    @property
    def layers(self) -> int:
        """Layers of the deepest stack; an encoder-decoder has as many again on the other side."""
        return first_int(self.config, "num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers")

    @property
    def hidden(self) -> int:
        """Width of the residual stream."""
        return first_int(self.config, "hidden_size", "n_embd", "d_model", "dim")

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every name it answers to, itself first."""
        tails = tuple(name.rpartition("/")[2] for name in self.hub_names)
        return tuple(dict.fromkeys((self.name, *self.aliases, *self.hub_names, *tails)))


def first_int(config: Mapping[str, Any], *keys: str) -> int:
    """The first of `keys` that `config` gives a whole number for; 0 if none. The families of transformers differ."""
    return next((value for key in keys if isinstance(value := config.get(key), int)), 0)


@cache
def architectures() -> tuple[Architecture, ...]:
    """All built-in architectures: encoders, decoders, encoder-decoders, each from small to large."""
    folder = files(__package__) / "data"
    found = [_read(entry.read_bytes()) for entry in folder.iterdir() if entry.name.endswith(".json")]
    order = list(ModelFamily)
    return tuple(sorted(found, key=lambda a: (order.index(a.family), a.parameters, a.name)))


@cache
def _by_spelling() -> Mapping[str, Architecture]:
    return {spelling.lower(): entry for entry in architectures() for spelling in entry.spellings}


def find(name: str) -> Architecture | None:
    """The built-in architecture of that name, alias or hub name, whatever its case."""
    return _by_spelling().get(name.lower())


def _read(content: bytes) -> Architecture:
    data: dict[str, Any] = json.loads(content)
    tokenizer: dict[str, Any] = data["tokenizer"]
    return Architecture(
        name=data["name"],
        family=ModelFamily(data["family"]),
        hub_names=tuple(data["hub_names"]),
        aliases=tuple(data["aliases"]),
        description=data["description"],
        source=data["source"],
        parameters=data["parameters"],
        tokenizer=TokenizerFacts(
            kind=TokenizerKind(tokenizer["kind"]),
            vocabulary=tokenizer["vocabulary"],
            max_length=tokenizer["max_length"],
            lowercase=tokenizer["lowercase"],
            coverage=Coverage(tokenizer["coverage"]),
            segments=tokenizer["segments"],
            special_tokens=tuple(SpecialToken(r, text, i) for r, (text, i) in tokenizer["special_tokens"].items()),
            single=tuple(tokenizer["single"]),
            pair=tuple(tokenizer["pair"]),
        ),
        config=MappingProxyType(data["config"]),
    )
