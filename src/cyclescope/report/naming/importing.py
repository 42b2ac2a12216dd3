"""An imported cycle in words: where it comes from, what was lost on the way, and why its lanes do nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.lanes import Lane, LaneSamples, Phase, ReadingFact
from cyclescope.core.message import Message, Text, in_context, m, plural, sentences
from cyclescope.explaining.lanes.accounts import Idle
from cyclescope.explaining.lanes.lanes import WholeTrace
from cyclescope.explaining.lanes.path import Edge, Part
from cyclescope.report import format as fmt
from cyclescope.report.names import printable
from cyclescope.report.naming.advice import filled

FORMATS: Mapping[str, Text] = MappingProxyType(
    {
        "kineto": m("a trace of the PyTorch profiler"),
        "chrome": m("a trace in Chrome's format"),
        "chakra": m("a Chakra execution trace"),
        "jax": m("a trace of JAX"),
    }
)
IDLE: Mapping[Idle, Message] = MappingProxyType(
    {
        Idle.HOST: m("host-bound: the host had not launched the next work"),
        Idle.HOST_WAITS: m("the host itself waited for the device or a copy before it launched the next work"),
        Idle.LAUNCH: m("launched late, and not begun yet"),
        Idle.QUEUE: m("gaps between kernels that were launched in time"),
        Idle.UNKNOWN: m("before an event whose launch is not in the trace"),
        Idle.END: m("after the last device event"),
    }
)
PARTS: Mapping[Part, Message] = MappingProxyType(
    {
        Part.OPERATION: m("operations on the host"),
        Part.PYTHON: m("between operations on the host"),
        Part.KERNEL: m("kernels"),
        Part.COMMUNICATION: m("communication"),
        Part.COPY: m("copies"),
        Part.LAUNCH: m("launched, and not begun"),
        Part.QUEUE: m("gaps between kernels"),
        Part.SYNC: m("from the end of the device’s work to the host’s next step"),
        Part.UNKNOWN: m("before an event whose launch is not in the trace"),
    }
)
EDGES: Mapping[Edge, Message] = MappingProxyType(
    {
        Edge.THREAD: m("along a thread"),
        Edge.LAUNCH: m("launch to kernel"),
        Edge.STREAM: m("along a stream"),
        Edge.STREAMS: m("one stream after another"),
        Edge.SYNC: m("kernel to waiting host"),
    }
)
PHASES: Mapping[Phase, Text] = MappingProxyType(
    {
        Phase.PREFILL: m("prefill"),
        Phase.DECODE: in_context("phase", "decode"),
        Phase.MIXED: m("prefill and decode"),
        Phase.UNKNOWN: "",
    }
)
# Words of every code of `ReadingFact`, the gravest first. `{n}` is its count, `{time}`, `{share}` and `{what}` likewise.
_FACTS: Mapping[str, Message] = MappingProxyType(
    {
        "cut": plural(
            "The file is cut: {share} of the bytes of {what} were recovered, {n} record.",
            "The file is cut: {share} of the bytes of {what} were recovered, {n} records.",
            2,
        ),
        "dropped-cut": plural("{n} event is lost at the cut.", "{n} events are lost at the cut.", 2),
        "unlaunched": plural(
            "{n} device event ({time}, {share} of device time) has no launch in the trace: it was launched before the recording began.",
            "{n} device events ({time}, {share} of device time) have no launch in the trace: they were launched before the recording began.",
            2,
        ),
        "captured": plural(
            "{n} kernel ({time}, {share} of device time) is hidden in a captured graph: it is booked to the launch of the graph.",
            "{n} kernels ({time}, {share} of device time) are hidden in captured graphs: they are booked to the launch of their graph.",
            2,
        ),
        "other-threads": plural(
            "{n} device event ({time}, {share}) was launched by another thread and belongs to no operation of the cycle.",
            "{n} device events ({time}, {share}) were launched by other threads and belong to no operation of the cycle.",
            2,
        ),
        "by-operation": plural(
            "{n} device event ({time}) names no launch; it is tied to the operation that both name.",
            "{n} device events ({time}) name no launch; they are tied to the operation that both name.",
            2,
        ),
        "broken": plural("{n} record is no JSON and was dropped.", "{n} records are no JSON and were dropped.", 2),
        "no-time": plural("{n} event without a time was dropped.", "{n} events without a time were dropped.", 2),
        "no-begin": plural("{n} end without a beginning was dropped.", "{n} ends without a beginning were dropped.", 2),
        "no-end": plural("{n} beginning without an end was dropped.", "{n} beginnings without an end were dropped.", 2),
        "off-clock": plural(
            "{n} event far from all others in time was dropped.",
            "{n} events far from all others in time were dropped.",
            2,
        ),
        "too-large": plural(
            "{n} event was too large and was dropped.", "{n} events were too large and were dropped.", 2
        ),
        "unknown-phase": plural(
            "{n} record of an unknown sort was dropped.", "{n} records of unknown sorts were dropped.", 2
        ),
        "escaped": plural(
            "{n} record had unescaped quotes or control characters and was mended.",
            "{n} records had unescaped quotes or control characters and were mended.",
            2,
        ),
        "negative": plural(
            "{n} event had a negative duration, taken as 0.", "{n} events had a negative duration, taken as 0.", 2
        ),
        "not-a-number": plural(
            "{n} event had a duration that is no number, taken as 0.",
            "{n} events had a duration that is no number, taken as 0.",
            2,
        ),
        "text-time": plural("{n} event had its time as text.", "{n} events had their times as text.", 2),
        "nanoseconds": plural(
            "{n} event had its time in nanoseconds.", "{n} events had their times in nanoseconds.", 2
        ),
        "not-run": plural(
            "{n} layer was fused or folded away and did not run.",
            "{n} layers were fused or folded away and did not run.",
            2,
        ),
        "laid": plural(
            "{n} event has no time of its beginning and was laid behind the one before it.",
            "{n} events have no time of their beginning and were laid behind the ones before them.",
            2,
        ),
        "too-long": plural(
            "{n} event ended an hour after everything else and was cut there.",
            "{n} events ended an hour after everything else and were cut there.",
            2,
        ),
        "jump": plural(
            "The clock was set by an hour or more {n} time.", "The clock was set by an hour or more {n} times.", 2
        ),
        "no-clock": plural(
            "{n} event belongs to a rank whose clock is not that of the others: each rank begins at 0.",
            "{n} events belong to ranks whose clocks are not those of the others: each rank begins at 0.",
            2,
        ),
        "unsorted": plural(
            "{n} event stands out of order in the file and was sorted.",
            "{n} events stand out of order in the file and were sorted.",
            2,
        ),
        "crossing": plural(
            "{n} event ends after the one in which it began; it is counted there to the end of that.",
            "{n} events end after the one in which they began; they are counted there to the end of that.",
            2,
        ),
        "overlapping": plural(
            "{n} event overlaps with another on its stream; time that overlaps is counted once.",
            "{n} events overlap with others on their stream; time that overlaps is counted once.",
            2,
        ),
        "duplicate": plural(
            "{n} launch has the correlation id of another one.",
            "{n} launches have the correlation id of another one.",
            2,
        ),
        "early": plural(
            "{n} device event begins before its launch: the clocks of host and device disagree.",
            "{n} device events begin before their launch: the clocks of host and device disagree.",
            2,
        ),
        "no-work": plural(
            "{n} launch has no device event in the trace.",
            "{n} launches have no device event in the trace.",
            2,
        ),
        "steps-differ": plural(
            "{n} step ({time}) asks for other work than those that are explained, and is left out.",
            "{n} steps ({time}) ask for other work than those that are explained, and are left out.",
            2,
        ),
        "unpriced": plural(
            "The arithmetic of {n} operation ({share}) is unknown: it is a kernel of its own, or tells no shapes.",
            "The arithmetic of {n} operations ({share}) is unknown: they are kernels of their own, or tell no shapes.",
            2,
        ),
        "shapeless": plural("{n} of them tells no shapes.", "{n} of them tell no shapes.", 2),
        "no-shapes": plural("{n} operation tells no shapes.", "{n} operations tell no shapes.", 2),
        "overlay": m("{what}"),
    }
)
# What the reader is told otherwise, or of what nothing follows: it stands in the table of what was read.
_QUIET = frozenset(("events", "source", "orphan", "in-graph", "shapeless", "no-shapes", "overlay"))
_GRAVE = ("cut", "unlaunched", "captured", "other-threads", "broken", "off-clock", "steps-differ", "unpriced")
_OF_LITTLE_WEIGHT = frozenset(
    ("unsorted", "nanoseconds", "text-time", "no-work", "by-operation", "not-run", "duplicate")
)


LITTLE_SKEW = 0.005  # ranks that differ by less are equally quick


def is_imported(cycle: Cycle) -> bool:
    """Whether the times of `cycle` were recorded by another tool."""
    return cycle.source is Source.IMPORTED


_TAKEN: Mapping[Source, Message] = MappingProxyType(
    {Source.MEASURED: m("measured"), Source.PREDICTED: m("predicted"), Source.IMPORTED: m("imported")}
)


def taken(cycle: Cycle) -> Message:
    """How a cycle came about, within a sentence."""
    return _TAKEN[cycle.source]


def format_name(lanes: LaneSamples) -> Text:
    """The format that a trace was read from; others are called by what writes them."""
    return FORMATS.get(lanes.format, m("a profile of {name}", name=lanes.format))


def imported_from(lanes: LaneSamples) -> Message:
    """That a cycle was imported, and from what."""
    return m("Imported from {format}; nothing was run here.", format=format_name(lanes))


def fact(found: ReadingFact) -> Message:
    """The words of one fact; of a code that this version does not know, that code."""
    words = _FACTS.get(found.code, plural("{what}: {n} event.", "{what}: {n} events.", 2))
    what = found.what if found.code in _FACTS else found.code
    text = filled(
        words,
        n=fmt.count(found.count),
        time=fmt.exact_time(found.ns),
        share=fmt.share(found.share),
        what=what,
    )
    return Message(text.text, text.values, text.plural, found.count, text.context) if text.plural else text


def losses(lanes: LaneSamples) -> Iterator[ReadingFact]:
    """The facts that stand before any figure, the gravest first."""
    order = {code: number for number, code in enumerate(_FACTS)}
    there = [each for each in lanes.facts if each.count and each.code not in _QUIET]
    yield from sorted(there, key=lambda each: order.get(each.code, len(order)))


def is_light(found: ReadingFact) -> bool:
    """Whether a fact changes no figure."""
    return found.code in _OF_LITTLE_WEIGHT


def grave(lanes: LaneSamples) -> Text:
    """The facts without which the figures mislead, as sentences; empty where there are none."""
    there = [fact(each) for each in losses(lanes) if each.code in _GRAVE]
    return sentences(*there) if there else ""


def both_rules(whole: WholeTrace) -> Text:
    """The busy time of the device by our rule and by that of tools that leave out what has no launch; empty where they agree."""
    if whole.launched == whole.works:
        return ""
    return m(
        "In the whole trace the device is busy for {busy} ({works} device events). By the rule of TraceLens, which drops events without "
        "a launch and does not say so, it is busy for {linked} of {span} ({launched} events).",
        busy=fmt.exact_time(whole.busy_ns),
        works=fmt.count(whole.works),
        launched=fmt.count(whole.launched),
        linked=fmt.exact_time(whole.launched_busy_ns),
        span=fmt.exact_time(whole.launched_span_ns),
    )


def lane_name(lane: Lane, *, ranks: bool) -> Text:
    """What a lane is called: its title or its number, with its device and, where there are several, its rank."""
    own = printable(lane.title or lane.thread)[:_LONGEST_NAME]
    if lane.device:
        own = f"{printable(lane.process)[:_LONGEST_NAME]} · {own}" if lane.process else own
    return m("rank {rank}: {lane}", rank=lane.rank, lane=own) if ranks else own


_LONGEST_NAME = 80
