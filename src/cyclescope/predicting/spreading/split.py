"""How a graph is split among the ranks of tensor parallelism: derived from what flows where, never from names of modules.

Every product with a weight is tried by columns. Its result is then split along its last dimension, and so is what follows
from it, operation by operation, until a product whose contracted dimension is the split one takes its weight by
rows: its result is a sum over ranks, and an all-reduce completes it (Shoeybi et al., Megatron-LM, 2019). A weight whose
columns do not end so stays whole on every rank, together with those that its results met on the way. A large product behind
all layers is split by columns all the same, and an all-gather completes it: the head of a language model.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.units import BoolArray
from cyclescope.predicting.spreading.rules import NOWHERE, Dims, keeps_sums, leads_to

_MOST_ROUNDS = 40  # each sets at least one weight aside; a model needs two to four


@dataclass(frozen=True, eq=False)
class Split:
    """What is split. `dims` is the dimension of every tensor that is; `slices` are operands that lie whole on every rank and of
    which an operation reads its share, by (operation, tensor), with the dimension. `sums` are tensors that an all-reduce
    completes and `gathers` those that an all-gather does, by the operation behind which it stands. `sizes` are those that the number
    of ranks must divide. `whole` counts the products with weights that stay whole on every rank, with their FLOPs.
    """

    dims: Mapping[int, int]
    slices: Mapping[tuple[int, int], int]
    sums: Mapping[int, int]
    gathers: Mapping[int, int]
    sizes: frozenset[int]
    products: int
    whole: int
    split_flops: int

    @property
    def most(self) -> int:
        """The largest number of ranks that divides everything."""
        return math.gcd(*self.sizes) if self.sizes else 1

    @property
    def degrees(self) -> tuple[int, ...]:
        """All numbers of ranks that are possible, 1 included."""
        return tuple(n for n in range(1, self.most + 1) if self.most % n == 0)


@dataclass
class _Round:
    """One pass over the operations with the weights `aside` whole and those in `gathered` by columns whatever follows."""

    graph: Graph
    aside: frozenset[int]
    gathered: frozenset[int]
    end: int  # operations that are looked at
    dims: dict[int, Dims] = field(default_factory=dict)
    of: dict[int, frozenset[int]] = field(default_factory=dict)  # the weights that a split tensor comes from
    partial: dict[int, frozenset[int]] = field(default_factory=dict)
    slices: dict[tuple[int, int], int] = field(default_factory=dict)
    sums: dict[int, int] = field(default_factory=dict)
    gathers: dict[int, int] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    conflicts: set[int] = field(default_factory=set)  # weights that are split one way here and another way there
    closed: set[int] = field(default_factory=set)
    columns: dict[int, int] = field(default_factory=dict)  # weight by the first product that it is split by columns in
    rows: set[int] = field(default_factory=set)
    weighed: set[int] = field(default_factory=set)
    split: set[int] = field(default_factory=set)  # operations that ranks share
    writer: dict[int, int] = field(default_factory=dict)
    roles: list[TensorRole] = field(default_factory=list)
    parameters: frozenset[int] = frozenset()
    uses: Mapping[int, int] = field(default_factory=dict)
    tried: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    of_storage: dict[int, list[int]] = field(default_factory=dict)

    def run(self) -> None:
        graph = self.graph
        self.roles = [spec.role for spec in graph.tensors]
        self.parameters = frozenset(spec.storage for spec in graph.tensors if spec.role is TensorRole.PARAMETER)
        for t, spec in enumerate(graph.tensors):
            if spec.storage in self.parameters:
                self.of_storage.setdefault(spec.storage, []).append(t)
        reads, writes = graph.operands
        self.uses = Counter(chain.from_iterable(read for read, written in zip(reads, writes, strict=True) if written))
        # Where there are layers, pairs are looked for in them: what stands around them would only lead astray.
        layer = graph.op_layer
        self.tried = layer >= 0 if (layer >= 0).any() else np.ones(len(graph), dtype=bool)
        for i in range(self.end):
            self._operation(i, reads[i], writes[i])
        self._reduce(list(self.partial))

    def _operation(self, i: int, reads: tuple[int, ...], writes: tuple[int, ...]) -> None:
        kind = self.graph.kinds[i]
        if any(t in self.partial for t in reads):
            if self._passes_sums(i, reads, writes):
                source = self.partial.pop(reads[0])
                self.partial.update(dict.fromkeys(writes, source))
                self.writer.update(dict.fromkeys(writes, i))
                return
            if writes or kind not in (OpKind.VIEW, OpKind.COPY):
                self._reduce([t for t in reads if t in self.partial])
        before = {t: self.dims[t] for t in reads if t in self.dims}
        weight = self.weight(i, reads) if kind is OpKind.MATMUL else None
        if weight is not None:
            self._product(i, reads, writes, weight)
        elif kind is OpKind.MATMUL and before:
            self._between_activations(i, reads, writes)
        elif kind is OpKind.EMBEDDING:
            self._lookup(i, reads, writes)
        elif before:
            self._other(i, reads, writes)
        self.writer.update(dict.fromkeys(writes, i))

    def _passes_sums(self, i: int, reads: tuple[int, ...], writes: tuple[int, ...]) -> bool:
        """Whether the first operand, a sum over ranks, can be completed behind operation `i` as well: nothing else needs it."""
        if not writes or self.graph.in_place[i] or reads[0] not in self.partial or self.uses[reads[0]] > 1:
            return False
        kind, others = self.graph.kinds[i], reads[1:]
        if any(t in self.partial or t in self.dims for t in others):
            return False
        moves = kind in (OpKind.VIEW, OpKind.COPY)
        if moves and any("float" in self.graph.tensors[t].dtype for t in others):
            return False
        return keeps_sums(self.graph.names[i], kind)

    def weight(self, i: int, reads: tuple[int, ...]) -> int | None:
        """The operand that is a matrix of parameters, or a view of one."""
        tensors = self.graph.tensors
        found = [t for t in reads if tensors[t].storage in self.parameters and len(tensors[t].shape) >= 2]
        return found[0] if len(found) == 1 else None

    def _product(self, i: int, reads: tuple[int, ...], writes: tuple[int, ...], weight: int) -> None:
        tensors = self.graph.tensors
        storage, out = tensors[weight].storage, writes[0]
        others = [t for t in reads if t != weight and self.roles[t] is not TensorRole.PARAMETER]
        x = next((t for t in others if t in self.dims), None)
        if x is not None:
            shape, result = tensors[x].shape, tensors[out].shape
            last = len(shape) - 1
            if last in self.dims[x]:
                self.rows.add(storage)
                if storage in self.aside or storage in self.columns:
                    self.conflicts |= self.of[x] | {storage}
                    return
                self._narrow(x, frozenset([last]))
                self._weigh(weight, shape[-1], contracted=True)
                self.partial[out] = self.of[x]
                self.closed |= self.of[x]
                self.split.add(i)
                return
            led = frozenset(e for d in self.dims[x] for e in _aligned(shape, d, result))
            if led and self._mark(out, led, self.of[x]):
                self.split.add(i)
            else:
                self._fail(self.of[x])
            return
        if storage in self.aside or not others or not (self.tried[i] or storage in self.gathered):
            return
        width = tensors[out].shape[-1]
        if width < 2 or tensors[weight].elements % width:
            return
        if storage in self.rows:
            self.conflicts.add(storage)
            return
        self.columns.setdefault(storage, i)
        self._weigh(weight, width, contracted=False)
        for t in reads:
            if t != weight and self.roles[t] is TensorRole.PARAMETER and tensors[t].shape == (width,):
                self.dims[t] = frozenset([0])
        self.split.add(i)
        if storage in self.gathered:
            self.gathers[i] = out
            return
        self._mark(out, frozenset([len(tensors[out].shape) - 1]), frozenset([storage]))

    def _weigh(self, weight: int, size: int, *, contracted: bool) -> None:
        """Split a weight, and the parameter behind it, along the dimension of `size`."""
        tensors = self.graph.tensors
        storage = tensors[weight].storage
        if storage in self.weighed:
            return
        self.weighed.add(storage)
        for t in self.of_storage[storage]:
            shape = tensors[t].shape
            fits = [d for d, length in enumerate(shape) if length == size]
            # Of a square matrix it does not show, nor matter, which side is which; experts are no side of a matrix.
            fits = [d for d in fits if d >= len(shape) - 2] or fits
            if fits:
                self.dims[t] = frozenset([fits[-1] if contracted else fits[0]])

    def _lookup(self, i: int, reads: tuple[int, ...], writes: tuple[int, ...]) -> None:
        """A table that the head shares is split by its rows, as the head needs it: each rank finds its own tokens."""
        tables = [t for t in reads if self.graph.tensors[t].storage in self.gathered]
        if not tables or not writes:
            if any(t in self.dims for t in reads):
                self._fail(frozenset().union(*(self.of.get(t, NOWHERE) for t in reads if t in self.dims)))
            return
        self._weigh(tables[0], self.graph.tensors[tables[0]].shape[0], contracted=False)
        self.partial[writes[0]] = frozenset([self.graph.tensors[tables[0]].storage])
        self.split.add(i)

    def _between_activations(self, i: int, reads: tuple[int, ...], writes: tuple[int, ...]) -> None:
        """Scores and their products with the values: dimensions of a batch stay what they are."""
        tensors, result = self.graph.tensors, self.graph.tensors[writes[0]].shape
        led: Dims | None = None
        source: frozenset[int] = frozenset()
        for t in reads:
            if t in self.dims:
                shape = tensors[t].shape
                here = frozenset(
                    e
                    for d in self.dims[t]
                    if d < len(shape) - 2
                    for e in _aligned(shape, d, result)
                    if e < len(result) - 2
                )
                led, source = here if led is None else led & here, source | self.of[t]
        if not led or not self._with_others(i, reads, writes, led):
            self._fail(source)
            return
        self._mark(writes[0], led, source)
        self.split.add(i)

    def _other(self, i: int, reads: tuple[int, ...], writes: tuple[int, ...]) -> None:
        graph, tensors = self.graph, self.graph.tensors
        inside = [t for t in reads if t in self.dims]
        source = frozenset().union(*(self.of.get(t, NOWHERE) for t in inside))
        if not writes:
            if graph.kinds[i] not in (OpKind.VIEW, OpKind.COPY):
                self._fail(source)  # its values are looked at
            return
        marked = []
        for out in writes:
            led: Dims | None = None
            for t in inside:
                here = frozenset(
                    e
                    for d in self.dims[t]
                    for e in _led(graph.names[i], graph.kinds[i], tensors[t].shape, d, tensors[out].shape)
                )
                led = here if led is None else led & here
            if not led or not self._with_others(i, reads, (out,), led):
                self._fail(source)
                return
            marked.append((out, led))
        for out, led in marked:
            if graph.in_place[i] and out in reads and out not in self.dims and self.writer.get(out) is not None:
                pass  # memory that was made ready for it, and is split from here on
            self._mark(out, led, source)
        self.split.add(i)

    def _with_others(self, i: int, reads: tuple[int, ...], writes: tuple[int, ...], led: Dims) -> bool:
        """Whether operands that are not split can take part: along one of the dimensions `led` of the result they have one
        element, or a share of them is read. In fused attention keys and values are split like the queries.
        """
        graph, tensors = self.graph, self.graph.tensors
        result, e = tensors[writes[0]].shape, min(led)
        for place, t in enumerate(reads):
            if t in self.dims or (graph.in_place[i] and t in writes):
                continue
            shape = tensors[t].shape
            d = e - (len(result) - len(shape))
            if graph.kinds[i] is OpKind.COPY and len(shape) != len(result):
                continue  # positions of what is copied, or the nothing that a cache begins with
            if d < 0 or d >= len(shape) or shape[d] == 1:
                continue
            if graph.kinds[i] is OpKind.ATTENTION and place < 3:
                return False
            if shape[d] != result[e] and graph.kinds[i] not in (OpKind.COPY,):
                continue
            if e == len(result) - 1 and self.roles[t] is not TensorRole.PARAMETER:
                return False  # features that lie whole on every rank, such as a residual: a result that meets them must too
            if self.roles[t] is TensorRole.PARAMETER:
                if len(shape) > 1:
                    return False
                self.dims[t] = frozenset([d])
            elif self.roles[t] is TensorRole.CACHE:
                self.dims[t], self.of[t] = frozenset([d]), frozenset()
            else:
                self.slices[i, t] = d
        return True

    def _mark(self, t: int, dims: Dims, source: frozenset[int]) -> bool:
        self.dims[t] = dims
        self.of[t] = source
        return True

    def _narrow(self, t: int, dims: Dims) -> None:
        self.dims[t] = dims

    def _fail(self, weights: Iterable[int]) -> None:
        """What `weights` made ends here. The first of them is set aside: it may be what led the others astray."""
        found = [storage for storage in weights if storage in self.columns]
        if found:
            self.failed.add(min(found, key=self.columns.__getitem__))

    def _reduce(self, tensors: list[int]) -> None:
        """Complete the sums over ranks of `tensors`, each behind the operation that wrote it."""
        for t in tensors:
            del self.partial[t]
            self.sums[t] = self.writer[t]


def _aligned(operand: tuple[int, ...], dim: int, result: tuple[int, ...]) -> Dims:
    e = dim + len(result) - len(operand)
    return frozenset([e]) if 0 <= e < len(result) and result[e] == operand[dim] else NOWHERE


@cache
def _led(name: str, kind: OpKind, operand: tuple[int, ...], dim: int, result: tuple[int, ...]) -> Dims:
    return _aligned(operand, dim, result) if kind is OpKind.MATMUL else leads_to(name, kind, operand, dim, result)


def find_split(graph: Graph, ranks: int = 0) -> Split:
    """The split of `graph` among `ranks` ranks (0: any number, and no head is split); with nothing in it where no pair of
    products can be split. Whether `ranks` divides its `sizes` is for the caller to see.
    """
    aside: frozenset[int] = frozenset()
    gathered: frozenset[int] = frozenset()
    # A generation reads the same weights in each of its passes: two of them say how those are split.
    begins = graph.loose.step_begins
    end = begins[2] if len(begins) > 2 else len(graph)
    for _ in range(_MOST_ROUNDS):
        found = _Round(graph, aside, gathered, end)
        found.run()
        open_ = set(found.columns) - found.closed - gathered
        # What ends nowhere or only disagrees may do neither once that is set aside which led it there.
        kinds = (each - aside - gathered for each in (found.failed, open_, found.conflicts))
        if lost := next((each for each in kinds if each), None):
            aside |= lost
            continue
        heads = _heads(graph, found, ranks)
        if not heads <= gathered:
            gathered |= heads
            aside -= heads
        elif end < len(graph):
            end = len(graph)
        else:
            return _of_round(found)
    return Split({}, {}, {}, {}, frozenset(), 0, 0, 0)


def _heads(graph: Graph, found: _Round, ranks: int) -> frozenset[int]:
    """Weights of large products behind all layers, which no pair could be found for and whose columns `ranks` divides."""
    layer = graph.op_layer
    inside = [i for i in found.split if layer[i] >= 0 and graph.kinds[i] is OpKind.MATMUL]
    if not inside:
        return frozenset()
    largest = max(_weight_bytes(found, i) for i in inside)
    begin = next((frame.end_op for frame in graph.frames if frame.layer is not None), 0)  # before it stand embeddings
    heads = set()
    for i in np.flatnonzero(graph.of_kind(OpKind.MATMUL)[: found.end] & (layer[: found.end] < 0)).tolist():
        weight = found.weight(i, graph.operands[0][i]) if i >= begin and i not in found.split else None
        if weight is None or _weight_bytes(found, i) < largest:
            continue
        if ranks and graph.tensors[graph.operands[1][i][0]].shape[-1] % ranks == 0:
            heads.add(graph.tensors[weight].storage)
    return frozenset(heads)


def _weight_bytes(found: _Round, i: int) -> int:
    """Bytes of the matrix that a product reads; of a mixture's those of one expert."""
    weight = found.weight(i, found.graph.operands[0][i])
    if weight is None:
        return 0
    spec = found.graph.tensors[weight]
    return spec.bytes // math.prod(spec.shape[:-2])


def _of_round(found: _Round) -> Split:
    graph = found.graph
    dims = {t: min(each) for t, each in _consistent(found).items()}
    sizes = {graph.tensors[t].shape[d] for t, d in dims.items()}
    weighted = [
        i
        for i in range(len(graph))
        if graph.kinds[i] is OpKind.MATMUL and found.weight(i, graph.operands[0][i]) is not None
    ]
    split = [i for i in weighted if i in found.split]
    flops = sum(int(graph.flops[i]) for i in found.split)
    return Split(
        dims, found.slices, found.sums, found.gathers, frozenset(sizes), len(split), len(weighted) - len(split), flops
    )  # fmt: skip


def _consistent(found: _Round) -> dict[int, Dims]:
    """Of each split tensor the dimensions that also lead to those of what follows from it."""
    graph, dims = found.graph, dict(found.dims)
    tensors = graph.tensors
    for i in range(len(graph) - 1, -1, -1):
        kind = graph.kinds[i]
        if kind is OpKind.EMBEDDING or (kind is OpKind.MATMUL and found.weight(i, graph.operands[0][i]) is not None):
            continue
        for out in graph.operands[1][i]:
            if out not in dims:
                continue
            wanted = min(dims[out])
            for t in graph.operands[0][i]:
                if t not in dims or t == out or len(dims[t]) == 1:
                    continue
                kept = frozenset(
                    d for d in dims[t] if wanted in _led(graph.names[i], kind, tensors[t].shape, d, tensors[out].shape)
                )
                dims[t] = kept or dims[t]
    return dims
