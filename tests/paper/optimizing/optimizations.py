"""Optimizations, verifications and applications on paper, of each outcome one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from paper_models import PAPER_BERT_WORKLOAD, paper_bert, paper_cycle, slot_times

from cyclescope.backends.paper import FakeClock
from cyclescope.core.errors import EngineError, MissingExtra
from cyclescope.core.plan import Plan
from cyclescope.optimizing.optimization import (
    Optimization,
    Spent,
    front,
)
from cyclescope.optimizing.recipes.apply import Applied
from cyclescope.optimizing.search.drift import Drift
from cyclescope.optimizing.strategies.strategy import Goal

from .plans_on_paper import PaperPreparer, searched
from .recipes import USUAL
from .verifications import MACHINE, verified

GRAPH = paper_bert(12)
HOSTILE = '[red]\x1b[31m<script>alert(1)</script>|`x`\u202e"\n'


def _speed(plan: Plan) -> float:
    speed = 2.0 if plan.quantization == "int8-dynamic" else 1.0
    return speed * (1.4 if plan.threads == 2 else 1.0) * 0.9 ** len(plan.changes)


def _refuse(plan: Plan) -> EngineError | MissingExtra | None:
    if plan.engine == "onnxruntime":
        return MissingExtra("onnxruntime is not installed.", "", "pip install 'cyclescope[onnxruntime]'")
    return EngineError("The engine ended its process by signal SIGSEGV.") if plan.compiling == "inductor" else None


def _turn(plan: Plan) -> float:
    return 0.5 if plan.changes else 0.02 if plan.quantization != "off" else 0.0


def optimization(**changes: Any) -> Optimization:
    """Three steps help, one engine is missing, one crashes, changes of the model drift."""
    found = searched(PaperPreparer(FakeClock(), _speed, turn=_turn, refuse=_refuse))
    rows = tuple(found.rows)
    workload = replace(PAPER_BERT_WORKLOAD, batch=4)
    usual = Optimization(
        goal=Goal.LATENCY,
        max_drift=0.01,
        budget_ns=300 * 10**9,
        texts=4,
        rows=rows,
        best=found.best,
        front=front(rows),
        contributions=tuple(found.contributions),
        not_tried=tuple(found.not_tried),
        unfinished=tuple(found.unfinished),
        spent=tuple(Spent(phase, ns) for phase, ns in found.spent.items()),
        before=paper_cycle(GRAPH),
        after=paper_cycle(GRAPH, slot_times(GRAPH) // 2),
        workload=workload,
    )
    return replace(usual, **changes)


FOUND = optimization()
NOTHING = optimization(best=0, contributions=(), after=None)
HOLDS, FAILS, OPEN = verified(0.5, 0.6, 0.7), verified(1.1, 1.2, 1.3), verified(0.7, 0.9, 1.1)
ELSEWHERE = verified(0.5, 0.6, 0.7, machine=replace(MACHINE, processor=HOSTILE, packages=((HOSTILE, HOSTILE),)))
APPLIED = Applied(USUAL, "out", ("model.py", "recipe.toml", "tokenizer.json"), 4, Drift(1.0, 1.0, 0.0, 1.0), True)
OTHER = replace(APPLIED, drift=Drift(cosine=0.9, largest=3.0, scale=1.0), notes=(HOSTILE,))
