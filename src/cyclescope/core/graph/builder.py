"""Builds a graph call by call, as a tracer, a test or an importer meets them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from cyclescope.core.graph.experts import ExpertLoad
from cyclescope.core.graph.frame import Frame
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.structure import assign_stages
from cyclescope.core.graph.tensor import TensorRole, TensorSpec
from cyclescope.core.message import Text


@dataclass
class _OpenOp:
    name: str
    kind: OpKind
    frame: int
    cost: Cost
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    in_place: bool
    priced: bool


class GraphBuilder:
    """Collects operations, frames and tensors in order of time; `build` checks and freezes them."""

    def __init__(self) -> None:
        self._ops: list[_OpenOp] = []
        self._tensors: list[TensorSpec] = []
        self._frames: list[Frame] = [Frame("", "Cycle", -1, 0, 0, "", None, False)]
        self._stack: list[int] = [0]
        self._next_storage = 0

    @property
    def operations(self) -> int:
        """Number of operations so far."""
        return len(self._ops)

    def storage(self) -> int:
        """A new number for memory that no tensor lies in yet."""
        self._next_storage += 1
        return self._next_storage - 1

    def tensor(
        self,
        shape: Sequence[int],
        dtype: str = "float32",
        role: TensorRole = TensorRole.ACTIVATION,
        *,
        storage: int | None = None,
        name: str = "",
        stored_bytes: int | None = None,
    ) -> int:
        """Register a tensor and return its number; without `storage` it lies in memory of its own."""
        place = self.storage() if storage is None else storage
        self._tensors.append(TensorSpec(tuple(int(s) for s in shape), dtype, place, role, name, stored_bytes))
        return len(self._tensors) - 1

    def spec(self, tensor: int) -> TensorSpec:
        return self._tensors[tensor]

    def op(
        self,
        name: str,
        kind: OpKind,
        inputs: Sequence[int] = (),
        outputs: Sequence[int] = (),
        cost: Cost = Cost(),  # noqa: B008  frozen
        *,
        in_place: bool = False,
        priced: bool = True,
    ) -> int:
        """Append an operation inside the innermost open frame and return its number. `priced`: its cost is known."""
        self._ops.append(_OpenOp(name, kind, self._stack[-1], cost, tuple(inputs), tuple(outputs), in_place, priced))
        return len(self._ops) - 1

    def enter(self, module: str, class_name: str, *, stage: str = "") -> int:
        """Open a frame: the call of `module` begins. A `stage` given here is kept."""
        at = len(self._ops)
        self._frames.append(Frame(module, class_name, self._stack[-1], at, at, stage, None, True))
        self._stack.append(len(self._frames) - 1)
        return self._stack[-1]

    def leave(self) -> None:
        """Close the innermost frame."""
        k = self._stack.pop()
        self._frames[k] = replace(self._frames[k], end_op=len(self._ops))

    @contextmanager
    def frame(self, module: str, class_name: str, *, stage: str = "") -> Iterator[int]:
        k = self.enter(module, class_name, stage=stage)
        try:
            yield k
        finally:
            self.leave()

    def build(
        self,
        *,
        traced_on: str = "",
        notes: Sequence[Text] = (),
        generates: bool = False,
        stepwise: bool = False,
        kept: Iterable[int] = (),
        experts: Sequence[ExpertLoad] = (),
        cache_length: int | None = None,
    ) -> Graph:
        """Assign stages, decide which frames are instrumented, check and freeze.

        `generates` says that the model writes text token by token: its only stack of layers is then a decoder.
        `stepwise` says that this cycle did so: each call of the model is then a step. Of the memory `kept`, what stood
        there before the cycle is left out. `experts` and `cache_length` as in `Graph`.
        """
        if len(self._stack) != 1:
            raise ValueError(f"{len(self._stack) - 1} frames are still open")
        frames = list(self._frames)
        frames[0] = replace(frames[0], end_op=len(self._ops))
        has_child = {f.parent for f in frames}
        direct = [0] * len(frames)
        for op in self._ops:
            direct[op.frame] += 1
        # A leaf with exactly one operation is instrumented by that operation. All calls of a module are instrumented or none.
        stamped = {f.module for k, f in enumerate(frames) if k and (k in has_child or direct[k] != 1)}
        frames = [replace(f, timed=k > 0 and not f.stage and f.module in stamped) for k, f in enumerate(frames)]
        frames = assign_stages(frames, _work_of_frames(self._ops, frames), generates=generates, stepwise=stepwise)

        def column(values: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
            return np.asarray(values, dtype=np.int64)

        standing = (TensorRole.PARAMETER, TensorRole.BUFFER, TensorRole.INPUT)
        stood = {spec.storage for spec in self._tensors if spec.role in standing}
        graph = Graph(
            names=tuple(op.name for op in self._ops),
            kinds=tuple(op.kind for op in self._ops),
            op_frame=column([op.frame for op in self._ops]),
            flops=column([op.cost.flops for op in self._ops]),
            elementwise_flops=column([op.cost.elementwise_flops for op in self._ops]),
            read_bytes=column([op.cost.read_bytes for op in self._ops]),
            written_bytes=column([op.cost.written_bytes for op in self._ops]),
            in_place=column([op.in_place for op in self._ops]),
            input_offsets=column(np.cumsum([0] + [len(op.inputs) for op in self._ops]).tolist()),
            inputs=column([t for op in self._ops for t in op.inputs]),
            output_offsets=column(np.cumsum([0] + [len(op.outputs) for op in self._ops]).tolist()),
            outputs=column([t for op in self._ops for t in op.outputs]),
            tensors=tuple(self._tensors),
            frames=tuple(frames),
            traced_on=traced_on,
            notes=tuple(notes),
            kept=tuple(sorted(set(kept) - stood)),
            experts=tuple(experts),
            cache_length=cache_length,
            unpriced=tuple(i for i, op in enumerate(self._ops) if not op.priced),
        )
        graph.self_check()
        return graph


def _work_of_frames(ops: Sequence[_OpenOp], frames: Sequence[Frame]) -> list[int]:
    """Work inside each frame [frames], children included: FLOPs plus bytes, so that no kind of layer weighs nothing."""
    own = [0] * len(frames)
    for op in ops:
        cost = op.cost
        own[op.frame] += 1 + cost.flops + cost.elementwise_flops + cost.read_bytes + cost.written_bytes
    for k in range(len(frames) - 1, 0, -1):
        own[frames[k].parent] += own[k]
    return own
