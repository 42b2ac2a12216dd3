"""The cycle of an engine that writes and tells what runs inside its calls: text, the operations of each call, text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cyclescope.backends.artifacts.placing import place
from cyclescope.backends.artifacts.program import Arrays, Node, Scope, Value
from cyclescope.backends.artifacts.structure import TextEnds, enter_scope, text_in, text_out
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.frame import Frame
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.tensor import TensorRole

_IDS, _LOGITS = "input_ids", "logits"


def calls_graph(
    arrays: Arrays, calls: Sequence[Sequence[Node]], ends: TextEnds, *, engine: str, class_name: str
) -> Graph:
    """The cycle that tokenizes into `arrays`, runs the operations of each of `calls` and reads out.

    Stamps are those of operations and of the calls themselves, so that the loop's own time stands apart from the engine's.
    """
    builder = GraphBuilder()
    token = text_in(builder, arrays, ends)[_IDS]
    tensors = _Tensors(builder)
    roots: list[int] = []
    scopes: list[Scope] = []
    for number, nodes in enumerate(calls):
        # One step is placed as another: what grows there must not move an operation to another module.
        scopes = place(nodes) if number < 2 else scopes
        tensors.begin({_IDS: token})
        roots.append(_call(builder, tensors, nodes, scopes, class_name))
        token = tensors.token
    text_out(builder, ends, [token])
    graph = builder.build(traced_on=engine, generates=True, stepwise=True)
    return replace(graph, frames=_stamped(graph.frames, roots), engine_between=True)


def _call(
    builder: GraphBuilder, tensors: _Tensors, nodes: Sequence[Node], scopes: Sequence[Scope], class_name: str
) -> int:
    """Append one call of the model; the number of its frame."""
    with builder.frame("", class_name) as root:
        opened: list[str] = []
        for node, scope in zip(nodes, scopes, strict=True):
            enter_scope(builder, opened, tuple(part for part in scope if part[0]))
            reads = [number for value in node.reads if (number := tensors.read(value)) is not None]
            # A later call adds to what lies there.
            adds = any(value.kept and tensors.holds(value) for value in node.writes)
            writes = [number for value in node.writes for number in tensors.written(value)]
            unique = list(dict.fromkeys(reads)), list(dict.fromkeys(writes))
            builder.op(node.operator, node.kind, *unique, node.cost, in_place=adds, priced=node.priced)
        enter_scope(builder, opened, ())
    return root


def _stamped(frames: Sequence[Frame], roots: Sequence[int]) -> tuple[Frame, ...]:
    """`frames` with the calls `roots` instrumented and counted, and nothing else."""
    step = {root: number for number, root in enumerate(roots)}
    counted: list[int] = []
    for k, frame in enumerate(frames):
        counted.append(step.get(k, counted[frame.parent] if frame.parent > 0 else -1))
    return tuple(replace(f, timed=k in step, step=counted[k]) for k, f in enumerate(frames))


@dataclass
class _Tensors:
    """The tensors of the graph by what the engine calls them: weights are the same in every call, what is kept lies in one
    place, all else belongs to its call. `token` is what the loop chooses by the logits of a call.
    """

    builder: GraphBuilder
    token: int = -1
    _weights: dict[str, int] = field(default_factory=dict)
    _kept: dict[str, int] = field(default_factory=dict)
    _own: dict[str, int] = field(default_factory=dict)

    def begin(self, given: dict[str, int]) -> None:
        """A call begins, with tensors that stand there already."""
        self._own = dict(given)

    def holds(self, value: Value) -> bool:
        return value.name in self._kept

    def read(self, value: Value) -> int | None:
        """The tensor that is read; None for what would be kept, before anybody has written it."""
        if value.kept:
            return self._kept.get(value.name)
        known = self._weights if value.constant else self._own
        if value.name not in known:
            # What no operation wrote before is a weight, what the loop makes for each call, or a constant of the engine's own.
            role = TensorRole.PARAMETER if value.constant else TensorRole.BUFFER
            known[value.name] = self.builder.tensor(value.shape, value.dtype, role, name=value.name)
        return known[value.name]

    def written(self, value: Value) -> tuple[int, ...]:
        """The tensor that is written, and with logits the token that follows from them."""
        if not value.kept:
            number = self._own[value.name] = self.builder.tensor(value.shape, value.dtype, name=value.name)
            if value.name != _LOGITS:
                return (number,)
            # Choosing is no operation of the engine: what is chosen stands in the memory that it depends on.
            place = self.builder.spec(number).storage
            self.token = self.builder.tensor((value.shape[0], 1), "int64", storage=place, name="token")
            return number, self.token
        before = self._kept.get(value.name)
        storage = None if before is None else self.builder.spec(before).storage
        number = self.builder.tensor(value.shape, value.dtype, storage=storage, name=value.name)
        self._kept[value.name] = number
        return (number,)
