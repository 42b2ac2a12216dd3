"""Where the nodes of an engine stand among the modules of the model, in runs that nest as calls do.

An engine fuses operations, moves them and adds its own, so the module that a node comes from is known for most and not
for all, and a few run long before the rest of their module (shapes, masks). A frame must be one run of operations all the
same: a module that holds the layers, and each layer, spans from where its work begins to where it ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cyclescope.backends.artifacts.program import Node, Scope

_NUMBERED = re.compile(r"(^|\.)\d+$")
# Nodes at either end of a module that hold less than this share of its work do not stretch it.
_STRAY = 0.02


def place(nodes: Sequence[Node]) -> list[Scope]:
    """The modules around each node, such that each module outside of the layers, and each layer, is one run."""
    scopes = _inherited(nodes)
    weight = [1 + n.cost.flops + n.cost.elementwise_flops + n.cost.read_bytes + n.cost.written_bytes for n in nodes]
    _gather(scopes, weight, 0, len(nodes), 0)
    return scopes


def _inherited(nodes: Sequence[Node]) -> list[Scope]:
    """The scope of each node; where it has none, that of the node which reads its result, or of the one before."""
    scopes = [node.scope for node in nodes]
    known: dict[str, Scope] = {}
    for i in range(len(nodes) - 1, -1, -1):
        if not scopes[i]:
            scopes[i] = next((known[value.name] for value in nodes[i].writes if value.name in known), ())
        if scopes[i]:
            known.update((value.name, scopes[i]) for value in nodes[i].reads)
    before: Scope = ()
    for i, scope in enumerate(scopes):
        scopes[i] = scope or before
        before = scopes[i]
    return scopes


def _gather(scopes: list[Scope], weight: Sequence[int], begin: int, end: int, depth: int) -> None:
    """Make each module at `depth` one run within `begin` … `end`, and go on inside it, down to the layers."""
    members: dict[str, list[int]] = {}
    for i in range(begin, end):
        if len(scopes[i]) > depth:
            members.setdefault(scopes[i][depth][0], []).append(i)
    spans = sorted((_span(rows, weight), path) for path, rows in members.items())
    named = {scopes[i][depth][0]: scopes[i][: depth + 1] for i in range(begin, end) if len(scopes[i]) > depth}
    at = begin
    for (first, last), path in spans:
        first = max(first, at)
        if last < first:
            continue
        for i in range(at, first):
            scopes[i] = scopes[i][:depth]
        for i in range(first, last + 1):
            if len(scopes[i]) <= depth or scopes[i][depth][0] != path:
                scopes[i] = named[path]
        if not _NUMBERED.search(path):
            _gather(scopes, weight, first, last + 1, depth + 1)
        at = last + 1
    for i in range(at, end):
        scopes[i] = scopes[i][:depth]


def _span(rows: Sequence[int], weight: Sequence[int]) -> tuple[int, int]:
    """First and last of `rows`, without the stragglers at both ends."""
    most = _STRAY * sum(weight[i] for i in rows)
    kept = rows[_strays(rows, weight, most) :]
    kept = kept[: len(kept) - _strays(kept[::-1], weight, most)]
    return kept[0], kept[-1]


def _strays(rows: Sequence[int], weight: Sequence[int], most: float) -> int:
    """How many of the first `rows` stand apart from the rest and weigh at most `most` together.

    A light node right beside the work is no straggler.
    """
    lost, apart = 0, 0
    for k in range(len(rows) - 1):
        lost += weight[rows[k]]
        if lost > most:
            break
        if abs(rows[k + 1] - rows[k]) > 1:
            apart = k + 1
    return apart
