"""How the slots of one group take their time: what their labels add, and a regression on their numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.graph.columns import Labels
from cyclescope.core.units import BoolArray, FloatArray
from cyclescope.predicting.features import COLUMN, GROUPS, Group
from cyclescope.predicting.passages import SEPARATOR
from cyclescope.predicting.regression.regression import Regression

_DISPATCH_NS = 1500.0  # where no calibration says what an operation takes at least
# Columns of each group: those of the shape alone, and what the graph around it adds. Every one is in the linear base.
SHAPE_COLUMNS: Mapping[Group, tuple[str, ...]] = {
    Group.WEIGHT_PRODUCT: ("batch", "m", "n", "k"),
    Group.PRODUCT: ("batch", "m", "n", "k"),
    Group.ATTENTION: ("batch", "m", "n", "k"),
    Group.CONVOLUTION: ("m", "n", "k"),
    Group.ROWS: ("elementwise", "read", "written", "memory", "large"),
    Group.POINTWISE: ("elementwise", "read", "written", "memory", "large", "inputs"),
    Group.MOVEMENT: ("read", "written", "memory", "large"),
    Group.VIEW: (),
    Group.TEXT: ("read", "written"),
    Group.PYTHON: ("entered", "left"),
}
CONTEXT_COLUMNS: Mapping[Group, tuple[str, ...]] = {
    # Where weights lie is in the analytic time; a ratio by it as well made shared weights too slow by a quarter (ALBERT).
    Group.WEIGHT_PRODUCT: (),
    Group.PRODUCT: (),
    Group.ATTENTION: (),
    Group.CONVOLUTION: (),
    Group.ROWS: ("touched around", "since the like"),
    Group.POINTWISE: ("touched around", "since the like"),
    Group.MOVEMENT: ("touched around", "since the like"),
    Group.VIEW: ("touched before", "touched around", "since the like"),
    Group.TEXT: (),
    Group.PYTHON: ("touched before", "touched around", "since the like"),
}


def columns_of(group: Group, *, context: bool) -> tuple[str, ...]:
    """The columns that a law of `group` is fitted on."""
    return SHAPE_COLUMNS[group] + (CONTEXT_COLUMNS[group] if context else ())


def rows_of(values: FloatArray, columns: Sequence[str]) -> FloatArray:
    """`columns` of `SlotFeatures.values` [n, COLUMNS], as [n, columns]."""
    chosen: FloatArray = values[:, [COLUMN[name] for name in columns]]
    return chosen


def analytic_ns(group: int, least_ns: FloatArray, machine: Ceilings) -> FloatArray:
    """The time that ratios are taken to [n]: the work at its best and one dispatch; of Python one dispatch."""
    known = machine.overheads.dispatch_ns
    dispatch = known.value if known is not None and known.value > 0 else _DISPATCH_NS
    if GROUPS[group] in (Group.VIEW, Group.PYTHON, Group.TEXT):
        return np.full(len(least_ns), dispatch)
    return least_ns + dispatch


Part = Callable[[str], str]


def _ends(label: str) -> str:
    """Sort of each of the two ends of a passage: an operation, a module that is entered, one that is left."""
    return "".join(part[:1] if part[:1] in "<>" else "o" for part in label.split(SEPARATOR))


def parts_of(group: Group) -> tuple[Part, ...]:
    """What of a label has an effect of its own, from the coarse to the fine."""
    if group is Group.PYTHON:
        return (
            _ends,
            lambda label: label.partition(SEPARATOR)[0],
            lambda label: label.partition(SEPARATOR)[2],
            lambda label: label,
        )
    return (lambda label: label,)


@dataclass(frozen=True, eq=False)
class Effects:
    """What each name adds to the logarithm: `names` and `values` [names]; a name that was not seen adds nothing."""

    names: tuple[str, ...]
    values: FloatArray

    def __post_init__(self) -> None:
        if len(self.names) != len(self.values) or not np.isfinite(self.values).all():
            raise ValueError("the effects of labels differ in number or are no numbers")

    @cached_property
    def _by_name(self) -> Mapping[str, float]:
        return dict(zip(self.names, self.values.tolist(), strict=True))

    def of(self, label: Labels[str], part: Part) -> tuple[FloatArray, BoolArray]:
        """What the labels add [n], and whether they were seen [n]."""
        names = [part(name) for name in label.names]
        added = np.asarray([self._by_name.get(name, 0.0) for name in names], dtype=np.float64)
        seen = np.asarray([name in self._by_name for name in names], dtype=bool)
        return added[label.numbers], seen[label.numbers]


@dataclass(frozen=True, eq=False)
class Law:
    """The law of one group: ln(true ÷ analytic) = `level` + effects of the label + regression.

    `unseen_spread` is the standard deviation that a label which was never seen adds.
    """

    group: str
    effects: tuple[Effects, ...]
    regression: Regression
    level: float
    unseen_spread: float

    def evaluate(self, label: Labels[str], values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean and standard deviation of ln(true ÷ analytic), and how far outside of what was seen: [n] each."""
        rows = rows_of(values, self.regression.columns)
        # Beyond what was seen the ratio stays that of the edge: it is the analytic time that grows with size.
        domain = self.regression.domain
        said = replace(self.regression.evaluate(np.clip(rows, domain.low, domain.high)), outside=domain.distance(rows))
        mean, seen = said.mean + self.level, np.ones(len(rows), dtype=bool)
        for effects, part in zip(self.effects, parts_of(Group(self.group)), strict=True):
            added, known = effects.of(label, part)
            mean = mean + added
            seen = known  # the finest part decides
        spread = np.sqrt(said.spread**2 + np.where(seen, 0.0, self.unseen_spread**2))
        return mean, spread, said.outside
