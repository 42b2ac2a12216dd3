"""The ranks of a spread plan: what each stage does, sends, waits for and holds."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.cycle import Cycle
from cyclescope.core.message import Text, in_context, m, plural
from cyclescope.core.spread import Spread, StageAccount
from cyclescope.core.units import NS_PER_S
from cyclescope.report import format as fmt
from cyclescope.report.page import Align, Block, Column, Emphasis, KeyValues, Paragraph, Section, Table


def spread_section(cycle: Cycle) -> Section | None:
    """All stages of a spread plan; None for a plan of one rank, and where only one rank is known."""
    spread = cycle.samples.prediction.spread if cycle.samples.prediction is not None else None
    if spread is None:
        return None
    blocks: tuple[Block, ...] = (
        Paragraph(
            m(
                "This cycle is that of a rank of stage {stage} of {stages}, where the result comes out. The ranks of a stage do the same.",
                stage=spread.shown + 1,
                stages=len(spread.stages),
            )
        ),
        KeyValues(tuple(_facts(cycle, spread))),
        _stages(spread),
    )
    return Section("spread", m("Ranks of the plan"), blocks)


def _facts(cycle: Cycle, spread: Spread) -> Iterator[tuple[Text, Text]]:
    plan, account = cycle.plan, spread.account
    yield m("ranks"), _ranks(cycle, spread)
    yield m("microbatches of each replica"), fmt.count(plan.microbatches)
    yield m("time per rank"), fmt.time(account.whole_ns)
    yield m("communication"), fmt.share(spread.communication)
    yield m("bubble"), fmt.share(spread.bubble)
    whole_s = account.whole_ns / NS_PER_S
    tokens = cycle.workload.batch * (cycle.workload.tokens_out or cycle.workload.tokens_in)
    yield (
        m("throughput of all replicas"),
        m("{value} tokens/s", value=fmt.quantity(tokens / whole_s if whole_s else None)),
    )
    needed = spread.most_needed.needed_bytes
    yield m("memory of the fullest rank"), _fits(needed, spread)


def _ranks(cycle: Cycle, spread: Spread) -> Text:
    plan = cycle.plan
    return plural(
        "{ranks} on {hosts} host: tensor {tensor} × pipeline {pipeline} × data {data}",
        "{ranks} on {hosts} hosts: tensor {tensor} × pipeline {pipeline} × data {data}",
        spread.hosts,
        ranks=plan.ranks,
        hosts=spread.hosts,
        tensor=plan.tensor,
        pipeline=plan.pipeline,
        data=plan.data,
    )


def _fits(needed: int, spread: Spread) -> Text:
    if spread.fits is None:
        return fmt.data(needed)
    size = fmt.data(spread.memory_bytes)
    if spread.fits:
        return m("{needed} of {size}: fits", needed=fmt.data(needed), size=size)
    return m("{needed} of {size}: does not fit", needed=fmt.data(needed), size=size)


def _stages(spread: Spread) -> Table:
    columns = (
        Column(m("stage"), Align.RIGHT),
        Column(m("layers"), Align.RIGHT, priority=3),
        Column(m("work"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(m("communication"), Align.RIGHT),
        Column(m("waiting"), Align.RIGHT),
        Column(m("weights"), Align.RIGHT, priority=1),
        Column(m("KV cache"), Align.RIGHT, priority=1),
        Column(in_context("memory", "activations"), Align.RIGHT, priority=2),
    )
    rows = tuple(_row(number, stage) for number, stage in enumerate(spread.stages, 1))
    return Table(columns, rows, caption=m("Each rank of a stage"))


def _row(number: int, stage: StageAccount) -> tuple[Text, ...]:
    return (
        fmt.count(number),
        fmt.count(stage.layers),
        fmt.time(stage.work_ns),
        fmt.time(stage.collective_ns),
        fmt.time(stage.waiting_ns),
        fmt.data(stage.weights_bytes),
        fmt.data(stage.cache_bytes or None),
        fmt.data(stage.activation_bytes),
    )
