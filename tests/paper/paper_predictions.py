"""Predictions on paper: errors of unseen cycles that are known, and the cycles that follow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from paper_generation import paper_generation
from paper_models import PAPER_BERT_WORKLOAD, paper_bert, paper_cycle
from paper_roofline import paper_ceilings

from cyclescope.backends.paper import PAPER_MACHINE
from cyclescope.core.ceilings import Ceilings, Figure
from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.graph import Graph
from cyclescope.core.plan import Plan
from cyclescope.core.prediction import Alternative
from cyclescope.explaining.comparison import Comparison, compare
from cyclescope.predicting.analytic import AnalyticModel
from cyclescope.predicting.evidence import NO_ERRORS
from cyclescope.predicting.prediction import predicted_cycle
from cyclescope.predicting.timing_model import KeptOutErrors

PLAN = Plan(engine="torch", threads=1)
MODULE_CALL_NS = 800.0
MACHINE = replace(PAPER_MACHINE, processor="Paper Processor 2-core")
# As many unseen cycles as it takes for every quantile to be one of them: ln(true ÷ predicted) from −0.2 to 0.2.
ERRORS = KeptOutErrors(
    cycles=tuple(np.linspace(-0.2, 0.2, 81).tolist()),
    operations=tuple(np.linspace(-0.6, 0.6, 81).tolist()),
    on="81 cycles on paper",
    source="paper",
    repeat_error=0.01,
)
TOKENIZER = Figure(10.0, 9.0, 11.0, 20, "a tokenizer on paper")


def ceilings() -> Ceilings:
    """The paper machine, with the time that a call of a module takes."""
    found = paper_ceilings()
    module = Figure(MODULE_CALL_NS, MODULE_CALL_NS, MODULE_CALL_NS, 20, "probe on paper")
    return replace(found, overheads=replace(found.overheads, module_call_ns=module))


def predicted(
    graph: Graph | None = None, errors: KeptOutErrors = ERRORS, plan: Plan = PLAN, tokenizer: Figure | None = TOKENIZER
) -> Cycle:
    """The cycle that the analytic model predicts for `graph` on the paper machine."""
    graph = graph or paper_bert(2)
    model = AnalyticModel(errors, tokenizer)
    machine = replace(MACHINE, ceilings=ceilings())
    durations = model.predict(graph, plan, ceilings())
    cycle = predicted_cycle(graph, PAPER_BERT_WORKLOAD, plan, machine, model, durations)
    return replace(cycle, taken_at="2026-01-02T00:00:00Z", version="0.0.0")


def predicted_generation(graph: Graph) -> Cycle:
    """A generation on paper, predicted."""
    real = paper_generation(graph, runs=1)
    return replace(predicted(graph), workload=real.workload)


def uncertain() -> Cycle:
    """A prediction without evidence, of a cycle whose tokenizer is unknown, on a machine that is too small, extrapolated."""
    cycle = predicted(paper_bert(2), NO_ERRORS, replace(PLAN, threads=8), None)
    said = cycle.samples.prediction
    assert said is not None
    others = (Alternative("learned", 1_200_000.0, 0.08), Alternative("hybrid", 1_250_000.0))
    said = replace(said, alternatives=others, missing_bytes=3_000_000_000)
    return replace(cycle, samples=replace(cycle.samples, prediction=said))


def measured() -> Cycle:
    """The cycle that `predicted` predicts, as it was measured: twice as long in every part."""
    graph = paper_bert(2)
    times = 2 * np.rint(AnalyticModel(ERRORS, TOKENIZER).predict(graph, PLAN, ceilings()).slot_ns).astype(np.int64)
    cycle = paper_cycle(graph, times)
    return replace(cycle, plan=PLAN, machine=replace(MACHINE, ceilings=ceilings()), version="0.0.0")


def checked() -> Comparison:
    """The prediction (A) beside its measurement (B)."""
    return compare(predicted(), measured())
