"""What tokenizer a configuration goes with, where nothing but the configuration is at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cyclescope.core.errors import ModelError
from cyclescope.core.message import m
from cyclescope.models.catalog import (
    Coverage,
    SpecialToken,
    TokenizerFacts,
    TokenizerKind,
    architectures,
    first_int,
)

# Model types of transformers by the tokenizer that their published checkpoints have; all others are byte-level.
_WORDPIECE = frozenset({
    "bert", "convbert", "distilbert", "electra", "funnel", "layoutlm", "lxmert", "megatron-bert", "mobilebert", "mpnet",
    "nomic_bert", "realm", "roformer", "splinter", "squeezebert", "tapas", "visual_bert",
})  # fmt: skip
_UNIGRAM = frozenset({
    "albert", "big_bird", "bigbird_pegasus", "camembert", "deberta-v2", "fnet", "longt5", "m2m_100", "marian", "mbart",
    "mega", "mt5", "nystromformer", "pegasus", "rembert", "t5", "umt5", "xlm-roberta", "xlm-roberta-xl", "xlnet", "xmod",
})  # fmt: skip
_GEMMA = frozenset({"gemma", "gemma2", "gemma3", "gemma3_text"})
_SENTENCEPIECE_BPE = _GEMMA | {
    "internlm2",
    "jamba",
    "llama",
    "minicpm",
    "mistral",
    "mixtral",
    "phi3",
    "zamba",
    "zamba2",
}
# Llama 3 and later Mistrals went over to byte-level with 128 thousand tokens and more; Gemma did not.
_SENTENCEPIECE_BPE_LIMIT = 100_000

# Models whose first position is padding id + 1 (fairseq's convention), so that some rows of the table are never used.
_OFFSET_POSITIONS = frozenset({"camembert", "data2vec-text", "longformer", "roberta", "xlm-roberta", "xlm-roberta-xl"})

_CHINESE_VOCABULARY = 21128  # the vocabulary of bert-base-chinese, which its many descendants kept
_MULTILINGUAL_FROM = 100_000
_ANY_LENGTH = 1 << 30
_SMALLEST, _LARGEST = 16, 4_000_000  # room for the special tokens; four times the largest vocabulary ever published

_TEXTS = {
    "pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "cls_token": "[CLS]",
    "sep_token": "[SEP]", "mask_token": "[MASK]",
}  # fmt: skip
_BERT_ROLES = (("pad_token", 0), ("unk_token", 100), ("cls_token", 101), ("sep_token", 102), ("mask_token", 103))
_BERT_PLACES = 104


def tokenizer_facts(config: Mapping[str, Any]) -> TokenizerFacts:
    """The tokenizer that a model with this `config.json` most likely has.

    That of the built-in architecture of the same type and vocabulary size, which models of one series share; without
    such a relative, the kind by model type, and size and special ids by the configuration. Raises `ModelError` without
    a vocabulary size.
    """
    text = config.get("text_config")
    if "vocab_size" not in config and isinstance(text, Mapping):
        return tokenizer_facts(text)
    size = first_int(config, "vocab_size")
    if not _SMALLEST <= size <= _LARGEST:
        raise ModelError(
            m(
                "The `vocab_size` of the configuration must be from {least} to {most} (got {given}).",
                least=_SMALLEST,
                most=_LARGEST,
                given=repr(config.get("vocab_size")),
            ),
            m("No stand-in tokenizer can be made for it."),
            m("Put the model's own tokenizer.json beside its config.json."),
        )
    model_type = str(config.get("model_type", ""))
    for relative in architectures():
        if relative.config["model_type"] == model_type and first_int(relative.config, "vocab_size") == size:
            return replace(relative.tokenizer, max_length=_max_length(config))
    kind = _kind(model_type, size)
    special = _bert_tokens(config, size) if kind is TokenizerKind.WORDPIECE else _tokens(config, size)
    single, pair = _templates(special, config)
    return TokenizerFacts(
        kind=kind,
        vocabulary=size,
        max_length=_max_length(config),
        lowercase=kind is TokenizerKind.WORDPIECE,
        coverage=_coverage(kind, size),
        segments=first_int(config, "type_vocab_size") > 1,
        special_tokens=special,
        single=single,
        pair=pair,
    )


def _max_length(config: Mapping[str, Any]) -> int:
    """Tokens that the positions allow; RoBERTa and its kind begin to count after the padding id."""
    positions = first_int(config, "max_position_embeddings", "n_positions")
    if config.get("model_type") in _OFFSET_POSITIONS:
        positions -= first_int(config, "pad_token_id") + 1
    return positions if positions > 0 else _ANY_LENGTH


def _kind(model_type: str, size: int) -> TokenizerKind:
    if model_type in _WORDPIECE:
        return TokenizerKind.WORDPIECE
    if model_type in _UNIGRAM:
        return TokenizerKind.UNIGRAM
    if model_type in _SENTENCEPIECE_BPE and (size < _SENTENCEPIECE_BPE_LIMIT or model_type in _GEMMA):
        return TokenizerKind.BPE
    return TokenizerKind.BYTE_LEVEL_BPE


def _coverage(kind: TokenizerKind, size: int) -> Coverage:
    if kind is TokenizerKind.WORDPIECE and size == _CHINESE_VOCABULARY:
        return Coverage.CHINESE
    return Coverage.MULTILINGUAL if size >= _MULTILINGUAL_FROM else Coverage.ENGLISH


def _bert_tokens(config: Mapping[str, Any], size: int) -> tuple[SpecialToken, ...]:
    """BERT's five at BERT's ids, in a tiny vocabulary at the first ones; padding where the configuration says."""
    places = dict(_BERT_ROLES) if size >= _BERT_PLACES else {role: i for i, (role, _) in enumerate(_BERT_ROLES)}
    pad = _id(config, "pad_token", size)
    if pad is not None and pad not in places.values():
        places["pad_token"] = pad
    return tuple(SpecialToken(role, f"[{role.removesuffix('_token').upper()}]", i) for role, i in places.items())


def _id(config: Mapping[str, Any], role: str, size: int) -> int | None:
    """The id that `config` gives for `role` (the first, where it gives several), if it lies in the vocabulary."""
    value = config.get(f"{role}_id")
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < size else None


def _tokens(config: Mapping[str, Any], size: int) -> tuple[SpecialToken, ...]:
    """Special tokens at the ids of `config`; two roles with one id are one token, as in many decoders.

    A padding, an end and an unknown token are there in any case, since batches and unigram models need them, and an
    encoder that names no begin gets BERT's frame.
    """
    named = {role: i for role in _TEXTS if (i := _id(config, role, size)) is not None}
    text_at: dict[int, str] = {}
    for role, i in named.items():
        text_at.setdefault(i, _TEXTS[role])
    needed = ["eos_token", "pad_token", "unk_token"]
    if _is_encoder(config) and "bos_token" not in named:
        needed += ["cls_token", "sep_token"]
    for role in needed:
        if role not in named and (place := next((i for i in range(size) if i not in text_at), None)) is not None:
            named[role] = place
            text_at[place] = _TEXTS[role]
    return tuple(SpecialToken(role, text_at[i], i) for role, i in named.items())


def _templates(special: tuple[SpecialToken, ...], config: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stands around a text: begin and end for encoders, the end for encoder-decoders, the begin for decoders."""
    text = {token.role: token.text for token in special}
    if config.get("is_encoder_decoder"):
        return ("$A", text["eos_token"]), ("$A", "$B", text["eos_token"])
    if "cls_token" in text and "sep_token" in text:
        begin, end = text["cls_token"], text["sep_token"]
        return (begin, "$A", end), (begin, "$A", end, "$B:1", f"{end}:1")
    if "bos_token" not in text or text["bos_token"] == text["eos_token"]:
        # One token for both, as in GPT-2, separates texts and is not put before a single one.
        return ("$A",), ("$A", "$B")
    begin, end = text["bos_token"], text["eos_token"]
    if _is_encoder(config):
        return (begin, "$A", end), (begin, "$A", end, end, "$B", end)
    return (begin, "$A"), (begin, "$A", begin, "$B")


def _is_encoder(config: Mapping[str, Any]) -> bool:
    """Encoders are published for masked tokens; a configuration that does not say so but has segments is one as well."""
    published = config.get("architectures")
    if isinstance(published, list) and published:
        return any("MaskedLM" in str(name) for name in published)
    return "type_vocab_size" in config
