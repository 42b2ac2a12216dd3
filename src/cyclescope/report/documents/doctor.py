"""The document about this machine and its state: what `cyclescope doctor --json` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cyclescope.machines.doctor import CheckOutcome, Examination, Topic
from cyclescope.report.documents.figures import (
    Document,
    DocumentPart,
    Packages,
    Sourced,
    Text,
    WarningPart,
    schema_field,
    sourced,
)
from cyclescope.report.documents.run import Host
from cyclescope.report.pages.doctor import outcome_advice, outcome_values


class CheckPart(DocumentPart):
    """The judgement on one topic."""

    topic: Topic
    outcome: CheckOutcome
    fine: bool
    text: Text
    remedy: Text


class ThreadLimit(DocumentPart):
    """A variable of the environment that limits threads."""

    name: Text
    value: Text


class State(DocumentPart):
    """The state of the machine; null or empty where the system does not give it."""

    usable_cores: int = Field(description="cores that this process may use")
    online_cores: int = Field(description="cores of the machine")
    quota_cores: float | None = Field(description="cores that a control group allows; null: no limit")
    governors: list[Text] = Field(description="how the clock frequency of the cores is chosen")
    turbo: bool | None = Field(description="whether it may rise above its base")
    available_bytes: int | None = Field(description="bytes of main memory that are free for use")
    swap_bytes: int | None = Field(description="bytes of swap space")
    swap_used_bytes: int | None = Field(description="bytes of swap space in use")
    thread_limits: list[ThreadLimit]
    features: list[Text] = Field(description="instruction sets")
    engines: Packages
    extras: Packages
    clock_step_s: float = Field(description="s; smallest step of the wall clock")


class LoadPart(DocumentPart):
    """What else the machine did."""

    other_busy: float | None = Field(description="share of the cores that other processes used; null where unknown")
    throttled_s: float | None = Field(description="s that a limit on this container took; null where unknown")


class Facts(DocumentPart):
    """The facts behind the checks."""

    machine: Host
    state: State
    load: LoadPart
    noise: Sourced | None = Field(description="half width of the 95 % interval of an A/A comparison, as a share")


class DoctorDocument(Document):
    """Whether this machine is fit for measuring."""

    schema_: Literal["cyclescope/doctor/2"] = schema_field("cyclescope/doctor/2")
    warnings: list[WarningPart] = Field(description="the checks that are not fine; code is their outcome")
    checks: list[CheckPart]
    facts: Facts


def doctor_document(examination: Examination) -> DoctorDocument:
    """`examination` as the public document."""
    facts = examination.facts
    values = outcome_values(facts)
    advice = {check.topic: outcome_advice(check, values) for check in examination.checks}
    checks = [
        CheckPart.of(check, text=advice[check.topic].text, remedy=advice[check.topic].remedy)
        for check in examination.checks
    ]
    limits = [ThreadLimit(name=name, value=value) for name, value in facts.state.thread_limits]
    return DoctorDocument(
        warnings=[
            WarningPart(code=each.outcome, text=each.text, remedy=each.remedy) for each in checks if not each.fine
        ],
        checks=checks,
        facts=Facts.of(facts, state=State.of(facts.state, thread_limits=limits), noise=sourced(facts.noise, "1")),
    )
