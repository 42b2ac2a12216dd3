"""Two languages that say the same."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from string import Formatter

import pytest

from cyclescope.core.errors import UsageError
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.structure import DECODE, EMBED, ENCODE, HEAD, PREPARE, READ_OUT, SAMPLE, TOKENIZE, WHOLE
from cyclescope.core.workload import Weights
from cyclescope.explaining.explanation import WarningCode
from cyclescope.report.naming import stage_name
from cyclescope.report.words.strings import EN, ZH, Advice, Strings, strings


def texts(s: Strings) -> Iterator[tuple[str, str]]:
    """Every text with a name for it. Stage names are left out: in English they are the stages themselves, and so is what a cycle of Python has none of."""
    for field in dataclasses.fields(s):
        value = getattr(s, field.name)
        if field.name in ("language", "stage_names", "engine_between"):
            continue
        if isinstance(value, Mapping):
            for key, text in value.items():
                if isinstance(text, Advice):
                    yield f"{field.name}.{key}.text", text.text
                    yield f"{field.name}.{key}.remedy", text.remedy
                else:
                    yield f"{field.name}.{key}", text
        else:
            yield field.name, value


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_catalogues_have_the_same_keys_and_placeholders() -> None:
    english, chinese = dict(texts(EN)), dict(texts(ZH))
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert placeholders(text) == placeholders(chinese[key]), key


def test_no_text_is_empty_and_chinese_is_chinese() -> None:
    same_in_both = {"flops", "flop_rate", "intensity", "kind_names.softmax"}
    for key, text in texts(ZH):
        assert text.strip(), key
        assert key in same_in_both or re.search("[\u4e00-\u9fff]", text), key
    for key, text in texts(EN):
        assert text.strip(), key
        assert not re.search("[\u3000-\u9fff\uff00-\uffef]", text), key


@pytest.mark.parametrize("s", [EN, ZH], ids=["en", "zh"])
def test_every_code_has_its_words(s: Strings) -> None:
    assert set(s.doubt_texts) == set(WarningCode)
    assert set(s.kind_names) == set(OpKind)
    assert set(s.weights) == {weights.value for weights in Weights}


def test_every_stage_has_a_chinese_name() -> None:
    assert set(ZH.stage_names) == {TOKENIZE, PREPARE, EMBED, ENCODE, DECODE, HEAD, SAMPLE, READ_OUT, WHOLE}
    assert stage_name("encode 2", ZH) == "编码 2"
    assert stage_name("somewhere else", ZH) == "somewhere else"
    assert stage_name("encode 2", EN) == "encode 2"


def test_a_language_without_texts_is_a_clear_error() -> None:
    with pytest.raises(UsageError, match="'tlh'"):
        strings("tlh")
