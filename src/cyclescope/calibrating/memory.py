"""The memory by level: read and updated by each number of threads; the faster of both is the ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.backends.probing import Access, Probes
from cyclescope.calibrating.estimate import rate
from cyclescope.calibrating.probe_plan import WorkingSet, working_sets
from cyclescope.calibrating.rounds import TimedBlock
from cyclescope.calibrating.sweep import SWEPT_BYTES, caches_from
from cyclescope.core.ceilings import BandwidthCeiling
from cyclescope.core.units import NS_PER_S
from cyclescope.machines.caches import CacheLevel

_SWEEP_LOOKS = 3  # of each size, the best of which counts


@dataclass(frozen=True, eq=False)
class BandwidthProbe:
    """One way to use one working set."""

    place: WorkingSet
    threads: int
    moved_bytes: int
    what: str
    piece: TimedBlock


def bandwidth_probes(
    probes: Probes, caches: Sequence[CacheLevel], threads: Sequence[int], memory_bytes: int
) -> tuple[BandwidthProbe, ...]:
    """Every level on every number of threads, read and, where that can be timed, updated."""
    found = []
    for count in threads:
        for place in working_sets(caches, count, memory_bytes):
            for access in Access:
                probe = probes.memory(access, place.size, count, private=place.private)
                if probe is not None:
                    found.append(BandwidthProbe(place, count, probe.moved_bytes, probe.what, TimedBlock(probe.timer)))
    return tuple(found)


def bandwidth_ceilings(seen: Sequence[BandwidthProbe]) -> tuple[BandwidthCeiling, ...]:
    """The better access of each level and number of threads."""
    best: dict[tuple[str, int], BandwidthCeiling] = {}
    for one in seen:
        name = one.place.name
        figure = rate(one.piece.samples_ns, one.moved_bytes, f"{one.what} over {one.place.size} bytes")
        known = best.get((name, one.threads))
        if known is None or known.bytes_per_s.value < figure.value:
            best[name, one.threads] = BandwidthCeiling(name, one.place.capacity_bytes, one.threads, figure)
    return tuple(best.values())


def find_caches(probes: Probes, threads: int) -> tuple[CacheLevel, ...]:
    """The caches that the machine tells of, else those that a sweep over growing working sets shows."""
    reported = probes.caches
    if reported:
        return reported
    rates = []
    for size in SWEPT_BYTES:
        probe = probes.memory(Access.READ, size, threads, private=True)
        if probe is None:
            return ()
        piece = TimedBlock(probe.timer)
        for _ in range(_SWEEP_LOOKS):
            piece.sample()
        rates.append(probe.moved_bytes * NS_PER_S / min(piece.samples_ns))
    return caches_from(SWEPT_BYTES, rates)
