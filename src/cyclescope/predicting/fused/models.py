"""The timing models for engines that fuse: a roofline of kernels, the law of whole cycles, and a graph network on either."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.message import Text, listed, m
from cyclescope.core.plan import Plan
from cyclescope.core.prediction import ANALYTIC
from cyclescope.core.units import FloatArray
from cyclescope.predicting.evidence import NO_ERRORS
from cyclescope.predicting.fused.cycle_law import CycleLaw
from cyclescope.predicting.fused.kernels import Kernels, kernels
from cyclescope.predicting.gnn.network import Network
from cyclescope.predicting.learned import HYBRID, LEARNED
from cyclescope.predicting.needed import require_figures
from cyclescope.predicting.timing_model import Durations, KeptOutErrors

NETWORK = "graph-network"
_FAR = 0.5  # standard deviations of a feature of the whole from which on a cycle counts as outside
_WIDER = 0.5  # wider by so much for each standard deviation
_MOST_OUTSIDE = 4.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model of an engine was fitted on."""

    threads: tuple[int, ...] = ()
    dtypes: tuple[str, ...] = ()

    def outside(self, plan: Plan, far: float) -> tuple[float, tuple[Text, ...]]:
        """How much wider intervals must be for `plan` and a cycle that lies `far` outside, and why."""
        said: list[Text] = []
        widening = 1.0 + _WIDER * min(far, _MOST_OUTSIDE)
        if far > _FAR:
            said.append(m("the cycle is larger, smaller or of another kind than all that were learned"))
        if self.threads and plan.threads not in self.threads:
            known = listed([str(count) for count in self.threads])
            said.append(m("{n} threads: learned with {known}", n=plan.threads, known=known))
            widening *= 1.5
        if self.dtypes and plan.dtype not in self.dtypes:
            said.append(m("{dtype}: learned with {known}", dtype=plan.dtype, known=listed(list(self.dtypes))))
            widening *= 2.0
        if plan.quantization != "off":
            said.append(m("{how}: learned without", how=plan.quantization))
            widening *= 2.0
        return widening, tuple(said)


@dataclass(frozen=True, slots=True)
class FusedAnalytic:
    """The roofline of kernels: the larger of products and memory of each, pointwise operations within one for nothing.

    `kernel_ns` is what the engine takes for a kernel and `call_ns` for a call, where learning has found them.
    """

    kernel_ns: float = 0.0
    call_ns: float = 0.0
    errors: KeptOutErrors = NO_ERRORS

    @property
    def name(self) -> str:
        return ANALYTIC

    def predict(self, graph: Graph, plan: Plan, machine: Ceilings) -> Durations:
        """See `TimingModel`."""
        notes = require_figures(graph, machine)
        found = kernels(graph, plan, machine)
        slot_ns = on_slots(graph, found, *self.times(found))
        return _without_spread(slot_ns, self.errors, notes=notes)

    def times(self, found: Kernels) -> tuple[FloatArray, FloatArray]:
        """The time of each kernel [kernels], and of each call [steps]."""
        return found.bound_ns + self.kernel_ns, np.full(found.steps, self.call_ns)


@dataclass(frozen=True, eq=False)
class FusedLearned:
    """The law of whole cycles."""

    law: CycleLaw
    seen: Seen
    errors: KeptOutErrors = NO_ERRORS

    @property
    def name(self) -> str:
        return LEARNED

    def predict(self, graph: Graph, plan: Plan, machine: Ceilings) -> Durations:
        """See `TimingModel`."""
        notes = require_figures(graph, machine)
        found = kernels(graph, plan, machine)
        each_ns, call_ns, far = self.law.times(found)
        slot_ns = on_slots(graph, found, each_ns, call_ns)
        return _without_spread(slot_ns, self.errors, *self.seen.outside(plan, far), notes)


@dataclass(frozen=True, eq=False)
class FusedNetwork:
    """A graph network. `name` is `graph-network` (on `roofline`, the times of the analytic model) or `hybrid` (on `law`,
    which also says how far outside a cycle lies).
    """

    name: str
    network: Network
    roofline: FusedAnalytic
    law: CycleLaw
    seen: Seen
    errors: KeptOutErrors = NO_ERRORS

    def predict(self, graph: Graph, plan: Plan, machine: Ceilings) -> Durations:
        """See `TimingModel`."""
        notes = require_figures(graph, machine)
        found = kernels(graph, plan, machine)
        each_ns, call_ns, far = base_times(self.name, self.roofline, self.law, found)
        each_ns = each_ns * self.network.factors(found, each_ns)
        slot_ns = on_slots(graph, found, each_ns, call_ns)
        return _without_spread(slot_ns, self.errors, *self.seen.outside(plan, far), notes)


def _without_spread(
    slot_ns: FloatArray,
    errors: KeptOutErrors,
    widening: float = 1.0,
    outside: tuple[Text, ...] = (),
    notes: tuple[Text, ...] = (),
) -> Durations:
    """Durations of which no slot has a spread of its own: only whole cycles were learned from."""
    return Durations(slot_ns, np.full(len(slot_ns), np.nan), errors, widening, outside, notes)


def base_times(
    name: str, roofline: FusedAnalytic, law: CycleLaw, found: Kernels
) -> tuple[FloatArray, FloatArray, float]:
    """What the network called `name` starts from: times of kernels [kernels] and of calls [steps], and how far outside."""
    each_ns, call_ns, far = law.times(found)
    if name == HYBRID:
        return each_ns, call_ns, far
    return (*roofline.times(found), far)


def on_slots(graph: Graph, found: Kernels, kernel_ns: FloatArray, call_ns: FloatArray) -> FloatArray:
    """Times of the slots of `graph` [slots]: a kernel's where its first operation stands, a call's before its first kernel.

    The time of text is unknown (NaN): no engine tells how long a tokenizer takes.
    """
    of_op = graph.slots.of_op
    slot_ns = np.zeros(len(graph.slots))
    slot_ns[of_op[found.op]] = kernel_ns
    for step, ns in enumerate(call_ns.tolist()):
        first = np.flatnonzero(found.step == step)[:1]
        slot_ns[of_op[found.op[first]] - 1] += ns  # two operations never touch: there is a slot before each
    slot_ns[of_op[graph.of_kind(OpKind.TEXT)]] = np.nan
    return slot_ns
