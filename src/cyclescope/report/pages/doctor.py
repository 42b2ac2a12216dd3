"""What `cyclescope doctor` prints: a line a topic."""

from __future__ import annotations

from collections.abc import Mapping

from cyclescope.calibrating.doctor import Check, Examination, Facts
from cyclescope.report import format as fmt
from cyclescope.report.page import Note, Page, Paragraph, Severity, page_of
from cyclescope.report.pages.calibration import change_text
from cyclescope.report.words.strings import Advice, Strings, strings
from cyclescope.report.words.text_calibration import calibration_text
from cyclescope.report.words.text_doctor import doctor_text


def doctor_page(examination: Examination, language: str = "en") -> Page:
    """The answer, then every judgement with what to do. Raises `UsageError` for an unknown language."""
    s = strings(language)
    t = doctor_text(s)
    count = examination.warnings
    answer = t.answer_fine if not count else t.answer_one if count == 1 else t.answer_warnings
    values = outcome_values(examination.facts, s)
    notes = []
    for check in examination.checks:
        advice = outcome_advice(check, values, s)
        severity = Severity.GOOD if check.fine else Severity.WARNING
        notes.append(Note(severity, f"{t.topics[check.topic]}: {advice.text}", advice.remedy))
    lead = Paragraph(answer.format(count=fmt.count(count)), lead=True)
    return page_of(t.title, (lead, *notes))


def outcome_advice(check: Check, values: Mapping[str, str], s: Strings) -> Advice:
    advice = doctor_text(s).outcomes[check.outcome]
    return Advice(advice.text.format(**values), advice.remedy)


def outcome_values(facts: Facts, s: Strings) -> dict[str, str]:
    """Every figure and name that a judgement may tell, as text."""
    state, load, noise = facts.state, facts.load, facts.noise
    kept, freshness = facts.calibrated.ceilings, facts.calibrated.freshness
    age = freshness.age_days if freshness is not None else None
    none = doctor_text(s).none
    return {
        "usable": fmt.count(state.usable_cores),
        "online": fmt.count(state.online_cores),
        "cores": fmt.count(facts.machine.cores),
        "quota": fmt.significant(state.quota_cores),
        "throttled": fmt.time(load.throttled_ns),
        "busy": fmt.share(load.other_busy),
        "governors": ", ".join(state.governors),
        "available": fmt.data(state.available_bytes),
        "memory": fmt.data(facts.machine.memory_bytes),
        "swap": fmt.data(state.swap_bytes),
        "used": fmt.data(state.swap_used_bytes),
        "limits": ", ".join(f"{name}={value}" for name, value in state.thread_limits),
        "engines": ", ".join(" ".join(package) for package in state.engines),
        "extras": ", ".join(" ".join(package) for package in state.extras),
        "features": " ".join(state.features) or none,
        "taken": kept.taken_at if kept is not None else fmt.UNKNOWN,
        "changes": change_text(freshness.changed if freshness is not None else (), calibration_text(s)),
        "days": fmt.count(None if age is None else int(age)),
        "step": fmt.time(state.clock_step_ns),
        "noise": fmt.share(noise.value if noise is not None else None),
        "n": fmt.count(noise.n if noise is not None else None),
    }
