"""When each stage of a pipeline works, sends and waits: microbatches one after the other, each as soon as it arrives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import FloatArray


@dataclass(frozen=True, eq=False)
class Timetable:
    """`starts` [stages, pieces] is when each stage begins each piece of work, `waits` how long it waited for it before, and `ends`
    [stages] when it has done with everything; pieces are in the order of the lane. `whole` is when the last stage ends.
    """

    starts: FloatArray
    waits: FloatArray
    ends: FloatArray

    @property
    def whole(self) -> float:
        return float(self.ends.max())

    def idle(self) -> FloatArray:
        """How long each stage waits until the whole is done [stages]."""
        idle: FloatArray = self.waits.sum(axis=1) + self.whole - self.ends
        return idle


def timetable(work: FloatArray, sends: FloatArray, copies: int) -> Timetable:
    """The timetable of stages whose pieces take `work` [stages, pieces], and their messages to the next stage `sends` [stages,
    pieces], from the last stage to the first (NaN: none). Piece k is copy k % `copies` of pass k // `copies`.

    A stage is busy while it sends; a message is there when it has been sent. A pass begins at the first stage when the same
    microbatch has left the last stage of the pass before, if that sends anything. With p equal stages of time t, m copies,
    one pass and messages of time c the whole is (m + p − 2) · (t + c) + t.
    """
    stages, pieces = work.shape
    starts, waits = np.zeros((stages, pieces)), np.zeros((stages, pieces))
    free = [0.0] * stages
    sent = np.zeros((stages, pieces))
    rows, messages = work.tolist(), sends.tolist()
    for k in range(pieces):
        for s in range(stages):
            before = messages[s - 1][k] if s else (messages[-1][k - copies] if k >= copies else np.nan)
            arrival = (sent[s - 1, k] if s else sent[-1, k - copies]) if before == before else 0.0
            start = max(free[s], arrival)
            starts[s, k], waits[s, k] = start, start - free[s]
            own = messages[s][k]
            free[s] = start + rows[s][k] + (own if own == own else 0.0)
            sent[s, k] = free[s]
    return Timetable(starts, waits, np.asarray(free))


def bubble(stages: int, microbatches: int) -> float:
    """The share of their time that equal stages wait, (p − 1) ÷ (m + p − 1) (Huang et al., GPipe, 2019)."""
    return (stages - 1) / (microbatches + stages - 1)
