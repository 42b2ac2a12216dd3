"""What `cyclescope models --json` prints: the built-in models as one document for other programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from cyclescope.models.listing import ModelRow

SCHEMA = "cyclescope/models/1"


def models_json(rows: Sequence[ModelRow]) -> str:
    """The same as one JSON document: `schema` and `models`, sizes as plain numbers."""
    return json.dumps({"schema": SCHEMA, "models": [asdict(row) for row in rows]}, ensure_ascii=False, indent=1)
