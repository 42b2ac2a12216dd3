"""What an eager engine takes around its operations: Python that calls modules, counted by the stamps a slot stands between."""

from __future__ import annotations

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.structure import PREPARE, READ_OUT, RECEIVE, SAMPLE, TOKENIZE
from cyclescope.core.units import FloatArray

_NO_MODULE = (TOKENIZE, PREPARE, RECEIVE, SAMPLE, READ_OUT)  # stages whose frames are no calls of modules


def module_calls(graph: Graph) -> FloatArray:
    """How many calls of modules pass in each slot [slots]; all slots together have those of the whole cycle.

    A stamp of a frame lies in the middle of what entering or leaving its module takes, so that each of the two slots
    beside it holds a quarter of that call. A frame without stamps holds one operation: half of its call passes in the slot
    before the operation and half in the one behind it. Inside operations nothing of it passes.
    """
    slots = graph.slots
    calls = slots.frame_stamps / 4.0
    inner = {frame.parent for frame in graph.frames}
    leaf = np.asarray(
        [
            k > 0 and not f.timed and k not in inner and f.end_op - f.first_op == 1 and f.stage not in _NO_MODULE
            for k, f in enumerate(graph.frames)
        ]
    )
    own = slots.of_op[leaf[graph.op_frame]] if len(graph) else slots.of_op
    for beside in (own - 1, own + 1):  # two operations never touch: there is a slot on each side
        np.add.at(calls, beside, 0.5)
    return calls
