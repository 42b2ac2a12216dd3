"""One case: every peer made ready, our plans found, all of them in one run of turns."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bar.cases import BASELINE, Case, Peer, peers_of
from bar.peer_variant import PeerVariant
from bar.record import Interval, Line, Outcome, Race
from cyclescope.core.errors import CyclescopeError, EngineError
from cyclescope.core.results import Results
from cyclescope.core.statistics import Ratio
from cyclescope.core.units import NS_PER_S
from cyclescope.optimizing.optimization import OUT_OF_BUDGET, Optimization, Skip
from cyclescope.optimizing.optimize import optimize
from cyclescope.optimizing.processes.messages import Job
from cyclescope.optimizing.processes.process_pool import ProcessPool
from cyclescope.optimizing.processes.worker_group import PoolPreparer
from cyclescope.optimizing.search.drift import drift
from cyclescope.optimizing.search.trial import InterleavedRuns, Variant
from cyclescope.report import format as fmt
from cyclescope.report.naming.optimizing import PHASES
from cyclescope.report.naming.plans import plan_words

_PREPARE_S = 600.0
_LEAST_DRIFT = 1e-3  # what is always allowed where drift is
_QUICK_CYCLES = 3
SAME, ALLOWED = "no drift", "drift allowed"
Tell = Callable[[str], None]


class Entry:
    """A variant in the run with its line of the table."""

    def __init__(self, line: Line, variant: Variant) -> None:
        self.line = line
        self.variant = variant

    def run(self, cycles: int) -> Sequence[object]:
        """As the variant's, with the name of who failed."""
        try:
            return self.variant.run(cycles)
        except CyclescopeError as error:
            raise _Out(self, error) from error


class _Out(EngineError):
    """A variant of a run that can go on without it."""

    def __init__(self, entry: Entry, error: CyclescopeError) -> None:
        super().__init__(error.fact, error.cause, error.way_out)
        self.entry = entry


def run_case(case: Case, folder: Path, budget_s: float, rounds: int, tell: Tell) -> Outcome:
    """Everything about one case. Raises `EngineError` only where the baseline itself cannot be run."""
    begin = time.monotonic()
    home = folder / case.model
    home.mkdir(parents=True, exist_ok=True)
    tell("the model as a folder")
    _prepare(case, home)
    entries: list[Entry] = []
    lost: list[Line] = []
    versions: dict[str, str] = {}
    try:
        reference = _peers(case, home, entries, lost, versions, tell)
        limit = _limit(entries)
        found = [_optimized(case, home, allowed, budget_s, tell) for allowed in (0.0, limit)]
        with ProcessPool(_job(case, home)) as pool:
            try:
                for ours, optimization in zip((SAME, ALLOWED), found, strict=True):
                    tell(f"our plan, {ours}")
                    _join(ours, optimization, PoolPreparer(pool), reference, entries, lost)
                interleaved = _run(entries, lost, rounds, tell)
                lines = [_timed(entry, interleaved, k) for k, entry in enumerate(entries)]
                races = [
                    race
                    for ours, allowed in ((SAME, 0.0), (ALLOWED, limit))
                    if (race := _race(ours, allowed, entries, interleaved)) is not None
                ]
                walls = [interleaved.wall_ns(k) for k in range(len(entries))]
            finally:
                for entry in entries:
                    entry.variant.close()
                entries.clear()
    finally:
        for entry in entries:
            entry.variant.close()
    outcome = Outcome(
        case=case.name,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        processor="",
        budget_s=budget_s,
        rounds=interleaved.rounds,
        load=os.getloadavg()[0],
        lines=(*(replace(line, wall_ns=wall) for line, wall in zip(lines, walls, strict=True)), *lost),
        races=tuple(races),
        took_s=time.monotonic() - begin,
        tried=(*_tried(found[0], SAME), *_tried(found[1], ALLOWED)),
        versions=versions,
    )
    return _with_ceiling(outcome, found[0], case)


def _prepare(case: Case, home: Path) -> None:
    """The model's folder and the input's file, by a process of its own."""
    script = Path(__file__).with_name("folder.py")
    command = [sys.executable, str(script), case.model, str(home)]
    if case.tokens:
        command += [str(case.batch), str(case.tokens), str(int(case.new_tokens > 0))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_PREPARE_S)
    if done.returncode:
        raise EngineError("The model could not be saved to a folder.", done.stderr.strip().splitlines()[-1], "")


def _peers(
    case: Case, home: Path, entries: list[Entry], lost: list[Line], versions: dict[str, str], tell: Tell
) -> Results:
    """Make every peer ready, one after the other, and hold its outputs against the baseline's, which is the first."""
    job = {
        "model": str(home / "model"),
        "threads": case.threads,
        "kept": str(home),
        "texts": list(case.texts),
        "inputs": str(home / f"{case.batch}x{case.tokens}.npz") if case.tokens else "",
        "new_tokens": case.new_tokens,
    }
    reference: Results | None = None
    for peer in peers_of(case):
        tell(peer.name)
        variant: PeerVariant | None = None
        try:
            variant = PeerVariant(peer.script, job, home / f"{peer.script}.log")
            results = variant.results()
            reference = reference or results
            entries.append(Entry(_looked_at(peer, variant, reference, results), variant))
            versions |= variant.versions
        except CyclescopeError as error:
            if variant is not None:
                variant.close()
            if peer.name == BASELINE:
                raise
            lost.append(Line(peer.name, int8=peer.int8, reason=_said(error)))
    assert reference is not None
    return reference


def _looked_at(peer: Peer, variant: PeerVariant, reference: Results, results: Results) -> Line:
    moved = drift(reference, results)
    return Line(
        peer.name,
        int8=peer.int8,
        drift=moved.amount,
        same=moved.same,
        held_bytes=variant.held_bytes(),
        said=variant.said,
    )


def _limit(entries: Sequence[Entry]) -> float:
    """What the fastest of the peers in int8 drifts, by a quick look at their times; 1e-3 where that is less."""
    quick = []
    for entry in entries:
        if entry.line.int8:
            with suppress(CyclescopeError):  # it will fail again in the run, and be told there
                quick.append((min(run.wall_ns for run in entry.variant.run(_QUICK_CYCLES)), entry.line.drift))
    return max(_LEAST_DRIFT, min(quick)[1] if quick else 0.0)


def _job(case: Case, home: Path) -> Job:
    return Job(
        model=str(home / "model"),
        texts=case.texts,
        tokens=case.tokens or None,
        batch=case.batch if case.tokens else None,
        new_tokens=case.new_tokens or None,
    )


def _optimized(case: Case, home: Path, allowed: float, budget_s: float, tell: Tell) -> Optimization | str:
    """What our own search finds within the budget; why not, where it fails."""
    said = ""

    def progress(phase: str, done: float) -> None:
        nonlocal said
        if phase != said:
            tell(f"optimize, {_allowed(allowed)}: {phase}")
        said = phase

    job = _job(case, home)
    try:
        return optimize(
            job.model,
            job.texts,
            tokens=job.tokens,
            batch=job.batch,
            new_tokens=job.new_tokens,
            threads=case.threads,
            max_drift=allowed,
            budget=budget_s,
            progress=progress,
        )
    except CyclescopeError as error:
        return _said(error)


def _join(
    ours: str,
    found: Optimization | str,
    preparer: PoolPreparer,
    reference: Results,
    entries: list[Entry],
    lost: list[Line],
) -> None:
    """Our plan becomes one more variant."""
    if isinstance(found, str):
        lost.append(Line(f"cyclescope, {ours}", ours, reason=found))
        return
    name, plan = f"cyclescope, {ours}", found.rows[found.best].plan
    said = str(plan_words(plan, found.rows[0].plan))
    try:
        made = preparer.make(plan, _PREPARE_S)
    except CyclescopeError as error:
        lost.append(Line(name, ours, said=said, reason=_said(error)))
        return
    try:
        moved = drift(reference, made.variant.results())
        line = Line(name, ours, drift=moved.amount, same=moved.same, held_bytes=made.variant.held_bytes(), said=said)
    except CyclescopeError as error:
        made.variant.close()
        lost.append(Line(name, ours, said=said, reason=_said(error)))
        return
    entries.append(Entry(line, made.variant))


def _run(entries: list[Entry], lost: list[Line], rounds: int, tell: Tell) -> InterleavedRuns:
    """Rounds of all variants. One that fails leaves, and the others begin anew without it."""
    while True:
        interleaved = InterleavedRuns(entries)  # type: ignore[arg-type]
        try:
            for number in range(rounds):
                tell(f"round {number + 1} of {rounds}")
                interleaved.round()
            return interleaved
        except _Out as out:
            if out.entry.line.name == BASELINE:
                raise
            out.entry.variant.close()
            entries.remove(out.entry)
            lost.append(replace(out.entry.line, reason=_said(out)))


def _timed(entry: Entry, interleaved: InterleavedRuns, k: int) -> Line:
    return replace(entry.line, ratio=_interval(interleaved.ratio(k, 0)))


def _race(ours: str, limit: float, entries: Sequence[Entry], interleaved: InterleavedRuns) -> Race | None:
    """Our plan of a class beside the best single peer of the same class."""
    mine = next((k for k, entry in enumerate(entries) if entry.line.ours == ours), None)
    if mine is None:
        return None
    rivals = [
        k
        for k, entry in enumerate(entries)
        if not entry.line.ours and (entry.line.same if limit == 0 else entry.line.drift <= limit)
    ]
    best = min(rivals, key=lambda k: interleaved.ratio(k, 0).value)
    return Race(limit, entries[mine].line.said, entries[best].line.name, _interval(interleaved.ratio(mine, best)))


def _with_ceiling(outcome: Outcome, found: Optimization | str, case: Case) -> Outcome:
    """With the share of the machine's peak that our plans reach; as it is where nobody calibrated."""
    if isinstance(found, str):
        return outcome
    machine, flops = found.before.machine, int(found.before.graph.flops.sum())
    outcome = replace(outcome, processor=machine.processor, flops=flops)
    peak = machine.ceilings.peak("float32", case.threads) if machine.ceilings is not None else None
    mine = [line for line in outcome.lines if line.ours and line.ratio is not None]
    if peak is None or not mine:
        return outcome
    if case.texts:
        return outcome  # `before` is one call of several, of texts of other lengths
    lines = tuple(
        replace(line, mfu=flops / (line.wall_ns / NS_PER_S) / peak.value) if line in mine else line
        for line in outcome.lines
    )
    return replace(outcome, lines=lines, peak_flops_per_s=peak.value)


def _tried(found: Optimization | str, ours: str) -> list[str]:
    """Every plan that a search tried and what became of it, how many it did not get to, and what the time went to."""
    if isinstance(found, str):
        return [f"{ours}: {found}"]
    base = found.rows[0].plan
    told = []
    for row in found.rows[1:]:
        became = f"{row.speed_up:.2f} times as fast" if row.ratio is not None else row.reason
        moved = f", drift {row.drift.amount:.1e}" if row.drift is not None and not row.drift.same else ""
        told.append(f"{ours}: {plan_words(row.plan, base)}: {row.outcome.value}, {became}{moved}")
    late = sum(1 for other in found.not_tried if other.why is Skip.OUT_OF_BUDGET and other.plan is not None)
    if late:
        told.append(f"{ours}: {late} {'plan' if late == 1 else 'plans'} not tried, {OUT_OF_BUDGET}")
    spent = ", ".join(f"{PHASES[part.phase]} {fmt.time(part.ns)}" for part in found.spent)
    return [*told, f"{ours}: {spent}, of {fmt.time(found.budget_ns)}"]


def _interval(ratio: Ratio) -> Interval:
    return Interval(ratio.value, ratio.low, ratio.high)


def _allowed(limit: float) -> str:
    return f"drift up to {limit:.1e}" if limit else SAME


def _said(error: CyclescopeError) -> str:
    return str(error.summary)
