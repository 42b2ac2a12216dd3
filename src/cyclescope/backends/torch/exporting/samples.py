"""What an engine is calibrated on: inputs like those that it will be given, without the ones by which it is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cyclescope.backends.artifacts.program import Arrays
from cyclescope.backends.artifacts.samples import CalibrationInputs
from cyclescope.backends.base import Request
from cyclescope.backends.torch.loading.inputs import prepare
from cyclescope.backends.torch.loading.loading import Loaded
from cyclescope.backends.torch.steps import Steps, arrays_of
from cyclescope.core.message import m
from cyclescope.core.results import can_hold_out, held_out

_DRAWS = 8  # of made-up tokens: ranges of activations change little from there on
_ENOUGH_TOKENS = 1024  # of all draws; beyond that a batch only takes longer
_MOST_TEXTS = 64
_OTHER_SEED = 1_000_003  # draws that no run of its own is likely to take


def samples_of(
    request: Request, loaded: Loaded, calls: Sequence[Steps], texts: Sequence[Sequence[int]]
) -> CalibrationInputs:
    """Those for `request`, whose `calls` hold the `texts` with these numbers.

    Of many texts those that are not held out; of few all of them. Of made-up tokens other draws.
    """
    if not request.texts and request.inputs is None:

        def drawn(*, whole: bool) -> list[Arrays]:
            made = [_inputs(steps) for steps in _draws(request, loaded)]
            return made if whole else [_rows(inputs, range(_rows_enough(inputs))) for inputs in made]

        return CalibrationInputs(
            drawn,
            m(
                "Calibrated on {draws} other draws of synthetic tokens of this length: real texts have other ranges.",
                draws=_DRAWS,
            ),
        )
    given = len(request.texts)
    out = frozenset(held_out(given)) if can_hold_out(given) else frozenset()

    def learned(*, whole: bool) -> list[Arrays]:
        made = []
        most = -(-_MOST_TEXTS // len(calls))  # of a call
        for steps, numbers in zip(calls, texts, strict=True):
            rows = [row for row, number in enumerate(numbers) if not given or number % given not in out]
            if rows:
                inputs = _inputs(steps)
                # Over and over until there are as many as the model takes.
                some = [rows[k % len(rows)] for k in range(len(numbers))] if whole else rows[:: -(-len(rows) // most)]
                made.append(_rows(inputs, some))
        return made[:: -(-len(made) // _MOST_TEXTS)]

    said = (
        m(
            "Calibrated on {some} of the {all} texts; its outputs are judged on the other {others}.",
            some=given - len(out),
            all=given,
            others=len(out),
        )
        if out
        else m("Calibrated on the inputs that it is judged on, too few to hold any out: others may drift more.")
    )
    return CalibrationInputs(learned, said)


def _draws(request: Request, loaded: Loaded) -> list[Steps]:
    return [prepare(replace(request, seed=request.seed + _OTHER_SEED + k), loaded)[0] for k in range(_DRAWS)]


def _inputs(steps: Steps) -> Arrays:
    return arrays_of(steps.inputs() | steps.fixed)


def _rows(inputs: Arrays, rows: Sequence[int]) -> Arrays:
    """`rows` of what has as many of them as there are texts."""
    size = _size(inputs)[0]
    return {name: value[list(rows)] if value.ndim and len(value) == size else value for name, value in inputs.items()}


def _rows_enough(inputs: Arrays) -> int:
    texts, tokens = _size(inputs)
    return min(texts, -(-_ENOUGH_TOKENS // (_DRAWS * tokens)))


def _size(inputs: Arrays) -> tuple[int, int]:
    """Texts, and tokens or the like of each."""
    first = next(value for value in inputs.values() if value.ndim >= 2)
    return int(first.shape[0]), int(first.shape[1])
