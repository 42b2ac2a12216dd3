"""What was learned of a machine: how far its timing models were off on families of models that they had not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from cyclescope.core.errors import FittedModelError
from cyclescope.core.message import Text, m, plural
from cyclescope.machines.doctor import BUSY
from cyclescope.predicting.fitted import FittedModels, errors_by_family, errors_of
from cyclescope.report import format as fmt
from cyclescope.report.page import Align, Column, KeyValues, Note, Paragraph, Section, Severity, Table


def learning_section(models: FittedModels, path: Path | None) -> Section:
    """The errors by family, and what they were found on."""
    whole = errors_of(models.cases)
    answer = plural(
        "On families of models that were kept out, whole cycles are predicted with a mean error of {hybrid} (hybrid) and "
        "{learned} (learned); the plain roofline has {roofline}. {n} workload was measured.",
        "On families of models that were kept out, whole cycles are predicted with a mean error of {hybrid} (hybrid) and "
        "{learned} (learned); the plain roofline has {roofline}. {n} workloads were measured.",
        len(models.cases),
        hybrid=fmt.share(whole.hybrid),
        learned=fmt.share(whole.learned),
        roofline=fmt.share(whole.roofline),
        n=fmt.count(len(models.cases)),
    )
    rows = tuple(
        (family, fmt.count(each.workloads), *map(fmt.share, (each.roofline, each.learned, each.hybrid)))
        for family, each in errors_by_family(models.cases)
    )
    columns = (
        Column(m("family")),
        Column(m("workloads"), Align.RIGHT),
        Column(m("plain roofline"), Align.RIGHT),
        Column(m("learned"), Align.RIGHT),
        Column(m("hybrid"), Align.RIGHT),
    )
    facts: list[tuple[Text, Text]] = [
        (m("learned at"), models.taken_at),
        (m("stored in"), str(path) if path is not None else m("not stored")),
    ]
    if models.repeat_error is not None:
        facts.append((m("repeat error"), fmt.share(models.repeat_error)))
    note = m(
        "Each row is the mean of |predicted − measured| ÷ measured by a fit that has seen no model of that family. The repeat "
        "error is that between the first and the last runs of the same workload: differences below it mean nothing."
    )
    blocks = (Paragraph(answer), Table(columns, rows), KeyValues(tuple(facts)), Paragraph(note, soft=True))
    return Section("learning", m("Learned timing models"), blocks)


def learning_notes(models: FittedModels | None, stale: bool, unread: Sequence[FittedModelError]) -> Iterator[Note]:
    """What makes the fitted models less reliable, or keeps them from being used."""
    again = m("Run cyclescope calibrate --learn again.")
    if models is not None and stale:
        text = m(
            "Stale: the timing models were learned on another machine, version or calibration, so that predictions do not use them."
        )
        yield Note(Severity.WARNING, text, again)
    if models is not None and len(models.cases) < models.planned:
        text = m(
            "Only {n} of {planned} workloads were measured: the timing models know less than they could.",
            n=fmt.count(len(models.cases)),
            planned=fmt.count(models.planned),
        )
        yield Note(Severity.WARNING, text, again)
    if models is not None and models.other_busy is not None and models.other_busy > BUSY:
        text = m(
            "Other processes used {share} of the cores while the timing models were learned: predictions may be too slow.",
            share=fmt.share(models.other_busy),
        )
        yield Note(Severity.WARNING, text, m("Stop them and run cyclescope calibrate --learn again."))
    if unread:
        text = plural(
            "{n} file of timing models cannot be read. {fact}",
            "{n} files of timing models cannot be read. {fact}",
            len(unread),
            fact=unread[0].summary,
        )
        yield Note(Severity.WARNING, text, m("Delete them and run cyclescope calibrate --learn."))
