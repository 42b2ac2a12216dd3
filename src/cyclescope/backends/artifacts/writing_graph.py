"""The cycle of an engine that writes: text, one operation for each call of the engine, text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cyclescope.backends.artifacts.black_box import StoredWeights, black_box_call, of_several
from cyclescope.backends.artifacts.program import Arrays
from cyclescope.backends.artifacts.structure import TextEnds, text_in, text_out
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.units import Nanoseconds


def tokens_of_calls(
    calls_ns: Sequence[tuple[Nanoseconds, Nanoseconds]], emitted_ns: Sequence[Nanoseconds]
) -> list[int]:
    """How many tokens came out of each call [calls]: those that were out before the next one began."""
    begins = [begin for begin, _ in calls_ns[1:]]
    found, at = [], 0
    for begin in begins:
        out = sum(timestamp <= begin for timestamp in emitted_ns)
        found.append(out - at)
        at = out
    return [*found, len(emitted_ns) - at]


def writing_graph(
    arrays: Arrays,
    tokens: Sequence[int],
    costs: Sequence[Cost],
    ends: TextEnds,
    weights: StoredWeights,
    *,
    engine: str,
    class_name: str,
) -> Graph:
    """The cycle that tokenizes into `arrays`, calls the engine once for each of `tokens`, which came out of that call, and
    reads out; `costs` are those of the prefill and of the steps of one token each, as the model itself does them.

    A call that checked guesses counts with the tokens that came of it: what was guessed wrong is no work of the model.
    """
    builder = GraphBuilder()
    given = list(text_in(builder, arrays, ends).values())
    held = builder.tensor((weights.number,), weights.dtype, TensorRole.PARAMETER, name="weights")
    rows = next(iter(arrays.values())).shape[0]
    frames, read, written, out = [], given, 0, []
    for number, count in enumerate(tokens):
        made = builder.tensor((rows, count), "int64", name="tokens")
        cost = of_several(costs[written : written + count] or costs[-1:])
        name = "step" if number else "prefill"
        frames.append(black_box_call(builder, name, class_name, [held, *read], [made], cost))
        read, written = [made], written + count
        out.append(made)
    text_out(builder, ends, out)
    graph = builder.build(traced_on=engine, generates=True)
    step = {frame: number for number, frame in enumerate(frames)}
    return replace(
        graph,
        frames=tuple(replace(f, timed=False, step=step.get(k, -1)) for k, f in enumerate(graph.frames)),
        opaque=True,
    )
