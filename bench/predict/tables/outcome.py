"""The rows that the bench prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cyclescope.core.units import FloatArray
from cyclescope.predicting.evaluation import Accuracy, accuracy, mean_over, percentage_errors


def left_out(path: Path, why: str) -> None:
    """One line on standard error about a table that nothing is predicted of."""
    print(f"{path}: left out, because {why}", file=sys.stderr)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row: what was predicted, on how many points fitted, its accuracy for each seed, and beside it the mean absolute
    percentage error of the plain roofline and of plain boosting.
    """

    row: str
    what: str
    fitted_on: str
    seeds: tuple[Accuracy, ...]
    roofline: float | None
    boosting: float | None
    remark: str = ""

    @property
    def mean(self) -> float:
        """Over seeds."""
        return float(np.mean([seed.mean for seed in self.seeds]))


def outcome(
    row: str,
    what: str,
    fitted_on: str,
    true: FloatArray,
    predictions: Sequence[tuple[FloatArray, FloatArray, FloatArray, FloatArray]],
    roofline: FloatArray | None,
    boosting: FloatArray | None,
    remark: str = "",
) -> Outcome:
    """`predictions`: for each seed which rows are tested (of `true` [n]), and predicted, low, high of all of them."""
    seeds = tuple(accuracy(true[t], p[t], (low[t], high[t])) for t, p, low, high in predictions)
    beside = [None if other is None else float(percentage_errors(true, other).mean()) for other in (roofline, boosting)]
    return Outcome(row, what, fitted_on, seeds, beside[0], beside[1], remark)


def table(outcomes: Sequence[Outcome]) -> str:
    """Markdown: a line for each outcome, then for each row the mean over its lines."""
    lines = [
        "| row | of | fitted on | n | mean (95 % interval) | median | p90 | by time | 90 % interval holds | roofline | plain boosting |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for o in outcomes:
        mean, low, high = mean_over([s.mean for s in o.seeds])
        if len(o.seeds) == 1:
            low, high = o.seeds[0].low, o.seeds[0].high
        means = [np.mean([getattr(s, name) for s in o.seeds]) for name in ("median", "p90", "weighted", "coverage")]
        cells = [
            o.row, o.what, o.fitted_on, str(o.seeds[0].n), f"**{mean:.1%}** ({low:.1%} … {high:.1%})",
            *(f"{value:.1%}" for value in means), _beside(o.roofline), _beside(o.boosting),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    for row in dict.fromkeys(o.row for o in outcomes):
        of = [o for o in outcomes if o.row == row]
        lines.append(f"\n{row}: mean of {len(of)} {float(np.mean([o.mean for o in of])):.2%}")
    return "\n".join(lines)


def _beside(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
