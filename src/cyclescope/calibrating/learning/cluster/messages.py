"""What a machine of a cluster is asked and what it answers: typed values as lines of JSON. Nothing is pickled.

Measured cycles travel beside an answer as the bytes of their files, by the name of the workload.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from cyclescope.calibrating.learning.design import TrainingCase
from cyclescope.core import lines
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.message import Text
from cyclescope.core.units import Nanoseconds


@dataclass(frozen=True, slots=True)
class Describe:
    """What kind of machine are you? Nothing is measured, so no slot is needed."""

    engine: str


@dataclass(frozen=True, slots=True)
class Described:
    """The fingerprint of the machine under the engine, and the versions that decide whether it can help."""

    fingerprint: str
    version: str
    design: int


@dataclass(frozen=True, slots=True)
class Calibrate:
    """Your ceilings: those that you keep where they are fresh, else measured now and kept."""

    engine: str
    quick: bool = False
    threads: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Calibrated:
    ceilings: Ceilings


@dataclass(frozen=True, slots=True)
class PlainCase:
    """A `TrainingCase` as plain data; `configuration` is JSON."""

    name: str
    family: str
    configuration: str
    tokens: int
    batch: int
    new_tokens: int
    attention: str

    @staticmethod
    def of(case: TrainingCase) -> PlainCase:
        text = json.dumps(dict(case.configuration))
        return PlainCase(case.name, case.family, text, case.tokens, case.batch, case.new_tokens, case.attention)

    def case(self) -> TrainingCase:
        configuration = json.loads(self.configuration)
        return TrainingCase(
            self.name, self.family, configuration, self.tokens, self.batch, self.new_tokens, self.attention
        )


@dataclass(frozen=True, slots=True)
class Measure:
    """Measure `cases` within `budget_ns`, loading apart."""

    cases: tuple[PlainCase, ...]
    budget_ns: Nanoseconds


@dataclass(frozen=True, slots=True)
class Measured:
    """The workloads whose cycles come with this answer."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """The request failed on a machine that is still there."""

    fact: Text
    cause: Text = ""


Question = Describe | Calibrate | Measure
Reply = Described | Calibrated | Measured | Failed
_KINDS: dict[str, type] = {kind.__name__: kind for kind in (*Question.__args__, *Reply.__args__)}


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, and the files that come with it by the names of their workloads."""

    reply: Reply
    files: dict[str, bytes] = field(default_factory=dict)


def from_line(line: str) -> Question | Reply:
    """The message in `line`. Raises `CodecError` for what is none."""
    message: Question | Reply = lines.from_line(line, _KINDS)
    return message
