"""Findings as sentences: what holds the cycle up, the weightiest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Message, Text, braces, listed, m, sentences
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Location, Quantity
from cyclescope.report import format as fmt
from cyclescope.report.drawings.link_targets import NOWHERE, LinkTargets
from cyclescope.report.naming.between import between
from cyclescope.report.naming.findings import (
    ADVICE,
    COMPUTE_PREDICTED,
    COMPUTE_UNCALIBRATED,
    EVIDENCE,
    OF_AN_ENGINE,
    WAITING_THREADS,
    FindingAdvice,
)
from cyclescope.report.naming.stages import layer_name, location_name, stage_name
from cyclescope.report.page import Claim, Claims, Section

# What these are about lies outside the cycle that is drawn.
_ELSEWHERE = {FindingCode.FIRST_CALL: "set-up", FindingCode.NOISE: "method"}
_AMOUNT: Mapping[Quantity, Callable[[float], str]] = {
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
    """One finding: what is claimed, what carries it, what to do, and what that brings at most ('': unknown)."""

    claim: Text
    evidence: Text
    remedy: Text
    gain: Text


def findings_section(found: Sequence[Finding], graph: Graph, links: LinkTargets = NOWHERE) -> Section | None:
    """The findings, numbered; None where there are none. `links` are where their places stand in the timeline."""
    if not found:
        return None
    claims = tuple(_claim(each, graph, links) for each in found)
    return Section("findings", m("Bottlenecks"), (Claims(claims),))


def finding_words(found: Finding, graph: Graph) -> FindingWords:
    """`found` in sentences. Names from the model in them are untrusted, as in every text of a page."""
    amounts = {each.name.replace("-", "_"): amount(each) for each in found.evidence}
    advice = _advice(found, amounts, graph)
    values: dict[str, Text] = {
        **amounts,
        "share": fmt.share(found.share),
        "subject": found.subject,
        "place": place_name(found.place, graph),
        "between": between(graph),
    }
    return FindingWords(
        claim=_filled(advice.claim, values, _cores(found)),
        evidence=_evidence(found, set(braces(advice.claim.text)), graph),
        remedy=_filled(advice.remedy, values),
        gain=m("At most {gain} of the cycle could be saved.", gain=fmt.share(found.gain)) if found.gain else "",
    )


def amount(each: Evidence) -> str:
    """The number of one piece of evidence as text."""
    return _AMOUNT[each.quantity](each.value)


def place_name(place: Location, graph: Graph) -> Text:
    """`encode 3`, `encode`, or of an operation without a layer `encode · encoder.norm (layer_norm)`; '' where nowhere."""
    if place.layer is not None:
        return layer_name(place.stage, place.layer)
    return operation_name(place.op, graph) if place.op >= 0 else stage_name(place.stage)


def operation_name(op: int, graph: Graph) -> Text:
    """`encode 3 · encoder.layer.3.intermediate (gelu)`."""
    location = graph.location(op)
    stage = location.stage if location.layer is None else f"{location.stage} {location.layer}"
    return location_name(stage, location.module, graph.names[op])


def _claim(found: Finding, graph: Graph, links: LinkTargets) -> Claim:
    words, section = finding_words(found, graph), _ELSEWHERE.get(found.code, "")
    return Claim(
        words.claim,
        words.evidence,
        words.remedy,
        words.gain,
        span=None if section else links.first(_where(found)),
        section=section,
        weight=min(max(found.share, found.gain), 1.0) if found.share > 0 else None,
        gain=min(found.gain, 1.0) or None,
    )


def _where(found: Finding) -> Iterable[Location]:
    """Where it shows, the most significant first: the place, what the evidence stands at, then wider and wider around it."""
    here = found.place
    yield here
    yield from (Location(op=each.op) for each in found.evidence if each.op >= 0)
    if here.layer is not None:
        yield Location(here.stage, here.layer)
    if here.stage:
        yield Location(here.stage)


def _advice(found: Finding, amounts: Mapping[str, str], graph: Graph) -> FindingAdvice:
    """The words for `found`, which depend on what is known and on the engine."""
    advice = ADVICE[found.code]
    if found.code is FindingCode.COMPUTE_BOUND and "of_ceiling" not in amounts:
        return replace(advice, claim=COMPUTE_PREDICTED if "flops_ceiling" in amounts else COMPUTE_UNCALIBRATED)
    if found.code is FindingCode.IDLE_CORES and amounts["threads"] == amounts["cores"]:
        return WAITING_THREADS
    if graph.engine_between and found.code in OF_AN_ENGINE:
        return replace(advice, remedy=OF_AN_ENGINE[found.code])
    return advice


def _filled(template: Message, values: Mapping[str, Text], count: int = 1) -> Message:
    """`template` with those of `values` that it has fields for."""
    wanted = {*braces(template.text), *braces(template.plural)}
    there = tuple((name, value) for name, value in values.items() if name in wanted)
    return replace(template, values=there, count=count)


def _counted(each: Evidence) -> int:
    return round(each.value) if each.quantity is Quantity.COUNT else 1


def _cores(found: Finding) -> int:
    return next((_counted(each) for each in found.evidence if each.name is EvidenceName.CORES), 1)


def _evidence(found: Finding, claimed: set[str], graph: Graph) -> Text:
    """The numbers that the claim does not say itself, as one sentence, and where to look."""
    numbers = listed(
        _filled(EVIDENCE[each.name], {"value": amount(each), "between": between(graph)}, _counted(each))
        for each in found.evidence
        if each.name.replace("-", "_") not in claimed
    )
    where = operation_name(found.place.op, graph) if found.place.op >= 0 else ""
    return sentences(
        m("Evidence: {numbers}.", numbers=numbers) if numbers else "",
        m("Most at {place}.", place=where) if where else "",
    )
