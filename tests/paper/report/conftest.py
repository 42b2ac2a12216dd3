"""Explanations of paper cycles, each made once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from paper_models import PAPER_BERT_WORKLOAD, paper_bert, paper_cycle, slot_times

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation

# What a model, a trace or a user may put into a name; each has broken some tool's report.
HOSTILE = (
    "[red]not red[/red]",
    "\x1b[31mred\x1b[0m",
    "</script><script>alert(1)</script>",
    'a "quoted" | piped | name',
    "end",
    "`back` ``ticks``",
    "%%{init: {}}%%",
    "style x:#fff;",
    "#quot; #35; &lt;",
    "中文模块名",
    "left\u202eright",
    "line\nbreak\ttab\x00",
    "half \ud800 surrogate",
    "**bold** _it_ [link](http://x) $x$ <b>",
    "a{b}(c)[d]>e",
    "direction TB",
    "fa:fa-car",
)


@pytest.fixture(scope="session")
def graph() -> Graph:
    return paper_bert()


@pytest.fixture(scope="session")
def explanation(graph: Graph) -> Explanation:
    """Twelve layers, the eighth of them slow."""
    return explain(paper_cycle(graph, slot_times(graph, slow_layer=7)))


@pytest.fixture(scope="session")
def unmeasured(graph: Graph) -> Explanation:
    """Interrupted before anything was measured."""
    return explain(paper_cycle(graph, runs=0, instrumented=False, partial=True))


@pytest.fixture(scope="session")
def wall_only(graph: Graph) -> Explanation:
    """Interrupted before anything was stamped."""
    return explain(paper_cycle(graph, runs=3, instrumented=False, partial=True, notes=("The machine went to sleep.",)))


def hostile_graph() -> Graph:
    """A model of three layers whose names are all hostile."""
    b = GraphBuilder()
    x = b.tensor((1, 4), role=TensorRole.INPUT, name=HOSTILE[3])
    with b.frame("", HOSTILE[0]):
        for i in range(3):
            with b.frame(f"{HOSTILE[1]}.{i}", HOSTILE[2]):
                for name in HOSTILE:
                    with b.frame(f"{HOSTILE[1]}.{i}.{name}", name):
                        y = b.tensor((1, 4), name=name)
                        b.op(name, OpKind.MATMUL, [x], [y], Cost(100, 0, 16, 16))
                        x = y
    return b.build(traced_on=HOSTILE[5], notes=[HOSTILE[4]])


@pytest.fixture(scope="session")
def hostile() -> Explanation:
    """An explanation in which every text that can be hostile is."""
    workload = replace(
        PAPER_BERT_WORKLOAD,
        model=replace(PAPER_BERT_WORKLOAD.model, reference=HOSTILE[1], class_name=HOSTILE[0], tokenizer=HOSTILE[12]),
        outcome=" ".join(HOSTILE),
        texts=HOSTILE,
    )
    return explain(paper_cycle(hostile_graph(), workload=workload, notes=HOSTILE))
