"""Stand-in tokenizers: a `tokenizer.json` of the right kind and size where the published one is not at hand.

Timing depends on how many tokens a text becomes and on how the tokenizer works, not on which number a word has. So a
stand-in cuts the way the real one does (same algorithm, same special tokens at the same ids, same size, as many tokens
a word) with a vocabulary of its own. Equal facts give equal bytes on every machine.

The format is that of the `tokenizers` library (https://huggingface.co/docs/tokenizers); nothing is imported from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import log
from typing import Any

from cyclescope.core.errors import ModelError
from cyclescope.core.message import m
from cyclescope.models import pieces
from cyclescope.models.catalog import Coverage, TokenizerFacts, TokenizerKind

_SPACE = "▁"
# Unused places of WordPiece vocabularies are named as BERT names them; nothing in a text can become one of them,
# since the brackets are cut off as punctuation first.
_FILLER = ("[unused", "]")
_SENTENCEPIECE_FILLER = ("\ue000", "\ue000")  # private use: no ordinary text holds it


@dataclass(frozen=True, slots=True)
class StandIn:
    """A tokenizer as data.

    `json` is the content of a `tokenizer.json`; `special_tokens` maps roles (`pad_token`, …) to texts, as
    `PreTrainedTokenizerFast` takes them, and `input_names` are the tensors that the model accepts.
    """

    json: str
    special_tokens: Mapping[str, str]
    model_max_length: int
    input_names: tuple[str, ...]


def stand_in(facts: TokenizerFacts) -> StandIn:
    """Build the stand-in for `facts`. Raises `ModelError` where the vocabulary is too small for the kind."""
    vocabulary = _Vocabulary(facts)
    builders = {
        TokenizerKind.WORDPIECE: _wordpiece,
        TokenizerKind.BYTE_LEVEL_BPE: _byte_level,
        TokenizerKind.BPE: _sentencepiece_bpe,
        TokenizerKind.UNIGRAM: _unigram,
    }
    parts = builders[facts.kind](facts, vocabulary)
    document = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": _added_tokens(facts),
        "normalizer": parts.normalizer,
        "pre_tokenizer": parts.pre_tokenizer,
        "post_processor": _post_processor(facts),
        "decoder": parts.decoder,
        "model": parts.model,
    }
    names = ("input_ids", "token_type_ids", "attention_mask") if facts.segments else ("input_ids", "attention_mask")
    return StandIn(
        json=json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        special_tokens={token.role: token.text for token in facts.special_tokens},
        model_max_length=facts.max_length,
        input_names=names,
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """The stages of a tokenizer that differ by kind, in the library's own JSON."""

    normalizer: dict[str, Any] | None
    pre_tokenizer: dict[str, Any] | None
    decoder: dict[str, Any]
    model: dict[str, Any]


@dataclass
class _Vocabulary:
    """Tokens by id. Special tokens have their places; pieces take the lowest free ones, in their order, until all are taken.

    A dictionary of 250,000 pieces is made in every opening of a model, so that what is done for each is done by `dict`.
    """

    facts: TokenizerFacts
    pieces: dict[str, None] = field(default_factory=dict)
    """What has a place by now, special tokens among it."""

    def __post_init__(self) -> None:
        self.pieces = {token.text: None for token in self.facts.special_tokens}
        self._special = {token.text: token.id for token in self.facts.special_tokens}
        taken = set(self._special.values())
        self._free = [place for place in range(self.facts.vocabulary) if place not in taken]
        self.most = len(self._special) + len(self._free)

    def add_all(self, many: Iterable[str]) -> None:
        """Give every piece a place that has none, until none is left."""
        self.pieces.update(dict.fromkeys(many))
        while len(self.pieces) > self.most:
            self.pieces.popitem()

    def require(self, many: Iterable[str]) -> None:
        """Add pieces that the kind cannot do without."""
        self.pieces.update(dict.fromkeys(many))
        if len(self.pieces) > self.most:
            raise ModelError(
                m(
                    "A vocabulary of {count} tokens is too small for a {kind} tokenizer.",
                    count=self.facts.vocabulary,
                    kind=str(self.facts.kind),
                ),
                m("Its alphabet alone needs more places."),
                m(
                    "Put the model's own tokenizer.json beside its config.json, "
                    "or measure with --tokens N instead of a text."
                ),
            )

    def ids(self, before: str, after: str) -> dict[str, int]:
        """Every place by its token; one that is left has its number between `before` and `after` for a name."""
        pieces = [piece for piece in self.pieces if piece not in self._special]
        rest = self._free[len(pieces) :]
        return (
            self._special
            | dict(zip(pieces, self._free, strict=False))
            | dict(zip([f"{before}{place}{after}" for place in rest], rest, strict=True))
        )


def _added_tokens(facts: TokenizerFacts) -> list[dict[str, Any]]:
    by_id = {token.id: token.text for token in facts.special_tokens}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return [{"id": i, "content": by_id[i], **flags} for i in sorted(by_id)]


def _post_processor(facts: TokenizerFacts) -> dict[str, Any] | None:
    """What is put around the text, e.g. [CLS] $A [SEP]."""
    if facts.single == ("$A",):
        return None
    ids = {token.text: token.id for token in facts.special_tokens}

    def piece(item: str) -> dict[str, Any]:
        name, segment = (item[:-2], 1) if item.endswith(":1") else (item, 0)
        if name.startswith("$"):
            return {"Sequence": {"id": name[1:], "type_id": segment}}
        return {"SpecialToken": {"id": name, "type_id": segment}}

    used = sorted({item.removesuffix(":1") for item in (*facts.single, *facts.pair) if not item.startswith("$")})
    return {
        "type": "TemplateProcessing",
        "single": [piece(item) for item in facts.single],
        "pair": [piece(item) for item in facts.pair],
        "special_tokens": {text: {"id": text, "ids": [ids[text]], "tokens": [text]} for text in used},
    }


def _text_of(facts: TokenizerFacts, role: str) -> str | None:
    return next((token.text for token in facts.special_tokens if token.role == role), None)


def _characters(facts: TokenizerFacts) -> str:
    """Single characters worth a place, besides ASCII, the common ones first."""
    if facts.coverage is Coverage.CHINESE:
        return pieces.CHINESE_PUNCTUATION + pieces.TYPOGRAPHY
    many = facts.coverage is Coverage.MULTILINGUAL
    rest = pieces.CHINESE_PUNCTUATION + pieces.alphabets(hangul=True) if many else pieces.alphabets(hangul=False)
    return pieces.TYPOGRAPHY + pieces.LATIN_LETTERS + rest


def _words(facts: TokenizerFacts, count: int) -> Iterable[str]:
    """The `count` most frequent words in the cases that the vocabulary tells apart."""
    chosen = pieces.words()[:count]
    return chosen if facts.lowercase else chain(chosen, (word.capitalize() for word in chosen[: count // 2]))


def _wordpiece(facts: TokenizerFacts, vocabulary: _Vocabulary) -> _Parts:
    """BERT's: words cut at spaces and punctuation, every Chinese character by itself, then longest match first."""
    ascii_characters = pieces.ASCII.lower() if facts.lowercase else pieces.ASCII
    vocabulary.require(dict.fromkeys(ascii_characters))
    vocabulary.add_all(f"##{c}" for c in dict.fromkeys(ascii_characters) if c.isalnum())
    vocabulary.add_all(_characters(facts))
    chinese = facts.coverage is Coverage.CHINESE
    vocabulary.add_all(_words(facts, 3000 if chinese else facts.vocabulary // 2))
    vocabulary.add_all(f"##{ending}" for ending in pieces.endings()[: 1000 if chinese else None])
    vocabulary.add_all(pieces.NUMBERS)
    if facts.coverage is not Coverage.ENGLISH:
        vocabulary.add_all(pieces.han())
    vocabulary.add_all(f"##{c}" for c in _characters(facts) if c.isalpha())
    return _Parts(
        normalizer={
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": facts.lowercase,
        },
        pre_tokenizer={"type": "BertPreTokenizer"},
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
        model={
            "type": "WordPiece",
            "unk_token": _text_of(facts, "unk_token") or "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocabulary.ids(*_FILLER),
        },
    )


# A word takes about three places (its beginnings, its capitalised form); half of the vocabulary is left for the rest.
_PLACES_PER_SPELLED_WORD = 6


@dataclass
class _Merges:
    """Merges that spell pieces from the left, letter by letter (or syllable by syllable, where letters are merged already).

    BPE always takes the earliest merge of the list that fits. All words that begin with a space are spelled before
    anything else, so a word is first grown from its space as far as the vocabulary goes, and only what is left of it is
    then put together from endings.
    """

    vocabulary: _Vocabulary
    pairs: list[tuple[str, str]] = field(default_factory=list)

    def spell(self, many: Iterable[Sequence[str]]) -> None:
        """Add `many` pieces, each with the beginnings that lead to it, until no place is left."""
        places, most, pairs = self.vocabulary.pieces, self.vocabulary.most, self.pairs
        for piece in many:
            left = piece[0]
            for right in piece[1:]:
                grown = left + right
                if grown not in places:
                    if len(places) >= most:
                        return
                    places[grown] = None
                    pairs.append((left, right))
                left = grown


def _byte_alphabet() -> dict[int, str]:
    """A printable character for every byte, as GPT-2 assigns them (Radford et al., 2019, `bytes_to_unicode`)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in set(printable)]
    return {b: chr(b) for b in printable} | {b: chr(0x100 + k) for k, b in enumerate(others)}


def _byte_level(facts: TokenizerFacts, vocabulary: _Vocabulary) -> _Parts:
    """GPT-2's: text is bytes, a word carries the space before it, merges put bytes together."""
    alphabet = _byte_alphabet()

    def as_bytes(text: str) -> str:
        return text.encode().decode("latin-1").translate(alphabet)

    vocabulary.require(alphabet[b] for b in range(256))
    merges = _Merges(vocabulary)
    merges.spell(alphabet[0x20] + word for word in _words(facts, facts.vocabulary // _PLACES_PER_SPELLED_WORD))
    merges.spell(alphabet[0x20] + number for number in pieces.NUMBERS)
    # Where Chinese is not what the vocabulary is for, two of a character's three bytes are merged: two tokens each.
    chinese = facts.coverage is not Coverage.ENGLISH
    merges.spell(as_bytes(c)[: None if chinese else 2] for c in pieces.han()[:7000])
    if chinese:
        merges.spell([as_bytes(c) for c in word] for word in pieces.chinese_words())
    merges.spell(pieces.endings())
    merges.spell(_words(facts, 2000))
    merges.spell(pieces.NUMBERS)
    if chinese:
        merges.spell(as_bytes(c) for c in pieces.CHINESE_PUNCTUATION + pieces.han() + pieces.alphabets(hangul=True))
    merges.spell(as_bytes(c) for c in pieces.LATIN_LETTERS)
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return _Parts(
        normalizer={"type": "Lowercase"} if facts.lowercase else None,
        pre_tokenizer=byte_level,
        decoder=byte_level,
        model=_bpe_model(vocabulary.ids(*_FILLER), merges, unk_token=None, byte_fallback=False),
    )


def _sentencepiece_bpe(facts: TokenizerFacts, vocabulary: _Vocabulary) -> _Parts:
    """Llama 2's: spaces become ▁, merges put characters together, a character without a token becomes its bytes."""
    vocabulary.require(f"<0x{b:02X}>" for b in range(256))
    vocabulary.require((_SPACE, *pieces.ASCII))
    vocabulary.add_all(_characters(facts))
    vocabulary.add_all(pieces.han()[: 700 if facts.coverage is Coverage.ENGLISH else 7000])  # Llama 2 has about 700
    merges = _Merges(vocabulary)
    merges.spell(_SPACE + word for word in _words(facts, facts.vocabulary // _PLACES_PER_SPELLED_WORD))
    merges.spell(pieces.endings())
    merges.spell(_words(facts, 2000))
    ids = vocabulary.ids(*_SENTENCEPIECE_FILLER)
    space = {"String": " "}
    return _Parts(
        normalizer={
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": _SPACE},
                {"type": "Replace", "pattern": space, "content": _SPACE},
            ],
        },
        pre_tokenizer=None,
        decoder={
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": _SPACE}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ],
        },
        model=_bpe_model(ids, merges, unk_token=_text_of(facts, "unk_token"), byte_fallback=True),
    )


def _bpe_model(
    ids: Mapping[str, int], merges: _Merges, *, unk_token: str | None, byte_fallback: bool
) -> dict[str, Any]:
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": unk_token,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": byte_fallback,
        "byte_fallback": byte_fallback,
        "vocab": ids,
        "merges": merges.pairs,
    }


def _unigram(facts: TokenizerFacts, vocabulary: _Vocabulary) -> _Parts:
    """SentencePiece's unigram model: the cut with the highest probability (Kudo, 2018, arXiv:1804.10959)."""
    ascii_characters = pieces.ASCII.lower() if facts.lowercase else pieces.ASCII
    words = [_SPACE + word for word in _words(facts, facts.vocabulary // 2)]
    chinese = () if facts.coverage is Coverage.ENGLISH else (*pieces.han()[:300], *pieces.chinese_words())
    common = list(dict.fromkeys((*words, *chinese, *pieces.endings(), *_words(facts, 2000))))
    vocabulary.require(dict.fromkeys((_SPACE, *ascii_characters)))
    vocabulary.add_all(common)
    vocabulary.add_all(_characters(facts))
    if facts.coverage is not Coverage.ENGLISH:
        vocabulary.add_all(pieces.CHINESE_PUNCTUATION + pieces.han())
    ids = vocabulary.ids(*_SENTENCEPIECE_FILLER)
    scores = dict.fromkeys(sorted(ids, key=ids.__getitem__), _UNRANKED_SCORE)
    scores |= {piece: score for piece, score in zip(common, _zipf_scores(len(common)), strict=True) if piece in scores}
    scores |= dict.fromkeys((token.text for token in facts.special_tokens), 0.0)
    steps: list[dict[str, Any]] = [
        {"type": "NFKC"},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
    ]
    if facts.lowercase:
        steps.append({"type": "Lowercase"})
    metaspace = {"type": "Metaspace", "replacement": _SPACE, "prepend_scheme": "always", "split": True}
    unknown = next((token.id for token in facts.special_tokens if token.role == "unk_token"), 0)
    return _Parts(
        normalizer={"type": "Sequence", "normalizers": steps},
        pre_tokenizer=metaspace,
        decoder=metaspace,
        model={"type": "Unigram", "unk_id": unknown, "vocab": list(scores.items()), "byte_fallback": False},
    )


_UNRANKED_SCORE = -12.0  # below every ranked piece: the last of 25 thousand has −10.1


def _zipf_scores(count: int) -> list[float]:
    """Log probabilities that fall with the rank as those of words do (Zipf's law), so that one piece beats two."""
    return [round(-log(rank + 10), 6) for rank in range(count)]
