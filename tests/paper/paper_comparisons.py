"""Comparisons on paper: of each verdict one, and those that cannot have one."""

from __future__ import annotations

from dataclasses import replace

from noise import NoisyMachine, in_turns
from paper_models import paper_bert, paper_cycle, slot_times

from cyclescope.core.cycle import Cycle
from cyclescope.core.samples import Load
from cyclescope.explaining.comparison import compare

GRAPH = paper_bert(12)
BASE = paper_cycle(GRAPH)


def paired(a: Cycle, b: Cycle, factor: float) -> tuple[Cycle, Cycle]:
    uninstrumented = in_turns(NoisyMachine(0, wave=0.01, stalls=0.0), 1e7, factor * 1e7, 12)
    first, second = (
        replace(c, samples=replace(c.samples, uninstrumented=p)) for c, p in zip((a, b), uninstrumented, strict=True)
    )
    return first, second


SLOWER = compare(*paired(BASE, paper_cycle(GRAPH, slot_times(GRAPH, slow_layer=7)), 1.1))
APART = compare(BASE, paper_cycle(paper_bert(6), notes=("A note.",)))
FEW = compare(paper_cycle(GRAPH, runs=3), BASE)
LOADED = compare(BASE, replace(BASE, samples=replace(BASE.samples, load=Load(other_busy=0.7))))
WALL_ONLY = compare(BASE, paper_cycle(GRAPH, instrumented=False))
SAME = compare(*paired(BASE, replace(BASE, plan=replace(BASE.plan, threads=1)), 1.0), threshold=0.1)
DISTURBED = replace(SLOWER, noise_beyond_use=29.92)
ALL = {
    "slower": SLOWER,
    "apart": APART,
    "few": FEW,
    "loaded": LOADED,
    "wall only": WALL_ONLY,
    "same": SAME,
    "disturbed": DISTURBED,
}
