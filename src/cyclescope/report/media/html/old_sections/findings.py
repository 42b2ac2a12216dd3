"""Findings as sentences, for every medium, and the same for the document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.findings.finding import Evidence, Finding, FindingCode, Location, Quantity
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
from cyclescope.report.page import Block, Claim, Claims, Heading
from cyclescope.report.words.strings import Advice, Strings
from cyclescope.report.words.text_findings import FindingText, finding_text

_AMOUNT: dict[Quantity, Callable[[float], str]] = {
    Quantity.TIME: fmt.time,
    Quantity.SHARE: fmt.share,
    Quantity.COUNT: lambda value: fmt.count(round(value)),
    Quantity.BYTES: fmt.data,
    Quantity.FLOP_RATE: fmt.flop_rate,
    Quantity.BANDWIDTH: fmt.bandwidth,
    Quantity.RATIO: fmt.times,
    Quantity.NUMBER: fmt.significant,
}


@dataclass(frozen=True, slots=True)
class FindingWords:
    """One finding in the reader's language: what is claimed, what carries it, what to do, and what that brings at most."""

    claim: str
    evidence: str
    remedy: str
    gain: str


def finding_blocks(found: Sequence[Finding], graph: Graph, s: Strings) -> Iterator[Block]:
    """The findings, numbered; nothing where there are none."""
    if found:
        yield Heading(finding_text(s).title)
        space = finding_text(s).space
        told = [finding_words(each, graph, s) for each in found]
        yield Claims(
            tuple(Claim(w.claim, w.evidence, space.join(part for part in (w.remedy, w.gain) if part)) for w in told)
        )


def finding_words(found: Finding, graph: Graph, s: Strings) -> FindingWords:
    """`found` in sentences. Names from the model in them are untrusted, as in every text of a page."""
    t = finding_text(s)
    amounts = {each.name.replace("-", "_"): amount(each) for each in found.evidence}
    advice = _advice(found, amounts, t)
    values = {
        **amounts,
        "share": fmt.share(found.share),
        "subject": found.subject,
        "place": _layer_name(found.place, s) or place_name(found.place, graph, s),
    }
    said = {name for _, name, _, _ in Formatter().parse(advice.text) if name}
    return FindingWords(
        claim=advice.text.format(**values),
        evidence=_evidence(found, said, graph, s, t),
        remedy=advice.remedy.format(**values),
        gain=t.gain.format(gain=fmt.share(found.gain)) if found.gain else "",
    )


def _advice(found: Finding, amounts: Mapping[str, str], t: FindingText) -> Advice:
    """The words for `found`, which depend on what is known."""
    advice = t.findings[found.code]
    if found.code is FindingCode.COMPUTE_BOUND and "of_ceiling" not in amounts:
        return Advice(t.compute_uncalibrated, advice.remedy)
    if found.code is FindingCode.IDLE_CORES and amounts["threads"] == amounts["cores"]:
        return t.waiting_threads
    return advice


def amount(each: Evidence) -> str:
    """The number of one piece of evidence as text."""
    return _AMOUNT[each.quantity](each.value)


def place_name(place: Location, graph: Graph, s: Strings) -> str:
    """`encode 3 · encoder.layer.3.intermediate (gelu)`; the stage alone where it is no operation, empty where nowhere."""
    if place.op < 0:
        return _layer_name(place, s) or wording.stage_name(place.stage, s)
    site = graph.site(place.op)
    stage = _layer_name(Location(site.stage, site.layer), s) or wording.stage_name(site.stage, s)
    return " · ".join(part for part in (stage, site.module) if part) + f" ({graph.names[place.op]})"


def _layer_name(place: Location, s: Strings) -> str:
    return "" if place.layer is None else f"{wording.stage_name(place.stage, s)} {place.layer}"


def _evidence(found: Finding, said: set[str], graph: Graph, s: Strings, t: FindingText) -> str:
    """The numbers that the claim does not say itself, as one sentence, and where to look."""
    parts = [
        t.evidence[each.name].format(value=amount(each))
        for each in found.evidence
        if each.name.replace("-", "_") not in said
    ]
    text = t.separator.join(parts)
    if text:
        text = text[0].upper() + text[1:] + t.stop
    where = place_name(found.place, graph, s) if found.place.op >= 0 else ""
    return t.space.join(part for part in (text, t.where.format(place=where) if where else "") if part)
