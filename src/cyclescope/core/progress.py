"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Notify: TypeAlias = Callable[[str, float], None]
"""Called with the name of a phase and how much of it is done, 0 … 1."""


def silent(phase: str, done: float) -> None:
    """Progress that nobody looks at."""
