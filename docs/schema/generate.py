"""Writes the public JSON Schemas into this folder: `python docs/schema/generate.py`."""

from __future__ import annotations

from pathlib import Path

from cyclescope.report import schema, schema_comparison
from cyclescope.report.writing import write_text

if __name__ == "__main__":
    here = Path(__file__).parent
    write_text(here / "cycle-report-1.json", schema.json_schema())
    write_text(here / "comparison-1.json", schema_comparison.json_schema())
