"""Calls of modules: the tree that says where an operation stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """One call of one module: operations `first_op` … `end_op` − 1 ran inside it.

    Frames are listed in order of entry, so a parent stands before its children. `stage` is empty where a frame spans
    several stages. `timed` frames get timestamps at entry and exit in the instrumented runs; a frame that holds exactly one
    operation and nothing else gets none, since its operation does. `step` counts the calls of a model that writes token
    by token: 0 is the prefill, k the k-th decode step, −1 anything else.
    """

    module: str
    class_name: str
    parent: int
    first_op: int
    end_op: int
    stage: str
    layer: int | None
    timed: bool
    step: int = -1
