"""Tensors of other frameworks, handed to a PyTorch model: a mistake so common that it gets its own message."""

from __future__ import annotations

from collections.abc import Mapping

from cyclescope.core.errors import UsageError
from cyclescope.core.message import m

# By the package of the tensor's type: what the tokenizer was asked for.
_ASKED_FOR = {"tensorflow": "tf", "keras": "tf", "jax": "jax", "jaxlib": "jax", "mlx": "mlx", "numpy": "np"}


def refuse_foreign(inputs: Mapping[str, object], framework: str) -> None:
    """Raise `UsageError` if one of `inputs`, by name, is a tensor of another framework than `framework`."""
    for name, tensor in inputs.items():
        package = type(tensor).__module__.partition(".")[0]
        if package in _ASKED_FOR:
            raise UsageError(
                m(
                    "{name} is a {package} tensor, and the model is a {framework} model.",
                    name=repr(name),
                    package=package,
                    framework=framework,
                ),
                m(
                    'A tokenizer called with return_tensors="{kind}" returns tensors of another framework.',
                    kind=_ASKED_FOR[package],
                ),
                m('Call the tokenizer with return_tensors="pt".'),
            )
