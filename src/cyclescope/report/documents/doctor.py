"""What `cyclescope doctor --json` prints: checks as one document for other programs."""

from __future__ import annotations

import json
from dataclasses import asdict

from cyclescope.machines.doctor import Check, Examination
from cyclescope.report.naming.advice import Advice
from cyclescope.report.pages.doctor import outcome_advice, outcome_values

SCHEMA = "cyclescope/doctor/1"


def doctor_json(examination: Examination) -> str:
    """One JSON document: `schema`, `warnings`, `checks` (topic, outcome, fine, text, remedy) and the `facts` behind them."""
    values = outcome_values(examination.facts)
    facts = examination.facts
    document = {
        "schema": SCHEMA,
        "warnings": examination.warnings,
        "checks": [_check(check, outcome_advice(check, values)) for check in examination.checks],
        "facts": {
            "processor": facts.machine.processor,
            "cores": facts.machine.cores,
            "memory_bytes": facts.machine.memory_bytes,
            "system": facts.machine.system,
            "virtual": facts.machine.virtual,
            "state": asdict(facts.state),
            "other_busy": facts.load.other_busy,
            "throttled_ns": facts.load.throttled_ns,
            "noise": asdict(facts.noise) if facts.noise is not None else None,
        },
    }
    return json.dumps(document, indent=1, allow_nan=False)


def _check(check: Check, advice: Advice) -> dict[str, object]:
    return {
        "topic": check.topic.value,
        "outcome": check.outcome.value,
        "fine": check.fine,
        "text": str(advice.text),
        "remedy": str(advice.remedy),
    }
