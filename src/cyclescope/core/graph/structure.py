"""Finds stages and layers in the tree of module calls, without knowing any architecture.

What repeats is the stack of layers: sibling calls of the numbered members of one container, or of one module again and
again (ALBERT). What the model runs before its first stack is the embedding, what follows its last is the head. Nothing
here is a list of model names; only the words of the stages are chosen here.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from cyclescope.core.graph.frame import Frame

TOKENIZE, EMBED, ENCODE, DECODE, HEAD, READ_OUT = "tokenize", "embed", "encode", "decode", "head", "read out"
PREPARE, SAMPLE = "prepare", "sample"  # what a generation does before its first forward pass, and after each
RECEIVE = "receive"  # a rank waits for what another stage of a pipeline sends
WHOLE = "model"  # a model in which nothing repeats

# A stack must hold this share of the model's work; smaller repetitions (two dense layers of a head) are not layers.
_LEAST_SHARE = 0.05
# Where one call of several does more than this share of their work, they are steps of a pipeline around a model.
_MOST_IN_ONE = 0.9
_NUMBERED = re.compile(r"^(?:(?P<container>.*)\.)?(?P<number>\d+)$")


@dataclass(frozen=True, slots=True)
class LayerStack:
    """Layers that follow each other: the frames of their calls, and the container's path."""

    container: str
    calls: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StackSpan:
    """Operations `begin` … `end` − 1 belong to the stack whose stage is `stage`, inside the model's call `root`."""

    begin: int
    end: int
    stage: str
    root: int = 0


def find_stacks(frames: Sequence[Frame], weight: Sequence[int], *, stepwise: bool = False) -> list[LayerStack]:
    """The outermost repeated groups of calls, in order of time, each with at least 5 % of the work of its model call.

    `weight` [frames] is the work inside each frame. A group is the calls under one parent frame whose module paths are
    `container.0`, `container.1`, … or one path several times. A single numbered call counts too (a model of one layer).
    `stepwise`: what the cycle itself calls again and again are steps of the model (inside a wrapper it has a path), no layers.
    """
    groups: dict[tuple[int, str], list[int]] = {}
    for k, frame in enumerate(frames):
        if k == 0 or not frame.module or (stepwise and frame.parent == 0):
            continue
        numbered = _NUMBERED.match(frame.module)
        groups.setdefault((frame.parent, (numbered["container"] or "") if numbered else frame.module), []).append(k)
    roots = _roots(frames)
    accepted = [
        LayerStack(container, tuple(calls))
        for (_, container), calls in groups.items()
        if (len(calls) > 1 or _NUMBERED.match(frames[calls[0]].module))
        and (work := sum(weight[k] for k in calls)) >= _LEAST_SHARE * weight[roots[calls[0]]]
        and (len(calls) == 1 or max(weight[k] for k in calls) <= _MOST_IN_ONE * work)
    ]
    inside = {k for stack in accepted for k in stack.calls}

    def enclosed(k: int) -> bool:
        parent = frames[k].parent
        while parent > 0:
            if parent in inside:
                return True
            parent = frames[parent].parent
        return False

    return sorted((s for s in accepted if not enclosed(s.calls[0])), key=lambda stack: stack.calls[0])


def _roots(frames: Sequence[Frame]) -> list[int]:
    """For each frame the outermost one that it lies in: a child of the whole cycle, or the cycle itself."""
    roots = [0] * len(frames)
    for k in range(1, len(frames)):
        roots[k] = k if frames[k].parent == 0 else roots[frames[k].parent]
    return roots


def assign_stages(
    frames: Sequence[Frame], weight: Sequence[int], *, generates: bool = False, stepwise: bool = False
) -> list[Frame]:
    """Every frame with its stage and layer. Stages that are set already are kept; a spanning frame's stays empty.

    `generates`: a single stack is a decoder whatever it is called. `stepwise`: the cycle writes token by token, so each
    call of the model that runs the last stack is a step.
    """
    result = list(frames)
    stacks = find_stacks(frames, weight, stepwise=stepwise)
    layers: dict[int, tuple[str, int]] = {}
    for stack, stage in zip(stacks, _name_stacks([stack.container for stack in stacks], generates), strict=True):
        for number, k in enumerate(stack.calls):
            layers[k] = (stage, number)
    holds: dict[int, list[int]] = {}  # frame -> the stacks somewhere inside it
    for s, stack in enumerate(stacks):
        parent = frames[stack.calls[0]].parent
        while parent >= 0:
            holds.setdefault(parent, []).append(s)
            parent = frames[parent].parent
    if stepwise and stacks:
        _count_steps(result, [k for k in holds if frames[k].parent == 0 and _writes(stacks, holds[k])])
    for k in range(1, len(frames)):
        frame = result[k]
        if frame.stage or (k in holds and k not in layers):
            continue
        above = result[frame.parent]
        if k in layers:
            stage, number = layers[k]
            result[k] = replace(frame, stage=stage, layer=number)
        elif above.stage:
            result[k] = replace(frame, stage=above.stage, layer=above.layer)
        elif not stacks:
            result[k] = replace(frame, stage=WHOLE)
        else:
            result[k] = replace(frame, stage=_beside(frame, frames, stacks, layers, holds.get(frame.parent, [])))
    return result


def _writes(stacks: Sequence[LayerStack], held: Sequence[int]) -> bool:
    """Whether one of the stacks `held` is the one that the cycle ends with, which writes the tokens."""
    return any(stacks[s].container == stacks[-1].container for s in held)


def _count_steps(frames: list[Frame], calls: Sequence[int]) -> None:
    """Number the model calls `calls` and all that lies in them."""
    roots = _roots(frames)
    number = {k: step for step, k in enumerate(sorted(calls))}
    for k, root in enumerate(roots):
        if root in number:
            frames[k] = replace(frames[k], step=number[root])


def _beside(
    frame: Frame,
    frames: Sequence[Frame],
    stacks: Sequence[LayerStack],
    layers: dict[int, tuple[str, int]],
    held: Sequence[int],
) -> str:
    """Stage of a call that stands beside the stacks `held` by the same parent, not inside one.

    Before a stack it prepares it: embedding (a decoder has one too). After the last stack of all it is the head; after
    another it finishes that one (the final norm of an encoder that a decoder follows).
    """
    for s in held or range(len(stacks)):
        if frame.end_op <= frames[stacks[s].calls[0]].first_op:
            return EMBED
        if frame.first_op < frames[stacks[s].calls[-1]].end_op:
            return layers[stacks[s].calls[0]][0]
    last = held[-1] if held else len(stacks) - 1
    return HEAD if stacks[last].container == stacks[-1].container else layers[stacks[last].calls[0]][0]


def stack_spans(frames: Sequence[Frame]) -> tuple[StackSpan, ...]:
    """The stacks of frames that have their stages, as ranges of operations in order of time."""
    spans: list[StackSpan] = []
    roots = _roots(frames)
    for k, frame in enumerate(frames):
        if frame.layer is None or (k and frames[frame.parent].layer is not None):
            continue
        if spans and (spans[-1].stage, spans[-1].root) == (frame.stage, roots[k]):
            spans[-1] = replace(spans[-1], end=frame.end_op)
        else:
            spans.append(StackSpan(frame.first_op, frame.end_op, frame.stage, roots[k]))
    return tuple(spans)


def unassigned_stage(op: int, spans: Sequence[StackSpan]) -> str:
    """Stage of whatever stands directly in a frame that spans stages, just before operation `op`.

    `spans` are those of the model call that it stands in.
    """
    if not spans:
        return WHOLE
    if op < spans[0].begin:
        return EMBED
    at = bisect_right(spans, op, key=lambda span: span.end)
    return spans[at].stage if at < len(spans) else HEAD


@dataclass(frozen=True, eq=False)
class UnassignedRegion:
    """Where things stand that lie in no frame with a stage of its own: by what the same model call runs before and after."""

    spans: tuple[StackSpan, ...]
    roots: tuple[int, ...]
    step_begins: tuple[int, ...]
    steps: tuple[int, ...]
    of_root: Mapping[int, tuple[StackSpan, ...]]

    @staticmethod
    def of(frames: Sequence[Frame]) -> UnassignedRegion:
        calls = [f for f in frames if f.parent == 0 and f.step >= 0]
        begins, steps = tuple(f.first_op for f in calls), tuple(f.step for f in calls)
        spans = stack_spans(frames)
        of_root: dict[int, tuple[StackSpan, ...]] = {}
        for root, own in groupby(spans, lambda span: span.root):
            of_root[root] = (*of_root.get(root, ()), *own)
        return UnassignedRegion(spans, tuple(_roots(frames)), begins, steps, of_root)

    def stage(self, frame: int, op: int) -> str:
        """Stage of what stands directly in `frame`, just before operation `op`."""
        root = self.roots[frame]
        if root == 0 and self.step_begins:
            return PREPARE if op <= self.step_begins[0] else SAMPLE
        inside = self.spans if root == 0 else self.of_root.get(root, self.spans)
        return unassigned_stage(op, inside)

    def step(self, frame: Frame, op: int) -> int:
        """Step that it belongs to: what follows a forward pass, until the next one begins, is part of that step."""
        if frame.step >= 0:
            return frame.step
        before = bisect_left(self.step_begins, op)
        return self.steps[before - 1] if before else -1


def _name_stacks(containers: Sequence[str], generates: bool) -> list[str]:
    """`encode`, or `decode` where the model itself speaks of a decoder or has a single stack and writes text.

    Numbered where several containers share a name.
    """
    distinct = list(dict.fromkeys(containers))
    alone = generates and len(distinct) == 1
    names = [DECODE if alone or "decoder" in c.lower() else ENCODE for c in distinct]
    numbered = {
        c: name if names.count(name) == 1 else f"{name} {names[:i].count(name) + 1}"
        for i, (c, name) in enumerate(zip(distinct, names, strict=True))
    }
    return [numbered[c] for c in containers]
