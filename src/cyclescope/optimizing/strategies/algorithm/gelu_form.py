"""Which form of GELU a finding speaks of, by the name that it gives."""

from __future__ import annotations

from enum import Enum, auto

# Classes of transformers and operations of PyTorch that spell out the tanh form.
_TANH_FORMS = ("new", "tanh", "fast", "accurate")
_NO_GELU = ("quick",)  # a sigmoid, another function


class GeluForm(Enum):
    """EXACT uses the error function, TANH is what is near to it, OTHER is no GELU."""

    EXACT = auto()
    TANH = auto()
    OTHER = auto()


def form_of(subject: str) -> GeluForm:
    """The form that an operation or a module named `subject` computes. A bare `tanh` or `erf` is taken for the heart of
    a GELU that is spelled out; whether it is one is decided where the model is changed.
    """
    name = subject.lower()
    if any(word in name for word in _NO_GELU):
        return GeluForm.OTHER
    if any(word in name for word in _TANH_FORMS):
        return GeluForm.TANH
    return GeluForm.EXACT if "gelu" in name or "erf" in name else GeluForm.OTHER
