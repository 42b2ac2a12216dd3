"""The steps of a cycle as a user would write them, and what goes in and comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from cyclescope.backends.torch.generating.writing import Writer
from cyclescope.backends.torch.tracing.tracing import Tracer
from cyclescope.core.units import AnyArray

Inputs = dict[str, Any]
Arrays = dict[str, AnyArray]


@dataclass(frozen=True, eq=False)
class Steps:
    """The cycle as a user would write it: `encode` text into tensors, call the model, `read_out` something readable.

    `encode` is None where the input is given as tensors; `given` then holds them. `fixed` are further arguments of the
    model (the start of a decoder). `read_out` is None where the result is the vector itself. With a `writer` the cycle
    writes text: the model is called by it, again and again. `encode_arrays` is `encode` into arrays, where there is such.
    """

    model: torch.nn.Module
    encode: Callable[[], Inputs] | None
    given: Inputs
    fixed: Inputs
    read_out: Callable[[Any], str] | None
    tokenizer_name: str = ""
    text_bytes: int = 0
    keep_words: bool = True  # False where what is read out is text that may tell what went in
    writer: Writer | None = None
    encode_arrays: Callable[[], Arrays] | None = None

    def inputs(self) -> Inputs:
        return self.encode() if self.encode is not None else self.given

    def arrays(self) -> Arrays:
        """The same as arrays, for who takes no tensors: the tokenizer gives them just as well, and sooner."""
        return dict(self.encode_arrays()) if self.encode_arrays is not None else arrays_of(self.inputs())

    def run(self, inputs: Inputs) -> Any:
        """The model's part of the cycle: one call of it, or a whole generation."""
        if self.writer is not None:
            return self.writer(inputs)
        return self.model(**inputs, **self.fixed)


def arrays_of(inputs: Mapping[str, Any]) -> Arrays:
    """The tensors among `inputs` as arrays over the same memory, and the arrays among them."""
    arrays = {}
    for name, value in inputs.items():
        if isinstance(value, torch.Tensor):
            arrays[name] = value.numpy()
        elif isinstance(value, np.ndarray):
            arrays[name] = value
    return arrays


def describe_inputs(tracer: Tracer, steps: Steps, inputs: Inputs, fixed: Inputs) -> None:
    """Write down where the model's inputs come from: the tokenizer, or as they are given."""
    tensors = {name: value for name, value in inputs.items() if isinstance(value, torch.Tensor)}
    if steps.encode is not None:
        tracer.tokenize(steps.tokenizer_name, steps.text_bytes, tensors)
    else:
        tracer.given(tensors)
    tracer.given({name: value for name, value in fixed.items() if isinstance(value, torch.Tensor)})


def describe_result(result: Any) -> str:
    """The vectors that came out, by name and shape."""
    named = result.items() if hasattr(result, "items") else [("output", result)]
    shapes = [
        f"{name} {'×'.join(str(s) for s in value.shape)}" for name, value in named if isinstance(value, torch.Tensor)
    ]
    return ", ".join(shapes)
