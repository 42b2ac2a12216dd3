"""The data flow as a Mermaid flowchart."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from syrupy.assertion import SnapshotAssertion

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.dataflow import Level
from cyclescope.report.exports.mermaid import mermaid

from .conftest import HOSTILE, hostile_graph
from .strategies import graphs

# The whole grammar that we write: nothing else may appear, whatever the names are.
_LABEL = r'"(?:[\w .,()+/×·–-]|#\d+;|<br/>)*"'
_NODE = re.compile(rf"    (n\d+)(?:\[{_LABEL}\]|\(\[{_LABEL}\]\))")
_EDGE = re.compile(rf"    (n\d+) -->\|{_LABEL}\| (n\d+)")
_STYLE = re.compile(r"    style n\d+ stroke-dasharray: 4")


def check(text: str) -> None:
    """Only known forms, and every arrow between known nodes."""
    first, *lines = text.splitlines()
    assert first == "flowchart TD"
    nodes = set()
    for line in lines:
        assert not re.search(r"direction\s|fa:fa-", line)
        node, edge = _NODE.fullmatch(line), _EDGE.fullmatch(line)
        if node:
            assert node[1] not in nodes
            nodes.add(node[1])
        elif edge:
            assert {edge[1], edge[2]} <= nodes
        else:
            assert _STYLE.fullmatch(line), line


@pytest.mark.parametrize("level", [Level.STAGE, Level.LAYER])
def test_snapshot(graph: Graph, level: Level, snapshot: SnapshotAssertion) -> None:
    text = mermaid(graph, level)
    check(text)
    assert text == snapshot


def test_equal_layers_are_folded_unless_asked_for(graph: Graph) -> None:
    assert '["encode 0–11 ×12<br/>BertLayer' in mermaid(graph, Level.LAYER)
    unfolded = mermaid(graph, Level.LAYER, fold=False)
    check(unfolded)
    assert all(f'["encode {i}<br/>BertLayer' in unfolded for i in range(12))


def test_arrows_carry_shapes_and_bytes(graph: Graph) -> None:
    assert '-->|"1×16×768 float32<br/>49.2 kB"|' in mermaid(graph)


def test_chinese(graph: Graph) -> None:
    text = mermaid(graph, language="zh")
    check(text)
    assert '["编码<br/>' in text


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("fold", [True, False])
def test_hostile_names(level: Level, fold: bool) -> None:
    text = mermaid(hostile_graph(), level, fold=fold)
    check(text)
    if level is Level.OPERATION:
        assert all(name not in text for name in HOSTILE if not name.isalpha())


@settings(max_examples=50)
@given(graphs())
def test_any_graph(graph: Graph) -> None:
    for level in Level:
        check(mermaid(graph, level))
