"""Points of a sweep in words."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.core.message import Text, listed, m
from cyclescope.predicting.settings import Setting
from cyclescope.predicting.sweep_rows import Limit, SweepRow
from cyclescope.report import format as fmt

LIMITS: dict[Limit, Text] = {
    Limit.COMPUTE: m("compute"),
    Limit.MEMORY: m("memory"),
    Limit.OVERHEAD: m("overhead"),
}
NAMES: dict[str, Text] = {
    "batch": m("batch"),
    "tokens": m("tokens"),
    "cache": m("tokens in the KV cache"),
    "threads": m("threads"),
    "bandwidth": m("bandwidth"),
    "flops": m("compute"),
    "overhead": m("overhead"),
    "memory": m("size of the memory"),
    "dtype": m("dtype"),
    "weights": m("dtype of the weights"),
    "attention": m("attention"),
}


def named(settings: Sequence[Setting]) -> Text:
    """Settings with their names: `batch 8 and tokens 128`."""
    return listed(m("{name} {value}", name=NAMES[change.name], value=change.text) for change in settings)


def values(row: SweepRow) -> Text:
    """The settings of a point without their names."""
    return listed(change.text for change in row.settings)


def rate(tokens_per_s: float) -> Text:
    """Tokens a second."""
    return m("{value} tokens/s", value=fmt.quantity(tokens_per_s))
