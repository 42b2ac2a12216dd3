"""What a case gave, as plain data: kept in a JSON file after every case, so that an interrupted run goes on from there."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Interval:
    """A ratio with its 99 % interval."""

    value: float
    low: float
    high: float

    def inverse(self) -> Interval:
        return Interval(1 / self.value, 1 / self.high, 1 / self.low if self.low > 0 else float("inf"))


@dataclass(frozen=True)
class Line:
    """One way to run the case. `ratio` is its time ÷ that of the baseline; None where it could not be run, then with `reason`.

    `drift` is 1 − the mean cosine, or the share of written tokens that differ; `same` says that it is rounding only.
    `said` is what the peer has to say, or the plan in words. `ours` is empty for a peer, else the class: what drift was
    allowed. `mfu` of ours is the share of the calibrated float32 peak that it reaches; 0 where none is known. In 8 bits it
    can be more than 1: the peak is that of float32.
    """

    name: str
    ours: str = ""
    int8: bool = False
    ratio: Interval | None = None
    wall_ns: float = 0.0
    drift: float = 0.0
    same: bool = False
    held_bytes: int = 0
    mfu: float = 0.0
    said: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Race:
    """Our plan of one class ÷ the best single peer that drifts no more; `limit` 0 asks for the same outputs."""

    limit: float
    ours: str
    best: str
    ratio: Interval | None


@dataclass(frozen=True)
class Outcome:
    """A whole case. `flops` are those of the products of one cycle, `tried` what our searches tried and what became of it."""

    case: str
    date: str
    processor: str
    budget_s: float
    rounds: int
    load: float
    lines: tuple[Line, ...]
    races: tuple[Race, ...]
    flops: int = 0
    peak_flops_per_s: float = 0.0
    took_s: float = 0.0
    tried: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)


def read(path: Path | None) -> list[Outcome]:
    """The cases in the file; none where there is no file yet."""
    if path is None or not path.exists():
        return []
    return [_outcome(item) for item in json.loads(path.read_text())]


def write(path: Path, outcomes: list[Outcome]) -> None:
    """All of them, in one step: an interruption leaves the file before or the file after."""
    half = path.with_name(f"{path.name}.half")
    half.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1, ensure_ascii=False))
    os.replace(half, path)


def _outcome(item: dict[str, Any]) -> Outcome:
    lines = tuple(Line(**{**line, "ratio": _interval(line["ratio"])}) for line in item["lines"])
    races = tuple(Race(**{**race, "ratio": _interval(race["ratio"])}) for race in item["races"])
    return Outcome(**{**item, "lines": lines, "races": races, "tried": tuple(item["tried"])})


def _interval(item: dict[str, float] | None) -> Interval | None:
    return Interval(**item) if item is not None else None
