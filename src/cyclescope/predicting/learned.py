"""The learned timing model: how much longer than its lower bound each sort of operation takes here, by its shape.

Fitted by `cyclescope calibrate --learn` on small whole models; the analytic time times a ratio that follows from the shape.
The hybrid model is the same with what the graph tells beyond shapes (`hybrid.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.graph.columns import Labels
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Text, listed, m
from cyclescope.core.plan import Plan
from cyclescope.core.units import BoolArray, FloatArray
from cyclescope.predicting.features import GROUPS, Group, SlotFeatures, features
from cyclescope.predicting.laws import Law, analytic_ns
from cyclescope.predicting.timing_model import Durations, KeptOutErrors

LEARNED, HYBRID = "learned", "hybrid"
_FAR = 0.5  # standard deviations of a column from which on a share of the time counts as outside
_LEAST_SHARE = 0.02  # of the time; what less of it is outside needs no word
_UNKNOWN_SPREAD, _UNKNOWN_OUTSIDE = 0.7, 2.0  # of a sort of operation that was never seen
_WIDER = 0.5  # wider by so much for each standard deviation that the time lies outside, on average


@dataclass(frozen=True, eq=False)
class LearnedModel:
    """A fitted timing model. `name` is `learned` or `hybrid`, `laws` one for each group that was seen, `level` what is
    added to the logarithm of every slot so that whole cycles come out right. `threads` and `dtypes` are those that were fitted on.
    """

    name: str
    laws: tuple[Law, ...]
    level: float
    threads: tuple[int, ...]
    dtypes: tuple[str, ...]
    errors: KeptOutErrors

    def predict(self, graph: Graph, plan: Plan, machine: Ceilings) -> Durations:
        """See `TimingModel`."""
        return self.of_features(features(graph, plan, machine), plan, machine)

    def of_features(self, found: SlotFeatures, plan: Plan, machine: Ceilings) -> Durations:
        """The same from features that are known already."""
        mean, spread, outside, unknown = self._ratios(found)
        base = np.zeros(len(found))
        for group in np.unique(found.group).tolist():
            of = found.group == group
            base[of] = analytic_ns(group, found.least_ns[of], machine)
        slot_ns = base * np.exp(np.clip(mean + self.level, -20.0, 20.0))
        # What no law is known for is taken at its best; of a tokenizer nothing is known without one.
        slot_ns[unknown & (found.group == GROUPS.index(Group.TEXT))] = np.nan
        widening, notes = self._outside(slot_ns, outside, plan)
        return Durations(slot_ns, spread, self.errors, widening, notes)

    def _ratios(self, found: SlotFeatures) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
        mean, spread, outside = np.zeros(len(found)), np.full(len(found), _UNKNOWN_SPREAD), np.zeros(len(found))
        unknown = np.ones(len(found), dtype=bool)
        for law in self.laws:
            of = np.flatnonzero(found.group == [str(group) for group in GROUPS].index(law.group))
            if len(of):
                label = Labels(found.label.numbers[of], found.label.names)
                mean[of], spread[of], outside[of] = law.evaluate(label, found.values[of])
                unknown[of] = False
        outside[unknown] = _UNKNOWN_OUTSIDE
        return mean, spread, outside, unknown

    def _outside(self, slot_ns: FloatArray, outside: FloatArray, plan: Plan) -> tuple[float, tuple[Text, ...]]:
        """How much wider intervals must be, and what lies outside of what was fitted on."""
        said: list[Text] = []
        time = np.nan_to_num(slot_ns)
        share = time / max(float(time.sum()), 1e-9)
        far = float(share[outside > _FAR].sum())
        widening = 1.0 + _WIDER * float(share @ np.minimum(outside, 4.0))
        if far > _LEAST_SHARE:
            said.append(
                m(
                    "{share} % of the time are operations larger or smaller than any that was learned",
                    share=round(100 * far),
                )
            )
        if plan.threads not in self.threads:
            known = listed([str(count) for count in self.threads])
            said.append(m("{n} threads: learned with {known}", n=plan.threads, known=known))
            widening *= 1.5
        if plan.dtype not in self.dtypes:
            said.append(m("{dtype}: learned with {known}", dtype=plan.dtype, known=listed(list(self.dtypes))))
            widening *= 2.0
        return widening, tuple(said)
