"""Whether a document keeps to the schema of its kind. That the schema itself is one, `golden/test_documents.py` sees."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema

from cyclescope.report.documents.figures import Document, json_schema


def validate(data: Any, kind: type[Document]) -> None:
    """Raises `jsonschema.ValidationError` where `data` is not what `kind` says."""
    _validator(kind).validate(data)


@cache
def _validator(kind: type[Document]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(json_schema(kind)))
