"""Who must finish before whom: through new tensors, through views, and around writes in place."""

from __future__ import annotations

from hypothesis import given

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole

from .small_graphs import few_examples, graphs


class Script:
    """Writes operations down as a program would run them."""

    def __init__(self) -> None:
        self.b = GraphBuilder()

    def given(self, role: TensorRole = TensorRole.INPUT) -> int:
        return self.b.tensor((8,), role=role)

    def compute(self, *reads: int) -> int:
        y = self.b.tensor((8,))
        self.b.op("compute", OpKind.OTHER, reads, [y])
        return y

    def view(self, of: int) -> int:
        y = self.b.tensor((4, 2), storage=self.b.spec(of).storage)
        self.b.op("view", OpKind.VIEW, [of], [y])
        return y

    def write_into(self, target: int, *reads: int) -> None:
        self.b.op("write_", OpKind.ELEMENTWISE, [target, *reads], [target], in_place=True)

    def edges(self) -> list[tuple[int, int, bool]]:
        return edges_of(self.b.build())


def edges_of(graph: Graph) -> list[tuple[int, int, bool]]:
    """(source, target, carries data), in order of the targets."""
    found = graph.dependencies
    columns = (found.source.tolist(), found.target.tolist(), found.carries_data.tolist())
    return [(source, target, bool(data)) for source, target, data in zip(*columns, strict=True)]


def test_a_chain_depends_link_by_link() -> None:
    s = Script()
    s.compute(s.compute(s.compute(s.given())))
    assert s.edges() == [(0, 1, True), (1, 2, True)]


def test_what_was_given_and_never_written_makes_no_edge() -> None:
    s = Script()
    x, w = s.given(), s.given(TensorRole.PARAMETER)
    s.compute(x, w)
    s.compute(x, w)
    assert s.edges() == []


def test_a_tensor_read_twice_by_one_operation_is_one_edge() -> None:
    s = Script()
    y = s.compute(s.given())
    s.compute(y, y)
    assert s.edges() == [(0, 1, True)]


def test_two_readers_of_one_tensor_do_not_wait_for_each_other() -> None:
    s = Script()
    y = s.compute(s.given())
    left, right = s.compute(y), s.compute(y)
    s.compute(left, right)
    assert s.edges() == [(0, 1, True), (0, 2, True), (1, 3, True), (2, 3, True)]


def test_reading_a_view_depends_on_the_view_and_on_who_wrote_the_memory() -> None:
    s = Script()
    y = s.compute(s.given())
    s.compute(s.view(y))
    assert s.edges() == [(0, 1, True), (0, 2, True), (1, 2, True)]


def test_a_view_of_a_view_depends_on_the_view_before_it() -> None:
    s = Script()
    s.view(s.view(s.compute(s.given())))
    assert (1, 2, True) in s.edges()


def test_two_views_of_a_parameter_have_nothing_to_do_with_each_other() -> None:
    s = Script()
    w = s.given(TensorRole.PARAMETER)
    first, second = s.view(w), s.view(w)
    s.compute(first)
    s.compute(second)
    assert s.edges() == [(0, 2, True), (1, 3, True)]


def test_a_write_in_place_waits_for_the_readers_before_it_without_taking_data_from_them() -> None:
    s = Script()
    y = s.compute(s.given())
    s.compute(y)
    s.write_into(y)
    assert s.edges() == [(0, 1, True), (0, 2, True), (1, 2, False)]


def test_a_write_in_place_waits_for_readers_through_views_too() -> None:
    s = Script()
    y = s.compute(s.given())
    s.compute(s.view(y))
    s.write_into(y)
    assert (2, 3, False) in s.edges()


def test_later_readers_depend_on_the_write_in_place_and_not_on_the_first_reader() -> None:
    s = Script()
    y = s.compute(s.given())
    s.compute(y)
    s.write_into(y)
    s.compute(y)
    late = [(source, data) for source, target, data in s.edges() if target == 3]
    assert late == [(2, True)]


def test_a_view_made_before_a_write_in_place_sees_the_write() -> None:
    s = Script()
    y = s.compute(s.given())
    view = s.view(y)
    s.write_into(y)
    s.compute(view)
    assert {(2, 3, True), (1, 3, True)} <= set(s.edges())


def test_a_write_through_a_view_is_seen_by_readers_of_the_whole() -> None:
    s = Script()
    y = s.compute(s.given())
    s.write_into(s.view(y))
    s.compute(y)
    assert (2, 3, True) in s.edges()


def test_a_second_write_in_place_waits_only_for_readers_since_the_first() -> None:
    s = Script()
    y = s.compute(s.given())
    s.compute(y)
    s.write_into(y)
    s.compute(y)
    s.write_into(y)
    assert [(source, data) for source, target, data in s.edges() if target == 4] == [(2, True), (3, False)]


def test_a_write_into_a_parameter_or_a_cache_is_seen_afterwards() -> None:
    """A KV cache is given from outside and written in place: nobody made it, but its last write counts."""
    s = Script()
    cache = s.given(TensorRole.BUFFER)
    s.compute(cache)
    s.write_into(cache)
    s.compute(cache)
    assert s.edges() == [(0, 1, False), (1, 2, True)]


def test_an_edge_names_the_tensor_that_it_goes_through() -> None:
    s = Script()
    left, right = s.compute(s.given()), s.compute(s.given())
    s.compute(right, left)
    graph = s.b.build()
    through = zip(graph.dependencies.source.tolist(), graph.dependencies.tensor.tolist(), strict=True)
    assert sorted(through) == [(0, left), (1, right)]


@few_examples
@given(graphs())
def test_edges_point_forward_appear_once_and_data_is_read_where_it_arrives(graph: Graph) -> None:
    edges = edges_of(graph)
    assert all(source < target for source, target, _ in edges)
    assert len({(source, target) for source, target, _ in edges}) == len(edges)
    for target, tensor, data in zip(
        graph.dependencies.target.tolist(),
        graph.dependencies.tensor.tolist(),
        graph.dependencies.carries_data.tolist(),
        strict=True,
    ):
        assert tensor in (graph.reads(target) if data else graph.writes(target))


@few_examples
@given(graphs())
def test_every_read_of_memory_is_reached_by_all_earlier_writes_to_it(graph: Graph) -> None:
    """The last write reaches a reader by an edge, the earlier ones through the writes in between."""
    before: list[set[int]] = [set() for _ in range(len(graph))]
    for source, target, _ in edges_of(graph):
        before[target] |= before[source] | {source}
    writers: dict[int, list[int]] = {}
    for i in range(len(graph)):
        for t in graph.reads(i):
            assert before[i].issuperset(writers.get(graph.tensors[t].storage, []))
        if graph.kinds[i] is not OpKind.VIEW:
            for t in graph.writes(i):
                writers.setdefault(graph.tensors[t].storage, []).append(i)
