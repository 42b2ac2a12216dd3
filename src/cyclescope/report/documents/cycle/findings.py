"""Findings, as part of the document about a cycle."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.findings.finding import Finding
from cyclescope.report.documents import schema as doc
from cyclescope.report.sections.findings import FindingWords, finding_words


def finding_documents(found: Sequence[Finding], graph: Graph) -> list[doc.FindingReport]:
    """The findings for the document, with their sentences in English."""
    return [_document(each, finding_words(each, graph)) for each in found]


def _document(found: Finding, words: FindingWords) -> doc.FindingReport:
    return doc.FindingReport(
        code=found.code.value,
        share=found.share,
        gain_at_most=found.gain or None,
        subject=found.subject,
        place=doc.FindingPlace(
            stage=found.place.stage,
            layer=found.place.layer,
            operation=found.place.op if found.place.op >= 0 else None,
        ),
        evidence=[
            doc.FindingEvidence(
                name=each.name.value,
                quantity=each.quantity.value,
                value=each.value,
                operation=each.op if each.op >= 0 else None,
            )
            for each in found.evidence
        ],
        claim=str(words.claim),
        evidence_text=str(words.evidence),
        remedy=str(words.remedy),
    )
