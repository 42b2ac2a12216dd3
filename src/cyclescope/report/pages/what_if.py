"""The page of predictions over a grid of settings: what each point takes, what limits it, and what fits into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cyclescope.core.message import Series, Text, listed, m, plural, sentences
from cyclescope.predicting.settings import Setting
from cyclescope.predicting.sweep_rows import NEARLY, Sweep, SweepRow
from cyclescope.report import format as fmt
from cyclescope.report.drawings.sweep_plot import Panel, SweepPlot, spread, sweep_plot
from cyclescope.report.naming import run
from cyclescope.report.naming.predicting import figures_from, interval_name, model_fact, outside
from cyclescope.report.naming.sweeping import LIMITS, NAMES, named, rate, run_at_every_point, values
from cyclescope.report.page import (
    Align,
    Bar,
    Bars,
    Block,
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
_MOST_FACTS = 8  # of facts of one kind
_AS_FAST = 1e-3  # throughputs that differ by less are the same


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
            Section("points", m("All predictions"), _table(sweep), wide=True),
        ),
        "what-if",
    )


def _answer(sweep: Sweep) -> Text:
    most, least = sweep.fastest, sweep.least_batch
    each = m("a step") if sweep.step else m("a cycle")
    model = sweep.model.reference
    if "batch" not in sweep.names or least.batch == most.batch:
        said = m(
            "Predicted for {model} on {machine}: most tokens a second with {settings}, {rate} at {time} {each}.",
            model=model,
            machine=sweep.machine,
            settings=_alike(sweep, most),
            rate=rate(most.tokens_per_s),
            time=fmt.time(most.wall.value_ns),
            each=each,
        )
    else:
        said = m(
            "Predicted for {model} on {machine}: {settings} is the smallest batch within {share} of the most tokens a second, {rate} at {time} {each}; {most} makes {more} more, at {longer}.",
            model=model,
            machine=sweep.machine,
            settings=named(least.settings),
            share=fmt.share(NEARLY),
            rate=rate(least.tokens_per_s),
            time=fmt.time(least.wall.value_ns),
            each=each,
            most=named(most.settings),
            more=fmt.share(most.tokens_per_s / least.tokens_per_s - 1),
            longer=fmt.time(most.wall.value_ns),
        )
    return sentences(said, m("Nothing was run."))


def _alike(sweep: Sweep, most: SweepRow) -> Text:
    """The settings of `most`, and those of all others that are as fast."""
    least = (1 - _AS_FAST) * most.tokens_per_s
    rows = [row for row in sweep.rows if row.fits == most.fits and row.tokens_per_s >= least]
    if len(rows) == 1:
        return named(most.settings)
    if len(rows) == 2:
        return m("{one} or {other}", one=named(rows[0].settings), other=named(rows[1].settings))
    return plural(
        "{settings} and {n} other point",
        "{settings} and {n} other points",
        len(rows) - 1,
        settings=named(most.settings),
    )


def _apart(points: Iterable[Sequence[Setting]]) -> Text:
    """Several points, each with its settings."""
    return Series(tuple(map(named, points)), " · ")


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
    yield run.model(sweep.model, weights=False)
    yield from run_at_every_point(sweep.common)
    turns, kinds = sweep.turns, {row.limit for row in sweep.rows}
    if turns:
        shown = spread(turns, _MOST_FACTS)
        more = m("{n} more", n=fmt.count(len(turns) - len(shown))) if len(shown) < len(turns) else ""
        yield m("from memory-bound to compute-bound"), Series((_apart(row.settings for row in shown), more), " · ")
    elif len(kinds) == 1:
        yield m("limited by"), m("{limit} at every point", limit=LIMITS[kinds.pop()])
    if sweep.memory_bytes:
        yield m("memory of the machine"), fmt.data(sweep.memory_bytes)
        fitting = [row for row in sweep.rows if row.fits]
        if "batch" in sweep.names and fitting:
            most = max(fitting, key=lambda row: row.batch)
            yield m("largest batch here that fits"), named(most.settings)
    yield from _sequences(sweep)
    yield m("timing model"), model_fact(sweep.prediction)
    yield from _outside(sweep)
    if sweep.ceilings is not None:
        yield m("figures of the machine"), figures_from(sweep.ceilings)


def _sequences(sweep: Sweep) -> Iterator[tuple[Text, Text]]:
    """How many sequences fit at each of the other settings."""
    fitting: dict[tuple[Setting, ...], int] = {}
    for row in sweep.rows:
        place = tuple(change for change in row.settings if change.name not in ("batch", "threads"))
        if row.most_sequences is not None:
            fitting.setdefault(place, row.most_sequences)
    shown = spread(list(fitting.items()), _MOST_FACTS)
    for place, most in shown:
        label = m("sequences that fit, {settings}", settings=named(place)) if place else m("sequences that fit")
        yield label, fmt.count(most)
    if len(shown) < len(fitting):
        yield m("sequences that fit, at the other points"), m("a column of the table of all predictions")


def _outside(sweep: Sweep) -> Iterator[tuple[Text, Text]]:
    """What lies outside of what the timing model has seen, and at how many points where it is not all of them."""
    found: dict[tuple[tuple[Text, ...], float], int] = {}
    for row in sweep.rows:
        if row.outside:
            place = row.outside, row.widening if row.wall.has_interval else 1.0
            found[place] = found.get(place, 0) + 1
    for (what, widening), points in spread(list(found.items()), _MOST_FACTS):
        said = outside(what, widening)
        if points < len(sweep.rows):
            said = plural(
                "{what} ({n} of {all} points)", "{what} ({n} of {all} points)", points, what=said, all=len(sweep.rows)
            )
        yield m("outside of what was seen"), said


def _more(sweep: Sweep) -> Text:
    """That not all points have a bar, where that is so."""
    if len(sweep.rows) <= MOST_BARS:
        return ""
    shown, points = fmt.count(MOST_BARS), fmt.count(len(sweep.rows))
    return m("{shown} of {all} points are shown; --json gives all.", shown=shown, all=points)


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
    return Bars((m("predicted time"),), columns, rows, _title(sweep), drawing=drawing, more=_more(sweep))


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
    drawn = m("throughput, drawn")
    return Bars((m("tokens a second"),), columns, rows, _title(sweep), drawn=drawn, drawing=drawing, more=_more(sweep))


@dataclass(frozen=True, slots=True)
class Key:
    """What a mark of the plot means; `name` is what the template knows it by."""

    name: str
    label: Text


@dataclass(frozen=True, slots=True)
class SweepPlotDrawing:
    """The drawing `sweep-plot`: one `panel` of `plot`. `names` are those of its lines, `ticks` those of the values across; `more` is what
    it leaves out.
    """

    plot: SweepPlot
    panel: Panel
    title: Text
    is_time: bool
    names: tuple[Text, ...]
    ticks: tuple[str, ...]
    across: Text
    marks: tuple[Key, ...]
    more: Text

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
    more = sentences(*_left_out(sweep, plot, panel))
    value = SweepPlotDrawing(plot, panel, title, is_time, names, ticks, NAMES[plot.across], marks, more)
    return Drawing("sweep-plot", value, m("{quantity} over {settings}", quantity=title, settings=_title(sweep)))


def _left_out(sweep: Sweep, plot: SweepPlot, panel: Panel) -> Iterator[Text]:
    """What of the points is not drawn."""
    dots, lines = sum(len(line.marks) for line in panel.lines), len(panel.lines)
    if plot.left_out:
        yield m("{shown} of {all} lines are drawn.", shown=fmt.count(lines), all=fmt.count(lines + plot.left_out))
    if dots < len(sweep.rows):
        yield m("{shown} of {all} points are drawn as dots.", shown=fmt.count(dots), all=fmt.count(len(sweep.rows)))
    longest = max(panel.lines, key=lambda line: line.points)
    if longest.joined < longest.points:
        joined, points = fmt.count(longest.joined), fmt.count(longest.points)
        yield m("A line joins {shown} of its {all} points.", shown=joined, all=points)


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


def _table(sweep: Sweep) -> tuple[Block, ...]:
    known = any(row.wall.has_interval for row in sweep.rows)
    columns = (
        *(Column(NAMES[name], Align.RIGHT) for name in sweep.names),
        Column(m("time"), Align.RIGHT),
        *((Column(interval_name(predicted=True), Align.RIGHT, priority=1),) if known else ()),
        Column(m("tokens/s"), Align.RIGHT),
        Column(m("limited by"), priority=1),
        Column(m("share"), Align.RIGHT, html=True),
        Column(m("memory"), Align.RIGHT, priority=2),
        Column(m("fits"), Align.RIGHT, priority=2),
        Column(m("sequences that fit"), Align.RIGHT, html=True),
    )
    rows = spread(sweep.rows, MOST_ROWS)
    table = Table(
        columns,
        tuple(_cells(row, known) for row in rows),
        sortable=True,
        caption=m("Each point with its interval, what limits it and the memory that it needs"),
    )
    if len(rows) == len(sweep.rows):
        return (table,)
    shown, points = fmt.count(len(rows)), fmt.count(len(sweep.rows))
    return table, Paragraph(m("{shown} of {all} points are shown; --json gives all.", shown=shown, all=points))


def _cells(row: SweepRow, known: bool) -> tuple[Text | Cell, ...]:
    share = dict(row.shares)[row.limit]
    return (
        *(Cell(change.text, sort=_sorted_by(change)) for change in row.settings),
        Cell(fmt.time(row.wall.value_ns), sort=row.wall.value_ns),
        *((Cell(fmt.plus_minus(row.wall), sort=row.wall.half_width),) if known else ()),
        Cell(fmt.quantity(row.tokens_per_s), sort=row.tokens_per_s),
        LIMITS[row.limit],
        Cell(fmt.share(share), sort=share),
        Cell(fmt.data(row.needed_bytes or None), sort=float(row.needed_bytes)),
        _fits(row),
        fmt.count(row.most_sequences),
    )


def _sorted_by(change: Setting) -> float | None:
    return float(change.value) if isinstance(change.value, int | float) else None


def _fits(row: SweepRow) -> Text:
    if row.fits is None:
        return m("unknown")
    return m("yes") if row.fits else m("no")


def _title(sweep: Sweep) -> Text:
    return listed(NAMES[name] for name in sweep.names)
