"""From the nodes that an engine runs to the graph of the cycle around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cyclescope.backends.artifacts.placing import place
from cyclescope.backends.artifacts.program import Node, Scope, Value
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.structure import READ_OUT, TOKENIZE
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.units import AnyArray


@dataclass(frozen=True, slots=True)
class TextEnds:
    """What stands around the model in a cycle: the tokenizer and the way back, by class name; empty where there is none."""

    tokenizer: str
    text_bytes: int
    read_out: str


def graph_of(
    nodes: Sequence[Node],
    arrays: Mapping[str, AnyArray],
    outputs: Sequence[str],
    ends: TextEnds,
    *,
    engine: str,
    generates: bool,
) -> Graph:
    """The cycle that tokenizes into `arrays`, runs `nodes` and reads out `outputs`; only operations are instrumented."""
    builder = GraphBuilder()
    number = text_in(builder, arrays, ends)

    def tensor(value: Value, role: TensorRole) -> int:
        if value.name not in number:
            number[value.name] = builder.tensor(value.shape, value.dtype, role, name=value.name)
        return number[value.name]

    open_frames: list[str] = []
    for node, scope in zip(nodes, place(nodes), strict=True):
        enter_scope(builder, open_frames, scope)
        # What no operation wrote before is a weight, or a constant that the engine has made while it loaded the file.
        reads = [tensor(v, TensorRole.PARAMETER if v.constant else TensorRole.BUFFER) for v in node.reads]
        writes = [tensor(v, TensorRole.ACTIVATION) for v in node.writes]
        given, made = list(dict.fromkeys(reads)), list(dict.fromkeys(writes))
        builder.op(node.operator, node.kind, given, made, node.cost, priced=node.priced)
    enter_scope(builder, open_frames, ())
    text_out(builder, ends, [number[name] for name in outputs if name in number])
    graph = builder.build(traced_on=engine, generates=generates)
    return replace(graph, frames=tuple(replace(frame, timed=False) for frame in graph.frames), engine_between=True)


def text_in(builder: GraphBuilder, arrays: Mapping[str, AnyArray], ends: TextEnds) -> dict[str, int]:
    """Append what a cycle begins with: the tensors `arrays`, by name, and the tokenizer that makes them, if there is one."""
    role = TensorRole.ACTIVATION if ends.tokenizer else TensorRole.INPUT
    made = {name: builder.tensor(array.shape, str(array.dtype), role, name=name) for name, array in arrays.items()}
    if ends.tokenizer:
        text = builder.tensor((ends.text_bytes,), "text", TensorRole.INPUT, name="text")
        _text_op(builder, TOKENIZE, ends.tokenizer, "tokenize", [text], list(made.values()))
    return made


def text_out(builder: GraphBuilder, ends: TextEnds, result: Sequence[int]) -> None:
    """Append what a cycle ends with: the way from the tensors `result` to words, if there is one."""
    if ends.read_out:
        made = builder.tensor((0,), "text", name="outcome")
        _text_op(builder, READ_OUT, ends.read_out, "read out", result, [made])


def _text_op(
    builder: GraphBuilder, stage: str, class_name: str, name: str, reads: Sequence[int], writes: Sequence[int]
) -> None:
    size = [builder.spec(t).bytes for t in (*reads, *writes)]
    cost = Cost(read_bytes=sum(size[: len(reads)]), written_bytes=sum(size[len(reads) :]))
    with builder.frame("", class_name, stage=stage):
        builder.op(name, OpKind.TEXT, reads, writes, cost)


def enter_scope(builder: GraphBuilder, opened: list[str], scope: Scope) -> None:
    """Leave the frames that `scope` does not share and enter those that it has besides."""
    paths = [path for path, _ in scope]
    shared = 0
    while shared < min(len(opened), len(paths)) and opened[shared] == paths[shared]:
        shared += 1
    while len(opened) > shared:
        opened.pop()
        builder.leave()
    for path, class_name in scope[shared:]:
        opened.append(path)
        builder.enter(path, class_name)
