"""What is held, on graphs whose answer is known by construction: a kilobyte is a tensor of 256 float32."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paper_generation import BATCH, HIDDEN, LAYERS, PROMPT, paper_decoder
from paper_models import paper_bert

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.samples import MemorySamples
from cyclescope.explaining.memory import Holding, Memory, memory

KB = 1024


def tensor(b: GraphBuilder, kilobytes: int, **kwargs: object) -> int:
    return b.tensor((256 * kilobytes,), **kwargs)  # type: ignore[arg-type]


def given_x(b: GraphBuilder) -> int:
    return tensor(b, 1, role=TensorRole.INPUT)


def op(b: GraphBuilder, inputs: list[int], kilobytes: int) -> int:
    made = tensor(b, kilobytes)
    b.op("relu", OpKind.ACTIVATION, inputs, [made])
    return made


def told(graph: Graph) -> Memory:
    found = memory(graph)
    assert found is not None
    return found


def activations(b: GraphBuilder) -> list[float]:
    """Kilobytes of activations while each operation runs."""
    return (told(b.build()).computed.activations / KB).tolist()


def test_a_chain_holds_two_neighbours() -> None:
    b = GraphBuilder()
    x = given_x(b)
    for kilobytes in (2, 4, 8, 1):
        x = op(b, [x], kilobytes)

    assert activations(b) == [2, 6, 12, 9]


def test_a_residual_is_held_until_it_is_added() -> None:
    b = GraphBuilder()
    x = op(b, [given_x(b)], 2)
    y = op(b, [op(b, [x], 8)], 4)
    z = op(b, [x, y], 2)
    op(b, [z], 1)

    assert activations(b) == [2, 2 + 8, 2 + 8 + 4, 2 + 4 + 2, 2 + 1]


def test_a_view_shares_the_memory_of_what_it_shows_and_keeps_it() -> None:
    b = GraphBuilder()
    x = op(b, [given_x(b)], 6)
    part = tensor(b, 1, storage=b.spec(x).storage)
    b.op("select", OpKind.VIEW, [x], [part])
    y = op(b, [given_x(b)], 2)
    op(b, [part, y], 1)

    assert activations(b) == [6, 6, 6 + 2, 6 + 2 + 1]


def test_a_view_that_repeats_what_it_shows_takes_no_memory() -> None:
    b = GraphBuilder()
    x = op(b, [given_x(b)], 1)
    wide = tensor(b, 100, storage=b.spec(x).storage)
    b.op("expand", OpKind.VIEW, [x], [wide])
    op(b, [wide], 3)

    assert activations(b) == [1, 1, 4]


def test_what_is_written_in_place_counts_once() -> None:
    b = GraphBuilder()
    x = op(b, [given_x(b)], 4)
    same = tensor(b, 4, storage=b.spec(x).storage)
    b.op("relu_", OpKind.ACTIVATION, [x], [same], in_place=True)
    op(b, [same], 1)

    assert activations(b) == [4, 4, 5]


def test_both_branches_are_held_until_they_meet() -> None:
    b = GraphBuilder()
    x = op(b, [given_x(b)], 1)
    left, right = op(b, [x], 2), op(b, [x], 4)
    op(b, [left, right], 8)

    assert activations(b) == [1, 1 + 2, 1 + 2 + 4, 2 + 4 + 8]


def test_what_nothing_reads_is_a_result_and_stays() -> None:
    b = GraphBuilder()
    x = op(b, [given_x(b)], 1)
    op(b, [x], 16)
    op(b, [op(b, [x], 2)], 1)

    assert activations(b) == [1, 17, 1 + 16 + 2, 16 + 2 + 1]


def test_what_a_module_is_given_is_held_until_it_returns() -> None:
    b = GraphBuilder()
    x = op(b, [given_x(b)], 8)
    with b.frame("block", "Block"):
        with b.frame("block.inner", "Inner"):
            y = op(b, [x], 2)
        z = op(b, [op(b, [y], 1)], 1)
    op(b, [z], 1)
    found = told(b.build())

    # Its last use is the first operation inside; the caller has it until the block returns.
    assert (found.computed.activations / KB).tolist() == [8, 10, 8 + 2 + 1, 8 + 1 + 1, 2]
    assert found.needed == 10 * KB + KB  # freed right after its last use: at the second operation, with the input


def test_weights_are_counted_once_and_throughout() -> None:
    b = GraphBuilder()
    w = tensor(b, 10, role=TensorRole.PARAMETER)
    tied = tensor(b, 10, role=TensorRole.PARAMETER, storage=b.spec(w).storage)
    tensor(b, 5, role=TensorRole.PARAMETER)  # no operation reads it; it is there all the same
    table = tensor(b, 3, role=TensorRole.BUFFER)
    x = op(b, [given_x(b), w, table], 1)
    op(b, [x, tied], 2)
    held = told(b.build()).computed

    assert held.at(1) == {
        Holding.WEIGHTS: 15 * KB,
        Holding.BUFFERS: 3 * KB,
        Holding.INPUTS: KB,
        Holding.ACTIVATIONS: 3 * KB,
        Holding.CACHE: 0,
    }
    assert (held.peak, held.peak_op) == (22 * KB, 1)


def test_the_largest_pieces_are_those_at_the_peak() -> None:
    b = GraphBuilder()
    x = op(b, [given_x(b)], 8)
    y = op(b, [x], 4)
    z = op(b, [x, y], 1)
    op(b, [z], 2)

    assert [(piece.maker, piece.bytes // KB) for piece in told(b.build()).largest] == [(0, 8), (1, 4), (2, 1)]


def test_the_peak_of_an_encoder_is_where_its_widest_tensors_meet() -> None:
    graph = paper_bert(4, tokens=16, hidden=64)
    held = told(graph).computed

    assert graph.names[held.peak_op] == "gelu"
    # In and out of the activation (four wide each), what is added afterwards, what the layer and the encoder were given.
    assert held.activations[held.peak_op] == (4 + 4 + 1 + 1 + 1) * 16 * 64 * 4 + 16 * 8


STEPS = 5
POSITION = 2 * LAYERS * BATCH * HIDDEN * 4  # bytes of keys and values of one position


def test_a_cache_that_grows_is_apart_and_ends_with_every_position() -> None:
    held = told(paper_decoder(STEPS)).computed

    assert held.cache[-1] == POSITION * (PROMPT + STEPS - 1)
    assert held.cache[0] == 0


def test_while_a_cache_grows_the_old_and_the_new_of_one_tensor_are_there() -> None:
    graph = paper_decoder(STEPS)
    held = told(graph).computed
    joins = [i for i in range(len(graph)) if graph.names[i] == "cat"]
    first_of_last_step = joins[-2 * LAYERS]
    seen = PROMPT + STEPS - 2
    one = POSITION // (2 * LAYERS)

    assert held.cache[first_of_last_step] == POSITION * seen + one * (seen + 1)


def test_a_cache_of_full_length_is_there_from_the_first_step_on() -> None:
    graph = paper_decoder(STEPS, static=True)
    held = told(graph).computed

    assert set(held.cache[graph.names.index("argmax") :].tolist()) == {POSITION * (PROMPT + STEPS)}


def test_a_model_that_writes_nothing_has_no_cache() -> None:
    assert not told(paper_bert(2)).computed.cache.any()


def test_a_graph_without_operations_holds_nothing_to_tell() -> None:
    assert memory(GraphBuilder().build()) is None


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Operations that read any of what there is, make new memory, views or writes in place, in modules or not."""
    b = GraphBuilder()
    known = [given_x(b), tensor(b, 3, role=TensorRole.PARAMETER)]

    def some_ops(depth: int) -> None:
        for _ in range(draw(st.integers(1, 4))):
            if depth < 3 and draw(st.booleans()):
                with b.frame(f"m{len(known)}", "Module"):
                    some_ops(depth + 1)
            inputs = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
            how = draw(st.sampled_from(["new", "view", "in place"]))
            storage = None if how == "new" else b.spec(inputs[0]).storage
            made = b.tensor((draw(st.integers(1, 50)) if how == "new" else 1,), storage=storage)
            kind = OpKind.VIEW if how == "view" else OpKind.ELEMENTWISE
            b.op("op", kind, inputs, [made], in_place=how == "in place")
            known.append(made)

    some_ops(0)
    return b.build()


@given(graphs())
def test_an_operation_never_runs_without_what_it_reads_and_writes(graph: Graph) -> None:
    found = told(graph)
    size: dict[int, int] = {}
    for spec in graph.tensors:
        size[spec.storage] = max(size.get(spec.storage, 0), spec.bytes)
    for i in range(len(graph)):
        touched = {graph.tensors[t].storage for t in (*graph.reads(i), *graph.writes(i))}
        assert found.computed.total[i] >= sum(size[s] for s in touched)
    assert found.needed <= found.computed.peak <= sum(size.values())
    assert found.computed.total[found.computed.peak_op] == found.computed.peak


def column(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.asarray(values, dtype=np.int64)


def seen(look_op: tuple[int, ...], pieces: list[tuple[int, int, int, int]]) -> MemorySamples:
    """Pieces as storage, bytes, first look, last look."""
    storages, sizes, first, last = zip(*pieces, strict=True)
    return MemorySamples(
        column(*sizes), column(*storages), column(*first), column(*last), column(*look_op), 100, 20, 3, 5_000, 7_000
    )


def test_of_the_looks_during_an_operation_the_one_that_saw_the_most_counts() -> None:
    b = GraphBuilder()
    op(b, [op(b, [op(b, [given_x(b)], 1)], 1)], 1)
    # Looks 0 to 4: one in operation 0, three in 1 and none in 2; the piece of 64 bytes is working memory inside of 1.
    found = memory(b.build(), seen((0, 1, 1, 1), [(1, 8, 0, 3), (7, 64, 2, 2), (2, 16, 3, 3), (9, 1_000, 1, 0)]))

    assert found is not None
    assert found.measured is not None
    assert found.measured.activations.tolist() == [8, 72, 72]
    assert (found.measured.peak, found.measured.peak_op) == (100 + 20 + 3 + 72, 1)
    assert (found.resident_bytes, found.resident_peak_bytes) == (5_000, 7_000)


def test_what_the_graph_knows_as_cache_is_measured_as_cache() -> None:
    graph = paper_decoder(3)
    storage = graph.tensors[graph.writes(graph.names.index("cat"))[0]].storage
    found = memory(graph, seen((0, 1), [(storage, 32, 0, 1), (10**9, 8, 0, 1)]))

    assert found is not None
    assert found.measured is not None
    assert found.measured.cache.tolist() == [32] * len(graph)
    assert found.measured.activations.tolist() == [8] * len(graph)


@pytest.mark.parametrize(
    ("look_op", "piece", "complaint"),
    [
        ((0, 5), (0, 8, 0, 1), "do not fit the graph"),
        ((1, 0), (0, 8, 0, 1), "do not fit the graph"),
        ((0, 1), (0, 8, 0, 2), "at no look"),
        ((0, 1), (0, 8, -1, 1), "at no look"),
        ((0, 1), (0, -8, 0, 1), "at no look"),
    ],
)
def test_looks_that_contradict_themselves_are_refused(
    look_op: tuple[int, ...], piece: tuple[int, int, int, int], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        seen(look_op, [piece]).self_check(2)


def kept_graph(kept: list[str]) -> Graph:
    """Three results in a row, of 2, 4 and 8 KB; those named in `kept` are still there at the end."""
    b = GraphBuilder()
    x = op(b, [given_x(b)], 2)
    y = op(b, [x], 4)
    z = op(b, [y], 8)
    op(b, [z], 1)
    storages = {"x": b.spec(x).storage, "y": b.spec(y).storage, "z": b.spec(z).storage, "input": 0}
    return b.build(kept=[storages[name] for name in kept])


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (["z"], [2, 6, 12, 9]),
        (["x"], [2, 6, 14, 11]),
        (["x", "y"], [2, 6, 14, 15]),
        (["x", "input"], [2, 6, 14, 11]),
    ],
)
def test_what_is_kept_is_held_to_the_end(kept: list[str], expected: list[int]) -> None:
    assert (told(kept_graph(kept)).computed.activations / KB).tolist() == expected


def test_where_it_is_known_what_is_kept_what_nothing_reads_is_let_go() -> None:
    b = GraphBuilder()
    x = op(b, [given_x(b)], 1)
    op(b, [x], 16)  # for nobody
    last = op(b, [op(b, [x], 2)], 1)
    graph = b.build(kept=[b.spec(last).storage])

    assert (told(graph).computed.activations / KB).tolist() == [1, 17, 3, 3]


def step(*, grows: bool) -> Graph:
    """A step that finds 8 KB of keys and leaves 9 KB in their place, or writes into the 8 KB that are there."""
    b = GraphBuilder()
    keys = tensor(b, 8, role=TensorRole.CACHE, name="keys")
    x = op(b, [given_x(b)], 1)
    if grows:
        grown = tensor(b, 9)
        b.op("cat", OpKind.COPY, [keys, x], [grown])
    else:
        grown = tensor(b, 8, storage=b.spec(keys).storage)
        b.op("copy_", OpKind.COPY, [x, keys], [grown], in_place=True)
    y = op(b, [grown, x], 2)
    return b.build(kept=[b.spec(grown).storage, b.spec(y).storage], cache_length=8)


def test_a_step_finds_its_cache_and_lets_go_of_it_when_it_has_a_longer_one() -> None:
    computed = told(step(grows=True)).computed

    assert (computed.cache / KB).tolist() == [8, 17, 9]
    assert (computed.activations / KB).tolist() == [1, 1, 3]


def test_a_cache_that_is_written_into_stays_as_large_as_it_was() -> None:
    assert (told(step(grows=False)).computed.cache / KB).tolist() == [8, 8, 8]


def test_the_largest_pieces_name_who_reads_the_cache_that_was_there() -> None:
    graph = step(grows=True)
    found = {piece.bytes // KB: (graph.names[piece.maker], piece.holding) for piece in told(graph).largest}

    assert found[8] == ("cat", Holding.CACHE)
    assert found[9] == ("cat", Holding.CACHE)
