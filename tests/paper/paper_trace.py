"""A trace on paper: steps of a model of two layers on two ranks, with copies, communication, a captured graph and what came before it.

In µs from the beginning of a step, of which there are `STEPS`, `STEP` apart. All figures of it are known.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cyclescope.importing.counts import Count, Defect, Reading, Source
from cyclescope.importing.details import Details
from cyclescope.importing.trace import Counters, Events, Flows, Kind, Lane, Place, Trace

STEPS, STEP = 7, 1000
HOST, COMPUTE, NETWORK = 0, 1, 2  # lanes of a rank
_US = 1000
PRODUCT = b'{"Input Dims": [[2, 8], [8, 4]], "Input type": ["float", "float"], "Concrete Inputs": ["", ""]}'
_NEVER = 10**9  # a correlation id that no launch has
# A name from a stranger.
MODULE = 'nn.Module: <script>alert("x")</script>Model_0'


def _rank(rank: int, late: int) -> list[tuple[str, Kind, int, int, int, int]]:
    """One step: name, kind, lane, begin and duration in µs, correlation (−1: none). `late`: its second layer computes longer."""
    return [
        ("ProfilerStep#1", Kind.ANNOTATION, HOST, 0, 600, -1),
        (MODULE, Kind.MODULE, HOST, 10, 400, -1),
        ("aten::copy_", Kind.OPERATION, HOST, 20, 20, -1),
        ("cudaMemcpyAsync", Kind.RUNTIME, HOST, 25, 5, 1),
        ("nn.Module: Layer_0", Kind.MODULE, HOST, 50, 100, -1),
        ("aten::mm", Kind.OPERATION, HOST, 60, 30, -1),
        ("cudaLaunchKernel", Kind.RUNTIME, HOST, 70, 10, 2),
        ("aten::silu", Kind.OPERATION, HOST, 100, 30, -1),
        ("cudaLaunchKernel", Kind.RUNTIME, HOST, 110, 10, 3),
        ("nn.Module: Layer_1", Kind.MODULE, HOST, 160, 120, -1),
        ("aten::mm", Kind.OPERATION, HOST, 170, 30, -1),
        ("cudaLaunchKernel", Kind.RUNTIME, HOST, 180, 10, 4),
        ("aten::silu", Kind.OPERATION, HOST, 210, 20, -1),
        ("cudaLaunchKernel", Kind.RUNTIME, HOST, 215, 10, 6),
        ("c10d::allreduce_", Kind.OPERATION, HOST, 240, 30, -1),
        ("cudaLaunchKernel", Kind.RUNTIME, HOST, 250, 10, 5),
        ("cudaGraphLaunch", Kind.RUNTIME, HOST, 300, 20, 7),
        ("cudaStreamSynchronize", Kind.RUNTIME, HOST, 420, 160, 99),
        ("Memcpy HtoD", Kind.COPY, COMPUTE, 40, 20, 1),
        ("sgemm", Kind.KERNEL, COMPUTE, 90, 60, 2),
        ("silu_kernel", Kind.KERNEL, COMPUTE, 150, 20, 3),
        ("sgemm", Kind.KERNEL, COMPUTE, 200, 60 + late, 4),
        ("silu_kernel", Kind.KERNEL, COMPUTE, 270 + late, 10, 6),
        ("ncclDevKernel_AllReduce", Kind.KERNEL, NETWORK, 280 + late, 140 - late, 5),
        ("graph_kernel_a", Kind.KERNEL, COMPUTE, 400, 100, 7),
        ("graph_kernel_b", Kind.KERNEL, COMPUTE, 500, 70, 7),
    ]


def paper_trace(ranks: int = 2, steps: int = STEPS) -> Trace:
    """The whole trace. Rank 1 computes 40 µs longer in its second layer; before the first step one kernel runs that nobody launched."""
    names: dict[str, int] = {}
    rows: list[tuple[int, ...]] = []
    lanes: list[Lane] = []
    for rank in range(ranks):
        lanes += [
            Lane(rank, Place.HOST, "100", "100", "thread 100 (python)", "python"),
            Lane(rank, Place.DEVICE, "0", "7", "stream 7", "python"),
            Lane(rank, Place.DEVICE, "0", "20", "stream 20", "python"),
        ]
        rows.append(_row(names, ("before_kernel", Kind.KERNEL, COMPUTE, -50, 30, _NEVER), rank, 0))
        for step in range(steps):
            for event in _rank(rank, 40 * rank):
                named = (event[0].replace("#1", f"#{step}"), *event[1:])
                rows.append(_row(names, named, rank, step))
    columns = np.asarray(sorted(rows, key=lambda row: (row[2], -row[3])), dtype=np.int64).T
    none = np.zeros(0, dtype=np.int32)
    whole = np.zeros(0, dtype=np.int64)
    events = Events(
        name=columns[0].astype(np.int32),
        kind=columns[1].astype(np.int8),
        begin_ns=columns[2],
        duration_ns=columns[3],
        lane=columns[4].astype(np.int32),
        correlation=columns[5],
        external=np.full(len(rows), -1, dtype=np.int64),
        detail=columns[6].astype(np.int32),
    )
    sources = tuple(Source(f"rank{rank}.json", rank, "", 1000, 1000, 1000, False, len(rows)) for rank in range(ranks))
    return Trace(
        format="kineto",
        names=tuple(names),
        lanes=tuple(lanes),
        details=Details((PRODUCT,)),
        events=events,
        counters=Counters(none, none, none, whole, np.zeros(0)),
        flows=Flows(none, whole, none, whole, none, whole),
        reading=Reading(sources, (Count(Defect.UNSORTED, 3), Count(Defect.NEGATIVE, 1, 0, "aten::add"))),
        properties={"device 0": "NVIDIA H100 80GB HBM3", "world_size": str(ranks)},
    )


def _row(names: dict[str, int], event: tuple[Any, ...], rank: int, step: int) -> tuple[int, ...]:
    name, kind, lane, begin, duration, correlation = event
    detail = 0 if name == "aten::mm" else -1
    own = correlation + 100 * step if 0 <= correlation < 100 else correlation
    at = (begin + 50 + step * STEP) * _US
    return (names.setdefault(name, len(names)), int(kind), at, duration * _US, 3 * rank + lane, own, detail)
