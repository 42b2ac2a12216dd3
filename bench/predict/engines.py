"""Predictions for an engine that fuses beside measurements, of architectures and shapes that nothing is fitted on.

    python bench/predict --engine ENGINE --truths DIR [--seconds N] [--round N] [--only NAME]
    python bench/predict --engine ENGINE --truths DIR --report

The first form measures what is missing in DIR for about N seconds (each model of `unseen.py` is made ready once and run at several
shapes) and goes on where it stopped when it is called again; round 2, some time later, shows how far the machine repeats itself.
The second one measures nothing: it predicts each workload by every timing model of the engine (`cyclescope calibrate --learn --engine
ENGINE`) and prints what `this_machine.py` prints for the reference engine.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
from this_machine import ROOFLINE, ROUNDS, Row, print_rows, total_and_interval
from unseen import CASES, Unseen

from cyclescope.backends.base import Request, ReshapableSession
from cyclescope.backends.registry import keeping, open_session
from cyclescope.calibrating.learning.engines.design import Shape
from cyclescope.calibrating.learning.engines.harvesting import SCHEMA, VERSION, Harvest, Timed
from cyclescope.calibrating.learning.training import roofline_ns
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.errors import CyclescopeError, EngineError
from cyclescope.core.plan import REFERENCE_ENGINE, Plan
from cyclescope.core.units import NS_PER_S
from cyclescope.predicting.models import available
from cyclescope.predicting.regression.file import read_fitted, write_fitted
from cyclescope.predicting.target import THIS, target
from cyclescope.tracing.structures import structure_of

_BLOCKS = 3
_MOST_RUNS = 30  # of a block
_EACH_S = 2.0  # of measuring, for each workload
# Besides the shapes that a model has in `unseen.py`: once a model is ready, another shape costs its runs only.
_READING, _WRITING = (Shape(1, 32), Shape(1, 128), Shape(4, 48)), (Shape(1, 24, 4), Shape(4, 32, 4))
# An export takes as long as a model has layers and weights: the largest are left out.
_LEFT_OUT = ("bert-large", "smollm2-360m", "gemma3-270m", "lfm2-350m", "qwen3-moe-250m", "flan-t5-base", "qwen2-200m", "xlm-roberta-base", "deberta-v3-base")  # fmt: skip


@dataclass(frozen=True)
class Ready:
    """One model, and the shapes that it is run at; they all write, or none does."""

    model: str
    writes: bool
    shapes: tuple[Shape, ...]

    @property
    def name(self) -> str:
        return self.model + ("+" if self.writes else "")


def unseen_models() -> tuple[Ready, ...]:
    """The models of `unseen.py` in its order, reading and writing apart."""
    found: dict[tuple[str, bool], list[Shape]] = {}
    for case in CASES:
        if case.model not in _LEFT_OUT:
            shape = Shape(case.batch, case.tokens, case.new_tokens)
            found.setdefault((case.model, bool(case.new_tokens)), []).append(shape)
    return tuple(
        Ready(model, writes, tuple(dict.fromkeys((*shapes, *(_WRITING if writes else _READING)))))
        for (model, writes), shapes in found.items()
    )


def request_for(ready: Ready, shape: Shape, folder: Path, engine: str) -> Request:
    reference = Unseen(ready.model, shape.tokens).reference(folder / "configurations")
    shared = None
    if engine != REFERENCE_ENGINE:
        place = folder / "exports" / engine / ready.name
        place.mkdir(parents=True, exist_ok=True)
        shared = str(place)
    return Request(
        reference,
        tokens=shape.tokens,
        batch=shape.batch,
        new_tokens=shape.new_tokens or None,
        task="auto" if shape.new_tokens else "embed",
        weights="random",
        engine=engine,
        shared=shared,
    )


def place_of(folder: Path, ready: Ready, engine: str, number: int) -> Path:
    return folder / f"{engine}.{ready.name}.{number}.times"


def measure_missing(folder: Path, engine: str, number: int, seconds: float, each_s: float, only: str) -> None:
    """Measure what round `number` lacks; a model is not begun when `seconds` are over."""
    begin = monotonic()
    for ready in unseen_models():
        path = place_of(folder, ready, engine, number)
        if path.exists() or (only and only not in ready.name):
            continue
        if monotonic() - begin > seconds:
            print("The time is over: call again to go on.")
            return
        started = monotonic()
        with keeping():
            kept = _measured(ready, folder, engine, each_s)
        write_fitted(path, kept, SCHEMA, VERSION)
        for timed in kept.timed:
            wall_ms = float(np.median(timed.wall_ns)) / 1e6
            print(f"{ready.model}-{timed.shape.name:12} {wall_ms:9.2f} ms, {len(timed.wall_ns)} runs", flush=True)
        print(f"{ready.name}: {monotonic() - started:.1f} s in all. {kept.refused}", flush=True)


def _measured(ready: Ready, folder: Path, engine: str, each_s: float) -> Harvest:
    first = ready.shapes[0]
    try:
        session = open_session(request_for(ready, first, folder, engine))
    except CyclescopeError as error:
        return Harvest(ready.name, ready.model, 0, "", (), error.summary)
    walls: dict[Shape, list[float]] = {}
    firsts: dict[Shape, list[float]] = {}
    sessions = {first: session}
    for shape in ready.shapes[1:]:
        if isinstance(session, ReshapableSession):
            sessions[shape] = session.reshaped(shape.batch, shape.tokens, shape.new_tokens)
    for _ in range(_BLOCKS):
        for shape, one in list(sessions.items()):
            try:
                run_ns = max(run.wall_ns for run in one.uninstrumented(2)[1:])
                count = int(max(1, min(_MOST_RUNS, each_s / _BLOCKS * NS_PER_S / run_ns)))
                runs = one.uninstrumented(count)
            except EngineError:
                del sessions[shape]
                continue
            walls.setdefault(shape, []).extend(run.wall_ns for run in runs)
            firsts.setdefault(shape, []).extend(run.emitted_ns[0] for run in runs if run.emitted_ns)
    plan = session.plan
    session.close()
    timed = tuple(
        Timed(
            shape.batch,
            shape.tokens,
            shape.new_tokens,
            np.asarray(wall),
            np.asarray(firsts[shape] if len(firsts[shape]) == len(wall) else []),
        )
        for shape, wall in walls.items()
    )
    return Harvest(ready.name, ready.model, plan.threads, plan.dtype, timed)


def row_of(
    ready: Ready, shape: Shape, rounds_ns: tuple[float, ...], plan: Plan, machine: Ceilings, folder: Path
) -> Row:
    """The row of one workload whose median time was `rounds_ns`, one a round."""
    graph = structure_of(request_for(ready, shape, folder, REFERENCE_ENGINE))
    said = {ROOFLINE: roofline_ns(graph, machine, plan.threads)}
    interval = {}
    for model in available(plan, machine):
        said[model.name], known = total_and_interval(model.predict(graph, plan, machine))
        interval |= {model.name: known} if known is not None else {}
    true_ns = float(np.exp(np.mean(np.log(rounds_ns))))
    return Row(f"{ready.model}-{shape.name}", true_ns, rounds_ns, said, interval, {})


def report(folder: Path, engine: str) -> None:
    found = target(THIS, engine)
    rows, refused = [], []
    for ready in unseen_models():
        kept = [
            read_fitted(path, Harvest, SCHEMA, VERSION, "")
            for number in ROUNDS
            if (path := place_of(folder, ready, engine, number)).exists()
        ]
        refused += [f"{one.name}: {one.refused}" for one in kept[:1] if one.refused]
        for shape in dict.fromkeys(timed.shape for one in kept for timed in one.timed):
            rounds = tuple(
                float(np.median(timed.wall_ns)) for one in kept for timed in one.timed if timed.shape == shape
            )
            plan = Plan(engine=engine, threads=kept[0].threads, dtype=kept[0].dtype, attention="engine")
            rows.append(row_of(ready, shape, rounds, plan, found.ceilings, folder))
    if not rows:
        print(f"Nothing was measured in {folder}: call without --report first.")
        return
    print_rows(rows)
    for line in refused:
        print(f"not taken: {line}")
