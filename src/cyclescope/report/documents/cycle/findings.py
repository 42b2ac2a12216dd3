"""Findings and warnings, as parts of the document about a cycle."""

from __future__ import annotations

from pydantic import Field

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.explanation import MeasurementWarning, WarningCode
from cyclescope.explaining.findings.finding import Evidence, Finding, FindingCode, Quantity
from cyclescope.report.documents.figures import DocumentPart, Figure, Text, WarningPart, seconds
from cyclescope.report.naming.warnings import warning as words_of
from cyclescope.report.sections.findings import finding_words

_UNITS = {Quantity.TIME: "s", Quantity.BYTES: "B", Quantity.FLOP_RATE: "FLOP/s", Quantity.BANDWIDTH: "B/s"}
_WITHOUT_FIGURE = (WarningCode.SWAPPED, WarningCode.NO_CALIBRATION, WarningCode.NO_INSTRUMENTED_RUN)


class EvidenceFigure(DocumentPart):
    """One number that carries a finding."""

    name: Text = Field(description="stable, for machines")
    quantity: Quantity
    figure: Figure
    operation: int | None = Field(
        description="index of the operation that it belongs to; null where it belongs to none"
    )


class FindingPlace(DocumentPart):
    """Where in the cycle it is."""

    stage: Text = Field(description="empty where it is not one place")
    layer: int | None = Field(description="number of the layer within its stage; null where in none")
    operation: int | None = Field(description="index of the most significant operation; null where there is none")


class FindingPart(DocumentPart):
    """A bottleneck with its evidence; docs/findings.md says how each is decided."""

    code: FindingCode
    share: float = Field(description="part of the cycle that the claim is about, 0 … 1")
    gain_at_most: float | None = Field(
        description="part of the cycle that the remedy could bring at most, 0 … 1; null where no bound is known"
    )
    subject: Text = Field(description="a name from the model that the claim is about; empty where there is none")
    place: FindingPlace
    evidence: list[EvidenceFigure]
    claim: Text = Field(description="in English")
    evidence_text: Text = Field(description="the numbers that are not in the claim, in English")
    remedy: Text = Field(description="in English")


def finding(found: Finding, graph: Graph) -> FindingPart:
    words = finding_words(found, graph)
    return FindingPart.of(
        found,
        gain_at_most=found.gain or None,
        place=FindingPlace.of(found.place, operation=_row(found.place.op)),
        evidence=[_evidence(each) for each in found.evidence],
        claim=str(words.claim),
        evidence_text=str(words.evidence),
        remedy=str(words.remedy),
    )


def _evidence(each: Evidence) -> EvidenceFigure:
    value = seconds(each.value) if each.quantity is Quantity.TIME else each.value
    figure = Figure(value=value, unit=_UNITS.get(each.quantity, "1"))
    return EvidenceFigure.of(each, figure=figure, operation=_row(each.op))


def _row(op: int) -> int | None:
    return op if op >= 0 else None


def warning(found: MeasurementWarning) -> WarningPart:
    """A reason to trust a measurement less."""
    advice = words_of(found)
    return WarningPart(code=found.code, text=str(advice.text), remedy=str(advice.remedy), figure=warning_figure(found))


def warning_figure(found: MeasurementWarning) -> Figure | None:
    """The number behind a warning; None where there is none."""
    if found.code in _WITHOUT_FIGURE:
        return None
    if found.code is WarningCode.THROTTLED:
        return Figure(value=seconds(found.value), unit="s")
    return Figure(value=found.value, unit="1")
