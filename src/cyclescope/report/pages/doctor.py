"""The page of `cyclescope doctor`: one judgement a topic."""

from __future__ import annotations

from collections.abc import Mapping

from cyclescope.core.message import Message, Value, m, plural
from cyclescope.machines.doctor import Check, Examination, MachineFacts
from cyclescope.report import format as fmt
from cyclescope.report.naming.advice import Advice
from cyclescope.report.naming.machine import FINDINGS, TOPICS, changes
from cyclescope.report.page import Note, Page, Paragraph, Section, Severity


def doctor_page(examination: Examination) -> Page:
    """The answer, then the finding of every check with its remedy."""
    values = outcome_values(examination.facts)
    return Page(
        m("Measurement conditions of this machine"),
        (Paragraph(_answer(examination.warnings), lead=True),),
        (Section("checks", m("Checks"), tuple(_note(check, values) for check in examination.checks)),),
        "doctor",
    )


def _note(check: Check, values: Mapping[str, Value]) -> Note:
    advice = outcome_advice(check, values)
    text = m("{topic}: {finding}", topic=TOPICS[check.topic], finding=advice.text)
    return Note(Severity.GOOD if check.fine else Severity.WARNING, text, advice.remedy)


def _answer(warnings: int) -> Message:
    if not warnings:
        return m("This machine is ready: no check found a problem.")
    return plural(
        "{n} condition makes measurements on this machine less reliable.",
        "{n} conditions make measurements on this machine less reliable.",
        warnings,
    )


def outcome_advice(check: Check, values: Mapping[str, Value]) -> Advice:
    """The words of one finding, with its figures."""
    return FINDINGS[check.outcome].filled(**values)


def outcome_values(facts: MachineFacts) -> dict[str, Value]:
    """Every figure and name that a finding may mention."""
    state, load, noise = facts.state, facts.load, facts.noise
    kept, freshness = facts.calibrated.ceilings, facts.calibrated.freshness
    age = freshness.age_days if freshness is not None else None
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
        "features": " ".join(state.features) or m("none"),
        "taken": kept.taken_at if kept is not None else fmt.UNKNOWN,
        "changes": changes(freshness.changed if freshness is not None else ()),
        "days": fmt.count(None if age is None else int(age)),
        "step": fmt.time(state.clock_step_ns),
        "noise": fmt.share(noise.value if noise is not None else None),
        "n": fmt.count(noise.n if noise is not None else None),
    }
