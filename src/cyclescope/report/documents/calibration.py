"""What `cyclescope calibrate --json` prints: ceilings as one document for other programs."""

from __future__ import annotations

import json

from cyclescope.core.codec import encode
from cyclescope.report.pages.calibration import Told

SCHEMA = "cyclescope/calibration-report/1"


def calibration_json(told: Told) -> str:
    """The same as one JSON document: `schema`, `ceilings` as they are kept, `path`, `fresh`, `changed`, `age_days`, and
    when what is kept in their place was taken (`quieter`).
    """
    freshness = told.freshness
    document = {
        "schema": SCHEMA,
        "machine": told.machine,
        "ceilings": encode(told.ceilings)[0] if told.ceilings is not None else None,
        "path": str(told.path) if told.path is not None else None,
        "fresh": freshness.fresh if freshness is not None else None,
        "age_days": freshness.age_days if freshness is not None else None,
        "changed": [
            {"trait": change.trait.value, "before": change.before, "now": change.now}
            for change in (freshness.changed if freshness is not None else ())
        ],
        "other_busy": told.load.other_busy if told.load is not None else None,
        "quieter": told.quieter.taken_at if told.quieter is not None else None,
        "broken": [error.fact for error in told.broken],
    }
    return json.dumps(document, indent=1, allow_nan=False)
