"""What Python passes between two stamps: which operation or module it comes from and which it goes to."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from cyclescope.core.graph.columns import Labels
from cyclescope.core.graph.graph import Graph
from cyclescope.core.units import FloatArray

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+")
BEGIN, END = "begin", "end"
SEPARATOR = " → "


@dataclass(frozen=True, eq=False)
class Passages:
    """Every slot of a graph by what lies at its two ends.

    `label` [slots] is "what was left → what is entered": the name of an operation, `>Class` for a module that is
    entered, `<Class` for one that is left, the class without the name of its model; '' for slots of operations.
    `entered` and `left` [slots] count the modules at its ends, those without stamps included.
    """

    label: Labels[str]
    entered: FloatArray
    left: FloatArray


def passages(graph: Graph) -> Passages:
    """The passages of `graph`."""
    slots, frames = graph.slots, graph.frames
    generic = _generic([frame.class_name for frame in frames])
    parents = [frame.parent for frame in frames]
    alone = [not frame.timed and k > 0 and frame.end_op - frame.first_op == 1 for k, frame in enumerate(frames)]
    op, frame_of = slots.op.tolist(), slots.frame.tolist()
    op_frame = graph.op_frame.tolist()
    labels: list[str] = []
    entered, left = np.zeros(len(slots)), np.zeros(len(slots))
    last = len(slots) - 1
    for s in range(len(slots)):
        if op[s] >= 0:
            labels.append("")
            continue
        here = frame_of[s]
        if s == 0:
            before = BEGIN
        elif op[s - 1] >= 0:
            before = graph.names[op[s - 1]]
            left[s] += alone[op_frame[op[s - 1]]]
        elif parents[here] == frame_of[s - 1]:
            before = f">{generic[here]}"
            entered[s] += 1
        else:
            before = f"<{generic[frame_of[s - 1]]}"
            left[s] += 1
        if s == last:
            after = END
        elif op[s + 1] >= 0:
            after = graph.names[op[s + 1]]
            entered[s] += alone[op_frame[op[s + 1]]]
        elif parents[frame_of[s + 1]] == here:
            after = f">{generic[frame_of[s + 1]]}"
            entered[s] += 1
        else:
            after = f"<{generic[here]}"
            left[s] += 1
        labels.append(f"{before}{SEPARATOR}{after}")
    return Passages(Labels.of(labels), entered, left)


def _generic(classes: list[str]) -> list[str]:
    """Names of classes without what all of a model's own have in common: `LlamaAttention` is `Attention`."""
    prefix = _family([name for name in dict.fromkeys(classes) if name])
    return [name.removeprefix(prefix) or name for name in classes]


def _family(names: list[str]) -> str:
    """The longest beginning, whole words of it, that at least two of `names` and more than any other have in common."""
    counts: dict[str, int] = {}
    for name in names:
        words = _WORD.findall(name)
        for end in range(1, len(words)):
            beginning = "".join(words[:end])
            if name.startswith(beginning):
                counts[beginning] = counts.get(beginning, 0) + 1
    counts = {beginning: count for beginning, count in counts.items() if count > 1}
    if not counts:
        return ""
    most = max(counts.values())
    return max((beginning for beginning, count in counts.items() if count == most), key=len)
