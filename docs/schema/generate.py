"""Writes the public JSON Schemas into this folder: `python docs/schema/generate.py`."""

from __future__ import annotations

from pathlib import Path

from cyclescope.report.documents import schema, schema_comparison, schema_optimization, schema_verification
from cyclescope.store.writing import write_text

if __name__ == "__main__":
    here = Path(__file__).parent
    write_text(here / "cycle-report-1.json", schema.json_schema())
    write_text(here / "comparison-1.json", schema_comparison.json_schema())
    write_text(here / "optimization-1.json", schema_optimization.json_schema())
    for name, report in (
        ("verification-1", schema_verification.VerificationReport),
        ("applied-1", schema_verification.AppliedReport),
    ):
        write_text(here / f"{name}.json", schema_verification.json_schema(report))
