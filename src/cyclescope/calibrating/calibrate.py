"""`calibrate`: what this machine can do at best under an engine, measured, kept and found again by `measure`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime

from cyclescope.backends.probing import Probes
from cyclescope.backends.registry import keeping, open_probes
from cyclescope.calibrating.estimate import noise_floor
from cyclescope.calibrating.memory import bandwidth_ceilings, bandwidth_probes, find_caches
from cyclescope.calibrating.overheads import calls
from cyclescope.calibrating.probe_plan import ProbePlan, probe_plan
from cyclescope.calibrating.products import scout
from cyclescope.calibrating.rounds import in_turn, same_against_same
from cyclescope.core.ceilings import Ceilings, Figure, Origin
from cyclescope.core.clock import Clock, SystemClock
from cyclescope.core.errors import OutputError
from cyclescope.core.progress import Notify, silent, with_time_left
from cyclescope.core.units import Nanoseconds
from cyclescope.machines.fingerprint import fingerprint
from cyclescope.store.calibration_file import keep as keep_file

_SCOUTING = 0.4  # of the time for products, memory and overheads, to find the shapes that run best


def calibrate(
    *,
    quick: bool = False,
    device: str = "cpu",
    threads: Sequence[int] = (),
    keep: bool = True,
    progress: Notify = silent,
) -> Ceilings:
    """Measure what this machine reaches at best: matrix products, memory, overheads and its noise.

    Takes a minute and a half, `quick` a tenth of that. `threads` are the numbers of threads to probe; 1, 2, 4, … and all
    cores unless given. With `keep` the result is kept for this user, and `measure` puts it into every cycle that it
    takes on the same machine. Threads that were set are put back. Interrupted by Ctrl-C, it keeps nothing.

    What cannot be kept (a home that is read-only) is a warning. Raises `UsageError`, `MissingExtra`, `Unsupported` and
    `EngineError`.
    """
    progress("load", 0.0)
    probe_plan(1, threads)  # numbers that cannot be are refused before seconds of imports
    with keeping():
        probes = open_probes(device)
        try:
            on_device = probes.machine.device != "cpu"
            wanted = probe_plan(probes.machine.cores, threads, quick=quick, on_device=on_device)
            ceilings = calibrate_probes(probes, wanted, progress=progress)
        finally:
            probes.close()
    if keep:
        try:
            keep_file(ceilings)
        except OutputError as error:
            warnings.warn(str(error), stacklevel=2)  # what was measured is worth more than that it is kept
    return ceilings


def calibrate_probes(
    probes: Probes, wanted: ProbePlan, clock: Clock | None = None, progress: Notify = silent
) -> Ceilings:
    """What open `probes` show within the budgets of `wanted`. The clock only decides when to stop."""
    clock = clock or SystemClock()
    machine = probes.machine
    begin = clock.now_ns()
    progress = with_time_left(progress, clock.now_ns, begin + wanted.products_ns + wanted.noise_ns)
    caches = find_caches(probes, wanted.threads[0])
    scouted_ns = begin + int(_SCOUTING * wanted.products_ns)
    found = scout(probes, caches, wanted, progress, lambda: clock.now_ns() < scouted_ns)
    moving = bandwidth_probes(probes, caches, wanted.threads, machine.memory_bytes)
    calling = calls(probes)
    pieces = [*(p.piece for p in found.products), *(t.piece for t in moving), *calling.pieces]
    in_turn(pieces, clock, wanted.products_ns - (clock.now_ns() - begin), "measure", progress)
    noise = noise_of(probes, clock, wanted.threads[-1], wanted.noise_ns, progress)
    progress("done", 1.0)
    return Ceilings(
        origin=Origin.MEASURED,
        machine=machine.processor,
        engine=probes.engine,
        taken_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        products=(*(product.ceiling() for product in found.products), *found.emulated),
        bandwidths=bandwidth_ceilings(moving),
        overheads=calling.overheads(),
        noise=noise,
        fingerprint=fingerprint(machine, probes.engine),
    )


def noise_of(probes: Probes, clock: Clock, threads: int, budget_ns: Nanoseconds, progress: Notify = silent) -> Figure:
    """The noise floor: a small model against itself, in turn."""
    a_ns, b_ns = same_against_same(probes.cycle(threads), clock, budget_ns, progress)
    return noise_floor(a_ns, b_ns, "A/A of a small model")


def noise_here(budget_ns: Nanoseconds, device: str = "cpu", progress: Notify = silent) -> Figure:
    """The noise floor alone, in a short trial on all cores. Raises like `calibrate`."""
    with keeping(), closing(open_probes(device)) as probes:
        threads = 0 if probes.machine.device != "cpu" else probes.machine.cores
        return noise_of(probes, SystemClock(), threads, budget_ns, progress)
