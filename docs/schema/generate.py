"""Writes the public JSON Schemas into this folder: `python docs/schema/generate.py`."""

from __future__ import annotations

from pathlib import Path

from cyclescope.report.documents.catalog import DOCUMENTS
from cyclescope.report.documents.figures import json_schema
from cyclescope.store.writing import write_text

if __name__ == "__main__":
    for document in DOCUMENTS:
        write_text(Path(__file__).parent / document.file_name(), json_schema(document))
