"""What a model gave back, as numbers for comparing."""

from __future__ import annotations

from typing import Any

import torch

from cyclescope.backends.results import OUTPUTS, generated_results
from cyclescope.backends.results import results_of as results_of_arrays
from cyclescope.backends.torch.steps import Inputs
from cyclescope.core.results import Results
from cyclescope.core.units import AnyArray


def results_of(given: Any, inputs: Inputs, written: int, classes: tuple[str, ...] = ()) -> Results:
    """`given` by the model for `inputs`; of one that writes, the last `written` token ids of each text."""
    arrays = {name: _array(value) for name, value in inputs.items() if isinstance(value, torch.Tensor)}
    if written:
        return generated_results(_array(given[:, -written:]), arrays)
    found = {name: getattr(given, name, None) for name in OUTPUTS}
    numbers = {name: _array(value) for name, value in found.items() if isinstance(value, torch.Tensor)}
    return results_of_arrays(numbers, arrays, classes)


def classes_of(config: Any) -> tuple[str, ...]:
    """Names of the classes of a classifier, in the order of its logits."""
    names = dict(getattr(config, "id2label", None) or {})
    return tuple(str(names.get(k, k)) for k in range(len(names)))


def _array(value: torch.Tensor) -> AnyArray:
    """On the processor, in a type that arrays have."""
    value = value.detach().to("cpu")
    array: AnyArray = (value.float() if value.is_floating_point() else value).numpy()
    return array
