"""What a trace tells of the model, of what was asked of it, of how it was run and of what it ran on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.lanes import EventKind, LaneSamples
from cyclescope.core.machine import Machine
from cyclescope.core.plan import REFERENCE_ENGINE, Plan
from cyclescope.core.units import IntArray
from cyclescope.core.workload import InputSource, InputUnit, ModelFacts, Weights, Workload
from cyclescope.importing.structure.calls import class_of
from cyclescope.importing.structure.costs import DTYPES
from cyclescope.importing.structure.labels import record_of
from cyclescope.machines.catalog import find_machine

OF_THE_REFERENCE = (
    "kineto",
    "chakra",
)  # formats that the reference engine writes; others are called by what writes them
_PRODUCTS = frozenset(("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "aten::linear", "aten::matmul"))
_FUSED = re.compile(r"scaled_dot_product|flash|efficient_attention|unified_attention|fmha")
UNKNOWN = "unknown"


def workload_of(events: LaneSamples, ops: IntArray, graph: Graph, name: str) -> Workload:
    """The model is called by the outermost module, or by `name`; a first embedding tells the batch and the length."""
    classes = {class_of(events.names[k]) for k in np.unique(events.name[events.kind == EventKind.MODULE]).tolist()}
    roots = [frame for frame in graph.frames if frame.parent == 0 and frame.class_name in classes]
    root = max(roots, key=lambda frame: frame.end_op - frame.first_op, default=None)
    own = root.class_name if root is not None and 2 * (root.end_op - root.first_op) >= len(graph) else ""
    found = own or name
    batch, tokens = input_shape(events, ops)
    unit = InputUnit.TOKENS if batch else InputUnit.UNKNOWN
    facts = ModelFacts(found, own, "", 0, 0, Weights.GIVEN, "", source=name)
    return Workload(facts, UNKNOWN, InputSource.RECORDED, batch, tokens, batch * tokens, 0, 0, unit=unit)


def input_shape(events: LaneSamples, ops: IntArray) -> tuple[int, int]:
    """Sequences and length of what the first embedding among `ops` reads; 0 where no shape is there."""
    lookups = [k for k, name in enumerate(events.names) if name == "aten::embedding"]
    for i in ops[np.isin(events.name[ops], lookups) & (events.detail[ops] >= 0)].tolist():
        dims: Any = record_of(events, int(events.detail[i])).get("Input Dims")
        try:
            sides = [int(side) for side in dims[1]]
        except (TypeError, IndexError, ValueError):
            continue
        if len(sides) == 2:
            return sides[0], sides[1]
        if len(sides) == 1:
            return 1, sides[0]
    return 0, 0


def plan_of(events: LaneSamples, graph: Graph) -> Plan:
    """How it was run, as far as a trace shows it."""
    fused = any(_FUSED.search(name) for name in set(graph.names))
    device = any(lane.device for lane in events.lanes)
    return Plan(
        engine=REFERENCE_ENGINE if events.format in OF_THE_REFERENCE else events.format,
        device="accelerator" if device else "cpu",
        threads=0,
        dtype=_dtype(events),
        attention="sdpa" if fused else UNKNOWN,
    )


def _dtype(events: LaneSamples) -> str:
    """The type of most matrix products."""
    products = [k for k, name in enumerate(events.names) if name in _PRODUCTS]
    rows = np.flatnonzero(np.isin(events.name, products) & (events.detail >= 0))
    details, counts = np.unique(events.detail[rows], return_counts=True)
    found: Counter[str] = Counter()
    for detail, count in zip(details.tolist(), counts.tolist(), strict=True):
        types = record_of(events, detail).get("Input type")
        known = [DTYPES[t] for t in types if isinstance(t, str) and t in DTYPES] if isinstance(types, list) else []
        if known:
            found[known[0]] += count
    return found.most_common(1)[0][0] if found else UNKNOWN


def machine_of(events: LaneSamples, properties: Mapping[str, str]) -> Machine:
    """The device that the trace names, with what its maker states; the host that it ran beside is unknown."""
    named = [value for key, value in sorted(properties.items()) if key.startswith(("device ", "gpu")) and value]
    device = any(lane.device for lane in events.lanes)
    processor = named[0] if named and device else UNKNOWN
    versions = tuple((key, value) for key, value in sorted(properties.items()) if "version" in key)
    return Machine(
        processor=processor,
        cores=0,
        memory_bytes=0,
        system="",
        python="",
        device="accelerator" if device else "cpu",
        packages=versions,
        ceilings=find_machine(processor) if named and device else None,
    )
