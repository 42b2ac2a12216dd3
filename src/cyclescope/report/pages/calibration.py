"""The page of `cyclescope calibrate`: what a machine reaches at best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cyclescope.core.ceilings import BandwidthCeiling, Ceilings, Figure, Origin, ProductCeiling
from cyclescope.core.errors import CalibrationFileError, FittedModelError
from cyclescope.core.message import Message, Text, listed, m, plural
from cyclescope.core.samples import Load
from cyclescope.core.statistics import Estimate
from cyclescope.machines.doctor import BUSY
from cyclescope.machines.fingerprint import Freshness
from cyclescope.predicting.fitted import FittedModels
from cyclescope.predicting.fused.fitted import StoredEngine
from cyclescope.report import format as fmt
from cyclescope.report.naming.machine import changes
from cyclescope.report.page import (
    Align,
    Block,
    Column,
    Figures,
    Headline,
    KeyValues,
    Note,
    Page,
    Paragraph,
    Section,
    Severity,
    Table,
)
from cyclescope.report.sections.engine_learning import engine_notes, engine_section
from cyclescope.report.sections.learning import learning_notes, learning_section


@dataclass(frozen=True, slots=True)
class Calibration:
    """The subject of the page: ceilings (None: nothing is stored and nothing is known), their file and how fresh they are.

    `load` is what else ran while they were measured, None where they were measured earlier; `quieter` is what stays kept
    in their place. `learned` are the timing models of the machine and `learned_path` their file, `learned_stale` whether they are of
    another machine, version or calibration; `engines` are those of other engines; `unread` are files of such models that cannot be read.
    """

    machine: str
    ceilings: Ceilings | None
    path: Path | None = None
    freshness: Freshness | None = None
    load: Load | None = None
    quieter: Ceilings | None = None
    broken: tuple[CalibrationFileError, ...] = ()
    learned: FittedModels | None = None
    learned_path: Path | None = None
    learned_stale: bool = False
    engines: tuple[StoredEngine, ...] = ()
    unread: tuple[FittedModelError, ...] = ()


def calibration_page(found: Calibration) -> Page:
    """The ceilings, the answer first."""
    ceilings = found.ceilings
    blocks: list[Block] = []
    if ceilings is not None:
        blocks.append(Paragraph(_answer(ceilings), lead=True))
        blocks.append(_figures(ceilings))
    if ceilings is None or ceilings.origin is Origin.DATASHEET:
        text = m("This machine has not been calibrated.")
        blocks.append(Note(Severity.WARNING, text, m("Run cyclescope calibrate.")))
    blocks += [
        *_freshness_notes(found),
        *_warnings(found),
        *learning_notes(found.learned, found.learned_stale, found.unread),
        *(note for stored in found.engines for note in engine_notes(stored)),
    ]
    if ceilings is not None:
        blocks.append(KeyValues(_facts(found, ceilings)))
    sections = tuple(_sections(ceilings)) if ceilings is not None else ()
    sections = (*map(engine_section, found.engines), *sections)
    if found.learned is not None:
        sections = (learning_section(found.learned, found.learned_path), *sections)
    return Page(m("Ceilings of {machine}", machine=found.machine), tuple(blocks), sections, "calibration")


def _answer(ceilings: Ceilings) -> Message:
    dtypes = dict.fromkeys(product.dtype for product in ceilings.products)
    found = {dtype: ceilings.peak(dtype, 0) for dtype in dtypes}
    peaks = [f"{fmt.flop_rate(peak.value)} ({dtype})" for dtype, peak in found.items() if peak is not None]
    levels = ceilings.levels(0)
    bandwidth = fmt.bandwidth(levels[-1].bytes_per_s.value) if levels else fmt.UNKNOWN
    if ceilings.origin is Origin.DATASHEET:
        figures = listed([*peaks, *([bandwidth] if levels else [])])
        return m("Not measured on this machine. Its maker states: {figures}.", figures=figures)
    if not peaks:
        return m("Memory reaches {bandwidth}; no matrix product was measured.", bandwidth=bandwidth)
    dispatch = ceilings.overheads.dispatch_ns
    return m(
        "Matrix products reach {peaks}; memory reaches {bandwidth}; an operation takes at least {dispatch}.",
        peaks=listed(peaks),
        bandwidth=bandwidth,
        dispatch=fmt.time(dispatch.value if dispatch else None),
    )


def _figures(ceilings: Ceilings) -> Figures:
    """The headline numbers: the fastest type of each kind of work, and the noise that every comparison meets."""
    items = []
    peaks = [ceilings.peak(dtype, 0) for dtype in dict.fromkeys(p.dtype for p in ceilings.products)]
    best = max((peak for peak in peaks if peak is not None), key=lambda peak: peak.value, default=None)
    if best is not None:
        items.append(Headline(m("matrix products"), fmt.flop_rate(best.value), below=m("fastest type")))
    levels = ceilings.levels(0)
    if levels:
        items.append(Headline(m("memory bandwidth"), fmt.bandwidth(levels[-1].bytes_per_s.value)))
    dispatch = ceilings.overheads.dispatch_ns
    if dispatch is not None:
        items.append(Headline(m("minimum time of an operation"), fmt.time(dispatch.value)))
    if ceilings.noise is not None:
        items.append(Headline(m("noise floor"), f"±{fmt.share(ceilings.noise.value)}"))
    return Figures(tuple(items))


def _freshness_notes(found: Calibration) -> Iterator[Note]:
    """How far ceilings that were measured earlier still hold."""
    freshness = found.freshness
    if freshness is None or found.load is not None:
        return
    remedy = m("Run cyclescope calibrate again.")
    if freshness.changed:
        text = m(
            "Stale: this machine has changed since the calibration ({changes}), so new cycles do not use it.",
            changes=changes(freshness.changed),
        )
        yield Note(Severity.WARNING, text, remedy)
    if freshness.too_old:
        yield Note(Severity.WARNING, _too_old(freshness.age_days), remedy)
    if freshness.fresh:
        yield Note(Severity.GOOD, m("Fresh: nothing that it depends on has changed."))


def _too_old(age_days: float | None) -> Message:
    if age_days is None:
        return m("Stale: its date is unknown.")
    days = int(age_days)
    return plural("Stale: it is {n} day old.", "Stale: it is {n} days old.", days, n=fmt.count(days))


def _warnings(found: Calibration) -> Iterator[Note]:
    """What makes the figures less reliable, and what was not kept or not read."""
    busy = found.load.other_busy if found.load is not None else None
    if busy is not None and busy > BUSY:
        text = m(
            "Other processes used {share} of the cores during the calibration: ceilings may be too low and the noise too high.",
            share=fmt.share(busy),
        )
        yield Note(Severity.WARNING, text, m("Stop them and calibrate again."))
    beyond = found.ceilings.noise_beyond_use if found.ceilings is not None else 0.0
    if beyond:
        text = m(
            "Two runs of the same work differed by ±{noise}. That is a disturbance and no noise floor: comparisons do not use it.",
            noise=fmt.share(beyond),
        )
        yield Note(Severity.WARNING, text, m("Calibrate again when the machine is idle."))
    if found.quieter is not None:
        before, now = (kept.noise if kept is not None else None for kept in (found.quieter, found.ceilings))
        text = m(
            "Not stored: the calibration of {taken} stays, because it has less noise (±{before}; now ±{now}).",
            taken=found.quieter.taken_at,
            before=fmt.share(before.value if before else None),
            now=fmt.share(now.value if now else None),
        )
        remedy = m("Calibrate again when the machine is idle, or add --force to replace it.")
        yield Note(Severity.WARNING, text, remedy)
    if found.broken:
        text = plural(
            "{n} calibration file cannot be read. {fact}",
            "{n} calibration files cannot be read. {fact}",
            len(found.broken),
            fact=found.broken[0].summary,
        )
        yield Note(Severity.WARNING, text, m("Delete them and run cyclescope calibrate."))


def _facts(found: Calibration, ceilings: Ceilings) -> tuple[tuple[Text, Text], ...]:
    facts: list[tuple[Text, Text]] = [(m("machine"), ceilings.machine)]
    if ceilings.origin is Origin.MEASURED:
        facts += [(m("engine"), ceilings.engine), (m("measured at"), ceilings.taken_at)]
        facts.append((m("stored in"), str(found.path) if found.path is not None else m("not stored")))
    noise = ceilings.noise
    if noise is not None:
        value = plural(
            "±{value} ({low} to {high}), {n} A/A pair",
            "±{value} ({low} to {high}), {n} A/A pairs",
            noise.n,
            value=fmt.share(noise.value),
            low=fmt.share(noise.low),
            high=fmt.share(noise.high),
            n=fmt.count(noise.n),
        )
        facts.append((m("noise floor"), value))
    return tuple(facts)


def _sections(ceilings: Ceilings) -> Iterator[Section]:
    measured = ceilings.origin is Origin.MEASURED
    if ceilings.products:
        note = _products_note(ceilings.products) if measured else _DATASHEET_NOTE
        blocks = (_products(ceilings.products, measured), Paragraph(note, soft=True))
        yield Section("products", m("Matrix products, operands in cache"), blocks)
    if ceilings.bandwidths:
        table = _bandwidths(ceilings.bandwidths, measured)
        yield Section("memory", m("Memory, read or updated in place"), (table, *((_MEMORY_NOTE,) if measured else ())))
    overheads = ceilings.overheads
    dispatch = overheads.dispatch_ns
    calls = [
        (m("operation ({name})", name=dispatch.source if dispatch else ""), dispatch),
        (m("Python module"), overheads.module_call_ns),
        (m("kernel launch"), overheads.launch_ns),
    ]
    rows = tuple((name, _time(figure)) for name, figure in calls if figure is not None)
    if rows:
        yield Section("calls", m("Minimum time of a call"), (KeyValues(rows),))
    if not measured:
        figures = [p.flops_per_s for p in ceilings.products] + [b.bytes_per_s for b in ceilings.bandwidths]
        sources = tuple(dict.fromkeys(figure.origin for figure in figures))
        facts = KeyValues(tuple((fmt.count(i), text) for i, text in enumerate(sources, 1)))
        yield Section("sources", m("Sources"), (facts,))


_DATASHEET_NOTE = m("Figures of the maker, dense and for no particular shape: no real product reaches them.")
_MEMORY_NOTE = Paragraph(
    m(
        "Each figure is the faster of a sum over half of the level and an in-place update of it. "
        "Memory is measured with four times the size of the last level."
    ),
    soft=True,
)


def _products_note(products: Sequence[ProductCeiling]) -> Message:
    least = min((p.flops_per_s.n for p in products if p.flops_per_s.n > 1), default=1)
    return m(
        "Rows are the smallest dimension of the product: 1 is a decode step. Each figure is the fastest of {n} slices of "
        "the best of several shapes. The low end is that of the 95 % interval of the fastest tenth, for the last column "
        "before it.",
        n=fmt.count(least),
    )


def _products(products: Sequence[ProductCeiling], measured: bool) -> Table:
    threads = sorted({product.threads for product in products})
    known = {(p.dtype, p.rows, p.threads): p.flops_per_s for p in products}
    rows = []
    for dtype, count in dict.fromkeys((p.dtype, p.rows) for p in products):
        figures = [known.get((dtype, count, thread)) for thread in threads]
        cells = [fmt.flop_rate(figure.value if figure else None) for figure in figures]
        low = [fmt.flop_rate(figures[-1].low if figures[-1] else None)] if measured else []
        rows.append((dtype, *((fmt.count(count),) if measured else ()), *cells, *low))
    columns = (Column(m("type")), *((Column(m("rows"), Align.RIGHT),) if measured else ()))
    return Table((*columns, *_thread_columns(threads), *_low_column(measured)), tuple(rows))


def _bandwidths(levels: Sequence[BandwidthCeiling], measured: bool) -> Table:
    threads = sorted({level.threads for level in levels})
    known = {(level.level, level.threads): level for level in levels}
    rows = []
    for name in dict.fromkeys(level.level for level in levels):
        found = [known.get((name, thread)) for thread in threads]
        holds = max(level.capacity_bytes for level in found if level is not None)
        cells = [fmt.bandwidth(level.bytes_per_s.value if level else None) for level in found]
        low = [fmt.bandwidth(found[-1].bytes_per_s.low if found[-1] else None)] if measured else []
        rows.append((name, fmt.data(holds) if holds else m("all"), *cells, *low))
    columns = (Column(m("level")), Column(m("capacity"), Align.RIGHT))
    return Table((*columns, *_thread_columns(threads), *_low_column(measured)), tuple(rows))


def _thread_columns(threads: Sequence[int]) -> list[Column]:
    """A column for each number of threads; where space is short the first and the last stay."""
    return [
        Column(
            plural("{n} thread", "{n} threads", count) if count else m("device"),
            Align.RIGHT,
            priority=0 if count in (threads[0], threads[-1]) else 2 + place,
        )
        for place, count in enumerate(threads)
    ]


def _low_column(measured: bool) -> list[Column]:
    return [Column(m("low end"), Align.RIGHT, priority=1)] if measured else []


def _time(figure: Figure) -> str:
    return fmt.estimate(Estimate(figure.value, figure.low, figure.high, figure.n))
