"""The document about the built-in models: what `cyclescope models --json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from cyclescope.models.catalog import ModelFamily
from cyclescope.models.listing import ModelRow
from cyclescope.report.documents.figures import Document, DocumentPart, Text, schema_field


class BuiltIn(DocumentPart):
    """One built-in model."""

    name: Text
    family: ModelFamily
    parameters: int = Field(description="number of parameters")
    layers: int = Field(description="number of layers")
    hidden: int = Field(description="hidden size")
    vocabulary: int = Field(description="rows of the embedding")
    weights: bool = Field(description="whether trained weights are on this disk")
    description: Text
    source: Text


class ModelsDocument(Document):
    """All models that can be named without a path or the network."""

    schema_: Literal["cyclescope/models/1"] = schema_field("cyclescope/models/1")
    models: list[BuiltIn]


def models_document(rows: Sequence[ModelRow]) -> ModelsDocument:
    """`rows` as the public document."""
    return ModelsDocument(models=[BuiltIn.of(row) for row in rows])
