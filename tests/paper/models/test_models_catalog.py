"""The built-in architectures as data: complete, consistent, findable."""

from __future__ import annotations

import pytest

from cyclescope.models.catalog import Architecture, Coverage, ModelFamily, TokenizerKind, architectures, find

NAMES = {a.name: a for a in architectures()}
every = pytest.mark.parametrize("entry", architectures(), ids=lambda a: a.name)


def test_each_family_and_each_kind_of_tokenizer_is_there() -> None:
    assert {a.family for a in architectures()} == set(ModelFamily)
    assert {a.tokenizer.kind for a in architectures()} == set(TokenizerKind)
    assert {a.tokenizer.coverage for a in architectures()} == set(Coverage)


def test_encoders_come_first_and_small_before_large() -> None:
    keys = [(list(ModelFamily).index(a.family), a.parameters) for a in architectures()]
    assert keys == sorted(keys)


def test_no_spelling_means_two_architectures() -> None:
    spellings = [spelling.lower() for a in architectures() for spelling in {s.lower() for s in a.spellings}]
    assert len(spellings) == len(set(spellings))


@pytest.mark.parametrize(
    ("name", "layers", "hidden", "vocabulary"),
    [
        ("bert-base-chinese", 12, 768, 21128),
        ("bert-base-uncased", 12, 768, 30522),
        ("bert-tiny", 2, 128, 30522),
        ("distilbert-base-uncased", 6, 768, 30522),
        ("gpt2", 12, 768, 50257),
        ("t5-small", 6, 512, 32128),
        ("bart-base", 6, 768, 50265),
        ("llama-110m", 12, 768, 32000),
        ("llama-3.1-70b", 80, 8192, 128256),
    ],
)
def test_sizes_are_the_published_ones(name: str, layers: int, hidden: int, vocabulary: int) -> None:
    entry = NAMES[name]
    assert (entry.layers, entry.hidden, entry.config["vocab_size"]) == (layers, hidden, vocabulary)


@every
def test_an_entry_is_complete(entry: Architecture) -> None:
    assert entry.source.startswith("https://")
    assert entry.description.endswith(".")
    assert "\n" not in entry.description
    assert entry.layers > 0
    assert entry.hidden > 0
    assert isinstance(entry.config["model_type"], str)
    assert "torch_dtype" not in entry.config
    assert "auto_map" not in entry.config


@every
def test_a_tokenizer_fits_its_model(entry: Architecture) -> None:
    facts = entry.tokenizer
    # DeBERTa v3 and others pad the embedding; BERT's does not, and none has fewer rows than tokens.
    assert 0 <= entry.config["vocab_size"] - facts.vocabulary < 2000
    assert all(0 <= token.id < facts.vocabulary for token in facts.special_tokens)
    texts = {token.text for token in facts.special_tokens}
    assert (
        len({(t.text, t.id) for t in facts.special_tokens}) == len(texts) == len({t.id for t in facts.special_tokens})
    )
    for template in (facts.single, facts.pair):
        assert "$A" in template
        assert {item.removesuffix(":1") for item in template if not item.startswith("$")} <= texts
    assert "pad_token" in {token.role for token in facts.special_tokens}


@every
def test_special_ids_agree_with_the_configuration(entry: Architecture) -> None:
    ids = {token.role: token.id for token in entry.tokenizer.special_tokens}
    for role in ("cls_token", "sep_token", "mask_token", "eos_token"):
        if f"{role}_id" in entry.config and role in ids:
            assert ids[role] == entry.config[f"{role}_id"]


@every
def test_it_answers_to_its_hub_names_in_any_case(entry: Architecture) -> None:
    for spelling in entry.spellings:
        assert find(spelling) is entry
        assert find(spelling.upper()) is entry


def test_usual_spellings() -> None:
    assert find("google-bert/bert-base-chinese") is NAMES["bert-base-chinese"]
    assert find("openai-community/gpt2") is NAMES["gpt2"]
    assert find("google-t5/t5-small") is NAMES["t5-small"]
    assert find("google/bert_uncased_L-2_H-128_A-2") is NAMES["bert-tiny"]
    assert find("no-such-model") is None
