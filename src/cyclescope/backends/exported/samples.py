"""What an engine is calibrated on: inputs like those that it will be given, without the ones by which it is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cyclescope.backends.base import Request
from cyclescope.backends.exported.outputs import arrays_of
from cyclescope.backends.exported.program import Arrays
from cyclescope.backends.torch.inputs import prepare
from cyclescope.backends.torch.loading import Loaded
from cyclescope.backends.torch.steps import Steps
from cyclescope.core.results import can_hold_out, held_out

_DRAWS = 8  # of made-up tokens: ranges of activations change little from there on
_MOST_CALLS = 64
_OTHER_SEED = 1_000_003  # draws that no run of its own is likely to take


@dataclass(frozen=True, slots=True)
class Samples:
    """`make` gives the inputs of some calls, arrays by name, each of a shape that the model is called with here. `said`
    tells where they come from and what that means for the figures.
    """

    make: Callable[[], Sequence[Arrays]]
    said: str


def samples_of(request: Request, loaded: Loaded, calls: Sequence[Steps], texts: Sequence[Sequence[int]]) -> Samples:
    """Those for `request`, whose `calls` hold the `texts` with these numbers.

    Of many texts those that are not held out; of few all of them. Of made-up tokens other draws.
    """
    if not request.texts and request.inputs is None:
        return Samples(
            lambda: [_inputs(steps) for steps in _draws(request, loaded)],
            f"Calibrated on {_DRAWS} other draws of made-up tokens of this shape: real texts have other ranges.",
        )
    given = len(request.texts)
    if not can_hold_out(given):
        return Samples(
            lambda: [_inputs(steps) for steps in calls[:_MOST_CALLS]],
            "Calibrated on the very inputs that it is judged by, too few to hold any out: others may drift more.",
        )
    out = frozenset(held_out(given))

    def learned() -> list[Arrays]:
        made = []
        for steps, numbers in zip(calls, texts, strict=True):
            rows = [row for row, number in enumerate(numbers) if number % given not in out]
            if rows:
                made.append(_rows(_inputs(steps), rows, len(numbers)))
        return made[:: -(-len(made) // _MOST_CALLS)]

    return Samples(
        learned,
        f"Calibrated on {given - len(out)} of the {given} texts; its outputs are judged on the other {len(out)}.",
    )


def _draws(request: Request, loaded: Loaded) -> list[Steps]:
    return [prepare(replace(request, seed=request.seed + _OTHER_SEED + k), loaded)[0] for k in range(_DRAWS)]


def _inputs(steps: Steps) -> Arrays:
    return arrays_of(steps.inputs() | steps.fixed)


def _rows(inputs: Mapping[str, Any], rows: Sequence[int], size: int) -> Arrays:
    """`rows` of `inputs`, over and over until there are `size`: a model may take calls of one shape only."""
    chosen = [rows[k % len(rows)] for k in range(size)]
    return {name: value[chosen] if value.ndim and len(value) == size else value for name, value in inputs.items()}
