"""What an engine is calibrated on: inputs like those that it will be given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cyclescope.backends.artifacts.program import Arrays
from cyclescope.core.message import Text


class Make(Protocol):
    """Gives the inputs of some calls, arrays by name."""

    def __call__(self, *, whole: bool) -> Sequence[Arrays]:
        """`whole` ones are of a shape that the model is called with here, for a model that takes no other; else there are no
        more rows than it takes to see ranges.
        """
        ...


@dataclass(frozen=True, slots=True)
class CalibrationInputs:
    """Inputs to calibrate on; `said` tells where they come from and what that means for the figures."""

    make: Make
    said: Text
