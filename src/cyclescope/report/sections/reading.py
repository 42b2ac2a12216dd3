"""What was read of a trace, and what was lost on the way: before any figure that is drawn from it."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.message import Text, m, plural
from cyclescope.explaining.lanes.lanes import Lanes
from cyclescope.report import format as fmt
from cyclescope.report.naming.importing import both_rules, fact, format_name, is_light, losses
from cyclescope.report.page import Block, KeyValues, Note, Paragraph, Section, Severity


def reading_section(lanes: Lanes | None) -> Section | None:
    """Format, files, events, and everything that was dropped, mended or could not be tied; None without lanes."""
    if lanes is None:
        return None
    return Section("reading", m("What was read"), tuple(_blocks(lanes)))


def _blocks(lanes: Lanes) -> Iterator[Block]:
    found = list(losses(lanes.samples))
    for each in found:
        yield Note(Severity.INFO if is_light(each) else Severity.WARNING, fact(each))
    if not found:
        yield Note(Severity.GOOD, m("Nothing was dropped, and every device event has its launch in the trace."))
    rules = both_rules(lanes.whole)
    if rules:
        yield Paragraph(rules)
    yield KeyValues(tuple(_facts(lanes)))


def _facts(lanes: Lanes) -> Iterator[tuple[Text, Text]]:
    samples = lanes.samples
    yield m("format"), format_name(samples)
    sources = [each for each in samples.facts if each.code in ("source", "cut")]
    for each in sources[:_MOST_SOURCES]:
        yield (
            m("file"),
            plural(
                "{name}: {n} record, {share} of the bytes",
                "{name}: {n} records, {share} of the bytes",
                each.count,
                name=each.what,
                n=fmt.count(each.count),
                share=fmt.share(each.share),
            ),
        )
    if len(sources) > _MOST_SOURCES:
        yield m("more files"), fmt.count(len(sources) - _MOST_SOURCES)
    yield m("events"), fmt.count(len(samples))
    used = samples.used_lanes
    streams = sum(1 for k in used if samples.lanes[k].device)
    yield (
        m("lanes"),
        m("{threads} threads, {streams} streams", threads=fmt.count(len(used) - streams), streams=fmt.count(streams)),
    )
    yield m("span of the trace"), fmt.exact_time(lanes.whole.span_ns)
    if lanes.whole.works:
        yield m("devices are busy for"), fmt.exact_time(lanes.whole.busy_ns)


_MOST_SOURCES = 8
