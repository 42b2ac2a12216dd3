"""What was paid once, and how the figures were obtained."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.message import Text, m, plural
from cyclescope.core.prediction import COVERAGE, SCENARIOS
from cyclescope.explaining.explanation import Explanation
from cyclescope.report import format as fmt
from cyclescope.report.naming.predicting import is_predicted
from cyclescope.report.page import Block, Details, KeyValues, Listing, Paragraph, Section


def set_up_section(explanation: Explanation) -> Section | None:
    """Import, loading, tracing, warm-up; what did not happen in this process is left out."""
    rows = tuple(_set_up(explanation))
    if not rows:
        return None
    blocks = (Paragraph(m("Paid once, not part of the cycle.")), KeyValues(rows))
    return Section("set-up", m("Set-up"), blocks)


def method_section(explanation: Explanation) -> Section:
    """The three passes, their settings, and what else the machine did; HTML only."""
    if is_predicted(explanation.cycle):
        return _how_predicted(explanation)
    if explanation.lanes is not None:
        return _how_imported(explanation)
    passes = (
        m(
            "Uninstrumented: whole cycles, until the interval of the median is narrow or the budget ends. The parts must add up to this."
        ),
        m(
            "Instrumented: the same cycles with a timestamp before and after every operation and module. This gives the shares. What a timestamp costs is measured on a tiny model of the same class and subtracted."
        ),
        m("Structure: one untimed trace gives operations, shapes, bytes and dependencies."),
    )
    blocks: tuple[Block, ...] = (Listing(passes), KeyValues(tuple(_method(explanation))))
    summary = m("Three passes, their settings and the other load of the machine")
    return Section("method", m("Method"), (Details(summary, blocks, printed=True),))


def _how_predicted(explanation: Explanation) -> Section:
    """How the times of a prediction came about; HTML only."""
    steps = (
        m(
            "Structure: one trace of the model class, without weights, gives operations, shapes, bytes and dependencies."
        ),
        m("Durations: the timing model gives each operation, and what passes between two, its time on this machine."),
        m(
            "Scenarios: {n} rows spread as the errors on unseen cycles do, of the whole and of single operations. Every interval holds {share} of them.",
            n=fmt.count(SCENARIOS),
            share=fmt.share(COVERAGE),
        ),
    )
    cycle = explanation.cycle
    facts = [(m("scenarios"), fmt.count(len(cycle.samples.uninstrumented)))]
    if cycle.graph.traced_on:
        facts.append((m("traced on"), cycle.graph.traced_on))
    if cycle.taken_at:
        facts.append((m("predicted at"), cycle.taken_at))
    summary = m("Trace, durations and scenarios")
    return Section("method", m("Method"), (Details(summary, (Listing(steps), KeyValues(tuple(facts))), printed=True),))


def _how_imported(explanation: Explanation) -> Section:
    """How the figures of a trace came about; HTML only."""
    steps = (
        m(
            "Events: every event of the trace stays as it was recorded. What the recording itself cost is unknown and in all times."
        ),
        m(
            "Structure: operations are the outermost ones of the thread that asks for the work; calls of modules and named ranges around them, or else repetition, give stages and layers."
        ),
        m("Ties: work of a device belongs to its launch by the correlation id, and with it to an operation."),
        m("Arithmetic and bytes follow from the shapes that the trace tells; where it tells none they are unknown."),
        m("Steps in which the same is asked for in the same order are samples of one graph."),
    )
    cycle = explanation.cycle
    packages = ", ".join(" ".join(pair) for pair in cycle.machine.packages)
    facts: list[tuple[Text, Text]] = [(m("steps"), fmt.count(len(cycle.samples.uninstrumented)))]
    if packages:
        facts.append((m("software"), packages))
    if cycle.taken_at:
        facts.append((m("taken at"), cycle.taken_at))
    summary = m("Events, structure and ties")
    return Section("method", m("Method"), (Details(summary, (Listing(steps), KeyValues(tuple(facts))), printed=True),))


def _set_up(explanation: Explanation) -> Iterator[tuple[Text, Text]]:
    paid = explanation.cycle.samples.set_up
    for label, ns in (
        (m("import"), paid.import_ns),
        (m("load the model"), paid.load_ns),
        (m("trace the graph"), paid.trace_ns),
        (m("first cycle"), paid.first_cycle_ns),
    ):
        if ns is not None:
            yield label, fmt.time(ns)
    if paid.warmup_cycles:
        cycles = fmt.count(paid.warmup_cycles)
        time = fmt.time(paid.warmup_ns)
        yield (
            m("warm-up"),
            plural("{time} ({cycles} cycle)", "{time} ({cycles} cycles)", paid.warmup_cycles, time=time, cycles=cycles),
        )


def _method(explanation: Explanation) -> Iterator[tuple[Text, Text]]:
    cycle, samples = explanation.cycle, explanation.cycle.samples
    yield m("uninstrumented cycles"), fmt.count(len(samples.uninstrumented))
    yield m("instrumented cycles"), fmt.count(len(samples.instrumented))
    if samples.budget_ns:
        yield m("budget"), fmt.time(samples.budget_ns)
    probe = samples.instrumentation
    if probe is not None:
        yield (
            m("cost of a pair of timestamps"),
            m(
                "{inside} inside an operation and {outside} around it ({how}; measured on {model}, n = {n})",
                inside=fmt.time(probe.inside_ns),
                outside=fmt.time(probe.outside_ns),
                how=probe.how,
                model=probe.calibrated_on,
                n=fmt.count(probe.n),
            ),
        )
    if samples.load.other_busy is not None:
        yield m("cores used by other processes"), fmt.share(samples.load.other_busy)
    yield m("seed"), str(cycle.plan.seed)
    if cycle.graph.traced_on:
        yield m("traced on"), cycle.graph.traced_on
    packages = (("Python", cycle.machine.python), *cycle.machine.packages, ("", cycle.machine.system))
    yield m("software"), ", ".join(" ".join(pair).strip() for pair in packages if pair[1])
    if cycle.taken_at:
        yield m("taken at"), cycle.taken_at
