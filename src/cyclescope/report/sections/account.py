"""The account of the wall time: every part, and what is unexplained as a separate row."""

from __future__ import annotations

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Series, Text, in_context, m
from cyclescope.explaining.explanation import AccountRow, Closure, Explanation
from cyclescope.report import format as fmt
from cyclescope.report.drawings.account import account_stack
from cyclescope.report.naming.between import between_label, native_label
from cyclescope.report.naming.stages import stage_name
from cyclescope.report.page import (
    Align,
    Block,
    Cell,
    Column,
    Drawing,
    Emphasis,
    Note,
    Paragraph,
    Section,
    Severity,
    Table,
)


def account_section(explanation: Explanation) -> Section | None:
    """The account of `explanation`; None where there is none."""
    closure = explanation.closure
    if not closure.rows:
        return None
    labels = tuple(_label(row, explanation.cycle.graph) for row in closure.rows)
    recorded = explanation.lanes is not None
    verdict = _verdict(closure, recorded=recorded)
    stack = account_stack(closure, labels, verdict)
    columns = (
        Column(m("item")),
        Column(m("time"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(m("share of wall time"), Align.RIGHT),
    )
    between = "engine" if explanation.cycle.graph.engine_between else "python"
    rows = tuple(
        (
            Cell(label, swatch=piece.paint, hatched=piece.hatched, term=between if row.name == "python" else ""),
            fmt.time(row.time_ns),
            fmt.share(row.share_of_wall),
        )
        for row, label, piece in zip(closure.rows, labels, stack.bars[0].pieces, strict=True)
    )
    whole: Text = m("time of the step, as recorded") if recorded else m("wall time, uninstrumented")
    if closure.tokens:
        whole = m("wall time of the first {count} tokens, uninstrumented", count=fmt.count(closure.tokens))
    total = (whole, fmt.time(closure.wall.value_ns), fmt.share(1.0))
    severity = Severity.GOOD if closure.closes else Severity.WARNING
    note = m(
        "The parts were measured in instrumented runs, the whole in uninstrumented runs. The difference is a row of the account."
    )
    if recorded:
        note = m("The thread that asks for the work, from the beginning of the step to its end, as the trace has it.")
    blocks: tuple[Block, ...] = (
        Drawing("stack", stack, verdict),
        Table(columns, (*rows, total), total=True, caption=m("The account of the wall time")),
        Note(severity, verdict, term="" if recorded else "closure"),
    )
    if not recorded:
        blocks += (Paragraph(_instrumentation(closure), term="instrumentation"),)
    return Section("account", m("Account"), blocks, note)


def _label(row: AccountRow, graph: Graph) -> Text:
    names: dict[str, Text] = {
        "operations": m("operations"),
        "python": between_label(graph),
        "native": native_label(),
        "text": in_context("work of the tokenizer", "text"),
        "unexplained": m("unexplained"),
    }
    return Series((stage_name(row.stage), names.get(row.name, row.name)), " · ")


def _verdict(closure: Closure, *, recorded: bool) -> Text:
    """Whether the account closes, and by how much."""
    wall = closure.wall.value_ns
    if recorded:
        return m(
            "The account closes: the parts add up to {time}, and {rest} of the step is unexplained.",
            time=fmt.time(closure.attributed_ns),
            rest=fmt.time(closure.rest_ns),
        )
    figures = {
        "ratio": fmt.ratio(closure.ratio),
        "rest": fmt.time(closure.rest_ns),
        "share": fmt.share(closure.rest_ns / wall if wall else None),
    }
    if closure.closes:
        return m(
            "The account closes: {ratio} of the uninstrumented wall time is attributed, {rest} ({share}) is unexplained.",
            **figures,
        )
    return m(
        "The account does not close: {ratio} of the uninstrumented wall time is attributed, {rest} ({share}) is unexplained.",
        **figures,
    )


def _instrumentation(closure: Closure) -> Text:
    """What the instrumentation costs."""
    cost = fmt.time(closure.instrumentation_ns)
    if closure.instrumentation_ratio.value >= 1:
        ratio = fmt.ratio(closure.instrumentation_ratio)
        return m(
            "An instrumented cycle takes {ratio} times as long; {cost} of that is known and subtracted.",
            ratio=ratio,
            cost=cost,
        )
    return m(
        "Instrumented cycles took no longer than uninstrumented ones; {cost} for the timestamps is subtracted all the same.",
        cost=cost,
    )
