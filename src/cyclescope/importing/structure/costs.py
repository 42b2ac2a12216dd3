"""Arithmetic and bytes of the operations of a trace, from shapes where there are shapes; unknown otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorSpec, known_dtypes
from cyclescope.core.lanes import EventKind, LaneSamples
from cyclescope.core.units import BoolArray, IntArray
from cyclescope.cost.call import EngineCall, OpCost
from cyclescope.cost.movement import FORMULAS as MOVEMENT
from cyclescope.cost.movement import VIEW
from cyclescope.cost.registry import FORMULAS, estimate_cost, kind_of_group
from cyclescope.importing.nesting import covered
from cyclescope.importing.structure.labels import record_of, type_of
from cyclescope.importing.structure.mainline import MainLine
from cyclescope.importing.structure.shapes import result_of

DTYPES = {
    "float": "float32", "double": "float64", "c10::Half": "float16", "c10::BFloat16": "bfloat16", "long int": "int64",
    "long": "int64", "long long": "int64", "int": "int32", "short": "int16", "short int": "int16", "signed char": "int8", "char": "int8",
    "unsigned char": "uint8", "bool": "bool", "c10::Float8_e4m3fn": "float8_e4m3fn", "c10::Float8_e5m2": "float8_e5m2",
    "c10::Float8_e4m3fnuz": "float8_e4m3fnuz", "c10::Float8_e5m2fnuz": "float8_e5m2fnuz", "c10::complex<float>": "complex64",
    "c10::complex<double>": "complex128", "unsigned short": "uint16",
}  # fmt: skip
# Operations that do nothing but call others, or nothing at all: those others tell what it costs.
_CALLERS = frozenset(
    (
        "to", "_to_copy", "reshape", "contiguous", "flatten", "clone", "dropout", "pad", "repeat", "item", "is_nonzero",
        "_local_scalar_dense", "type_as", "float", "half", "result_type", "record_stream", "is_pinned", "pin_memory",
        "resolve_conj", "resolve_neg", "lift_fresh", "alias", "narrow", "empty", "empty_like", "empty_strided", "resize_",
        "set_", "detach_", "as_strided", "arange", "zeros", "ones", "full", "scalar_tensor", "zeros_like", "ones_like", "new_zeros",
    )
)  # fmt: skip
# What kind of work something is whose arithmetic is unknown, by words of its name.
_WORDS: Sequence[tuple[re.Pattern[str], OpKind]] = tuple(
    (re.compile(words, re.IGNORECASE), kind)
    for words, kind in (
        (r"attention|attn|flash|fmha|sdpa|mha_", OpKind.ATTENTION),
        (
            r"memcpy|memset|copy|convert|reorder|cache|cat_|concat|transpose|permute|gather|scatter|index|pad|slice|fill",
            OpKind.COPY,
        ),
        (
            r"gemm|matmul|fullyconnected|linear|moe|cutlass|xmma|cijk|wgmma|(?:^|_|::)mm(?:_|$)|matrix|einsum",
            OpKind.MATMUL,
        ),
        (r"conv", OpKind.CONVOLUTION),
        (r"softmax", OpKind.SOFTMAX),
        (r"norm|^mvn$|rms$", OpKind.NORM),
        (r"silu|gelu|relu|swiglu|sigmoid|tanh|activation|_act", OpKind.ACTIVATION),
        (r"embed", OpKind.EMBEDDING),
        (r"reduce|sum|mean|argmax|topk|sort", OpKind.REDUCTION),
        (r"elementwise|subgraph|eltwise|rotary|rope|quant|add|mul|triton_poi", OpKind.ELEMENTWISE),
    )
)


def kind_by_name(name: str) -> OpKind:
    """What the words of a name say."""
    return next((kind for pattern, kind in _WORDS if pattern.search(name)), OpKind.OTHER)


@dataclass(frozen=True, eq=False)
class Costs:
    """By operation [n]. `unpriced` are those whose arithmetic is unknown, `shapeless` those of them that tell no shapes."""

    kinds: tuple[OpKind, ...]
    flops: IntArray
    elementwise_flops: IntArray
    read_bytes: IntArray
    written_bytes: IntArray
    unpriced: tuple[int, ...]
    shapeless: int


def costs_of(events: LaneSamples, line: MainLine, ops: IntArray) -> Costs:
    """The costs of `ops` (positions in all events): of each, the sum of the outermost events in it that are known."""
    n = len(ops)
    if not n:
        none = np.zeros(0, dtype=np.int64)
        return Costs((), none, none, none, none, (), 0)
    begins = events.begin_ns[ops]
    at = np.searchsorted(begins, events.begin_ns[line.members], side="right") - 1
    inside = (at >= 0) & (events.begin_ns[line.members] < np.maximum(events.end_ns[ops], begins + 1)[np.maximum(at, 0)])
    key = events.name[line.members].astype(np.int64) * (len(events.details) + 1) + events.detail[line.members] + 1
    distinct, number = np.unique(key, return_inverse=True)
    width = len(events.details) + 1
    known = [_price(events, int(k) // width, int(k) % width - 1) for k in distinct.tolist()]
    priced = np.fromiter((price is not None for price in known), np.bool_, len(known))[number]
    operation = events.kind[line.members] == EventKind.OPERATION
    mask = inside & operation & priced & ~_calls_others(events, line, operation)
    top = np.flatnonzero(mask & ~covered(mask, line.parent))
    table = np.asarray(
        [
            (0, 0, 0, 0)
            if price is None
            else (price.cost.flops, price.cost.elementwise_flops, price.cost.read_bytes, price.cost.written_bytes)
            for price in known
        ],
        dtype=np.int64,
    ).reshape(-1, 4)
    sums = np.zeros((n, 4), dtype=np.int64)
    np.add.at(sums, at[top], table[number[top]])
    parts: list[list[OpCost]] = [[] for _ in range(n)]
    for op, k in zip(at[top].tolist(), number[top].tolist(), strict=True):
        price = known[k]
        if price is not None:
            parts[op].append(price)
    is_top = np.zeros(len(mask), dtype=bool)
    is_top[top] = True
    explained = line.members[is_top | covered(is_top, line.parent)]
    return _of_parts(events, ops, parts, sums, _Work.of(events, ops, explained))


def _calls_others(events: LaneSamples, line: MainLine, operation: BoolArray) -> BoolArray:
    """Mask of the members that do nothing but call the operations in them, which tell better what that costs."""
    callers = [k for k, name in enumerate(events.names) if name.removeprefix("aten::") in _CALLERS]
    holds = np.zeros(len(line.members), dtype=bool)
    inner = line.parent[operation]
    holds[inner[inner >= 0]] = True
    mask: BoolArray = holds & np.isin(events.name[line.members], callers)
    return mask


@dataclass(frozen=True, eq=False)
class _Work:
    """The work of a device that operations ask for [ops]: the first of each (−1: none), and whether all of it is explained by
    what is known of the events that launch it. `there` says whether any device works at all.
    """

    first: IntArray
    explained: BoolArray
    there: bool

    @staticmethod
    def of(events: LaneSamples, ops: IntArray, explained: IntArray) -> _Work:
        first = np.full(len(ops), -1, dtype=np.int64)
        work = np.flatnonzero(events.launch >= 0)
        asked = events.launch[work]
        if not len(ops) or not len(work):
            return _Work(first, np.ones(len(ops), dtype=bool), len(work) > 0)
        at = np.searchsorted(events.begin_ns[ops], events.begin_ns[asked], side="right") - 1
        mine = (events.lane[asked] == events.lane[ops[0]]) & (at >= 0)
        mine &= events.begin_ns[asked] <= events.end_ns[ops][np.maximum(at, 0)]
        first[at[mine][::-1]] = work[mine][::-1]
        known = np.zeros(len(events), dtype=bool)
        known[explained] = True
        computes = events.kind[work] == EventKind.KERNEL
        lost = mine & computes & ~known[asked]
        return _Work(first, np.bincount(at[lost], minlength=len(ops)) == 0, True)


def _of_parts(events: LaneSamples, ops: IntArray, parts: list[list[OpCost]], sums: IntArray, work: _Work) -> Costs:
    names = [events.names[k] for k in events.name[ops].tolist()]
    is_operation = (events.kind[ops] == EventKind.OPERATION).tolist()
    first, explained = work.first.tolist(), work.explained.tolist()
    kinds: list[OpKind] = []
    unpriced: list[int] = []
    shapeless = 0
    for i, name in enumerate(names):
        if parts[i] and explained[i]:
            kinds.append(kind_of_group(parts[i]))
            if any(not part.known for part in parts[i]):
                unpriced.append(i)
            continue
        calls = name.removeprefix("aten::") in _CALLERS
        if first[i] < 0 and (work.there or calls or not is_operation[i]):
            # What gives the device nothing to do works on the host alone, and computes nothing that counts.
            kinds.append(OpKind.VIEW if is_operation[i] else OpKind.OTHER)
            continue
        kind = kind_by_name(type_of(record_of(events, int(events.detail[ops[i]]))) or name)
        if kind is OpKind.OTHER and first[i] >= 0:
            kind = kind_by_name(events.names[int(events.name[first[i]])])
        kinds.append(kind)
        if first[i] >= 0 and explained[i]:
            continue  # it only copies or communicates
        unpriced.append(i)
        shapeless += "Input Dims" not in _raw(events, int(events.detail[ops[i]]))
    columns = [sums[:, k].copy() for k in range(4)]
    return Costs(tuple(kinds), columns[0], columns[1], columns[2], columns[3], tuple(unpriced), shapeless)


def _raw(events: LaneSamples, detail: int) -> str:
    return events.details[detail] if detail >= 0 else ""


def _price(events: LaneSamples, name: int, detail: int) -> OpCost | None:
    """What an event of this name and record costs; None where that is not known, or what it calls tells it better."""
    text = events.names[name]
    plain = text.removeprefix("aten::")
    formula = f"aten.{plain}"
    if plain == text:
        return _node(record_of(events, detail))
    if not (formula in FORMULAS or formula.removesuffix("_") in FORMULAS):
        return None
    try:
        found = _estimate(plain, record_of(events, detail))
    except (ValueError, IndexError, TypeError, KeyError, AttributeError):
        found = None
    if found is None and formula in MOVEMENT:
        return OpCost(OpKind.COPY, Cost())  # that it computes nothing is known, though not how much it moves
    return found


def _node(record: Mapping[str, Any]) -> OpCost | None:
    """What a node of a graph in ONNX costs, whose inputs and outputs an engine tells by type and shape, weights by their bytes."""
    name = f"onnx.{record.get('op_name', '')}"
    if name not in FORMULAS:
        return None
    try:
        reads, writes = (_listed(record.get(key)) for key in ("input_type_shape", "output_type_shape"))
        found = estimate_cost(EngineCall(name, reads, writes))
        weights = int(record.get("parameter_size") or 0)
    except (ValueError, IndexError, TypeError, KeyError, AttributeError):
        return None
    return OpCost(found.kind, found.cost + Cost(read_bytes=weights), found.known) if reads or writes else None


def _listed(tensors: Any) -> tuple[TensorSpec, ...]:
    """[{"float": [8, 64]}, …] as tensors."""
    pairs = [pair for tensor in tensors or () for pair in tensor.items()]
    return tuple(
        TensorSpec(tuple(int(side) for side in shape), _ONNX_DTYPES.get(dtype, dtype), number)
        for number, (dtype, shape) in enumerate(pairs)
    )


_ONNX_DTYPES = {"float": "float32", "double": "float64"}


def _estimate(name: str, record: Any) -> OpCost | None:
    dims, types = record.get("Input Dims"), record.get("Input type")
    if estimate_cost(EngineCall(f"aten.{name}")).kind is OpKind.VIEW:
        return VIEW
    if not dims or not types:
        return None
    concrete = record.get("Concrete Inputs") or []
    reads: list[TensorSpec] = []
    for shape, dtype in zip(dims, types, strict=False):
        nested = bool(shape) and isinstance(shape[0], list)
        known = DTYPES.get(dtype)
        if known is None or known not in known_dtypes():
            if nested or (shape and dtype not in ("Scalar", "ScalarList", "")):
                return None  # a list of tensors of unknown type
            continue
        reads.append(TensorSpec(tuple(int(side) for side in shape), known, len(reads)))
    if not reads:
        return None
    shape = result_of(name, [spec.shape for spec in reads], concrete)
    dtype = "bool" if name in ("eq", "ne", "lt", "le", "gt", "ge", "all", "any") else reads[0].dtype
    return estimate_cost(EngineCall(f"aten.{name}", tuple(reads), (TensorSpec(shape, dtype, len(reads)),)))
