"""Graphs that contradict themselves are caught, and structures that only look like a stack of layers are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.small_graphs import build, call
from cyclescope.core.graph.graph import Graph, GraphError
from cyclescope.core.graph.structure import EMBED, ENCODE, HEAD

TWO = build(call("a", 1, 1), call("b", 1, 1))


@pytest.mark.parametrize(
    "broken",
    [
        replace(TWO, frames=(TWO.frames[0], TWO.frames[1], replace(TWO.frames[2], first_op=1))),
        replace(TWO, frames=(TWO.frames[0], TWO.frames[2], TWO.frames[1]), op_frame=np.asarray([2, 2, 1, 1])),
        replace(TWO, op_frame=np.asarray([7, 1, 2, 2])),
        replace(TWO, op_frame=np.asarray([0, 1, 2, 2])),
        replace(TWO, outputs=np.asarray([*TWO.outputs[:-1], 99])),
        replace(build(), frames=()),
    ],
    ids=["overlap", "order", "no such frame", "not innermost", "no such tensor", "no frame"],
)
def test_self_check_catches(broken: Graph) -> None:
    with pytest.raises(GraphError):
        broken.self_check()


def test_a_pipeline_around_a_model_is_no_stack() -> None:
    """Sentence transformers: 0 is the Transformer, 1 the pooling."""
    graph = build(
        call("", call("0", call("0.embed", 10), call("0.layer.0", 1000), call("0.layer.1", 1000)), call("1", 5))
    )
    assert graph.stages == (EMBED, ENCODE, HEAD)
    assert [f.layer for f in graph.frames if ".layer." in f.module] == [0, 1]


def test_fc1_and_fc2_are_no_layers() -> None:
    graph = build(call("", call("embed", 10), call("h.0", 100), call("h.1", 100), call("fc1", 50), call("fc2", 50)))
    assert graph.stages == (EMBED, ENCODE, HEAD)
