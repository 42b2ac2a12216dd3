"""The stages of a cycle, from text in to text out, as bars."""

from __future__ import annotations

from cyclescope.core.message import Text, m
from cyclescope.core.units import NS_PER_S
from cyclescope.explaining.explanation import Explanation, StageRow
from cyclescope.report import format as fmt
from cyclescope.report.naming.between import between, between_label, native_label
from cyclescope.report.naming.predicting import interval_name, is_predicted, term
from cyclescope.report.naming.stages import stage_name
from cyclescope.report.page import Align, Bar, Bars, Column, Emphasis, Section


def stages_section(explanation: Explanation) -> Section | None:
    """A bar a stage; None where no stage was measured."""
    if not explanation.answer.stage:
        return None
    graph = explanation.cycle.graph
    native = any(row.native_ns > 0 for row in explanation.stages)
    predicted = is_predicted(explanation.cycle)
    columns = (
        Column(m("time"), Align.RIGHT, term=term("stage", predicted), emphasis=Emphasis.STRONG),
        Column(
            interval_name(predicted),
            Align.RIGHT,
            priority=2,
            term=term("interval", predicted),
            emphasis=Emphasis.SOFT,
        ),
        Column(m("share"), Align.RIGHT, priority=1, term=term("share", predicted)),
        Column("FLOP/s", Align.RIGHT, priority=3, term=term("rate", predicted)),
        Column(m("operations"), Align.RIGHT, emphasis=Emphasis.SOFT, html=True),
    )
    bars = Bars(
        (m("operations"), between_label(graph), *((native_label(),) if native else ())),
        columns,
        tuple(_bar(row, explanation, native=native) for row in explanation.stages),
        m("stage"),
        m("Time of each stage of the cycle, with interval and share"),
    )
    note = m(
        "From text in to text out. Each bar is solid where an operation ran and hatched where {between} ran between operations.",
        between=between(graph),
    )
    return Section("stages", m("Stages"), (bars,), note)


def _bar(row: StageRow, explanation: Explanation, *, native: bool) -> Bar:
    """The bar of a stage; with a part for `native` code where any stage has some."""
    name = stage_name(row.name)
    time, interval = fmt.time(row.time.value_ns), fmt.plus_minus(row.time)
    share = fmt.share(row.share)
    if row.time.value_ns <= 0 and is_predicted(explanation.cycle):
        time = interval = share = fmt.UNKNOWN  # nothing takes no time: it is unknown
    ends = (row.time.low_ns, row.time.high_ns) if fmt.has_interval(row.time) else (0.0, 0.0)
    return Bar(
        name,
        (row.op_ns, row.python_ns, *((row.native_ns,) if native else ())),
        *ends,
        (
            time,
            interval,
            share,
            _rate(row, explanation),
            fmt.count(row.operations),
        ),
        _spoken(row, explanation),
    )


def _rate(row: StageRow, explanation: Explanation) -> str:
    """FLOPs a second in the operations; by the device’s time where a trace tells it, since the host only launches."""
    worked = row.op_ns
    if explanation.lanes is not None and explanation.device is not None:
        worked = sum(each.busy_ns for each in explanation.device.stages if each.name == row.name)
    return fmt.flop_rate(row.cost.flops / worked * NS_PER_S) if row.cost.flops and worked > 0 else fmt.UNKNOWN


def _spoken(row: StageRow, explanation: Explanation) -> Text:
    facts = {
        "name": stage_name(row.name),
        "time": fmt.time(row.time.value_ns),
        "interval": fmt.plus_minus(row.time),
        "operations": fmt.time(row.op_ns),
        "python": fmt.time(row.python_ns),
        "between": between(explanation.cycle.graph),
    }
    if row.native_ns > 0:
        return m(
            "{name}: {time} {interval}, of which {operations} in operations, {python} in {between} and {native} in native code",
            **facts,
            native=fmt.time(row.native_ns),
        )
    return m("{name}: {time} {interval}, of which {operations} in operations and {python} in {between}", **facts)
