"""The traced graph of a model laid over the operations of a trace: which is which, and what does not match."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

import numpy as np

from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Text, listed, m, plural
from cyclescope.core.units import IntArray
from cyclescope.core.workload import ModelFacts
from cyclescope.importing.structure.calls import Call
from cyclescope.importing.structure.costs import Costs
from cyclescope.importing.structure.runs import Piece

_MOST_OPERATIONS = 20_000  # beyond, the alignment would take minutes
_MOST_NAMES = 5
# Names of one thing: as Python calls it, and as the engine does.
_SAME = {
    "__eq__": "eq", "__ne__": "ne", "__lt__": "lt", "__gt__": "gt", "__add__": "add", "__mul__": "mul", "__getitem__": "slice",
    "select": "slice", "__bool__": "is_nonzero", "float": "to", "half": "to", "bfloat16": "to", "type_as": "to", "_to_copy": "to",
    "multiply": "mul", "concat": "cat", "softmax": "softmax", "_softmax": "softmax", "native_layer_norm": "layer_norm",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Overlay:
    """A model of which more is known than a trace tells: its traced `graph` and its facts."""

    graph: Graph
    model: ModelFacts
    task: str


@dataclass(frozen=True, eq=False)
class Laid:
    """Operations `mine` [m] of the model are operations `theirs` [m] of the trace, both ascending; `notes` say what does not match."""

    mine: IntArray
    theirs: IntArray
    notes: tuple[Text, ...]


def lay(overlay: Overlay, names: Sequence[str], costs: Costs) -> Laid:
    """Align the operations of a model with those of a trace, called `names` [n]. Raises `Unsupported` for too many of them."""
    graph = overlay.graph
    if max(len(graph), len(names)) > _MOST_OPERATIONS:
        raise Unsupported(
            m(
                "A model can be laid over at most {most} operations (got {n}).",
                most=_MOST_OPERATIONS,
                n=max(len(graph), len(names)),
            ),
            m("The alignment of longer sequences takes too long."),
            m("Import a trace of fewer steps, or leave out --model."),
        )
    ours, others = ([_SAME.get(name, name).rstrip("_") for name in each] for each in (graph.names, names))
    blocks = SequenceMatcher(None, ours, others, autojunk=False).get_matching_blocks()
    mine = np.concatenate([np.arange(block.a, block.a + block.size) for block in blocks]).astype(np.int64)
    theirs = np.concatenate([np.arange(block.b, block.b + block.size) for block in blocks]).astype(np.int64)
    return Laid(mine, theirs, tuple(_notes(overlay, names, costs, mine, theirs)))


def calls_over(graph: Graph, laid: Laid, piece: Piece, begins: IntArray, ends: IntArray) -> list[Call]:
    """The calls of the model's modules around the operations of `piece`, by those that match; `begins` and `ends` [ops]."""
    # Where each operation of the model stands among those of the trace: at the first match that is not before it.
    position = np.append(laid.theirs, len(piece.ops))[np.searchsorted(laid.mine, np.arange(len(graph) + 1))]
    position[0] = 0
    position[len(graph)] = len(piece.ops)
    calls = [Call("Cycle", "", -1, 0, len(piece.ops), piece.begin_ns, piece.end_ns)]
    number = {0: 0}
    for k, frame in enumerate(graph.frames):
        first, last = int(position[frame.first_op]), int(position[frame.end_op])
        if not k:
            continue
        if first >= last:
            number[k] = number[frame.parent]
            continue
        number[k] = len(calls)
        calls.append(
            Call(
                frame.class_name, frame.module, number[frame.parent], first, last, int(begins[first]), int(ends[last - 1]), path=frame.module
            )
        )  # fmt: skip
    return calls


def filled(costs: Costs, graph: Graph, laid: Laid) -> Costs:
    """`costs` with those of the model for operations whose own are unknown and that match one."""
    match = dict(zip(laid.theirs.tolist(), laid.mine.tolist(), strict=True))
    known = [i for i in costs.unpriced if i in match and match[i] not in graph.unpriced]
    if not known:
        return costs
    rows = np.asarray(known, dtype=np.int64)
    theirs = np.asarray([match[i] for i in known], dtype=np.int64)
    columns = {}
    for name in ("flops", "elementwise_flops", "read_bytes", "written_bytes"):
        column = getattr(costs, name).copy()
        column[rows] = getattr(graph, name)[theirs]
        columns[name] = column
    kinds = list(costs.kinds)
    for i, k in zip(known, theirs.tolist(), strict=True):
        kinds[i] = graph.kinds[k]
    left = tuple(i for i in costs.unpriced if i not in set(known))
    return replace(costs, kinds=tuple(kinds), unpriced=left, **columns)


def _notes(overlay: Overlay, names: Sequence[str], costs: Costs, mine: IntArray, theirs: IntArray) -> Iterator[Text]:
    graph = overlay.graph
    yield m(
        "The graph of {model} is laid over the trace: {matched} of its {all} operations are among the {events} of the trace.",
        model=overlay.model.reference,
        matched=len(mine),
        all=len(graph),
        events=len(names),
    )
    for missing, text in (
        (
            [graph.names[i] for i in np.setdiff1d(np.arange(len(graph)), mine).tolist()],
            plural("{n} operation of the model is not in the trace: {names}.", "{n} operations of the model are not in the trace: {names}.", 2),
        ),
        (
            [names[i] for i in np.setdiff1d(np.arange(len(names)), theirs).tolist()],
            plural("{n} operation of the trace is not in the model: {names}.", "{n} operations of the trace are not in the model: {names}.", 2),
        ),
    ):  # fmt: skip
        if missing:
            most = [f"{name} × {n}" for name, n in Counter(missing).most_common(_MOST_NAMES)]
            most += ["…"] if len(set(missing)) > _MOST_NAMES else []
            values = (("n", len(missing)), ("names", listed(most)))
            yield replace(text, values=values, count=len(missing))
    both = (graph.flops[mine] > 0) & (costs.flops[theirs] > 0)
    apart = np.flatnonzero(both & (graph.flops[mine] != costs.flops[theirs]))
    if len(apart):
        yield plural(
            "{n} product has another size than in the model: the shapes of the trace count.",
            "{n} products have other sizes than in the model: the shapes of the trace count.",
            len(apart),
        )
    elif both.any():
        yield plural(
            "The arithmetic of {n} product agrees with the model exactly.",
            "The arithmetic of {n} products agrees with the model exactly.",
            int(both.sum()),
        )
