"""Operations: what the model asks of the engine, one call at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OpKind(StrEnum):
    """What sort of work an operation is; the sorts that a reader of a report tells apart."""

    MATMUL = "matmul"
    ATTENTION = "attention"
    CONVOLUTION = "convolution"
    SOFTMAX = "softmax"
    NORM = "norm"
    ACTIVATION = "activation"
    ELEMENTWISE = "elementwise"
    REDUCTION = "reduction"
    EMBEDDING = "embedding"
    COPY = "copy"
    VIEW = "view"
    FFT = "fft"
    SCAN = "scan"
    TEXT = "text"
    OTHER = "other"
    COLLECTIVE = "collective"


@dataclass(frozen=True, slots=True)
class Cost:
    """Work of one operation.

    `flops` counts matrix products and convolutions, two per multiply-add, as the field counts model FLOPs;
    `elementwise_flops` counts the arithmetic of everything else by the conventions in `cyclescope.cost.pointwise`.
    Bytes are those that must cross the memory interface if nothing is cached: inputs once, outputs once.
    """

    flops: int = 0
    elementwise_flops: int = 0
    read_bytes: int = 0
    written_bytes: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.flops + other.flops,
            self.elementwise_flops + other.elementwise_flops,
            self.read_bytes + other.read_bytes,
            self.written_bytes + other.written_bytes,
        )


@dataclass(frozen=True, slots=True)
class OpLocation:
    """Where an operation stands: stage of the cycle, layer within it (or None), module path ('' is the model)."""

    stage: str
    layer: int | None
    module: str

    def __str__(self) -> str:
        layer = "" if self.layer is None else f" {self.layer}"
        return f"{self.stage}{layer}" + (f" · {self.module}" if self.module else "")


@dataclass(frozen=True, slots=True)
class Op:
    """A typed view of one row of a graph."""

    index: int
    name: str
    kind: OpKind
    site: OpLocation
    cost: Cost
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
