"""Fitting the learned and the hybrid timing model on measured cycles, and their errors on families that were kept out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cyclescope.calibrating.learning.training import Observed, families
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.graph.columns import Labels
from cyclescope.core.message import Text
from cyclescope.core.plan import Plan
from cyclescope.core.units import FloatArray, IntArray
from cyclescope.predicting.features import GROUPS, Group
from cyclescope.predicting.laws import Effects, Law, analytic_ns, columns_of, parts_of, rows_of
from cyclescope.predicting.learned import HYBRID, LearnedModel
from cyclescope.predicting.regression.smoothing import Lengths, SmoothingSettings, smoothing
from cyclescope.predicting.timing_model import KeptOutErrors

_ROUNDS = 2  # effects of labels and the regression on numbers, in turn
_SHRINKING = 2.0  # a label seen in so many cases counts for half
_MOST = {Group.PYTHON: 350, Group.VIEW: 350}
_MOST_ELSE = 450
_KEPT_ERRORS = 401
_NO_ERRORS = KeptOutErrors((), (), "", "")


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of one group from all cycles: label, values, ln(true ÷ analytic), weight, the cycle and the analytic time."""

    label: Labels[str]
    values: FloatArray
    y: FloatArray
    weight: FloatArray
    cycle: IntArray
    base_ns: FloatArray


def fit_model(seen: Sequence[Observed], machine: Ceilings, name: str, like: LearnedModel | None = None) -> LearnedModel:
    """The timing model `name` (`learned` or `hybrid`) fitted on `seen`, without errors yet.

    The lengths of its processes are those of `like`, where there is one: then nothing is searched for.
    """
    laws = []
    lengths = {law.group: _lengths_of(law) for law in like.laws} if like is not None else {}
    for number, group in enumerate(GROUPS):
        rows = _rows(seen, number, machine)
        if rows is not None:
            laws.append(_law(group, rows, lengths.get(str(group)), context=name == HYBRID))
    model = LearnedModel(
        name,
        tuple(laws),
        0.0,
        tuple(sorted({one.threads for one in seen})),
        tuple(sorted({one.dtype for one in seen})),
        _NO_ERRORS,
    )
    off = [np.log(one.wall_ns / np.nansum(_predicted(model, one, machine))) for one in seen]
    return replace(model, level=float(np.median(off)))


def kept_out(
    seen: Sequence[Observed],
    machine: Ceilings,
    whole: LearnedModel,
    on: Text,
    source: str,
    repeat_error: float | None,
) -> LearnedModel:
    """`whole` with the errors on each family by a fit that has not seen it: ln(true ÷ predicted) of cycles, in the order of `seen`."""
    cycles = np.zeros(len(seen))
    operations: list[float] = []
    for family in families(seen):
        model = fit_model([one for one in seen if one.family != family], machine, whole.name, whole)
        for number, one in enumerate(seen):
            if one.family != family:
                continue
            slots = _predicted(model, one, machine)
            cycles[number] = np.log(one.wall_ns / np.nansum(slots))
            rows = one.features.group[one.first] != GROUPS.index(Group.PYTHON)
            off = np.log(one.row_ns[rows] / slots[one.first[rows]])
            operations += off[np.isfinite(off)].tolist()
    # Some hundred say as much as some thousand, and a file has room for them.
    thinned = np.quantile(operations, np.linspace(0.0, 1.0, _KEPT_ERRORS)) if operations else np.zeros(0)
    errors = KeptOutErrors(tuple(cycles.tolist()), tuple(thinned.tolist()), on, source, repeat_error)
    return replace(whole, errors=errors)


def _predicted(model: LearnedModel, one: Observed, machine: Ceilings) -> FloatArray:
    plan = Plan(threads=one.threads, dtype=one.dtype)
    return model.of_features(one.features, plan, machine).slot_ns


def _rows(seen: Sequence[Observed], group: int, machine: Ceilings) -> _Rows | None:
    labels: list[str] = []
    values, y, weight, cycle, base = [], [], [], [], []
    for number, one in enumerate(seen):
        of = one.features.group[one.first] == group
        first, count, row_ns = one.first[of], one.count[of], one.row_ns[of]
        if not len(first):
            continue
        base_ns = analytic_ns(group, one.features.least_ns[first], machine)
        labels += [one.features.label[int(s)] for s in first]
        values.append(one.features.values[first])
        y.append(np.log(row_ns / base_ns))
        weight.append(row_ns * count / one.wall_ns)
        cycle.append(np.full(len(first), number))
        base.append(base_ns)
    if not labels:
        return None
    return _Rows(Labels.of(labels), *(np.concatenate(part) for part in (values, y, weight, cycle, base)))


def _lengths_of(law: Law) -> Lengths | None:
    """What the search for the process of `law` has found."""
    process = law.regression.process
    return Lengths(process.length, process.noise / process.amplitude) if process is not None else None


def _law(group: Group, rows: _Rows, lengths: Lengths | None, *, context: bool) -> Law:
    columns = columns_of(group, context=context)
    x = rows_of(rows.values, columns)
    fit = smoothing(columns, columns, SmoothingSettings(most=_MOST.get(group, _MOST_ELSE), lengths=lengths))
    weight = np.maximum(rows.weight, rows.weight.mean() * 1e-3)
    said = np.zeros(len(x))
    parts = parts_of(group)
    effects: list[Effects] = []
    for _ in range(_ROUNDS):
        effects, added = _effects(parts, rows, rows.y - said, weight)
        regression = fit(x, rows.y - added, weight)
        said = regression.evaluate(x).mean
    left = rows.y - said - added
    # What the logarithms leave out: the mean of exp is more than exp of the mean (Duan, 1983).
    level = float(
        np.log(np.average(np.exp(np.clip(left, -3, 3)), weights=np.exp(said + added) * rows.base_ns * _counted(rows)))
    )
    spread = float(np.sqrt(np.average(effects[-1].values ** 2))) if len(effects[-1].values) else 0.0
    return Law(str(group), tuple(effects), regression, level, spread)


def _counted(rows: _Rows) -> FloatArray:
    """How often each row stands in its cycle, each cycle counting the same."""
    return rows.weight / (np.exp(rows.y) * rows.base_ns)


def _effects(
    parts: Sequence[object], rows: _Rows, y: FloatArray, weight: FloatArray
) -> tuple[list[Effects], FloatArray]:
    """What each part of a label adds, shrunk by in how few cycles it was seen, and the sum for each row."""
    added = np.zeros(len(y))
    found = []
    for part in parts:
        names: dict[str, int] = {}
        of_label = np.asarray([names.setdefault(part(label), len(names)) for label in rows.label.names])  # type: ignore[operator]
        number = of_label[rows.label.numbers]
        total = np.bincount(number, weight, minlength=len(names))
        mean = np.bincount(number, weight * (y - added), minlength=len(names)) / total
        cycles = np.asarray([len(np.unique(rows.cycle[number == k])) for k in range(len(names))])
        if part is parts[0]:
            mean = mean - np.average(y, weights=weight)
        values = mean * cycles / (cycles + _SHRINKING)
        found.append(Effects(tuple(names), values))
        added = added + values[number]
    return found, added
