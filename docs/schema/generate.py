"""Writes the public JSON Schemas into this folder: `python docs/schema/generate.py`."""

from __future__ import annotations

from pathlib import Path

from cyclescope.report.schema import json_schema
from cyclescope.report.writing import write_text

if __name__ == "__main__":
    write_text(Path(__file__).parent / "cycle-report-1.json", json_schema())
