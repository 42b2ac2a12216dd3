"""The rows of `cyclescope models`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from cyclescope.models.catalog import Architecture, ModelFamily, architectures, first_int
from cyclescope.models.folder import read_config
from cyclescope.models.packaged import MINILM, MINILM_SOURCE, minilm_folder
from cyclescope.models.reference import cached_checkpoint

_MINILM_PARAMETERS = 22_713_216  # counted in its model.safetensors, position ids left out


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One built-in model. `weights` says whether trained weights are on this disk. `vocabulary` counts
    rows of the embedding."""

    name: str
    family: ModelFamily
    parameters: int
    layers: int
    hidden: int
    vocabulary: int
    weights: bool
    description: str
    source: str


def model_rows(environment: Mapping[str, str] = os.environ) -> tuple[ModelRow, ...]:
    """All that can be named without a path or the network, MiniLM first if it is installed."""
    return (*_minilm_row(), *(_row(entry, environment) for entry in architectures()))


def _minilm_row() -> tuple[ModelRow, ...]:
    folder = minilm_folder()
    if folder is None:
        return ()
    config = read_config(folder / "config.json")
    return (
        ModelRow(
            name=MINILM,
            family=ModelFamily.ENCODER,
            parameters=_MINILM_PARAMETERS,
            layers=config["num_hidden_layers"],
            hidden=config["hidden_size"],
            vocabulary=config["vocab_size"],
            weights=True,
            description="A real pretrained 6-layer BERT for sentence embeddings.",
            source=MINILM_SOURCE,
        ),
    )


def _row(entry: Architecture, environment: Mapping[str, str]) -> ModelRow:
    checkpoint = cached_checkpoint(entry, environment)
    return ModelRow(
        name=entry.name,
        family=entry.family,
        parameters=entry.parameters,
        layers=entry.layers,
        hidden=entry.hidden,
        vocabulary=first_int(entry.config, "vocab_size"),
        weights=checkpoint is not None and checkpoint.has_safetensors,
        description=entry.description,
        source=entry.source,
    )
