"""Every recorded document keeps to its published schema, and every schema says what its numbers are."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cyclescope.report.documents.catalog import DOCUMENTS
from cyclescope.report.documents.figures import Document, Figure, Ratio, Sourced, WarningPart, Work, json_schema

from .rendering import outputs, render

SCHEMAS = Path(__file__).parents[3] / "docs" / "schema"
BY_ID = {document.schema_id(): document for document in DOCUMENTS}
RECORDED = [page for page in outputs() if page[1] in ("document", "graph")]


@cache
def published(document: type[Document]) -> jsonschema.Draft202012Validator:
    """What the published schema asks for; that it is one is checked in a test of its own."""
    return jsonschema.Draft202012Validator(json.loads((SCHEMAS / document.file_name()).read_text(encoding="utf-8")))


@cache
def parts(document: type[Document]) -> dict[str, Any]:
    """The descriptions of all its objects, by name; its own is that of the document."""
    schema = json.loads(json_schema(document))
    return {**schema.get("$defs", {}), document.__name__: schema}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.schema_id())
def test_the_published_schema_is_up_to_date(document: type[Document]) -> None:
    schema = json_schema(document)
    assert (SCHEMAS / document.file_name()).read_text(encoding="utf-8") == schema, "run: python docs/schema/generate.py"
    jsonschema.Draft202012Validator.check_schema(json.loads(schema))


def test_nothing_else_is_published() -> None:
    assert len(BY_ID) == len(DOCUMENTS)
    assert {path.name for path in SCHEMAS.glob("*.json")} == {document.file_name() for document in DOCUMENTS}


@pytest.mark.parametrize(("page", "medium", "language"), RECORDED)
def test_a_document_keeps_to_its_schema_and_reads_back(page: str, medium: str, language: str) -> None:
    data = json.loads(render(page, medium, language), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    document = BY_ID[data["schema"]]
    published(document).validate(data)
    assert document.model_validate(data).model_dump(mode="json", by_alias=True) == data


def test_every_document_is_recorded() -> None:
    recorded = {json.loads(render(*page))["schema"] for page in RECORDED}
    assert recorded == set(BY_ID)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.schema_id())
def test_every_number_says_what_it_is(document: type[Document]) -> None:
    for name, part in parts(document).items():
        for field, described in part.get("properties", {}).items():
            kinds = {described.get("type"), *(option.get("type") for option in described.get("anyOf", ()))}
            assert not kinds & {"number", "integer"} or described.get("description"), f"{name}.{field}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.schema_id())
def test_what_recurs_has_one_shape(document: type[Document]) -> None:
    shapes = {shape.__name__: set(shape.model_fields) for shape in (Figure, Sourced, Ratio, WarningPart, Work)}
    for name, part in parts(document).items():
        fields = set(part.get("properties", {}))
        assert not fields & {"doubts", "cautions", "median_ns", "low_ns", "high_ns"}, name
        if {"low", "high"} & fields:
            assert fields in (shapes["Figure"], shapes["Sourced"], shapes["Ratio"]), name
        if "elementwise_flops" in fields:
            assert fields == shapes["Work"], name
        if "warnings" in fields:
            assert part["properties"]["warnings"]["items"] == {"$ref": "#/$defs/WarningPart"}, name
        assert not [field for field in fields if field.endswith("_ns")], name
