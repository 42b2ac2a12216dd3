"""What `cyclescope calibrate --json` prints: ceilings as one document for other programs."""

from __future__ import annotations

import json

from cyclescope.core.codec import encode
from cyclescope.report.pages.calibration import Calibration

SCHEMA = "cyclescope/calibration-report/1"


def calibration_json(found: Calibration) -> str:
    """The same as one JSON document: `schema`, `ceilings` as they are kept, `path`, `fresh`, `changed`, `age_days`, and
    when what is kept in their place was taken (`quieter`).
    """
    freshness = found.freshness
    document = {
        "schema": SCHEMA,
        "machine": found.machine,
        "ceilings": encode(found.ceilings)[0] if found.ceilings is not None else None,
        "path": str(found.path) if found.path is not None else None,
        "fresh": freshness.fresh if freshness is not None else None,
        "age_days": freshness.age_days if freshness is not None else None,
        "changed": [
            {"trait": change.trait.value, "before": change.before, "now": change.now}
            for change in (freshness.changed if freshness is not None else ())
        ],
        "other_busy": found.load.other_busy if found.load is not None else None,
        "quieter": found.quieter.taken_at if found.quieter is not None else None,
        "broken": [str(error.fact) for error in found.broken],
    }
    return json.dumps(document, indent=1, allow_nan=False)
