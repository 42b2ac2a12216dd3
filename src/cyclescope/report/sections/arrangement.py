"""Which operations must wait for which, what running them in parallel could bring, and the critical path."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Message, Series, Text, m, plural
from cyclescope.explaining.arrangement import Arrangement, WorkPart
from cyclescope.explaining.path_summary import PathOp, PathSegment
from cyclescope.report import format as fmt
from cyclescope.report.naming.between import between
from cyclescope.report.naming.stages import stage_name
from cyclescope.report.page import Align, Block, Column, Note, Paragraph, Section, Severity, Table

_SERIAL = 1.01  # below, what could run in parallel is not worth a number
_AT_ITS_BEST = 1.005  # a schedule as short as this is as short as the longest path, and more workers gain nothing
_WAITING = 1.15  # from so many busy cores on between operations, threads burn time waiting
# A link of the chain with a smaller share of it is passed over, unless it is the longest of its part.
_WORTH_A_NAME = 0.02
_ELIDED = "…"


def arrangement_section(found: Arrangement, graph: Graph, cores: int) -> Section:
    """The bound, the stages, what some workers would reach, and the critical path, on a machine of so many `cores`."""
    note = m(
        "The order that the operations need, and what running them in parallel could bring. The data flow below marks the critical path."
    )
    return Section("arrangement", m("Dependencies and critical path"), tuple(_blocks(found, graph, cores)), note)


def _blocks(found: Arrangement, graph: Graph, cores: int) -> Iterator[Block]:
    yield Paragraph(bound_sentence(found), term="critical-path")
    if found.busy_cores is not None and found.python_cores is not None:
        yield _busy(found.busy_cores, found.python_cores, graph, cores)
    if found.python_ns > 0:  # else it is unknown, or there is none
        yield Paragraph(_rest(found, graph))
    yield _parts(found)
    yield from _schedules(found)
    yield _path(found)


def bound_sentence(found: Arrangement) -> Message:
    """Work, span, and how much faster the operations could be by running in parallel."""
    work = fmt.time(found.work_ns)
    if found.parallelism < _SERIAL:
        return m(
            "The operations take {work} and must all run in sequence: only the threads inside an operation run in parallel.",
            work=work,
        )
    return m(
        "The operations take {work}, of which {span} must run in sequence: in parallel they could be {parallelism} as fast at most.",
        work=work,
        span=fmt.time(found.span_ns),
        parallelism=fmt.times(found.parallelism),
    )


def _busy(busy: float, python: float, graph: Graph, cores: int) -> Block:
    """How many cores are busy. Processor time is no measure of work where threads burn it while they wait."""
    figures = {"busy": fmt.significant(busy), "cores": fmt.count(cores)}
    if python <= _WAITING:
        text = plural(
            "Operations keep {busy} of {cores} core busy, by threads inside them.",
            "Operations keep {busy} of {cores} cores busy, by threads inside them.",
            cores,
            **figures,
        )
        return Paragraph(text)
    text = plural(
        "{busy} of {cores} core is busy while operations run, and {python} while only {between} runs between them. Threads that wait for work use processor time too, so these figures do not show how many threads work.",
        "{busy} of {cores} cores are busy while operations run, and {python} while only {between} runs between them. Threads that wait for work use processor time too, so these figures do not show how many threads work.",
        cores,
        python=fmt.significant(python),
        between=between(graph),
        **figures,
    )
    remedy = m("To see what the threads use, measure with OMP_WAIT_POLICY=PASSIVE in the environment.")
    return Note(Severity.INFO, text, remedy)


def _rest(found: Arrangement, graph: Graph) -> Message:
    """What passes between operations, and how fast the whole cycle could be with it."""
    time, faster = fmt.time(found.python_ns), fmt.times(found.reachable(found.span_ns))
    if found.on_device:
        return m(
            "Between operations the device waits {time} for launches, which these figures leave out. With it, a device that runs operations in parallel could make the cycle {faster} as fast at most.",
            time=time,
            faster=faster,
        )
    return m(
        "Between operations, {between} takes {time}, which these figures leave out. With it, running operations in parallel could make the cycle {faster} as fast at most.",
        between=between(graph),
        time=time,
        faster=faster,
    )


def _parts(found: Arrangement) -> Table:
    known = found.processor_share is not None
    rows = []
    for stage in found.stages:
        name = stage_name(stage.stage)
        rows.append(_part(name, [stage], known))
        layers = [part for part in found.layers if part.stage == stage.stage]
        if len(layers) > 1:
            one = m("{stage}, one of {count} layers", stage=name, count=fmt.count(len(layers)))
            rows.append(_part(one, layers, known))
    columns = (
        Column(m("part")),
        Column(m("work"), Align.RIGHT, priority=3),
        Column(m("span"), Align.RIGHT, priority=2),
        Column(m("parallelism"), Align.RIGHT),
        Column(m("cores busy"), Align.RIGHT, priority=1),
    )
    caption = m("Work and span of each stage")
    return Table(columns if known else columns[:-1], tuple(rows), caption=caption)


def _part(name: Text, parts: Sequence[WorkPart], known: bool) -> tuple[Text, ...]:
    """One row; of several parts the medians."""
    cells = (
        name,
        fmt.time(statistics.median(part.work_ns for part in parts)),
        fmt.time(statistics.median(part.span_ns for part in parts)),
        fmt.times(statistics.median(part.parallelism for part in parts)),
    )
    if not known:
        return cells
    shares = [part.processor_share for part in parts if part.processor_share is not None]
    return (*cells, fmt.significant(statistics.median(shares)) if shares else fmt.UNKNOWN)


def _schedules(found: Arrangement) -> Iterator[Block]:
    """What some workers would reach, up to the first number that one more would not shorten."""
    if found.parallelism < _SERIAL or not found.schedules:
        return
    shown = []
    for schedule in found.schedules:
        shown.append(schedule)
        if schedule.makespan_ns <= _AT_ITS_BEST * found.span_ns:
            break
    columns = (
        Column(m("workers"), Align.RIGHT),
        Column(m("time"), Align.RIGHT, priority=3),
        Column(m("speedup"), Align.RIGHT, priority=2),
        Column(m("speedup of the cycle"), Align.RIGHT, priority=1),
    )
    rows = tuple(
        (
            fmt.count(schedule.workers),
            fmt.time(schedule.makespan_ns),
            fmt.times(found.work_ns / schedule.makespan_ns),
            fmt.times(found.reachable(schedule.makespan_ns)),
        )
        for schedule in shown
    )
    yield Table(columns, rows, caption=m("Operations on several workers"))
    yield Paragraph(m("The operations on several workers, in the best order that list scheduling finds."), soft=True)
    if found.threads > 1:
        workers = shown[0].workers
        text = m(
            "Each worker has {threads} threads, as this cycle has, so {workers} workers need {cores} cores.",
            threads=fmt.count(found.threads),
            workers=fmt.count(workers),
            cores=fmt.count(workers * found.threads),
        )
        yield Paragraph(text, soft=True)


def _path(found: Arrangement) -> Table:
    columns = (
        Column(m("critical path: the longest chain of operations that wait for each other")),
        Column(m("time"), Align.RIGHT, priority=1),
        Column(m("share"), Align.RIGHT),
    )
    rows = tuple(
        (
            m("{name}: {value}", name=_segment_name(segment), value=_links(segment, found.span_ns)),
            fmt.time(segment.time_ns),
            fmt.share(segment.time_ns / found.span_ns),
        )
        for turn in found.chain
        for segment in turn.stretches
    )
    return Table(columns, rows, caption=m("Critical path"))


def _segment_name(segment: PathSegment) -> Text:
    """`encode 0…11 × 12`."""
    layers = ""
    if segment.first_layer is not None and segment.last_layer is not None:
        same = segment.first_layer == segment.last_layer
        layers = str(segment.first_layer) if same else f"{segment.first_layer}…{segment.last_layer}"
    often = f"× {fmt.count(segment.repeats)}" if segment.repeats > 1 else ""
    return Series((stage_name(segment.stage), layers, often), " ")


def _links(segment: PathSegment, span_ns: float) -> str:
    """The operations that take time, each with its share of the path; what lies between them as dots."""
    longest = max(link.time_ns for link in segment.links)
    texts: list[str] = []
    for link in segment.links:
        if link.time_ns >= min(_WORTH_A_NAME * span_ns, longest):
            texts.append(f"{_link_name(link)} {fmt.share(link.time_ns / span_ns)}")
        elif not texts or texts[-1] != _ELIDED:
            texts.append(_ELIDED)
    return " → ".join(texts)


def _link_name(link: PathOp) -> str:
    """`attention.self.query / key (linear)`: where in the layer, the ways that the path takes, the operation."""
    paths = [place.path for place in link.places]
    operations = list(dict.fromkeys(place.operation for place in link.places))
    inside = {path.rpartition(".")[0] for path in paths}
    names = [paths[0], *(path.rpartition(".")[2] if len(inside) == 1 else path for path in paths[1:])]
    where, what = (" / ".join(texts) for texts in (names, operations))
    return f"{where} ({what})" if where else what
