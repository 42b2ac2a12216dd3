"""The page of predictions over a grid of settings: what each point takes, what limits it, and what fits into memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cyclescope.core.message import Text, listed, m, plural, sentences
from cyclescope.core.statistics import Estimate
from cyclescope.predicting.settings import Setting
from cyclescope.predicting.sweep_rows import NEARLY, Sweep, SweepRow
from cyclescope.report import format as fmt
from cyclescope.report.drawings.sweep_plot import Panel, SweepPlot, spread, sweep_plot
from cyclescope.report.naming.predicting import figures_from, interval_name, model_fact
from cyclescope.report.naming.sweeping import LIMITS, NAMES, named, rate, values
from cyclescope.report.page import (
    Align,
    Bar,
    Bars,
    Cell,
    Column,
    Drawing,
    KeyValues,
    Note,
    Page,
    Paragraph,
    Section,
    Severity,
    Table,
)

MOST_BARS, MOST_ROWS = 24, 300  # of more points, so many are shown, evenly chosen


def what_if_page(sweep: Sweep) -> Page:
    """The answer, then latency and throughput as a plot (as bars where nothing can be drawn), then the table of all points."""
    plot = sweep_plot(sweep)
    return Page(
        m("What if"),
        (Paragraph(_answer(sweep), lead=True), *_notes(sweep)),
        (
            Section("latency", m("Latency"), (_latency(sweep, plot),)),
            Section("throughput", m("Throughput"), (_throughput(sweep, plot),)),
            Section("limits", m("Limits"), (KeyValues(tuple(_limits(sweep))),)),
            Section("points", m("All predictions"), (_table(sweep),), wide=True),
        ),
        "what-if",
    )


def _answer(sweep: Sweep) -> Text:
    most, least = sweep.fastest, sweep.least_batch
    each = m("a step") if sweep.step else m("a cycle")
    if "batch" not in sweep.names or least.batch == most.batch:
        said = m(
            "Predicted for {model} on {machine}: most tokens a second with {settings}, {rate} at {time} {each}.",
            model=sweep.model,
            machine=sweep.machine,
            settings=named(most.settings),
            rate=rate(most.tokens_per_s),
            time=fmt.time(most.wall.value_ns),
            each=each,
        )
    else:
        said = m(
            "Predicted for {model} on {machine}: {settings} is the smallest batch within {share} of the most tokens a second, {rate} at {time} {each}; {most} makes {top} at {longer}.",
            model=sweep.model,
            machine=sweep.machine,
            settings=named(least.settings),
            share=fmt.share(NEARLY),
            rate=rate(least.tokens_per_s),
            time=fmt.time(least.wall.value_ns),
            each=each,
            most=named(most.settings),
            top=rate(most.tokens_per_s),
            longer=fmt.time(most.wall.value_ns),
        )
    return sentences(said, m("Nothing was run."))


def _notes(sweep: Sweep) -> Iterator[Note]:
    fixed = named(sweep.fixed)
    if fixed:
        yield Note(Severity.INFO, m("Changed for all: {settings}.", settings=fixed))
    if any(change.name == "weights" for row in sweep.rows for change in (*sweep.fixed, *row.settings)):
        yield Note(
            Severity.INFO,
            m(
                "Weights are stored in fewer bits; products are computed in the dtype of the model, and unpacking is left out."
            ),
        )
    for note in sweep.notes:
        yield Note(Severity.INFO, note)
    missing = [row for row in sweep.rows if row.fits is False]
    if missing:
        yield Note(
            Severity.WARNING,
            plural(
                "{n} of {all} points does not fit into the memory of {machine} ({bytes}); its time is what it would take if it did.",
                "{n} of {all} points do not fit into the memory of {machine} ({bytes}); their times are what they would take if they did.",
                len(missing),
                all=len(sweep.rows),
                machine=sweep.machine,
                bytes=fmt.data(sweep.memory_bytes),
            ),
        )


def _limits(sweep: Sweep) -> Iterator[tuple[Text, Text]]:
    turns = listed(named(row.settings) for row in sweep.turns)
    kinds = {row.limit for row in sweep.rows}
    if turns:
        yield m("from memory-bound to compute-bound"), turns
    elif len(kinds) == 1:
        yield m("limited by"), m("{limit} at every point", limit=LIMITS[kinds.pop()])
    if sweep.memory_bytes:
        yield m("memory of the machine"), fmt.data(sweep.memory_bytes)
        fitting = [row for row in sweep.rows if row.fits]
        if "batch" in sweep.names and fitting:
            most = max(fitting, key=lambda row: row.batch)
            yield m("largest batch here that fits"), named(most.settings)
    seen: set[tuple[Setting, ...]] = set()
    for row in sweep.rows:
        place = tuple(change for change in row.settings if change.name not in ("batch", "threads"))
        if row.most_sequences is None or place in seen:
            continue
        seen.add(place)
        label = m("sequences that fit, {settings}", settings=named(place)) if place else m("sequences that fit")
        yield label, fmt.count(row.most_sequences)
    yield m("timing model"), model_fact(sweep.prediction)
    if sweep.ceilings is not None:
        yield m("figures of the machine"), figures_from(sweep.ceilings)


def _latency(sweep: Sweep, plot: SweepPlot | None) -> Bars:
    rows = tuple(
        Bar(
            values(row),
            (row.wall.value_ns,),
            row.wall.low_ns,
            row.wall.high_ns,
            (fmt.time(row.wall.value_ns), LIMITS[row.limit]),
            m("{settings}: {time}", settings=named(row.settings), time=fmt.time(row.wall.value_ns)),
        )
        for row in spread(sweep.rows, MOST_BARS)
    )
    columns = (Column(m("time"), Align.RIGHT), Column(m("limited by")))
    drawing = _drawing(sweep, plot, plot.time, m("predicted time"), is_time=True) if plot is not None else None
    return Bars((m("predicted time"),), columns, rows, _title(sweep), drawing=drawing)


def _throughput(sweep: Sweep, plot: SweepPlot | None) -> Bars:
    rows = tuple(
        Bar(
            values(row),
            (row.tokens_per_s,),
            row.tokens_per_s,
            row.tokens_per_s,
            (rate(row.tokens_per_s), _fits(row)),
            m("{settings}: {rate}", settings=named(row.settings), rate=rate(row.tokens_per_s)),
        )
        for row in spread(sweep.rows, MOST_BARS)
    )
    columns = (Column(m("throughput"), Align.RIGHT), Column(m("fits")))
    drawing = _drawing(sweep, plot, plot.throughput, m("tokens a second"), is_time=False) if plot is not None else None
    return Bars((m("tokens a second"),), columns, rows, _title(sweep), drawn=m("throughput, drawn"), drawing=drawing)


@dataclass(frozen=True, slots=True)
class Key:
    """What a mark of the plot means; `name` is what the template knows it by."""

    name: str
    label: Text


@dataclass(frozen=True, slots=True)
class SweepPlotDrawing:
    """The drawing `sweep-plot`: one `panel` of `plot`. `names` are those of its lines, `ticks` those of the values across."""

    plot: SweepPlot
    panel: Panel
    title: Text
    is_time: bool
    names: tuple[Text, ...]
    ticks: tuple[str, ...]
    across: Text
    marks: tuple[Key, ...]

    def spoken(self, row: SweepRow) -> Text:
        """A point as a sentence."""
        return m(
            "{settings}: {time}, {rate}, limited by {limit}",
            settings=named(row.settings),
            time=fmt.time(row.wall.value_ns),
            rate=rate(row.tokens_per_s),
            limit=LIMITS[row.limit],
        )


def _drawing(sweep: Sweep, plot: SweepPlot, panel: Panel, title: Text, *, is_time: bool) -> Drawing:
    names = tuple(named((line.of,)) for line in panel.lines if line.of is not None)
    ticks = tuple(Setting(plot.across, _whole(tick.value)).text for tick in plot.ticks)
    marks = tuple(_keys(plot, panel))
    value = SweepPlotDrawing(plot, panel, title, is_time, names, ticks, NAMES[plot.across], marks)
    return Drawing("sweep-plot", value, m("{quantity} over {settings}", quantity=title, settings=_title(sweep)))


def _keys(plot: SweepPlot, panel: Panel) -> Iterator[Key]:
    marks = [mark for line in panel.lines for mark in line.marks]
    if any(line.band for line in panel.lines):
        yield Key("band", interval_name(predicted=True))
    if any(mark.turns for mark in marks):
        yield Key("turn", m("turns from memory-bound to compute-bound"))
    if plot.fit:
        yield Key("limit", m("largest batch that fits"))
    if any(not mark.fits for mark in marks):
        yield Key("hollow", m("does not fit into memory"))


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _table(sweep: Sweep) -> Table:
    known = any(row.wall.has_interval for row in sweep.rows)
    columns = (
        *(Column(NAMES[name], Align.RIGHT) for name in sweep.names),
        Column(m("time"), Align.RIGHT),
        *((Column(interval_name(predicted=True), Align.RIGHT, priority=1),) if known else ()),
        Column(m("throughput"), Align.RIGHT),
        Column(m("limited by")),
        Column(m("share"), Align.RIGHT, priority=2),
        Column(m("memory"), Align.RIGHT),
        Column(m("fits"), Align.RIGHT),
        Column(m("sequences that fit"), Align.RIGHT, priority=3),
    )
    rows = spread(sweep.rows, MOST_ROWS)
    caption: Text = ""
    if len(rows) < len(sweep.rows):
        caption = m(
            "{shown} of {all} points; --json gives all", shown=fmt.count(len(rows)), all=fmt.count(len(sweep.rows))
        )
    return Table(columns, tuple(_cells(row, known) for row in rows), sortable=True, caption=caption)


def _cells(row: SweepRow, known: bool) -> tuple[Text | Cell, ...]:
    share = dict(row.shares)[row.limit]
    return (
        *(Cell(change.text, sort=_sorted_by(change)) for change in row.settings),
        Cell(fmt.time(row.wall.value_ns), sort=row.wall.value_ns),
        *((_interval(row.wall),) if known else ()),
        Cell(rate(row.tokens_per_s), sort=row.tokens_per_s),
        LIMITS[row.limit],
        Cell(fmt.share(share), sort=share),
        Cell(fmt.data(row.needed_bytes or None), sort=float(row.needed_bytes)),
        _fits(row),
        fmt.count(row.most_sequences),
    )


def _sorted_by(change: Setting) -> float | None:
    return float(change.value) if isinstance(change.value, int | float) else None


def _interval(wall: Estimate) -> Text:
    if not wall.has_interval:
        return fmt.UNKNOWN
    return f"{fmt.time(wall.low_ns)} – {fmt.time(wall.high_ns)}"


def _fits(row: SweepRow) -> Text:
    if row.fits is None:
        return m("unknown")
    return m("yes") if row.fits else m("no")


def _title(sweep: Sweep) -> Text:
    return listed(NAMES[name] for name in sweep.names)
