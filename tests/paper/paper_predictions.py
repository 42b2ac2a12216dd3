"""Predictions on paper: errors of unseen cycles that are known, and the cycles that follow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from paper_models import PAPER_BERT_WORKLOAD, paper_bert
from paper_roofline import paper_ceilings

from cyclescope.backends.paper import PAPER_MACHINE
from cyclescope.core.ceilings import Ceilings, Figure
from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.graph import Graph
from cyclescope.core.plan import Plan
from cyclescope.predicting.analytic import AnalyticModel
from cyclescope.predicting.prediction import predicted_cycle
from cyclescope.predicting.timing_model import KeptOutErrors

PLAN = Plan(engine="torch", threads=1)
MODULE_CALL_NS = 800.0
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
    machine = replace(PAPER_MACHINE, ceilings=ceilings())
    durations = model.predict(graph, plan, ceilings())
    cycle = predicted_cycle(graph, PAPER_BERT_WORKLOAD, plan, machine, model, durations)
    return replace(cycle, taken_at="2026-01-02T00:00:00Z", version="0.0.0")
