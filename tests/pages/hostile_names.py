"""What a model, a trace or a user may put into a name."""

from __future__ import annotations

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole

HOSTILE = (
    "</script><img src=x onerror=\"document.title='owned'\">",
    "<script>document.title='owned'</script>",
    "\"quoted\" 'single' `back` ${1+1} {{ 7*7 }} {% raw %}",
    "<!--<script>",
    "left\u202eright\u2028line",
    "\x1b[31mred\x00",
    "half \ud800 surrogate",
    "مرحبا",
    "中文模块名",
    "long" * 400,
)


def hostile_graph() -> Graph:
    """Every name that a model can choose is an attack, or at least a nuisance."""
    b = GraphBuilder()
    x = b.tensor((1, 4), role=TensorRole.INPUT, name=HOSTILE[0])
    with b.frame("", HOSTILE[0]):
        for i in range(2):
            with b.frame(f"{HOSTILE[0]}.{i}", HOSTILE[1]):
                for name in HOSTILE:
                    with b.frame(f"{HOSTILE[0]}.{i}.{name}", name):
                        for _ in range(2):
                            y = b.tensor((1, 4), name=name)
                            b.op(name, OpKind.MATMUL, [x], [y], Cost(100, 0, 16, 16))
                            x = y
    return b.build(traced_on=HOSTILE[0], notes=HOSTILE)
