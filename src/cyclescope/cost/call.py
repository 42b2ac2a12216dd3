"""One call into the engine as a value, and its estimated cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorSpec
from cyclescope.core.units import Bytes


@dataclass(frozen=True, slots=True)
class EngineCall:
    """One ATen call.

    `name` has the namespace and no overload (`aten.addmm`). `reads` are the tensor arguments in the order of the schema,
    lists flattened and absent ones left out; a tensor that is written in place is among them, an `out=` is not.
    `writes` are the tensors that hold the result. `arguments` are the other arguments by their name in the schema.
    `is_view`: the result only aliases an input.

    `footprints` are the bytes of memory behind each of `reads`, for callers that know the strides: an expanded tensor has
    less memory than its shape says, and a tensor that is read a second time has none left to read (0). Empty: as the
    shapes say. `nonzeros` are the elements that each sparse one of `reads` keeps, −1 for a dense one (empty: all are dense),
    `lengths` those of the parts of the first read where it is nested: parts of different lengths, one after the other.
    """

    name: str
    reads: tuple[TensorSpec, ...] = ()
    writes: tuple[TensorSpec, ...] = ()
    arguments: Mapping[str, object] = field(default_factory=dict)
    is_view: bool = False
    footprints: tuple[Bytes, ...] = ()
    nonzeros: tuple[int, ...] = ()
    lengths: tuple[int, ...] = ()

    def sparse(self, index: int) -> int:
        """The elements that read `index` keeps where it is sparse; −1 where it is dense."""
        return self.nonzeros[index] if index < len(self.nonzeros) else -1

    def read_bytes(self, index: int) -> Bytes:
        """Bytes of read `index`; 0 where there is no such read, so that an optional argument needs no question."""
        if index >= len(self.reads):
            return 0
        by_shape = self.reads[index].bytes
        return min(by_shape, self.footprints[index]) if index < len(self.footprints) else by_shape

    @property
    def all_read_bytes(self) -> Bytes:
        return sum(self.read_bytes(i) for i in range(len(self.reads)))

    @property
    def all_written_bytes(self) -> Bytes:
        return sum(spec.bytes for spec in self.writes)

    @property
    def result(self) -> TensorSpec | None:
        """The first tensor written, or None for a call that only looks (`aten._local_scalar_dense`)."""
        return self.writes[0] if self.writes else None

    @property
    def result_elements(self) -> int:
        return self.writes[0].elements if self.writes else 0

    def integer(self, name: str, default: int) -> int:
        """A whole number among the arguments; `default` where it is absent or something else."""
        value = self.arguments.get(name, default)
        return value if isinstance(value, int) else default


@dataclass(frozen=True, slots=True)
class OpCost:
    """What sort of work a call is, and how much of it. `known` is False where nobody has described its arithmetic."""

    kind: OpKind
    cost: Cost
    known: bool = True


Formula: TypeAlias = Callable[[EngineCall], OpCost]


def moved(call: EngineCall, *, flops: int = 0, elementwise: int = 0) -> Cost:
    """The cost of a call that reads all its inputs once and writes all its results once."""
    return Cost(flops, elementwise, call.all_read_bytes, call.all_written_bytes)
