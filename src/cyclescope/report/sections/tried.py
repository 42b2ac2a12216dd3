"""What a search tried and did not try: plans that ran, plans that did not, and strategies with the reason against them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cyclescope.core.message import Text, m
from cyclescope.core.statistics import Ratio
from cyclescope.explaining.comparison import Verdict
from cyclescope.optimizing.optimization import NotTried, Optimization, Outcome, Skip
from cyclescope.report import format as fmt
from cyclescope.report.drawings.front import TriedPoint, front_shape
from cyclescope.report.drawings.interval import ratio_shape
from cyclescope.report.naming.optimizing import PHASES, outcome_words, skip_words, unfinished_words
from cyclescope.report.naming.outputs import drift_words
from cyclescope.report.naming.plans import plan_words
from cyclescope.report.page import Align, Cell, Column, Drawing, Emphasis, KeyValues, Paragraph, Section, Table

_ON_FRONT = "●"
_MOST_DRAWN = 2.0  # times the baseline's time; the bar of a slower plan ends there


def tried_sections(found: Optimization) -> Iterator[Section]:
    """Plans that ran, the fastest first; then what did not run to its end or was refused; then what was not tried."""
    yield _ran(found)
    base = found.rows[0].plan
    others = [row for row in found.rows if row.outcome is not Outcome.TRIED]
    if others:
        rows = tuple((plan_words(row.plan, base), outcome_words(row)) for row in others)
        yield Section(
            "refused", m("Refused and failed plans"), (Table((Column(m("Plan")), Column(m("Outcome"))), rows),)
        )
    if reasons := tuple(_not_tried(found)):
        yield Section("not-tried", m("Not tried"), (KeyValues(reasons),))


def _ran(found: Optimization) -> Section:
    columns = (
        Column(m("Plan")),
        Column(m("Time"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(""),
        Column(m("Time, drawn"), html=True),
        Column(m("Outputs"), priority=2),
        Column(m("Peak memory"), Align.RIGHT, priority=1),
        Column(m("Preparation"), Align.RIGHT, html=True),
    )
    ran = [k for k, row in enumerate(found.rows) if row.outcome is Outcome.TRIED]
    ratios = [row.ratio.value for row in found.rows if row.ratio]
    making = _Rows(found, min(_MOST_DRAWN, max(ratios, default=1.0)))
    rows = tuple(making.row(k) for k in sorted(ran, key=lambda k: -found.rows[k].speed_up))
    note = m(
        "Time ÷ time of the baseline. {mark} on the Pareto front: no other plan is as good in time, memory and drift at once.",
        mark=_ON_FRONT,
    )
    return Section(
        "plans",
        m("Plans that ran"),
        (Table(columns, rows, sortable=True), Paragraph(note, soft=True), *_front(found, ran)),
        wide=True,
    )


def _front(found: Optimization, ran: Sequence[int]) -> Iterator[Drawing]:
    """Plans with a time as points; a single one is not worth a picture."""
    points = [_point(found, k) for k in ran if found.rows[k].ratio is not None]
    if len(points) > 1:
        yield Drawing("front", front_shape(points), m("Time and drift of each plan; its numbers are in the table."))


def _point(found: Optimization, k: int) -> TriedPoint:
    row = found.rows[k]
    assert row.ratio is not None
    time, drift = row.ratio.value if k else 1.0, 0.0 if row.drift is None or row.drift.same else row.drift.amount
    words = plan_words(row.plan, found.rows[0].plan)
    label = m("{plan}: time {time}, outputs {drift}", plan=words, time=fmt.times(time), drift=drift_words(row.drift))
    return TriedPoint(time, drift, row.held_bytes, label, k in found.front, k > 0 and k == found.best)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Makes the rows of plans that ran; a bar of `largest` fills its column."""

    found: Optimization
    largest: float

    def row(self, k: int) -> tuple[Text | Cell, ...]:
        row = self.found.rows[k]
        ratio = row.ratio if k else Ratio(1.0, 1.0, 1.0, 0)
        plan = plan_words(row.plan, self.found.rows[0].plan)
        return (
            self._labelled(k, plan),
            ratio_cell(ratio if k else None, "1" if not k else fmt.UNKNOWN),
            _ON_FRONT if k in self.found.front else "",
            ratio_bar(ratio, self.largest),
            drift_words(row.drift) if k else "",
            Cell(fmt.data(row.held_bytes) if row.held_bytes else fmt.UNKNOWN, sort=float(row.held_bytes)),
            Cell(fmt.time(row.ready_ns), sort=float(row.ready_ns)),
        )

    def _labelled(self, k: int, plan: Text) -> Text:
        """The plan that the answer names, and whether the answer recommends it: only what is confirmed to be faster is."""
        if not k or k != self.found.best:
            return plan
        row = self.found.rows[k]
        if row.confirmed and row.verdict is Verdict.FASTER:
            return m("{plan} (recommended)", plan=plan)
        return m("{plan} (fastest, not confirmed)", plan=plan)


def ratio_cell(ratio: Ratio | None, otherwise: Text) -> Cell:
    """A ratio in its column."""
    return Cell(fmt.ratio(ratio), sort=ratio.value) if ratio else Cell(otherwise, sort=1.0)


def ratio_bar(ratio: Ratio | None, largest: float, *, less_is_good: bool = True) -> Cell:
    """A ratio as a bar with its interval, where one of `largest` fills the cell."""
    if ratio is None:
        return Cell("")
    return Cell("", drawing=Drawing("ratio", ratio_shape(ratio, largest, less_is_good=less_is_good)))


def _not_tried(found: Optimization) -> Iterator[tuple[Text, Text]]:
    """Strategies and phases that did not run, each once."""
    tried = {name for row in found.rows for name in row.strategies}
    seen = set()
    # What there was no time for on one plan comes before what another has no use for, or the latter would hide it. Why a
    # strategy had no use for one plan says nothing new where it ran on another.
    for left in sorted(found.not_tried, key=had_time):
        if left.strategy in seen or (left.strategy in tried and had_time(left)):
            continue
        seen.add(left.strategy)
        reason = skip_words(left)
        yield left.strategy, m("not on every plan: {reason}", reason=reason) if left.strategy in tried else reason
    for phase in found.unfinished:
        yield PHASES[phase.phase], unfinished_words(phase)


def had_time(left: NotTried) -> bool:
    """Whether it was not the budget that kept a strategy from being tried."""
    return left.why is not Skip.OUT_OF_BUDGET
