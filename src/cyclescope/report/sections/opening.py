"""What the reader of a cycle sees first: the answer, headline figures, facts, remarks and warnings."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.cycle import Cycle
from cyclescope.core.message import Text, m, plural
from cyclescope.core.units import NS_PER_S
from cyclescope.core.workload import InputSource, Weights
from cyclescope.explaining.explanation import Explanation
from cyclescope.report import format as fmt
from cyclescope.report.naming.answer import answer
from cyclescope.report.naming.arithmetic import at_least, flops_of
from cyclescope.report.naming.importing import is_imported
from cyclescope.report.naming.predicting import (
    PREDICTED,
    interval_name,
    is_predicted,
    memory_missing,
    prediction_facts,
)
from cyclescope.report.naming.run import PARTIAL, RANDOM_WEIGHTS, stand_in_tokenizer
from cyclescope.report.naming.warnings import warning
from cyclescope.report.naming.work import work_facts
from cyclescope.report.page import Block, Figures, Headline, KeyValues, Note, Paragraph, Section, Severity
from cyclescope.report.sections.throughput import task_facts


def opening(explanation: Explanation) -> Iterator[Block]:
    """The blocks above the first section."""
    cycle = explanation.cycle
    if cycle.partial:
        yield Note(Severity.WARNING, PARTIAL)
    if is_predicted(cycle):
        yield Note(Severity.INFO, PREDICTED)
    yield Paragraph(answer(explanation), lead=True)
    if explanation.wall.n:
        yield Figures(tuple(_figures(explanation)))
    yield KeyValues(tuple(_facts(explanation)), repeated=1 if explanation.wall.n else 0)
    if (missing := memory_missing(cycle)) is not None:
        yield Note(Severity.WARNING, *missing)
    for remark in remarks(cycle):
        yield Note(Severity.INFO, remark)


def warnings_section(explanation: Explanation) -> Section | None:
    """What lets the figures be trusted less, each with its remedy; None where nothing does."""
    advices = [warning(found) for found in explanation.warnings]
    if not advices:
        return None
    notes = tuple(Note(Severity.WARNING, advice.text, advice.remedy) for advice in advices)
    return Section("warnings", m("Warnings"), notes)


def remarks(cycle: Cycle) -> tuple[Text, ...]:
    """What a reader of the figures must know about how they were obtained."""
    work = cycle.workload
    found: list[Text] = []
    if is_imported(cycle):
        return (*cycle.notes, *cycle.graph.notes)
    if work.model.weights is Weights.RANDOM and not is_predicted(cycle):
        found.append(RANDOM_WEIGHTS)
    if work.input_source is InputSource.SYNTHETIC:
        found.append(m("The tokens are synthetic; no text was tokenized."))
    elif work.input_source is InputSource.GIVEN:
        found.append(m("The input was given as tensors; no text was tokenized."))
    elif work.model.stand_in_tokenizer:
        found.append(stand_in_tokenizer(work.model.tokenizer))
    if work.cut_tokens:
        found.append(
            plural(
                "{count} token did not fit the model and was cut.",
                "{count} tokens did not fit the model and were cut.",
                work.cut_tokens,
                count=fmt.count(work.cut_tokens),
            )
        )
    return (*found, *cycle.notes, *cycle.graph.notes)


def _facts(explanation: Explanation) -> Iterator[tuple[Text, Text]]:
    if is_predicted(explanation.cycle):
        yield from prediction_facts(explanation.cycle, explanation.wall)
        yield from task_facts(explanation)
    elif explanation.lanes is not None:
        yield (
            m("time of a step, as recorded"),
            m(
                "{wall} (median of {n}); minimum {minimum}",
                wall=fmt.estimate(explanation.wall),
                n=fmt.count(explanation.wall.n),
                minimum=fmt.time(explanation.minimum_ns),
            ),
        )
    elif explanation.wall.n:
        yield (
            m("wall time"),
            m(
                "{wall} (median of {n}); minimum {minimum}; processor time {cpu}",
                wall=fmt.estimate(explanation.wall),
                n=fmt.count(explanation.wall.n),
                minimum=fmt.time(explanation.minimum_ns),
                cpu=fmt.time(explanation.cpu.value_ns),
            ),
        )
        yield from task_facts(explanation)
    yield from work_facts(explanation.cycle)
    if explanation.cycle.workload.outcome:
        yield m("outcome"), explanation.cycle.workload.outcome


def _figures(explanation: Explanation) -> Iterator[Headline]:
    wall, total = explanation.wall, explanation.cycle.graph.total
    worked = explanation.closure.wall.value_ns  # in which the operations of the graph ran
    interval = fmt.time_range(wall.low_ns, wall.high_ns) if fmt.has_interval(wall) else ""
    if is_predicted(explanation.cycle):
        share = interval_name(True) if interval else m("no interval")
        yield Headline(m("predicted time"), fmt.time(wall.value_ns), interval, share, "predicted")
    elif explanation.lanes is not None:
        yield Headline(m("time of a step"), fmt.time(wall.value_ns), interval, m("n = {n}", n=fmt.count(wall.n)))
        for account in explanation.lanes.devices[:1]:
            share = fmt.share(account.busy_ns / account.total_ns if account.total_ns else None)
            yield Headline(m("the device works"), fmt.time(account.busy_ns / max(1, wall.n)), share)
    else:
        n = m("n = {n}", n=fmt.count(wall.n))
        yield Headline(m("wall time, median"), fmt.time(wall.value_ns), interval, n, "wall")
        yield Headline(m("minimum"), fmt.time(explanation.minimum_ns), term="minimum")
        cores = fmt.significant(explanation.cpu.value_ns / wall.value_ns if wall.value_ns else None)
        yield Headline(
            m("processor time"), fmt.time(explanation.cpu.value_ns), m("{cores} cores busy", cores=cores), "", "cpu"
        )
    graph = explanation.cycle.graph
    rate = fmt.UNKNOWN
    if total.flops and worked:
        rate = at_least(fmt.flop_rate(total.flops / worked * NS_PER_S), graph)
    yield Headline(m("arithmetic"), flops_of(graph), rate, "", "flops")
    yield Headline(m("bytes read and written"), fmt.data(total.read_bytes + total.written_bytes), term="bytes")
