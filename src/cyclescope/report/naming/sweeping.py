"""Points of a sweep in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cyclescope.core.message import Text, listed, m, plural
from cyclescope.predicting.settings import Setting
from cyclescope.predicting.sweep_rows import Common, Limit, SweepRow
from cyclescope.report import format as fmt

LIMITS: dict[Limit, Text] = {
    Limit.COMPUTE: m("compute"),
    Limit.MEMORY: m("memory"),
    Limit.OVERHEAD: m("overhead"),
    Limit.COMMUNICATION: m("communication"),
    Limit.WAITING: m("waiting"),
}
NAMES: dict[str, Text] = {
    "batch": m("batch"),
    "tokens": m("tokens"),
    "cache": m("tokens in the KV cache"),
    "new_tokens": m("new tokens"),
    "threads": m("threads"),
    "bandwidth": m("bandwidth"),
    "flops": m("compute"),
    "overhead": m("overhead"),
    "memory": m("size of the memory"),
    "dtype": m("dtype"),
    "weights": m("dtype of the weights"),
    "attention": m("attention"),
    "tensor": m("tensor parallel"),
    "pipeline": m("pipeline stages"),
    "data": m("replicas"),
    "microbatches": m("microbatches"),
}


def named(settings: Sequence[Setting]) -> Text:
    """Settings with their names: `batch 8 and tokens 128`."""
    return listed(m("{name} {value}", name=NAMES[change.name], value=change.text) for change in settings)


def values(row: SweepRow) -> Text:
    """The settings of a point without their names."""
    return listed(change.text for change in row.settings)


def run_at_every_point(common: Common) -> Iterator[tuple[Text, Text]]:
    """What all points have in common, as labels and values: the input as far as it is not swept, and the plan."""
    sizes = {
        "batch": common.batch,
        "tokens": common.tokens,
        "cache": common.cache_length,
        "new_tokens": common.new_tokens,
    }
    given = named([Setting(name, size) for name, size in sizes.items() if size is not None])
    if given:
        yield m("input, at every point"), given
    attention = m("{kind} attention", kind=common.attention) if common.attention else ""
    threads = plural("{n} thread", "{n} threads", common.threads) if common.threads else ""
    where = m("{engine} on {device}", engine=common.engine, device=common.device)
    yield m("plan, at every point"), listed(part for part in (where, common.dtype or "", attention, threads) if part)


def rate(tokens_per_s: float) -> Text:
    """Tokens a second."""
    return m("{value} tokens/s", value=fmt.quantity(tokens_per_s))
