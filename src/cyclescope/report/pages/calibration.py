"""What `cyclescope calibrate` prints: ceilings as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cyclescope.core.ceilings import BandwidthCeiling, Ceilings, Figure, Origin, ProductCeiling
from cyclescope.core.errors import CalibrationFileError
from cyclescope.core.samples import Load
from cyclescope.core.statistics import Estimate
from cyclescope.machines.fingerprint import Change, Freshness
from cyclescope.report import format as fmt
from cyclescope.report.page import (
    Align,
    Block,
    Column,
    Heading,
    KeyValues,
    Note,
    Page,
    Paragraph,
    Severity,
    Table,
    page_of,
)
from cyclescope.report.words.strings import strings
from cyclescope.report.words.text_calibration import CalibrationText, calibration_text

_BUSY = 0.05  # share of the cores; as in `doctor`


@dataclass(frozen=True, slots=True)
class Told:
    """What is told: ceilings (None: nothing is kept and nothing is known), where they are kept and how fresh they are.

    `load` is what else ran while they were measured, None where they were measured earlier; `quieter` is what stays kept
    in their place.
    """

    machine: str
    ceilings: Ceilings | None
    path: Path | None = None
    freshness: Freshness | None = None
    load: Load | None = None
    quieter: Ceilings | None = None
    broken: tuple[CalibrationFileError, ...] = ()


def calibration_page(told: Told, language: str = "en") -> Page:
    """The ceilings, the answer first. Raises `UsageError` for an unknown language."""
    s = strings(language)
    t = calibration_text(s)
    ceilings = told.ceilings
    blocks: list[Block] = []
    if ceilings is None or ceilings.origin is Origin.DATASHEET:
        blocks.append(Note(Severity.WARNING, t.missing.text, t.missing.remedy))
    if ceilings is not None:
        blocks.insert(0, Paragraph(_answer(ceilings, t), lead=True))
    blocks += _notes(told, t)
    if ceilings is not None:
        blocks.append(KeyValues(_facts(told, ceilings, t)))
        blocks += _tables(ceilings, t)
    return page_of(t.title.format(machine=told.machine), tuple(blocks))


def change_text(changes: Sequence[Change], t: CalibrationText) -> str:
    """What changed, one trait after the other."""
    return t.separator.join(
        t.change.format(trait=t.traits[c.trait], before=c.before or fmt.UNKNOWN, now=c.now or fmt.UNKNOWN)
        for c in changes
    )


def _answer(ceilings: Ceilings, t: CalibrationText) -> str:
    dtypes = dict.fromkeys(product.dtype for product in ceilings.products)
    found = {dtype: ceilings.peak(dtype, 0) for dtype in dtypes}
    peaks = [f"{fmt.flop_rate(peak.value)} ({dtype})" for dtype, peak in found.items() if peak is not None]
    levels = ceilings.levels(0)
    bandwidth = fmt.bandwidth(levels[-1].bytes_per_s.value) if levels else fmt.UNKNOWN
    if ceilings.origin is Origin.DATASHEET:
        return t.datasheet_answer.format(figures=t.separator.join([*peaks, *([bandwidth] if levels else [])]))
    if not peaks:
        return t.answer_no_product.format(bandwidth=bandwidth)
    dispatch = ceilings.overheads.dispatch_ns
    return t.answer.format(
        peaks=t.separator.join(peaks), bandwidth=bandwidth, dispatch=fmt.time(dispatch.value if dispatch else None)
    )


def _notes(told: Told, t: CalibrationText) -> list[Block]:
    notes: list[Block] = []
    freshness = told.freshness
    if freshness is not None and told.load is None:
        if freshness.changed:
            text = t.changed.text.format(changes=change_text(freshness.changed, t))
            notes.append(Note(Severity.WARNING, text, t.changed.remedy))
        if freshness.too_old:
            days = None if freshness.age_days is None else int(freshness.age_days)
            notes.append(Note(Severity.WARNING, t.too_old.text.format(days=fmt.count(days)), t.too_old.remedy))
        if freshness.fresh:
            notes.append(Note(Severity.GOOD, t.fresh))
    busy = told.load.other_busy if told.load is not None else None
    if busy is not None and busy > _BUSY:
        notes.append(Note(Severity.WARNING, t.busy.text.format(share=fmt.share(busy)), t.busy.remedy))
    beyond = told.ceilings.noise_beyond_use if told.ceilings is not None else 0.0
    if beyond:
        notes.append(
            Note(Severity.WARNING, t.noise_beyond_use.text.format(noise=fmt.share(beyond)), t.noise_beyond_use.remedy)
        )
    if told.quieter is not None:
        notes.append(Note(Severity.WARNING, _quieter(told.quieter, told.ceilings, t), t.quieter.remedy))
    if told.broken:
        text = t.broken.text.format(count=fmt.count(len(told.broken)), fact=str(told.broken[0]).replace("\n", " "))
        notes.append(Note(Severity.WARNING, text, t.broken.remedy))
    return notes


def _quieter(kept: Ceilings, ceilings: Ceilings | None, t: CalibrationText) -> str:
    before, now = (found.noise if found is not None else None for found in (kept, ceilings))
    return t.quieter.text.format(
        taken=kept.taken_at,
        before=fmt.share(before.value if before else None),
        now=fmt.share(now.value if now else None),
    )


def _facts(told: Told, ceilings: Ceilings, t: CalibrationText) -> tuple[tuple[str, str], ...]:
    facts = [(t.machine, ceilings.machine)]
    if ceilings.origin is Origin.MEASURED:
        facts += [(t.engine, ceilings.engine), (t.taken, ceilings.taken_at)]
        facts.append((t.kept_in, str(told.path) if told.path is not None else t.not_kept))
    noise = ceilings.noise
    if noise is not None:
        value = t.noise_value.format(
            value=fmt.share(noise.value), low=fmt.share(noise.low), high=fmt.share(noise.high), n=fmt.count(noise.n)
        )
        facts.append((t.noise, value))
    return tuple(facts)


def _tables(ceilings: Ceilings, t: CalibrationText) -> list[Block]:
    blocks: list[Block] = []
    measured = ceilings.origin is Origin.MEASURED
    if ceilings.products:
        least = min((p.flops_per_s.n for p in ceilings.products if p.flops_per_s.n > 1), default=1)
        note = t.products_note.format(n=fmt.count(least)) if measured else t.datasheet_note
        blocks += [Heading(t.products), _products(ceilings.products, measured, t), Paragraph(note)]
    if ceilings.bandwidths:
        blocks += [Heading(t.memory), _bandwidths(ceilings.bandwidths, measured, t)]
        if measured:
            blocks.append(Paragraph(t.memory_note))
    overheads = ceilings.overheads
    dispatch = overheads.dispatch_ns
    calls = [
        (t.dispatch.format(name=dispatch.source if dispatch else ""), dispatch),
        (t.module_call, overheads.module_call_ns),
        (t.launch, overheads.launch_ns),
    ]
    rows = tuple((name, _time(figure)) for name, figure in calls if figure is not None)
    if rows:
        blocks += [Heading(t.overheads), KeyValues(rows)]
    if not measured:
        figures = [p.flops_per_s for p in ceilings.products] + [b.bytes_per_s for b in ceilings.bandwidths]
        sources = tuple(dict.fromkeys(figure.source for figure in figures))
        blocks += [Heading(t.sources), KeyValues(tuple((fmt.count(i), text) for i, text in enumerate(sources, 1)))]
    return blocks


def _products(products: Sequence[ProductCeiling], measured: bool, t: CalibrationText) -> Table:
    threads = sorted({product.threads for product in products})
    known = {(p.dtype, p.rows, p.threads): p.flops_per_s for p in products}
    rows = []
    for dtype, count in dict.fromkeys((p.dtype, p.rows) for p in products):
        figures = [known.get((dtype, count, thread)) for thread in threads]
        cells = [fmt.flop_rate(figure.value if figure else None) for figure in figures]
        low = [fmt.flop_rate(figures[-1].low if figures[-1] else None)] if measured else []
        rows.append((dtype, *((fmt.count(count),) if measured else ()), *cells, *low))
    columns = (Column(t.dtype), *((Column(t.rows, Align.RIGHT),) if measured else ()))
    return Table((*columns, *_thread_columns(threads, t), *_low_column(measured, t)), tuple(rows))


def _bandwidths(levels: Sequence[BandwidthCeiling], measured: bool, t: CalibrationText) -> Table:
    threads = sorted({level.threads for level in levels})
    known = {(level.level, level.threads): level for level in levels}
    rows = []
    for name in dict.fromkeys(level.level for level in levels):
        found = [known.get((name, thread)) for thread in threads]
        holds = max(level.capacity_bytes for level in found if level is not None)
        cells = [fmt.bandwidth(level.bytes_per_s.value if level else None) for level in found]
        low = [fmt.bandwidth(found[-1].bytes_per_s.low if found[-1] else None)] if measured else []
        rows.append((name, fmt.data(holds) if holds else t.no_limit, *cells, *low))
    columns = (Column(t.level), Column(t.holds, Align.RIGHT), *_thread_columns(threads, t), *_low_column(measured, t))
    return Table(columns, tuple(rows))


def _thread_columns(threads: Sequence[int], t: CalibrationText) -> list[Column]:
    """A column for each number of threads; where space is short the first and the last stay."""
    names = {0: t.device, 1: t.one_thread}
    return [
        Column(
            names.get(count, t.threads.format(count=fmt.count(count))),
            Align.RIGHT,
            priority=0 if count in (threads[0], threads[-1]) else 2 + place,
        )
        for place, count in enumerate(threads)
    ]


def _low_column(measured: bool, t: CalibrationText) -> list[Column]:
    return [Column(t.low_end, Align.RIGHT, priority=1)] if measured else []


def _time(figure: Figure) -> str:
    return fmt.estimate(Estimate(figure.value, figure.low, figure.high, figure.n))
