"""The analytic timing model: ceilings of a machine, reuse of memory, and what the engine takes around each operation.

An operation takes as long as the larger of two: its products at the ceiling of their shape, and its bytes at the bandwidth of
the level that they are found in, by reuse distance (a roofline of several levels: Williams et al., CACM 2009; Ilic et
al., IEEE CAL 2014). On a processor the engine's dispatch comes before it and Python's calls of modules stand between;
a device overlaps all of that with its work. Nothing in it is fitted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cyclescope.core.ceilings import Ceilings, Figure
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.message import Text, m, plural
from cyclescope.core.plan import REFERENCE_ENGINE, Compiling, Plan
from cyclescope.core.prediction import ANALYTIC
from cyclescope.core.units import FloatArray
from cyclescope.explaining.lower_bounds import find_lower_bounds
from cyclescope.predicting.dispatching import module_calls
from cyclescope.predicting.evidence import NO_ERRORS, evidence_for
from cyclescope.predicting.needed import require_figures
from cyclescope.predicting.schedule import Lanes, lanes_of, on_device
from cyclescope.predicting.timing_model import Durations, KeptOutErrors


@dataclass(frozen=True, slots=True)
class AnalyticModel:
    """The analytic model. `errors` are those on what was kept out where they are known better than by the built-in
    evidence; `text_ns_per_byte` is the pace of the tokenizer, and where it is unknown so is the time of its operations.
    """

    errors: KeptOutErrors | None = None
    text_ns_per_byte: Figure | None = None

    @property
    def name(self) -> str:
        return ANALYTIC

    def predict(self, graph: Graph, plan: Plan, machine: Ceilings) -> Durations:
        """See `TimingModel`."""
        notes = require_figures(graph, machine)
        threads = plan.threads if plan.device == "cpu" else 0
        bounds = find_lower_bounds(graph, machine, threads)
        work_ns = np.maximum(bounds.compute_ns, bounds.memory_ns)
        host_ns = host_times(graph, plan, machine)
        if lanes_of(plan) is Lanes.ADDED:
            slot_ns = host_ns
            slot_ns[graph.slots.of_op] += work_ns
        else:
            slot_ns = on_device(graph.slots, host_ns, work_ns)
        text = graph.of_kind(OpKind.TEXT)
        slot_ns[graph.slots.of_op[text]] = self._text_ns(graph)[text]
        errors = self.errors or NO_ERRORS
        widening, outside = _extrapolated(machine, threads)
        known = evidence_for(ANALYTIC, plan, machine) if self.errors is None else None
        if known is not None:
            errors = known.errors
            wider, unseen = known.outside(plan)
            widening, outside = widening * wider, (*outside, *unseen)
        notes = (*notes, *_unknown_overheads(plan, machine))
        return Durations(slot_ns, np.full(len(slot_ns), np.nan), errors, widening, outside, notes)

    def _text_ns(self, graph: Graph) -> FloatArray:
        """Time of operations on text [operations]; NaN where the pace of the tokenizer is unknown."""
        if self.text_ns_per_byte is None:
            return np.full(len(graph), np.nan)
        pace = self.text_ns_per_byte.value
        return np.asarray((graph.read_bytes + graph.written_bytes) * pace, dtype=np.float64)


def host_times(graph: Graph, plan: Plan, machine: Ceilings) -> FloatArray:
    """What the engine takes in each slot without the work itself [slots]: dispatch or launch, and calls of modules."""
    slots, overheads = graph.slots, machine.overheads
    view = graph.of_kind(OpKind.VIEW)
    dispatch = _value(overheads.dispatch_ns)
    launch = _value(overheads.launch_ns) or dispatch
    # A view is dispatched like every other operation, and launches nothing.
    of_op = np.full(len(graph), dispatch) if plan.device == "cpu" else np.where(view, dispatch, launch)
    of_op[graph.of_kind(OpKind.TEXT)] = 0.0
    host = np.zeros(len(slots))
    if _is_eager(graph, plan):
        host = module_calls(graph) * _value(overheads.module_call_ns)
    host[slots.of_op] = of_op
    return host


def _is_eager(graph: Graph, plan: Plan) -> bool:
    """Whether Python runs between the operations."""
    return plan.engine == REFERENCE_ENGINE and plan.compiling is Compiling.OFF and not graph.engine_between


def _value(figure: Figure | None) -> float:
    return max(0.0, figure.value) if figure is not None else 0.0


def _unknown_overheads(plan: Plan, machine: Ceilings) -> tuple[Text, ...]:
    known = machine.overheads
    if plan.device == "cpu" and known.dispatch_ns is None:
        return (
            m(
                "What the engine takes to dispatch an operation is unknown for {machine}: only the work itself is predicted.",
                machine=machine.machine,
            ),
        )
    if plan.device != "cpu" and known.launch_ns is None:
        return (
            m(
                "What the host takes to launch an operation is unknown for {machine}: the device is taken never to wait for it.",
                machine=machine.machine,
            ),
        )
    return ()


def _extrapolated(machine: Ceilings, threads: int) -> tuple[float, tuple[Text, ...]]:
    """How much wider an interval must be for threads that were not measured, and that they were not.

    Ceilings are then scaled in proportion, which the truth may miss by that factor at most: its logarithm is added.
    """
    known = sorted({product.threads for product in machine.products})
    if threads <= 0 or threads in known or 0 in known:
        return 1.0, ()
    nearest = max((count for count in known if count < threads), default=known[0])
    text = plural(
        "{n} thread: the ceilings were measured with {known} and scaled",
        "{n} threads: the ceilings were measured with {known} and scaled",
        threads,
        known=nearest,
    )
    return 1.0 + abs(math.log(threads / nearest)), (text,)
