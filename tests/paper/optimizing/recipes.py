"""Recipes of any plan, without a search."""

from __future__ import annotations

from dataclasses import replace

from cyclescope.core.edits import Edit
from cyclescope.core.plan import Plan
from cyclescope.optimizing.recipes.recipe import MeasurementRecord, Recipe, RecipeModel, RecipeWork

BASE = Plan(threads=1)
USUAL = Recipe(
    RecipeModel("bert-base-chinese", "BertModel", 102_267_648, "embed", "random", "https://example.org", 512),
    RecipeWork("latency", 4, 16, 0, 4),
    BASE,
    replace(BASE, threads=2),
    MeasurementRecord(
        1.5,
        1.4,
        1.6,
        9,
        10.0,
        6.7,
        "Paper 9000",
        2,
        "2026-01-02T03:04:05+00:00",
        "1.0",
        0.01,
        0.9999,
        0.02,
        packages=("torch 2.1", "transformers 5.0"),
    ),
)
EDITS = (Edit("keep-layers", "encoder.layer", (0, 2)), Edit("tanh-gelu", "encoder.layer.0.act"))


def recipe(plan: Plan | None = None, task: str = "embed", written: int = 0, **model: object) -> Recipe:
    """The usual recipe with another plan, task, or model."""
    return replace(
        USUAL,
        plan=plan or USUAL.plan,
        model=replace(USUAL.model, task=task, **model),  # type: ignore[arg-type]
        work=replace(USUAL.work, tokens_out=written),
    )
