"""What `cyclescope define --json` prints: definitions as one document for other programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from cyclescope.explaining.metrics.definition import Definition
from cyclescope.explaining.metrics.dialects import dialects_of
from cyclescope.explaining.metrics.metric import PERCENTS, least_samples

SCHEMA = "cyclescope/definitions/1"


def definitions_json(definitions: Sequence[Definition]) -> str:
    """`definitions` as one JSON document: `schema` and `metrics`, each with its `dialects`."""
    document = {"schema": SCHEMA, "metrics": [_as_json(d) for d in definitions]}
    return json.dumps(document, ensure_ascii=False, indent=1)


def _as_json(d: Definition) -> dict[str, object]:
    return {
        "name": d.name.value,
        "aliases": list(d.aliases),
        "formula": d.formula.text(),
        "begin": d.begin.value,
        "end": d.end.value,
        "population": d.population.value,
        "summary": d.summary.value,
        "unit": d.unit.value,
        "least_tokens": d.least_tokens,
        "percentiles_need": {f"p{percent}": least_samples(percent) for percent in PERCENTS},
        "dialects": [
            {
                "tool": dialect.tool.value,
                "name": dialect.name,
                "formula": dialect.formula.text(),
                "unit": dialect.unit.value,
                "label": dialect.label,
                "remarks": [remark.value for remark in dialect.remarks],
                "source": dialect.source.url,
            }
            for dialect in dialects_of(d.name)
        ],
    }
