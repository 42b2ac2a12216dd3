"""Sizes of tensors, and the tree of errors that its own documentation draws."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cyclescope.core import errors
from cyclescope.core.errors import CyclescopeError, UsageError
from cyclescope.core.graph.tensor import TensorSpec, bits_of
from cyclescope.core.samples import InstrumentedSamples, UninstrumentedSamples

DRAWN = re.compile(r"^(?P<branches>[│├└─ ]*)(?P<name>[A-Z]\w+) +(?P<code>\d+)", re.MULTILINE)


@pytest.mark.parametrize(
    ("shape", "dtype", "elements", "size"),
    [
        ((), "float32", 1, 4),  # a number
        ((2, 3), "bfloat16", 6, 12),
        ((0, 5), "float64", 0, 0),
        ((7,), "bool", 7, 7),
        ((3,), "int4", 3, 2),  # two in a byte, rounded up to whole bytes
        ((4,), "uint4", 4, 2),
        ((45,), "text", 45, 45),
        ((2,), "complex128", 2, 32),
    ],
)
def test_a_tensor_knows_its_elements_and_bytes(shape: tuple[int, ...], dtype: str, elements: int, size: int) -> None:
    spec = TensorSpec(shape, dtype, storage=0)
    assert (spec.elements, spec.bytes) == (elements, size)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"])
def test_sizes_of_elements_agree_with_numpys(dtype: str) -> None:
    assert bits_of(dtype) == np.dtype(dtype).itemsize * 8


def test_an_unknown_dtype_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        bits_of("torch.float32")
    assert str(caught.value.fact) == "Unknown dtype torch.float32."
    assert "bfloat16" in str(caught.value.way_out)


def test_the_drawn_tree_of_errors_is_the_tree_of_classes() -> None:
    drawn: dict[str, tuple[str, int]] = {}
    path: list[str] = []
    for match in DRAWN.finditer(errors.__doc__ or ""):
        depth = len(match["branches"]) // 4
        path[depth:] = [match["name"]]
        drawn[match["name"]] = (path[depth - 1] if depth else "Exception", int(match["code"]))
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, CyclescopeError)]
    assert {c.__name__: (c.__bases__[0].__name__, c.exit_code) for c in classes} == drawn
    assert len(drawn) == len(classes) > 10


def test_an_error_reads_fact_cause_way_out_and_leaves_out_what_is_empty() -> None:
    assert str(CyclescopeError("Fact.", "Cause.", "Way out.")) == "Fact.\nCause.\nWay out."
    assert str(CyclescopeError("Fact.", "", "Way out.")) == "Fact.\nWay out."
    assert str(CyclescopeError("Fact.")) == "Fact."


def test_samples_of_nothing_are_empty_and_have_no_wall() -> None:
    assert len(UninstrumentedSamples.empty()) == 0
    assert len(InstrumentedSamples.empty()) == 0
    assert InstrumentedSamples.empty().wall_ns.tolist() == []


def test_the_wall_of_a_stamped_run_is_from_its_first_to_its_last_stamp() -> None:
    none = np.zeros(2, dtype=np.int64)
    instrumented = InstrumentedSamples(np.asarray([[5, 7, 105], [0, 1, 30]]), none, none)
    assert instrumented.wall_ns.tolist() == [100, 30]
