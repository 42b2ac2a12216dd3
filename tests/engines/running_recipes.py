"""The plan of a recipe and its code, run in this process instead of new ones."""

from __future__ import annotations

import runpy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cyclescope.optimizing.recipes.apply as applying
from cyclescope.backends.registry import open_session
from cyclescope.core.results import Results
from cyclescope.optimizing.processes.messages import Job
from cyclescope.optimizing.recipes.apply_run import results_of_arrays
from cyclescope.optimizing.recipes.recipe import Recipe


def plan_here(made: Recipe, job: Job) -> tuple[Results, tuple[str, ...]]:
    """For several processes too: that these give together what one gives, `test_process_pool` sees."""
    session = open_session(job.request(replace(made.plan, instances=1)))
    try:
        applying.refuse_other_model(made, session.workload)
        return session.results(), ()
    finally:
        session.close()


def code_here(file: Path, place: str, texts: Sequence[str], into: Path, *, writes: bool, limit_s: float) -> Results:
    code = runpy.run_path(str(file))
    tokenizer, model = code["build"](*([place] if place else []))
    arrays = code["run"](tokenizer, model, list(texts), **({"exactly": True} if writes else {}))
    return results_of_arrays(arrays, writes=writes)
