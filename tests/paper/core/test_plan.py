"""A plan knows its values: the text of one is the value, and text that is none is refused."""

from __future__ import annotations

import json

import pytest

from cyclescope.core.codec import CodecError, decode, encode
from cyclescope.core.plan import Batching, Cache, Compiling, Decoding, Plan, Quantization


def test_the_text_of_a_value_is_the_value() -> None:
    plan = Plan(cache="static", decoding="sample", compiling="inductor", quantization="int8-static", batching="packed")  # type: ignore[arg-type]
    assert plan.cache is Cache.STATIC
    assert plan.decoding is Decoding.SAMPLE
    assert plan.compiling is Compiling.INDUCTOR
    assert plan.quantization is Quantization.INT8_STATIC
    assert plan.batching is Batching.PACKED


@pytest.mark.parametrize(
    ("name", "value"),
    [("cache", "paged"), ("decoding", "beam"), ("compiling", "tvm"), ("quantization", "int3"), ("batching", "by mood")],
)
def test_text_that_is_no_value_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=value):
        Plan(**{name: value})  # type: ignore[arg-type]
    with pytest.raises(CodecError, match=value):
        decode(Plan, {name: value}, [])


def test_files_hold_the_text() -> None:
    plan = Plan(quantization=Quantization.INT8_DYNAMIC, batching=Batching.LENGTH)
    data = encode(plan)[0]
    assert json.loads(json.dumps(data)) == data
    assert (data["quantization"], data["batching"], data["cache"]) == ("int8-dynamic", "length", "dynamic")
    assert decode(Plan, data, []) == plan
