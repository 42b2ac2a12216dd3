"""The page of predictions over a grid of settings: what each point takes, what limits it, and what fits into memory."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.message import Text, listed, m, plural, sentences
from cyclescope.core.statistics import Estimate
from cyclescope.predicting.settings import Setting
from cyclescope.predicting.sweep import Limit, Sweep, SweepRow
from cyclescope.report import format as fmt
from cyclescope.report.page import (
    Align,
    Bar,
    Bars,
    Cell,
    Column,
    KeyValues,
    Note,
    Page,
    Paragraph,
    Section,
    Severity,
    Table,
)

LIMITS: dict[Limit, Text] = {
    Limit.COMPUTE: m("compute"),
    Limit.MEMORY: m("memory"),
    Limit.OVERHEAD: m("overhead"),
}
NAMES: dict[str, Text] = {
    "batch": m("batch"),
    "tokens": m("tokens"),
    "cache": m("tokens in the KV cache"),
    "threads": m("threads"),
    "bandwidth": m("bandwidth"),
    "flops": m("compute"),
    "overhead": m("overhead"),
    "memory": m("size of the memory"),
    "dtype": m("dtype"),
    "weights": m("dtype of the weights"),
    "attention": m("attention"),
}


def what_if_page(sweep: Sweep) -> Page:
    """The answer, then latency and throughput as bars, then the table of all points."""
    return Page(
        m("What if"),
        (Paragraph(_answer(sweep), lead=True), *_notes(sweep)),
        (
            Section("latency", m("Latency"), (_latency(sweep),)),
            Section("throughput", m("Throughput"), (_throughput(sweep),)),
            Section("limits", m("Limits"), (KeyValues(tuple(_limits(sweep))),)),
            Section("points", m("All predictions"), (_table(sweep),), wide=True),
        ),
        "what-if",
    )


def _answer(sweep: Sweep) -> Text:
    best = max(sweep.rows, key=lambda row: (row.fits is not False, row.tokens_per_s))
    said = m(
        "Predicted for {model} on {machine}: most tokens a second with {settings}, {rate} at {time} {each}.",
        model=sweep.model,
        machine=sweep.machine,
        settings=_named(best.settings),
        rate=_rate(best.tokens_per_s),
        time=fmt.time(best.wall.value_ns),
        each=m("a step") if sweep.step else m("a cycle"),
    )
    return sentences(said, m("Nothing was run."))


def _notes(sweep: Sweep) -> Iterator[Note]:
    fixed = _named(sweep.fixed)
    if fixed:
        yield Note(Severity.INFO, m("Changed for all: {settings}.", settings=fixed))
    if any(change.name == "weights" for row in sweep.rows for change in (*sweep.fixed, *row.settings)):
        yield Note(
            Severity.INFO,
            m(
                "Weights are stored in fewer bits; products are computed in the dtype of the model, and unpacking is left out."
            ),
        )
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
    turns = listed(_named(row.settings) for row in sweep.turns)
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
            yield m("largest batch here that fits"), _named(most.settings)
    seen: set[tuple[Setting, ...]] = set()
    for row in sweep.rows:
        place = tuple(change for change in row.settings if change.name not in ("batch", "threads"))
        if row.most_sequences is None or place in seen:
            continue
        seen.add(place)
        label = m("sequences that fit, {settings}", settings=_named(place)) if place else m("sequences that fit")
        yield label, fmt.count(row.most_sequences)
    if sweep.mean_error is None:
        yield m("error on unseen cycles"), m("unknown: no interval is stated")
    else:
        yield m("error on unseen cycles"), m("{share} in the mean", share=fmt.share(sweep.mean_error))
    yield m("timing model"), sweep.timing_model


def _latency(sweep: Sweep) -> Bars:
    rows = tuple(
        Bar(
            _values(row),
            (row.wall.value_ns,),
            row.wall.low_ns,
            row.wall.high_ns,
            (fmt.time(row.wall.value_ns), LIMITS[row.limit]),
            m("{settings}: {time}", settings=_named(row.settings), time=fmt.time(row.wall.value_ns)),
        )
        for row in sweep.rows
    )
    columns = (Column(m("time"), Align.RIGHT), Column(m("limited by")))
    return Bars((m("predicted time"),), columns, rows, _title(sweep))


def _throughput(sweep: Sweep) -> Bars:
    rows = tuple(
        Bar(
            _values(row),
            (row.tokens_per_s,),
            row.tokens_per_s,
            row.tokens_per_s,
            (_rate(row.tokens_per_s), _fits(row)),
            m("{settings}: {rate}", settings=_named(row.settings), rate=_rate(row.tokens_per_s)),
        )
        for row in sweep.rows
    )
    columns = (Column(m("throughput"), Align.RIGHT), Column(m("fits")))
    return Bars((m("tokens a second"),), columns, rows, _title(sweep), drawn=m("throughput, drawn"))


def _table(sweep: Sweep) -> Table:
    columns = (
        *(Column(NAMES[name], Align.RIGHT) for name in sweep.names),
        Column(m("time"), Align.RIGHT),
        Column(m("90 % interval"), Align.RIGHT, priority=1),
        Column(m("throughput"), Align.RIGHT),
        Column(m("limited by")),
        Column(m("share"), Align.RIGHT, priority=2),
        Column(m("memory"), Align.RIGHT),
        Column(m("fits")),
        Column(m("sequences that fit"), Align.RIGHT, priority=3),
    )
    return Table(columns, tuple(_cells(row) for row in sweep.rows), sortable=True)


def _cells(row: SweepRow) -> tuple[Text | Cell, ...]:
    share = dict(row.shares)[row.limit]
    return (
        *(Cell(change.text, sort=_sorted_by(change)) for change in row.settings),
        Cell(fmt.time(row.wall.value_ns), sort=row.wall.value_ns),
        _interval(row.wall),
        Cell(_rate(row.tokens_per_s), sort=row.tokens_per_s),
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


def _rate(tokens_per_s: float) -> Text:
    return m("{value} tokens/s", value=fmt.quantity(tokens_per_s))


def _fits(row: SweepRow) -> Text:
    if row.fits is None:
        return m("unknown")
    return m("yes") if row.fits else m("no")


def _title(sweep: Sweep) -> Text:
    return listed(NAMES[name] for name in sweep.names)


def _values(row: SweepRow) -> Text:
    return listed(change.text for change in row.settings)


def _named(settings: tuple[Setting, ...]) -> Text:
    return listed(m("{name} {value}", name=NAMES[change.name], value=change.text) for change in settings)
