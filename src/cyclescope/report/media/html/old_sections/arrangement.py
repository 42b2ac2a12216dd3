"""The part of a cycle's page that is about its temporal arrangement, and the same for the document."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from cyclescope.explaining.arrangement import Arrangement, Part
from cyclescope.explaining.chain import PathOp, PathSegment
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
from cyclescope.report.page import Align, Block, Column, Heading, Note, Paragraph, Severity, Table
from cyclescope.report.words.strings import Strings
from cyclescope.report.words.text_arrangement import ArrangementText, arrangement_text

_SERIAL = 1.01  # below, what could run side by side is not worth a number
_AT_ITS_BEST = 1.005  # a schedule as short as this is as short as the longest path, and more workers gain nothing
_WAITING = 1.15  # from so many busy cores on while only Python runs, threads burn time waiting
_WORTH_A_NAME = (
    0.02  # a link of the chain with a smaller share of it is passed over, unless it is the longest of its part
)


def arrangement_blocks(told: Arrangement, cores: int, s: Strings) -> Iterator[Block]:
    """What must wait for what: the bound, the stages, what some workers would reach, and the critical path."""
    t = arrangement_text(s)
    yield Heading(t.title)
    yield Paragraph(bound_sentence(told, s))
    if told.busy_cores is not None and told.python_cores is not None:
        figures = {"busy": fmt.significant(told.busy_cores), "cores": fmt.count(cores)}
        if told.python_cores > _WAITING:
            text = t.busy_waiting.format(python=fmt.significant(told.python_cores), **figures)
            yield Note(Severity.INFO, text, t.busy_waiting_remedy)
        else:
            yield Paragraph(t.busy.format(**figures))
    between = t.waiting if told.on_device else t.python
    yield Paragraph(between.format(python=fmt.time(told.python_ns), faster=fmt.times(told.reachable(told.span_ns))))
    yield _parts(told, s, t)
    yield from _schedules(told, t)
    yield _path(told, s, t)


def bound_sentence(told: Arrangement, s: Strings) -> str:
    """Work, span, and how much faster the operations could be by running side by side."""
    t = arrangement_text(s)
    template = t.serial if told.parallelism < _SERIAL else t.bound
    return template.format(
        work=fmt.time(told.work_ns), span=fmt.time(told.span_ns), parallelism=fmt.times(told.parallelism)
    )


def _parts(told: Arrangement, s: Strings, t: ArrangementText) -> Table:
    known = told.processor_share is not None
    rows = []
    for stage in told.stages:
        name = wording.stage_name(stage.stage, s)
        rows.append(_part(name, [stage], known))
        layers = [part for part in told.layers if part.stage == stage.stage]
        if len(layers) > 1:
            rows.append(_part(t.one_of_layers.format(stage=name, count=fmt.count(len(layers))), layers, known))
    columns = (
        Column(t.part),
        Column(t.work, Align.RIGHT, priority=3),
        Column(t.span, Align.RIGHT, priority=2),
        Column(t.available, Align.RIGHT),
        Column(t.reached, Align.RIGHT, priority=1),
    )
    return Table(columns if known else columns[:-1], tuple(rows))


def _part(name: str, parts: Sequence[Part], known: bool) -> tuple[str, ...]:
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


def _schedules(told: Arrangement, t: ArrangementText) -> Iterator[Block]:
    """What some workers would reach, up to the first number that one more would not shorten."""
    if told.parallelism < _SERIAL or not told.schedules:
        return
    shown = []
    for schedule in told.schedules:
        shown.append(schedule)
        if schedule.makespan_ns <= _AT_ITS_BEST * told.span_ns:
            break
    columns = (
        Column(t.workers, Align.RIGHT),
        Column(t.takes, Align.RIGHT, priority=3),
        Column(t.operations_faster, Align.RIGHT, priority=2),
        Column(t.cycle_faster, Align.RIGHT, priority=1),
    )
    rows = tuple(
        (
            fmt.count(schedule.workers),
            fmt.time(schedule.makespan_ns),
            fmt.times(told.work_ns / schedule.makespan_ns),
            fmt.times(told.reachable(schedule.makespan_ns)),
        )
        for schedule in shown
    )
    yield Table(columns, rows)
    yield Paragraph(t.schedule)
    if told.threads > 1:
        workers = shown[0].workers
        yield Paragraph(
            t.schedule_threads.format(
                threads=fmt.count(told.threads),
                workers=fmt.count(workers),
                cores=fmt.count(workers * told.threads),
            )
        )


def _path(told: Arrangement, s: Strings, t: ArrangementText) -> Table:
    columns = (Column(t.path), Column(s.time, Align.RIGHT, priority=1), Column(s.share, Align.RIGHT))
    rows = tuple(
        (
            f"{_stretch_name(stretch, s, t)}: {_links(stretch, told.span_ns, t)}",
            fmt.time(stretch.time_ns),
            fmt.share(stretch.time_ns / told.span_ns),
        )
        for turn in told.chain
        for stretch in turn.stretches
    )
    return Table(columns, rows)


def _stretch_name(stretch: PathSegment, s: Strings, t: ArrangementText) -> str:
    name = wording.stage_name(stretch.stage, s)
    if stretch.first_layer is not None and stretch.last_layer is not None:
        template = t.one_layer if stretch.first_layer == stretch.last_layer else t.layers
        name = template.format(stage=name, first=stretch.first_layer, last=stretch.last_layer)
    return t.repeated.format(what=name, count=fmt.count(stretch.repeats)) if stretch.repeats > 1 else name


def _links(stretch: PathSegment, span_ns: float, t: ArrangementText) -> str:
    """The operations that take time, each with its share of the path; what lies between them as dots."""
    longest = max(link.time_ns for link in stretch.links)
    texts: list[str] = []
    for link in stretch.links:
        if link.time_ns >= min(_WORTH_A_NAME * span_ns, longest):
            texts.append(f"{_link_name(link, t)} {fmt.share(link.time_ns / span_ns)}")
        elif not texts or texts[-1] != t.elided:
            texts.append(t.elided)
    return t.follows.join(texts)


def _link_name(link: PathOp, t: ArrangementText) -> str:
    """`attention.self.query / key (linear)`: where in the layer, the ways that the path takes, the operation."""
    split = [(place.stage, place.path, place.operation) for place in link.places]
    paths = [".".join(parts[1:-1]) for parts in split]
    operations = list(dict.fromkeys(parts[-1] for parts in split))
    inside = {path.rpartition(".")[0] for path in paths}
    names = [paths[0], *(path.rpartition(".")[2] if len(inside) == 1 else path for path in paths[1:])]
    where, what = (t.alternatives.join(texts) for texts in (names, operations))
    return f"{where} ({what})" if where else what
