"""What was learned of an engine that fuses: how far each of its timing models was off on families that it had not seen."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.message import Message, Text, listed, m, plural
from cyclescope.machines.doctor import BUSY
from cyclescope.predicting.fused.fitted import ROOFLINE, FittedEngine, StoredEngine
from cyclescope.predicting.fused.models import NETWORK
from cyclescope.report import format as fmt
from cyclescope.report.naming.predicting import timing_model
from cyclescope.report.page import Align, Column, KeyValues, Note, Paragraph, Section, Severity, Table


def engine_section(stored: StoredEngine) -> Section:
    """The errors of each timing model by family, and which of them predicts."""
    fitted = stored.fitted
    columns = (
        Column(m("family")),
        Column(m("workloads"), Align.RIGHT),
        *(Column(kind_name(kind), Align.RIGHT) for kind in fitted.kinds),
    )
    rows = [_row(fitted, family) for family in fitted.families]
    if len(rows) > 1:
        rows.append((m("all"), fmt.count(len(fitted.cycles)), *map(fmt.share, fitted.mean_errors())))
    facts: list[tuple[Text, Text]] = [
        (m("learned at"), fitted.taken_at),
        (m("stored in"), str(stored.path) if stored.path is not None else m("not stored")),
    ]
    if fitted.repeat_error is not None:
        facts.append((m("repeat error"), fmt.share(fitted.repeat_error)))
    if fitted.refused:
        facts.append((m("not taken by the engine"), listed(each.name for each in fitted.refused)))
    note = m(
        "Each row is the mean of |predicted − measured| ÷ measured by a fit that has seen no model of that family. "
        "`--model auto` predicts with the timing model that has the least error over all; errors are taken about their median."
    )
    blocks = (
        Paragraph(_answer(fitted)), Table(columns, tuple(rows)), KeyValues(tuple(facts)), Paragraph(note, soft=True),
    )  # fmt: skip
    return Section(f"learning-{fitted.engine}", m("Timing models of {engine}", engine=fitted.engine), blocks)


def kind_name(kind: str) -> Text:
    return m("plain roofline") if kind == ROOFLINE else timing_model(kind)


def _row(fitted: FittedEngine, family: str) -> tuple[Text, ...]:
    count = sum(cycle.family == family for cycle in fitted.cycles)
    return (family, fmt.count(count), *map(fmt.share, fitted.mean_errors(family)))


def _answer(fitted: FittedEngine) -> Message:
    errors = dict(zip(fitted.kinds, fitted.mean_errors(), strict=True))
    roofline = errors.pop(ROOFLINE)
    best = min(errors, key=lambda kind: errors[kind])
    return plural(
        "On families of models that were kept out, the {best} timing model predicts whole cycles with the least mean error, {error}; the "
        "plain roofline has {roofline}. {n} workload was measured.",
        "On families of models that were kept out, the {best} timing model predicts whole cycles with the least mean error, {error}; the "
        "plain roofline has {roofline}. {n} workloads were measured.",
        len(fitted.cycles),
        best=timing_model(best),
        error=fmt.share(errors[best]),
        roofline=fmt.share(roofline),
        n=fmt.count(len(fitted.cycles)),
    )


def engine_notes(stored: StoredEngine) -> Iterator[Note]:
    """What makes the timing models of an engine less reliable, or keeps them from being used."""
    fitted = stored.fitted
    again = m("Run cyclescope calibrate --learn --engine {engine} again.", engine=fitted.engine)
    if stored.stale:
        text = m(
            "Stale: the timing models of {engine} were learned on another machine, version or calibration, so that predictions do not use them.",
            engine=fitted.engine,
        )
        yield Note(Severity.WARNING, text, again)
    measured = len({cycle.name.rpartition("-")[0] for cycle in fitted.cycles})
    if measured + len(fitted.refused) < fitted.planned:
        text = m(
            "Only {n} of {planned} models were measured on {engine}: its timing models know less than they could.",
            n=fmt.count(measured),
            planned=fmt.count(fitted.planned),
            engine=fitted.engine,
        )
        yield Note(Severity.WARNING, text, again)
    if fitted.network is None:
        text = m("No graph network was trained for {engine}: torch_geometric is not installed.", engine=fitted.engine)
        yield Note(Severity.INFO, text, m("Install it (pip install 'cyclescope[gnn]') and learn again."))
    elif _beaten(fitted):
        text = m(
            "The graph network of {engine} has more error on families that were kept out than what predicts by default: it is used with --model {kind} only.",
            engine=fitted.engine,
            kind=NETWORK,
        )
        yield Note(Severity.INFO, text)
    if fitted.other_busy is not None and fitted.other_busy > BUSY:
        text = m(
            "Other processes used {share} of the cores while {engine} was learned: predictions may be too slow.",
            share=fmt.share(fitted.other_busy),
            engine=fitted.engine,
        )
        yield Note(Severity.WARNING, text, again)


def _beaten(fitted: FittedEngine) -> bool:
    errors = dict(zip(fitted.kinds, fitted.mean_errors(), strict=True))
    return NETWORK in errors and errors[NETWORK] > min(error for kind, error in errors.items() if kind != ROOFLINE)
