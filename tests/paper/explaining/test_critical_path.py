"""Longest paths: small graphs whose answer is seen at once, and every random one against all chains walked."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from core.small_graphs import few_examples
from hypothesis import given

from cyclescope.explaining.critical_path import spans
from explaining.dags import Dag, dags

CHAIN = Dag((3, 4, 5), ((0, 1), (1, 2)))
FORK_JOIN = Dag((1, 10, 20, 30, 2), ((0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)))
DIAMOND = Dag((5, 7, 4, 1), ((0, 1), (0, 2), (1, 3), (2, 3)))
INDEPENDENT = Dag((6, 9, 2), ())


@pytest.mark.parametrize(
    ("dag", "span", "path", "slack"),
    [
        (CHAIN, 12, [0, 1, 2], [0, 0, 0]),
        (FORK_JOIN, 33, [0, 3, 4], [0, 20, 10, 0, 0]),
        (DIAMOND, 13, [0, 1, 3], [0, 0, 3, 0]),
        (INDEPENDENT, 9, [1], [3, 0, 7]),
    ],
)
def test_known_graphs(dag: Dag, span: int, path: list[int], slack: list[int]) -> None:
    found = dag.longest()
    assert found.span_ns == span
    assert found.path().tolist() == path
    assert (found.span_ns - found.end_ns - dag.tails()).tolist() == slack


def test_nothing_takes_no_time() -> None:
    nothing = Dag((), ())
    assert nothing.longest().span_ns == 0
    assert nothing.longest().path().tolist() == []


@few_examples
@given(dags())
def test_the_path_is_a_chain_as_long_as_the_longest_of_all(dag: Dag) -> None:
    found = dag.longest()
    path = found.path().tolist()
    assert found.span_ns == dag.span_by_trying()
    assert sum(dag.took[i] for i in path) == found.span_ns
    assert set(pairwise(path)) <= set(dag.edges)


@few_examples
@given(dags())
def test_slack_is_what_an_operation_can_be_late_and_no_more(dag: Dag) -> None:
    found = dag.longest()
    slack = found.span_ns - found.end_ns - dag.tails()
    assert np.all(slack >= 0)
    assert not slack[found.path()].any()
    for i, free in enumerate(slack.astype(int).tolist()):
        for late, expected in ((free, found.span_ns), (free + 1, found.span_ns + 1)):
            took = tuple(ns + late * (k == i) for k, ns in enumerate(dag.took))
            assert Dag(took, dag.edges).span_by_trying() == expected


@few_examples
@given(dags())
def test_a_group_by_itself_is_the_graph_of_its_operations_alone(dag: Dag) -> None:
    group = np.arange(len(dag.took)) % 3 - 1
    found = spans(dag.op_ns, *dag.columns, group, 2)
    for number in range(2):
        members = np.flatnonzero(group == number).tolist()
        place = {op: k for k, op in enumerate(members)}
        inside = tuple((place[s], place[t]) for s, t in dag.edges if s in place and t in place)
        assert found[number] == Dag(tuple(dag.took[i] for i in members), inside).span_by_trying()
