"""Measuring the models of a design on an engine: made ready in processes of their own, then run in rounds, shape by shape."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cyclescope.backends.base import Request, ReshapableSession, Session, UninstrumentedRun
from cyclescope.backends.registry import open_session
from cyclescope.calibrating.learning.engines.design import EngineCase, Shape
from cyclescope.calibrating.learning.engines.preparing import prepare, request_of
from cyclescope.calibrating.rounds import settling_runs, share_in_turn
from cyclescope.core.clock import Clock
from cyclescope.core.errors import CyclescopeError, EngineError
from cyclescope.core.message import Text, m
from cyclescope.core.progress import Notify, silent
from cyclescope.core.units import FloatArray, Nanoseconds
from cyclescope.machines.load import LoadMeter
from cyclescope.predicting.regression.file import read_fitted, write_fitted

SUFFIX = ".times"
SCHEMA, VERSION = "cyclescope/engine-training", 1
_MOST_IN_BLOCK = 20


@dataclass(frozen=True, eq=False)
class Timed:
    """How long one model took at one shape: `wall_ns` [runs] in the order in which they ran, and of runs that write,
    `first_ns` [runs] until the first token was out; else empty.
    """

    batch: int
    tokens: int
    new_tokens: int
    wall_ns: FloatArray
    first_ns: FloatArray

    @property
    def shape(self) -> Shape:
        return Shape(self.batch, self.tokens, self.new_tokens)


@dataclass(frozen=True, eq=False)
class Harvest:
    """What was measured of one model; `refused` says why, where the engine does not take it."""

    name: str
    family: str
    threads: int
    dtype: str
    timed: tuple[Timed, ...]
    refused: Text = ""


@dataclass
class _OpenShape:
    """One model at one shape, ready to run, and its runs so far."""

    shape: Shape
    session: Session
    run_ns: Nanoseconds
    runs: list[UninstrumentedRun] = field(default_factory=list)

    def sample(self, budget_ns: Nanoseconds) -> None:
        """A block of runs of about `budget_ns`."""
        settle = settling_runs(self.run_ns)
        fit = max(1, min(_MOST_IN_BLOCK, int(budget_ns / max(1, self.run_ns))) - settle)
        self.session.resume()
        self.runs += self.session.uninstrumented(settle + fit)[settle:]

    def timed(self) -> Timed:
        first = [run.emitted_ns[0] for run in self.runs if run.emitted_ns]
        return Timed(
            self.shape.batch,
            self.shape.tokens,
            self.shape.new_tokens,
            np.asarray([run.wall_ns for run in self.runs], dtype=np.float64),
            np.asarray(first if len(first) == len(self.runs) else [], dtype=np.float64),
        )


@dataclass
class _OpenCase:
    """One model that is ready, at all of its shapes."""

    case: EngineCase
    session: Session
    shapes: list[_OpenShape]

    @staticmethod
    def open(case: EngineCase, request: Request) -> _OpenCase:
        """Raises like `open_session`; a shape that cannot run is left out."""
        session = open_session(request)
        shapes = []
        for shape in case.shapes:
            try:
                at = _at(session, shape, first=shape == case.shapes[0])
                at.uninstrumented(1)
                shapes.append(_OpenShape(shape, at, at.uninstrumented(1)[0].wall_ns))
            except EngineError:
                if not shapes:
                    session.close()
                    raise
        return _OpenCase(case, session, shapes)

    def harvest(self) -> Harvest:
        plan = self.session.plan
        timed = tuple(one.timed() for one in self.shapes if one.runs)
        return Harvest(self.case.name, self.case.family, plan.threads, plan.dtype, timed)


def _at(session: Session, shape: Shape, *, first: bool) -> Session:
    if first:
        return session
    if not isinstance(session, ReshapableSession):
        raise EngineError(m("The engine runs one shape only."))
    return session.reshaped(shape.batch, shape.tokens, shape.new_tokens)


def harvest(
    cases: Sequence[EngineCase],
    folder: Path,
    engine: str,
    budget_ns: Nanoseconds,
    clock: Clock,
    progress: Notify = silent,
    threads: int | None = None,
) -> float | None:
    """Measure `cases` on `engine` in rounds within `budget_ns`, to which making them ready adds, and keep each in `folder`.

    Returns the share of the cores that others used meanwhile, where the system tells it; the processes that make models ready
    have ended by then. After Ctrl-C what was seen is kept, exports too, and the interruption goes on up.
    """
    prepare(cases, folder, engine, progress, threads)
    opened: list[_OpenCase] = []
    try:
        for number, case in enumerate(cases):
            progress("load", number / len(cases))
            try:
                opened.append(_OpenCase.open(case, request_of(case, folder, engine, threads)))
            except CyclescopeError as error:
                refused = Harvest(case.name, case.family, 0, "", (), error.summary)
                write_fitted(place_of_case(folder, case), refused, SCHEMA, VERSION)
        meter = LoadMeter()
        share_in_turn([shape for case in opened for shape in case.shapes], clock, budget_ns, progress)
        return meter.read().other_busy
    finally:
        for one in opened:
            kept = one.harvest()
            if kept.timed:
                write_fitted(place_of_case(folder, one.case), kept, SCHEMA, VERSION)
            with suppress(Exception):
                one.session.close()


def place_of_case(folder: Path, case: EngineCase) -> Path:
    return folder / f"{case.name}{SUFFIX}"


def harvested(folder: Path, cases: Sequence[EngineCase]) -> list[tuple[EngineCase, Harvest]]:
    """What was measured of `cases` in `folder`; what cannot be read was not measured."""
    found = []
    for case in cases:
        try:
            kept = read_fitted(place_of_case(folder, case), Harvest, SCHEMA, VERSION, "")
        except CyclescopeError:
            continue
        found.append((case, kept))
    return found
