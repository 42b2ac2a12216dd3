"""The steps of a generation among its spans: where each begins, and which of them are drawn with all that is inside.

A generation has tens of thousands of spans. Leaving out the shortest would thin every step alike until none can be
read, so whole steps are kept instead, spread evenly, and of the others the call of the model alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cyclescope.explaining.explanation import Span
from cyclescope.report.drawings.spans import VisibleSpans, choose

# Drawn whole whatever they take: the prefill, the first decode step, the last, and one between. If they are too many
# spans, the shortest of those are left out.
_LEAST_WHOLE = 4
# A list of steps with more pieces than this is cut.
_MOST_RANGES = 12


def step_frames(spans: Sequence[Span]) -> dict[int, int]:
    """Positions in `spans` of the calls of the model that are steps, each with the number of its step, in order of time."""
    return {i: span.step for i, span in enumerate(spans) if span.depth == 1 and span.kind == "frame" and span.step >= 0}


def choose_steps(spans: Sequence[Span], most: int) -> VisibleSpans:
    """About `most` spans, with as many whole steps among them as fit; of a cycle without steps the longest spans."""
    spans = tuple(spans)  # made once: they are compared by identity below
    calls = step_frames(spans)
    if not calls:
        return choose(spans, most)
    inside = _insides(spans, calls)
    count = len(spans) - sum(len(range_) for range_ in inside.values())
    whole: list[int] = []
    for step in spread(sorted(inside)):
        if len(whole) >= _LEAST_WHOLE and count + len(inside[step]) > most:
            break
        whole.append(step)
        count += len(inside[step])
    folded = {i for step, range_ in inside.items() if step not in whole for i in range_}
    kept = [i for i in range(len(spans)) if i not in folded]
    # Frames-only steps may by now be more than fits, in a generation of thousands of tokens.
    shown = choose(tuple(spans[i] for i in kept), most)
    step_of = {id(spans[i]): step for i, step in calls.items()}
    steps = tuple((at, step_of[id(span)]) for at, span in enumerate(shown.spans) if id(span) in step_of)
    return replace(shown, steps=steps, whole=tuple(sorted(whole)), all_steps=len(calls))


def spread(steps: Sequence[int]) -> list[int]:
    """`steps` in an order of which every beginning is spread evenly: both ends first, then halves, quarters, …

    The first of all is the prefill, which is like no other, so the ends are its successor and the last.
    """
    if len(steps) < 3:
        return list(steps)
    order = [steps[0], steps[1], steps[-1]]
    gaps = deque([(1, len(steps) - 1)])
    while gaps:
        low, high = gaps.popleft()
        middle = (low + high) // 2
        if low < middle < high:
            order.append(steps[middle])
            gaps.extend(((low, middle), (middle, high)))
    return list(dict.fromkeys(order))


def ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbours of the ascending `numbers` gathered, as first and last of each run; at most a dozen runs."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs[:_MOST_RANGES]


def _insides(spans: Sequence[Span], calls: Mapping[int, int]) -> dict[int, range]:
    """For each step the positions after its call that belong to it: what is in the call, and what chooses a token after it."""
    inside = {}
    for call, step in calls.items():
        end = call + 1
        while end < len(spans) and spans[end].step == step:
            end += 1
        inside[step] = range(call + 1, end)
    return inside
