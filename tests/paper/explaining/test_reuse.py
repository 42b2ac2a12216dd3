"""What operations move and how far back it lies, on graphs whose answer is known by construction."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from paper_models import paper_bert
from paper_roofline import KB

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.explaining.reuse import traffic


def tensor(b: GraphBuilder, kilobytes: float, **kwargs: object) -> int:
    return b.tensor((int(256 * kilobytes),), **kwargs)  # type: ignore[arg-type]


def op(b: GraphBuilder, inputs: list[int], outputs: list[int], **kwargs: object) -> int:
    """An operation that moves all its tensors."""
    reads, writes = (sum(b.spec(t).bytes for t in tensors) for tensors in (inputs, outputs))
    return b.op("op", OpKind.ELEMENTWISE, inputs, outputs, Cost(0, 0, reads, writes), **kwargs)  # type: ignore[arg-type]


def touches(graph: Graph) -> list[tuple[int, float, float]]:
    """Operation, kilobytes moved, kilobytes of distance."""
    found = traffic(graph)
    columns = (found.op.tolist(), (found.bytes / KB).tolist(), (found.distance_bytes / KB).tolist())
    return list(zip(*columns, strict=True))


def test_what_was_just_written_is_near_and_weights_come_round() -> None:
    b = GraphBuilder()
    w = tensor(b, 8, role=TensorRole.PARAMETER)
    x = tensor(b, 2)
    op(b, [w], [x])
    y = tensor(b, 1)
    op(b, [x], [y])

    # A cycle touches 8 + 2 + 1 kB; x and y come back in the place that they had.
    assert touches(b.build()) == [(0, 8, 11), (0, 2, 11), (1, 2, 2), (1, 1, 11)]


def test_a_view_moves_nothing_and_lies_in_the_memory_of_what_it_shows() -> None:
    b = GraphBuilder()
    x = tensor(b, 4, role=TensorRole.INPUT)
    y = tensor(b, 4)
    op(b, [x], [y])
    part = tensor(b, 1, storage=b.spec(y).storage)
    b.op("select", OpKind.VIEW, [y], [part])
    op(b, [part], [])

    assert touches(b.build()) == [(0, 4, 5), (0, 4, 8), (2, 1, 1)]


def test_an_expanded_view_is_no_larger_than_its_memory() -> None:
    b = GraphBuilder()
    x = tensor(b, 2, role=TensorRole.INPUT)
    wide = tensor(b, 200, storage=b.spec(x).storage)
    b.op("expand", OpKind.VIEW, [x], [wide])
    op(b, [wide], [])

    assert touches(b.build()) == [(1, 2, 2)]


def test_views_of_one_memory_add_up_to_no_more_than_it() -> None:
    b = GraphBuilder()
    x = tensor(b, 3, role=TensorRole.INPUT)
    thirds = [tensor(b, 1, storage=b.spec(x).storage) for _ in range(3)]
    b.op("chunk", OpKind.VIEW, [x], thirds)
    op(b, thirds[:2], [])
    op(b, [*thirds, x], [])

    assert touches(b.build()) == [(1, 2, 2), (2, 3, 3)]


def test_a_lookup_reads_its_rows_and_not_the_table() -> None:
    b = GraphBuilder()
    table, ids, rows = tensor(b, 1000, role=TensorRole.PARAMETER), tensor(b, 1), tensor(b, 4)
    op(b, [tensor(b, 1, role=TensorRole.INPUT)], [ids])
    b.op("embedding", OpKind.EMBEDDING, [table, ids], [rows], Cost(0, 0, 5 * KB, 4 * KB))

    # 4 kB of the table and all of the ids; round the cycle lie 1 + 1 + 4 + 4 kB.
    assert touches(b.build())[2:] == [(1, 4, 10), (1, 1, 5), (1, 4, 10)]


def test_a_copy_into_memory_does_not_read_it() -> None:
    b = GraphBuilder()
    into, x = tensor(b, 4, role=TensorRole.BUFFER), tensor(b, 4, role=TensorRole.INPUT)
    b.op("copy_", OpKind.COPY, [into, x], [into], Cost(0, 0, 4 * KB, 4 * KB), in_place=True)

    assert touches(b.build()) == [(0, 4, 8), (0, 4, 8)]


def test_an_addition_in_place_reads_and_writes_in_one_touch() -> None:
    b = GraphBuilder()
    x, y = tensor(b, 4, role=TensorRole.INPUT), tensor(b, 2, role=TensorRole.INPUT)
    b.op("add_", OpKind.ELEMENTWISE, [x, y], [x], Cost(0, 0, 6 * KB, 4 * KB), in_place=True)

    assert touches(b.build()) == [(0, 8, 6), (0, 2, 6)]


def test_one_place_of_a_cache_that_is_written_is_not_all_of_it() -> None:
    b = GraphBuilder()
    cache, new = tensor(b, 100, role=TensorRole.BUFFER), tensor(b, 1, role=TensorRole.INPUT)
    b.op("index_copy_", OpKind.COPY, [cache, new], [cache], Cost(0, 0, KB, KB), in_place=True)

    assert touches(b.build()) == [(0, 1, 2), (0, 1, 2)]


def test_freed_memory_is_handed_out_again() -> None:
    """A chain of results takes turns in two places, so that each is written where the one before the last lay."""
    b = GraphBuilder()
    x = tensor(b, 1, role=TensorRole.INPUT)
    for _ in range(6):
        y = tensor(b, 1)
        op(b, [x], [y])
        x = y

    found = touches(b.build())
    assert {distance for row, _, distance in found if row > 2} == {1, 2}


def test_what_is_still_needed_is_not_handed_out() -> None:
    b = GraphBuilder()
    x, kept = tensor(b, 1, role=TensorRole.INPUT), tensor(b, 1)
    op(b, [x], [kept])
    for _ in range(4):
        y = tensor(b, 1)
        op(b, [x], [y])
        op(b, [y], [])
    op(b, [kept], [])

    # Between the two touches of what is kept lie x and the one place that the others take turns in.
    assert touches(b.build())[-1] == (9, 1, 3)


def test_text_is_in_no_memory_of_the_engine() -> None:
    graph = paper_bert(1)
    found = traffic(graph)

    assert graph.kinds[0] is OpKind.TEXT
    assert found.bytes[found.op == 0].tolist() == [8 * 16]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2000)), max_size=30))
def test_nothing_moves_more_than_its_cost(rows: list[tuple[int, int, int]]) -> None:
    b = GraphBuilder()
    known = [tensor(b, k + 1, role=TensorRole.INPUT) for k in range(6)]
    for read, second, cost in rows:
        made = tensor(b, 1)
        b.op("op", OpKind.OTHER, [known[read], known[second]], [made], Cost(0, 0, cost, cost // 2))
        known.append(made)
    graph = b.build()
    found = traffic(graph)

    assert (found.bytes > 0).all()
    assert (found.distance_bytes > 0).all()
    for i in range(len(graph)):
        cost = graph.cost(i)
        assert found.bytes[found.op == i].sum() <= cost.read_bytes + cost.written_bytes
