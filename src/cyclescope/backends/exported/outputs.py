"""What an engine gives back, in the form in which a transformers model gives it: by name, as tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from cyclescope.core.units import AnyArray


class Outputs(dict[str, Any]):
    """Tensors by name, which are attributes too; what is not there is None, as in transformers."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)


def outputs_of(arrays: Mapping[str, AnyArray]) -> Outputs:
    """`arrays` as tensors over the same memory."""
    return Outputs({name: torch.from_numpy(array) for name, array in arrays.items()})
